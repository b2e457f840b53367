"""Scores missing at random in many simulated registries, each handled in several ways, against the truth.

Patients of the scenario "confounded" drop out by the last pain they recorded.
`python -m tests.simulation.missing_study` writes the stored table again (see `REPLICATES`).
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

import vertebro_outcomes as vo
from tests.simulation.study import COVARIATES, people_of
from vertebro_outcomes.comparisons.fitting import fit_prepared
from vertebro_outcomes.comparisons.imputed import fit_imputed
from vertebro_outcomes.comparisons.preparation import prepare
from vertebro_outcomes.comparisons.requests import Request, checked_request
from vertebro_outcomes.comparisons.stayed import fit_stayed
from vertebro_outcomes.estimators.t_interval import t_quantile
from vertebro_outcomes.simulate.registry import simulated_frames
from vertebro_outcomes.simulate.truth import true_effects

STORED = Path(__file__).parent / "missing_study.csv"
SCENARIO, REPLICATES, N, DAY, FIRST_SEED = "confounded", 200, 1000, 90, 50_000
WAYS = {
    "multiple_imputation": {"missing": "multiple_imputation", "n_imputations": 20},
    "censoring_weights": {"missing": "censoring_weights"},
}


def request(missing: dict) -> Request:
    cohort, _ = vo.simulate_registry(n_patients=60, seed=1, scenario="randomised")
    return checked_request(
        cohort=cohort, outcome="pain_vas", treatment="KP", comparator="NSM", day=DAY,
        method="ancova", covariates=COVARIATES, variance=None, level=0.95, window_days=None,
        missing=missing,
    )  # fmt: skip


def replicates(count: int, *, first: int = FIRST_SEED) -> pd.DataFrame:
    """`way estimate se df` of every replicate."""
    asked = {"observed": request({}), **{way: request(how) for way, how in WAYS.items()}}
    rows = []
    for seed in range(first, first + count):
        people = people_of(simulated_frames(n_patients=N, seed=seed, scenario=SCENARIO))
        for way, one in asked.items():
            if way == "observed":
                fit = fit_prepared(prepare(people, one), one)
            else:
                fit = (fit_imputed if way == "multiple_imputation" else fit_stayed)(people, one).fit
            rows.append((way, fit.estimate, fit.se, fit.df))
    return pd.DataFrame(rows, columns=["way", "estimate", "se", "df"])


def summary(rows: pd.DataFrame) -> pd.DataFrame:
    """Bias and coverage with their Monte-Carlo errors, one line per way."""
    true = true_effects(SCENARIO).value(
        "pain_vas", treatment="KP", comparator="NSM", day=DAY, measure="MD", estimand="ATO"
    )
    lines = []
    for way, part in rows.groupby("way", sort=True):
        half = t_quantile(part["df"].to_numpy(float), level=0.95) * part["se"].to_numpy()
        off = part["estimate"].to_numpy() - true
        lines.append(
            {
                "way": way, "replicates": len(part), "truth": true, "bias": off.mean(),
                "bias_mc_error": off.std(ddof=1) / np.sqrt(len(part)), "sd": off.std(ddof=1),
                "mean_se": part["se"].mean(), "coverage_pct": 100 * np.mean(np.abs(off) <= half),
            }
        )  # fmt: skip
    return pd.DataFrame(lines)


if __name__ == "__main__":
    if len(sys.argv) > 1:  # a part of the seeds: FIRST COUNT FILE
        first, count = int(sys.argv[1]), int(sys.argv[2])
        replicates(count, first=first).to_csv(sys.argv[3], index=False)
    else:
        summary(replicates(REPLICATES)).to_csv(STORED, index=False, float_format="%.5g")
