"""Times to events with competing events: a million patients, six covariates, days as ties.

`python -m benchmarks.survival --patients 5000000` times the same four estimators at a million and at so
many patients, in seconds of the processor, and prints how time and memory grew.
"""

import argparse
import time as clock
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from comprisk import CumulativeIncidence, FineGrayRegression
from comprisk import gray_test as peer_gray
from lifelines import CoxPHFitter

from benchmarks.timing import Memory, Task
from vertebro_outcomes.estimators.survival.aalen_johansen import fit_aalen_johansen
from vertebro_outcomes.estimators.survival.cox import fit_cox
from vertebro_outcomes.estimators.survival.fine_gray import fit_fine_gray
from vertebro_outcomes.estimators.survival.group_tests import gray_test

MANY = 1_000_000
CLUSTERED = 200_000


def patients(n: int) -> tuple[Any, Any, Any, Any]:
    """Days, causes (0 censored, 1 fracture, 2 death), six covariates and arm."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(n, 6))
    arm = rng.integers(0, 2, n)
    fracture = rng.exponential(3000 * np.exp(-0.3 * x[:, 0]))
    death, end = rng.exponential(4000, n), rng.uniform(100, 1000, n)
    time = np.ceil(np.minimum(np.minimum(fracture, death), end))
    first = np.where(fracture < death, 1, 2)
    return time, np.where(end < np.minimum(fracture, death), 0, first), x, arm


def tasks() -> list[Task]:
    """Curves, test and both hazard models; Cox with clusters of four."""
    time, cause, x, arm = patients(MANY)
    part = slice(0, CLUSTERED)
    size, cluster = f"{MANY:,} patients", np.arange(CLUSTERED) // 4
    return [
        Task(
            "Aalen-Johansen", size, lambda: fit_aalen_johansen(time, cause),
            peer_name="comprisk", peer=lambda: CumulativeIncidence().fit(time, cause),
            agreement=_curves_apart, runs=3,
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


def _curves_apart(ours: Any, theirs: Any) -> float:
    """The largest distance after any event of the cause."""
    curve = theirs.curves_[None, 1]  # no groups, the fracture
    return float(np.abs(ours.at(np.asarray(curve.times, dtype=float))[0] - curve.cif).max())


def _statistics_apart(ours: Any, theirs: Any) -> float:
    return float(abs(ours.chi2 - theirs.stat))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=5 * MANY)
    most = parser.parse_args().patients
    spent: dict[str, list[float]] = {}
    for n in (MANY, most):
        time, cause, x, arm = patients(n)
        work: dict[str, Callable[[], object]] = {
            "Aalen-Johansen": partial(fit_aalen_johansen, time, cause),
            "Gray": partial(gray_test, time, cause, arm=arm),
            "Cox": partial(fit_cox, time, cause == 1, x=x),
            "Fine-Gray": partial(fit_fine_gray, time, cause, x=x),
        }
        for name, fit in work.items():
            with Memory() as memory:
                start = clock.process_time()
                fit()
                cpu = clock.process_time() - start
            spent.setdefault(name, []).append(cpu)
            print(
                f"{name}, {n:,} patients: {cpu:.2f} s of the processor, {memory.mib:,.0f} MiB",
                flush=True,
            )
    for name, (few, many) in spent.items():
        print(f"{name}: {many / few:.1f} times as long for {most / MANY:g} times as many")


if __name__ == "__main__":
    main()
