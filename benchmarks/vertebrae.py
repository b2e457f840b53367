"""The vertebrae of a million patients: fourteen rows each, fitted on their sufficient statistics."""

from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.timing import Task
from vertebro_outcomes.comparisons.vertebra_rows import FAR, vertebra_rows
from vertebro_outcomes.comparisons.vertebrae import INTERVALS_DAYS, vertebra_fractures
from vertebro_outcomes.spine import LEVELS
from vertebro_outcomes.tables.cohort import Cohort

MANY = 1_000_000
FEW = 20_000  # 280,000 vertebrae, about a million rows of the peer


def tasks() -> list[Task]:
    """From the tables of a cohort to hazard ratios with the variance by patient."""
    cohort, few = invented(MANY), invented(FEW)
    return [
        Task(
            "vertebra-level table and rates", f"{MANY:,} patients",
            lambda: vertebra_fractures(cohort, covariates=["distance", "region", "disc_leakage"]),
            runs=1,
        ),
        Task(
            "vertebra-level hazard ratios", f"{FEW:,} patients",
            lambda: vertebra_fractures(few, covariates=["distance"]).coefficients, runs=2,
            peer_name="statsmodels Poisson, all rows", peer=partial(_row_by_row, few),
            agreement=_apart,
        ),
    ]  # fmt: skip


def _row_by_row(cohort: Cohort) -> np.ndarray:
    """The same model on one row per vertebra and interval, robust by patient."""
    import statsmodels.api as sm

    counted = vertebra_rows(
        cohort, event="fracture", columns=(), of_level=(), function="vertebra_fractures"
    )
    n = counted.times().astype(int)
    one = np.repeat(np.arange(n.size), n)
    time, event, distance = counted.time[one], counted.event[one], counted.distance[one]
    which = np.arange(one.size) - np.repeat(np.cumsum(n) - n, n)  # of the patients who are alike
    patient = counted.patient[one] + which * len(counted.people)
    edges = np.r_[0.0, INTERVALS_DAYS]
    at, spent, broke = [], [], []
    for low, high in pairwise([*edges, np.inf]):
        here = time > low
        at.append(np.flatnonzero(here))
        spent.append(np.minimum(time[here], high) - low)
        broke.append(event[here] & (time[here] <= high))
    row = np.concatenate(at)
    interval = np.repeat(np.arange(len(at)), [len(part) for part in at])
    x = np.column_stack(
        [interval == i for i in range(len(at))] + [distance[row] == d for d in range(1, FAR)]
    ).astype(float)
    model = sm.GLM(
        np.concatenate(broke).astype(float), x, family=sm.families.Poisson(),
        offset=np.log(np.concatenate(spent)),
    )  # fmt: skip
    fit = model.fit(cov_type="cluster", cov_kwds={"groups": patient[row]})
    return np.asarray(fit.params[len(at) :])


def _apart(ours: Any, theirs: Any) -> float:
    return float(np.abs(ours["estimate"].to_numpy() - theirs).max())


def invented(n: int) -> Cohort:
    """One treated level each, fractures near it."""
    rng = np.random.default_rng(1)
    ids = np.array([f"p{i:08d}" for i in range(n)], dtype=object)
    names, place = np.array(LEVELS, dtype=object), rng.integers(3, 17, n)
    broken = np.flatnonzero(rng.random(n) < 0.25)
    near = np.clip(place[broken] + rng.integers(-5, 6, broken.size), 0, 16)
    return Cohort.from_frames(
        patients=pd.DataFrame({"patient_id": ids}),
        episodes=pd.DataFrame(
            {"patient_id": ids, "treatment": "KP", "followup_end_day": rng.integers(30, 1500, n)}
        ),
        levels=pd.DataFrame(
            {"patient_id": ids, "level": names[place], "treated": True,
             "leakage": np.where(rng.random(n) < 0.3, "disc", "none")}
        ),
        fractures=pd.DataFrame(
            {"patient_id": ids[broken], "level": names[near],
             "day": rng.integers(1, 900, broken.size)}
        ),
        synthetic=True,
    )  # fmt: skip
