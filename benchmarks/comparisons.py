"""Fair comparisons: repeated measures, weighting and matching of registry-sized data."""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.timing import Task
from vertebro_outcomes.comparisons.compare import compare
from vertebro_outcomes.comparisons.methods import METHODS
from vertebro_outcomes.comparisons.windows import visit_matrix
from vertebro_outcomes.estimators.emulation.course import Course
from vertebro_outcomes.estimators.propensity.matching import match_nearest
from vertebro_outcomes.estimators.two_arms import ContrastFit, TwoArms
from vertebro_outcomes.tables.cohort import Cohort

PATIENTS = 1_000_000
DAYS = (7, 30, 90, 180, 365)


def long_scores(n: int, seed: int = 1) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Scores one per row, arm and baseline of n patients."""
    rng = np.random.default_rng(seed)
    treated = rng.random(n) < 0.5
    baseline = rng.normal(7, 1.5, n)
    own = rng.normal(0, 1.4, n)
    y = 2 + 0.4 * baseline[:, None] - 1.5 * treated[:, None] + own[:, None]
    y = y + rng.normal(0, 1, (n, len(DAYS)))
    rows = pd.DataFrame(
        {"row": np.repeat(np.arange(n), len(DAYS)), "day": np.tile(DAYS, n), "value": y.ravel()}
    )
    return rows[rng.random(len(rows)) < 0.9].reset_index(drop=True), treated, baseline


def mmrm(scores: pd.DataFrame, treated: np.ndarray, baseline: np.ndarray) -> ContrastFit:
    """From rows of scores to the contrast: aggregation into visits and sums included."""
    visits = visit_matrix(
        scores["row"].to_numpy(),
        scores["day"].to_numpy(),
        scores["value"].to_numpy(),
        n=len(treated),
        visits={day: (day, day) for day in DAYS},
    )
    fit: ContrastFit = METHODS["mmrm"].fit(
        TwoArms(
            visits[:, 1],
            treated,
            baseline[:, None],
            visits=visits,
            visit=1,
            varies=np.array([True]),
        ),
        variance="kenward_roger",
    )
    return fit


def confounded(n: int, p: int = 20) -> TwoArms:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(n, p))
    treated = rng.random(n) < 1 / (1 + np.exp(1 - x @ np.full(p, 0.2)))
    return TwoArms(x.sum(axis=1) - treated + rng.normal(size=n), treated, x)


def _registry(data: TwoArms) -> Cohort:
    """The same patients as a cohort, for the whole way through `vo.compare`."""
    ids = pd.Series([f"p{i:07d}" for i in range(len(data.y))])
    covariates = {f"x{j}": data.x[:, j] for j in range(data.x.shape[1])}
    return Cohort.from_frames(
        patients=pd.DataFrame({"patient_id": ids} | covariates),
        episodes=pd.DataFrame(
            {"patient_id": ids, "treatment": np.where(data.treated, "KP", "VP"), "day0": "treatment"}
        ),
        scores=pd.DataFrame(
            {"patient_id": ids, "instrument": "pain_vas", "day": 30,
             "value": np.clip(5 + 0.1 * data.y, 0, 10)}
        ),
        synthetic=True,
    )  # fmt: skip


def _course(n: int) -> Course:
    """Patients from presentation on, who start treatment and die at rates that depend on x."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=(n, 5))
    wait = np.floor(rng.exponential(60 * np.exp(-0.3 * x[:, 0])))
    death = np.ceil(rng.exponential(800 * np.exp(-0.3 * x[:, 0])))
    time = np.minimum(death, 730.0)
    own = np.where(wait <= time, wait, np.inf)
    cause = (death <= 730).astype(np.int64)
    return Course(time, cause, own, np.full(n, np.inf), x, grace=42, day=365)


def _overlap_elsewhere(data: TwoArms) -> float:
    """Overlap-weighted difference with the propensity of statsmodels; without a standard error."""
    import statsmodels.api as sm

    x = np.column_stack([np.ones(len(data.y)), data.x])
    e = sm.Logit(data.treated.astype(float), x).fit(disp=0, method="newton", tol=1e-12).predict()
    w = np.where(data.treated, 1 - e, e)
    t, c = data.treated, ~data.treated
    return float(np.average(data.y[t], weights=w[t]) - np.average(data.y[c], weights=w[c]))


def _apart(ours: Any, theirs: Any) -> float:
    return abs(float(ours.estimate) - float(theirs))


def tasks() -> list[Task]:
    """The tasks of fair comparisons."""
    scores, treated, baseline = long_scores(222_223)
    data = confounded(PATIENTS)
    score = data.x @ np.full(20, 0.2)
    registry, course = _registry(data), _course(PATIENTS)
    names = [f"x{j}" for j in range(data.x.shape[1])]
    question: dict[str, Any] = {
        "outcome": "pain_vas", "treatment": "KP", "comparator": "VP", "day": 30, "covariates": names,
    }  # fmt: skip
    return [
        Task(
            "MMRM, 5 visits", f"{len(scores):,} rows",
            lambda: mmrm(scores, treated, baseline), runs=3,
        ),
        Task(
            "overlap weighting, 20 covariates", f"{PATIENTS:,} patients",
            partial(METHODS["overlap_weighting"].fit, data), runs=2,
            peer_name="statsmodels Logit", peer=partial(_overlap_elsewhere, data), agreement=_apart,
        ),
        Task(
            "1:1 caliper matching", f"{PATIENTS:,} patients",
            partial(match_nearest, score, data.treated, caliper=0.2 * float(np.std(score))), runs=2,
        ),
        Task(
            "overlap weighting from tables to result", f"{PATIENTS:,} patients",
            lambda: compare(registry, method="overlap_weighting", **question), runs=1,
        ),
        Task(
            "1:1 matching from tables to result", f"{PATIENTS:,} patients",
            lambda: compare(registry, method="matching", variance="pairs", **question), runs=1,
        ),
        Task(
            "clone-censor-weight, 42 days of grace", f"{PATIENTS:,} patients",
            partial(METHODS["clone_censor_weight"].fit, course), runs=1,
        ),
    ]  # fmt: skip
