"""The vertebrae of a million patients: fourteen rows each, fitted on their sufficient statistics."""

import numpy as np
import pandas as pd

from benchmarks.timing import Task
from vertebro_outcomes.comparisons.vertebrae import vertebra_fractures
from vertebro_outcomes.spine import LEVELS
from vertebro_outcomes.tables.cohort import Cohort

MANY = 1_000_000


def tasks() -> list[Task]:
    """From the tables of a cohort to hazard ratios with the variance by patient."""
    cohort = invented(MANY)
    return [
        Task(
            "vertebra-level table and rates", f"{MANY:,} patients",
            lambda: vertebra_fractures(cohort, covariates=["distance", "region", "disc_leakage"]),
            runs=1,
        )
    ]  # fmt: skip


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
