"""Fine-Gray on the fourteen rows whose weights the tests of R's survival package work out by hand.

Rows and weights as that example prints them (survival 3.5-3, `finegray`); the estimate and its naive
variance as `coxph(Surv(fgstart, fgstop, fgstatus) ~ x, weights = fgwt)` gives them there; the arithmetic of
Fine and Gray 1999, doi:10.1080/01621459.1999.10474144, section 3, written out without the package.
"""

import numpy as np
import pytest
from scipy.optimize import minimize

from vertebro_outcomes.estimators.survival.fine_gray import fit_fine_gray

TIME = np.array([1, 2, 3, 4, 4, 4, 5, 5, 6, 8, 8, 9, 10, 12], dtype=float)
CAUSE = np.array([1, 2, 0, 1, 0, 0, 2, 1, 0, 0, 2, 0, 1, 0])
X = np.array([5, 4, 3, 1, 2, 1, 1, 2, 2, 4, 6, 1, 2, 0], dtype=float)
# Patients censored on a day leave after those with an event: who stays, of those left by then.
STILL = {3: 11 / 12, 4: 8 / 10, 6: 5 / 6, 8: 3 / 4, 9: 2 / 3, 12: 0.0}
ESTIMATE, VARIANCE, NULL, LOG_LIKELIHOOD = (
    0.0712029754359, 0.07084871597324, -8.4542136848364, -8.4194841911777
)  # fmt: skip


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


def test_weights_as_they_are_printed() -> None:
    """Competing events on days 2, 5 and 8: what they still weigh when fractures happen."""
    early, middle, late = ([weights(day)[i] for day in (1, 4, 5, 10)] for i in (1, 6, 10))
    assert early == pytest.approx([1, 11 / 12, 11 / 12 * 8 / 10, 11 / 12 * 8 / 10 * 5 / 12])
    assert middle == pytest.approx([1, 1, 1, 5 / 12])
    assert late == pytest.approx([1, 1, 1, 1 / 2])


def test_estimate_and_likelihood() -> None:
    fit = fit_fine_gray(TIME, CAUSE, x=X[:, None], censoring_ties="events_first")
    assert fit.beta[0] == pytest.approx(ESTIMATE, abs=1e-9)
    assert fit.covariance[0, 0] == pytest.approx(VARIANCE, rel=1e-8)
    assert fit.log_likelihood == pytest.approx(LOG_LIKELIHOOD, abs=1e-10)
    assert fit.log_likelihood_null == pytest.approx(NULL, abs=1e-10)
    best = minimize(minus_log_likelihood, [0.0], method="BFGS", options={"gtol": 1e-10})
    assert fit.beta[0] == pytest.approx(best.x[0], abs=1e-7)
    assert fit.log_likelihood == pytest.approx(-best.fun, abs=1e-10)
    assert fit.log_likelihood_null == pytest.approx(-minus_log_likelihood(np.zeros(1)), abs=1e-10)


def test_days_twice_as_long_change_nothing() -> None:
    one, two = (fit_fine_gray(TIME * k, CAUSE, x=X[:, None]) for k in (1, 2))
    assert one.beta == pytest.approx(two.beta, abs=1e-12)
