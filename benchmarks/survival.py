"""Times to events with competing events: a million patients, six covariates, days as ties."""

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from comprisk import CumulativeIncidence, FineGrayRegression
from comprisk import gray_test as peer_gray
from lifelines import CoxPHFitter

from benchmarks.timing import Task
from vertebro_outcomes.estimators.survival.aalen_johansen import fit_aalen_johansen
from vertebro_outcomes.estimators.survival.cox import fit_cox
from vertebro_outcomes.estimators.survival.fine_gray import fit_fine_gray
from vertebro_outcomes.estimators.survival.group_tests import gray_test

MANY = 1_000_000
CLUSTERED = 200_000


def tasks() -> list[Task]:
    """Curves, test and both hazard models; Cox with clusters of four."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(MANY, 6))
    arm = rng.integers(0, 2, MANY)
    fracture = rng.exponential(3000 * np.exp(-0.3 * x[:, 0]))
    death, end = rng.exponential(4000, MANY), rng.uniform(100, 1000, MANY)
    time = np.ceil(np.minimum(np.minimum(fracture, death), end))
    first = np.where(fracture < death, 1, 2)
    cause = np.where(end < np.minimum(fracture, death), 0, first)
    part = slice(0, CLUSTERED)
    size, cluster = f"{MANY:,} patients", np.arange(CLUSTERED) // 4
    return [
        Task(
            "Aalen-Johansen", size, lambda: fit_aalen_johansen(time, cause),
            peer_name="comprisk", peer=lambda: CumulativeIncidence().fit(time, cause), runs=3,
        ),
        Task(
            "Gray", size, lambda: gray_test(time, cause, arm=arm), peer_name="comprisk",
            peer=lambda: peer_gray(time, cause, arm), agreement=_statistics_apart, runs=3,
        ),
        Task(
            "Cox", f"{size} x 6", lambda: fit_cox(time, cause == 1, x=x), peer_name="lifelines",
            peer=partial(_cox_elsewhere, time, cause, x), agreement=_coefficients_apart, runs=1,
        ),
        Task(
            "Fine-Gray", f"{size} x 6", lambda: fit_fine_gray(time, cause, x=x),
            peer_name="comprisk", peer=partial(_fine_gray_elsewhere, time, cause, x),
            agreement=_coefficients_apart, runs=1,
        ),
        Task(
            "Cox, clusters of 4", f"{CLUSTERED:,} patients x 6",
            lambda: fit_cox(time[part], cause[part] == 1, x=x[part], cluster=cluster), runs=1,
        ),
    ]  # fmt: skip


def _cox_elsewhere(time: Any, cause: Any, x: Any) -> Any:
    frame = pd.DataFrame(x).assign(time=time, event=cause == 1)
    frame.columns = frame.columns.astype(str)
    return CoxPHFitter().fit(frame, "time", "event").params_.to_numpy(float)


def _fine_gray_elsewhere(time: Any, cause: Any, x: Any) -> Any:
    return FineGrayRegression().fit(x, time=time, event=cause).coef_


def _coefficients_apart(ours: Any, theirs: Any) -> float:
    return float(np.abs(ours.beta - theirs).max())


def _statistics_apart(ours: Any, theirs: Any) -> float:
    return float(abs(ours.chi2 - theirs.stat))
