"""Fine-Gray on fourteen rows, the weighted risk sets built by hand.

No printed example with all its steps was at hand: the rows are invented, the arithmetic is that of
Fine and Gray 1999, doi:10.1080/01621459.1999.10474144, section 3, written out without the package.
"""

import numpy as np
import pytest
from scipy.optimize import minimize

from vertebro_outcomes.estimators.survival.fine_gray import fit_fine_gray

TIME = np.array([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14], dtype=float)
CAUSE = np.array([1, 2, 0, 1, 2, 0, 1, 1, 2, 0, 1, 0, 1, 0])
X = np.array([5, 4, 3, 1, 2, 1, 1, 2, 2, 4, 6, 1, 2, 0], dtype=float)
# Censored at 3, 6, 10, 12, 14 with 12, 9, 5, 3, 1 left: the curve of the censoring by hand.
STILL = {3: 11 / 12, 6: 8 / 9, 10: 4 / 5, 12: 2 / 3, 14: 0.0}


def uncensored(before: float) -> float:
    """Chance to be uncensored just before a day."""
    return float(np.prod([share for day, share in STILL.items() if day < before]))


def weights(day: float) -> np.ndarray:
    """1 while under observation; after a competing event the chance to be so still, had it not come."""
    gone = np.where(CAUSE == 2, [uncensored(day) / uncensored(t) for t in TIME], 0.0)
    return np.where(day <= TIME, 1.0, gone)


def minus_log_likelihood(beta: np.ndarray) -> float:
    return -sum(
        float(beta[0] * X[i] - np.log(np.sum(weights(TIME[i]) * np.exp(beta[0] * X))))
        for i in np.flatnonzero(CAUSE == 1)
    )


def test_weights_of_the_second_patient() -> None:
    """Competing event on day 2: whole until the first censoring, then less at each."""
    found = [weights(day)[1] for day in (1, 2, 4, 7, 11, 13)]
    assert found == pytest.approx([1, 1, 11 / 12, 22 / 27, 88 / 135, 176 / 405])


@pytest.mark.parametrize("ties", ["at_risk", "events_first"])
def test_estimate_and_likelihood(ties: str) -> None:
    fit = fit_fine_gray(TIME, CAUSE, x=X[:, None], censoring_ties=ties)  # type: ignore[arg-type]
    best = minimize(minus_log_likelihood, [0.0], method="BFGS", options={"gtol": 1e-10})
    assert fit.beta[0] == pytest.approx(best.x[0], abs=1e-7)
    assert fit.log_likelihood == pytest.approx(-best.fun, abs=1e-10)
    assert fit.log_likelihood_null == pytest.approx(-minus_log_likelihood(np.zeros(1)), abs=1e-10)
    h = 1e-4
    around = [minus_log_likelihood(fit.beta + shift) for shift in (-h, 0.0, h)]
    information = (around[0] - 2 * around[1] + around[2]) / h**2
    assert fit.covariance[0, 0] == pytest.approx(1 / information, rel=1e-5)


def test_days_twice_as_long_change_nothing() -> None:
    one, two = (fit_fine_gray(TIME * k, CAUSE, x=X[:, None]) for k in (1, 2))
    assert one.beta == pytest.approx(two.beta, abs=1e-12)
