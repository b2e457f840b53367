"""Many simulated registries, each analysed by every method, against the truth.

`python -m tests.simulation.study` writes the stored table again (see `REPLICATES`).
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

import vertebro_outcomes as vo
from vertebro_outcomes.comparisons.fitting import fit_prepared
from vertebro_outcomes.comparisons.population import Population
from vertebro_outcomes.comparisons.preparation import prepare
from vertebro_outcomes.comparisons.requests import checked_request
from vertebro_outcomes.estimators.survival.aalen_johansen import fit_aalen_johansen
from vertebro_outcomes.estimators.t_interval import t_quantile
from vertebro_outcomes.simulate.registry import simulated_frames
from vertebro_outcomes.simulate.truth import true_effects

STORED = Path(__file__).parent / "study.csv"
REPLICATES, N, DAY, FIRST_SEED = 500, 1000, 90, 10_000
COVARIATES = ["baseline", "age_years", "charlson", "fracture_age_days", "site"]
# Method -> the estimand whose truth it is held against, covariates.
METHODS = {
    "unadjusted": ("ATE", None),
    "ancova": ("ATO", COVARIATES),
    "mmrm": ("ATO", COVARIATES),
    "overlap_weighting": ("ATO", COVARIATES),
    "ate_weighting": ("ATE", COVARIATES),
    "aipw": ("ATE", COVARIATES),
    "g_computation": ("ATE", COVARIATES),
}
SCENARIOS = ("null", "randomised", "confounded")
IMMORTAL = ("naive_from_procedure", "clone_censor_weight", "landmark")


def people_of(frames, arms=("KP", "NSM")) -> Population:
    """The analysed patients without a database in between."""
    episodes = frames["episodes"][frames["episodes"]["treatment"].isin(arms)]
    episodes = episodes.sort_values("patient_id").reset_index(drop=True)
    episodes = episodes.assign(fracture_age_days=-episodes["fracture_day"])
    joined = episodes.merge(frames["patients"], on="patient_id", how="left")
    scores = frames["scores"]
    scores = scores[(scores["instrument"] == "pain_vas") & scores["value"].notna()]
    at = pd.Index(joined["episode_id"]).get_indexer(scores["episode_id"])
    row, day, value = (
        at[at >= 0],
        scores["day"].to_numpy()[at >= 0],
        scores["value"].to_numpy()[at >= 0],
    )
    order = np.lexsort((day, row))
    return Population(
        frame=joined, treated=(joined["treatment"] == arms[0]).to_numpy(), row=row[order],
        day=day[order], value=value[order], later_episodes=(0, 0),
        episodes_of=frozenset(episodes.columns),
    )  # fmt: skip


def requests():
    cohort, _ = vo.simulate_registry(n_patients=60, seed=1, scenario="randomised")
    options = {
        "n_ratio": 1, "trim": "none", "trim_at": None, "caliper_sd": None, "exact": (),
        "continuous": None, "failed": "withhold",
    }  # fmt: skip
    return {
        method: checked_request(
            cohort=cohort, outcome="pain_vas", treatment="KP", comparator="NSM", day=DAY, method=method,
            covariates=covariates, variance=None, level=0.95, window_days=None, response=None,
            crossover="treatment_policy", death="while_alive", options=options,
        )
        for method, (_, covariates) in METHODS.items()
    }  # fmt: skip


def pain(frames, asked):
    """(method, estimate, se, df) of every method."""
    people = people_of(frames)
    for method, request in asked.items():
        fit = fit_prepared(prepare(people, request), request)
        yield method, fit.estimate, fit.se, fit.df


def deaths(frames):
    """Risk difference of death at one year, Aalen-Johansen in each arm."""
    people = frames["episodes"].merge(frames["patients"], on="patient_id")
    end, death = (
        people["followup_end_day"].to_numpy(float),
        people["death_day"].to_numpy(float, na_value=np.nan),
    )
    dead = death <= end
    time = np.where(dead, death, end)
    found = []
    for arm in ("KP", "NSM"):
        mine = (people["treatment"] == arm).to_numpy()
        curve = fit_aalen_johansen(time[mine], dead[mine].astype(np.int64))
        estimate, se, _ = curve.at(np.array([365.0]))
        found.append((float(estimate[0]), float(se[0])))
    (t, se_t), (c, se_c) = found
    return t - c, float(np.hypot(se_t, se_c))


def replicates(scenario: str, count: int, *, first: int = FIRST_SEED) -> pd.DataFrame:
    """`analysis estimand estimate se df` of every replicate."""
    asked, rows = requests(), []
    for seed in range(first, first + count):
        frames = simulated_frames(n_patients=N, seed=seed, scenario=scenario)
        if scenario != "nonproportional":
            rows += [(m, METHODS[m][0], e, se, df) for m, e, se, df in pain(frames, asked)]
        if scenario != "confounded":
            estimate, se = deaths(frames)
            rows.append(("death at one year", "ATE", estimate, se, np.inf))
    return pd.DataFrame(rows, columns=["analysis", "estimand", "estimate", "se", "df"])


def immortal(count: int, *, first: int = FIRST_SEED) -> pd.DataFrame:
    """Death at one year where the truth is no effect, by the treatment of time zero."""
    design = vo.Design("death", "VA", "NSM", day=365, time_zero="presentation", grace_days=60)
    rows = []
    for seed in range(first, first + count):
        cohort, _ = vo.simulate_registry(n_patients=N, seed=seed, scenario="immortal_time")
        for method in IMMORTAL:
            one = vo.compare(cohort, design=design, method=method)
            rows.append((method, "strategy", one.estimate, one.se, np.inf))
    return pd.DataFrame(rows, columns=["analysis", "estimand", "estimate", "se", "df"])


def summary(scenario: str, rows: pd.DataFrame) -> pd.DataFrame:
    """Bias, coverage and rejection with their Monte-Carlo errors."""
    truth = true_effects(scenario)
    lines = []
    for (analysis, estimand), part in rows.groupby(["analysis", "estimand"], sort=True):
        if scenario == "immortal_time":
            true = 0.0
        elif analysis == "death at one year":
            true = truth.value("death", treatment="KP", comparator="NSM", day=365, measure="RD")
        else:
            true = truth.value(
                "pain_vas",
                treatment="KP",
                comparator="NSM",
                day=DAY,
                measure="MD",
                estimand=estimand,
            )
        half = t_quantile(part["df"].to_numpy(float), level=0.95) * part["se"].to_numpy()
        off = part["estimate"].to_numpy() - true
        covered = float(np.mean(np.abs(off) <= half))
        lines.append(
            {
                "scenario": scenario, "analysis": analysis, "estimand": estimand,
                "replicates": len(part), "truth": true, "bias": off.mean(),
                "bias_mc_error": off.std(ddof=1) / np.sqrt(len(part)),
                "sd": off.std(ddof=1), "mean_se": part["se"].mean(), "coverage_pct": 100 * covered,
                "coverage_mc_error": 100 * np.sqrt(covered * (1 - covered) / len(part)),
                "rejected_pct": 100 * float(np.mean(np.abs(part["estimate"]) > half)),
            }
        )  # fmt: skip
    return pd.DataFrame(lines)


if __name__ == "__main__":
    wanted = sys.argv[1:] or [*SCENARIOS, "nonproportional", "immortal_time"]
    old = (
        pd.read_csv(STORED, keep_default_na=False)
        if STORED.is_file()
        else pd.DataFrame(columns=["scenario"])
    )
    for name in wanted:
        made = immortal(REPLICATES) if name == "immortal_time" else replicates(name, REPLICATES)
        old = pd.concat([old[old["scenario"] != name], summary(name, made)], ignore_index=True)
        old.to_csv(STORED, index=False, float_format="%.5g", lineterminator="\n")
        print(old[old["scenario"] == name].to_string())
