"""Logistic regression of a rare event with Firth's penalty: finite where an arm has no event.

The likelihood is multiplied by the square root of the determinant of the information of all
coefficients. Limits come from the profile of this penalised likelihood, in which the coefficient is
held and the others are free, the determinant remaining that of the whole model.

References
----------
Firth (1993), Biometrika 80:27-38, doi:10.1093/biomet/80.1.27;
Heinze, Schemper (2002), Stat Med 21:2409-2419, doi:10.1002/sim.1047, equation 2 and section 2.3.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import special
from scipy.optimize import brentq, minimize

from vertebro_outcomes.estimators.arrays import Bools, Floats
from vertebro_outcomes.estimators.unanswerable import UnanswerableError

MOST_STEPS: Final = 200
STEP_GOAL: Final = 1e-10  # largest change of a coefficient of a standardised column
LARGEST_STEP: Final = 2.0
FLAT: Final = 1e-9  # gradient at which the slower search ends
FARTHEST: Final = 60.0  # log odds ratio beyond which no limit is looked for
_COLLINEAR: Final = 1e-10


@dataclass(frozen=True)
class FirthLogistic:
    """The first coefficient after the intercept: log odds ratio, profile limits, likelihood-ratio p."""

    estimate: float
    se: float
    ci_low: float
    ci_high: float
    p_value: float
    penalised_log_likelihood: float


def fit_firth_logistic(
    x: Floats, event: Bools, *, level: float = 0.95, alike: Floats | None = None
) -> FirthLogistic:
    """Log odds ratio of the first column of x, adjusted for the others.

    Parameters
    ----------
    x : array (n, p)
        Without an intercept; the treatment comes first.
    event : array of bool (n,)
    level : float
        Of the profile interval, between 0 and 1.
    alike : array (n,), optional
        Patients that a row stands for; one if not given.

    Raises
    ------
    UnanswerableError
        If a column is constant or follows from the others, or the search does not settle.
    """
    f = np.ones(len(x)) if alike is None else alike
    X = _columns(x, f)
    data = _Rows(X, np.asarray(event, dtype=np.float64), f)
    free = np.ones(X.shape[1], dtype=bool)
    beta, top = _maximise(data, np.zeros(X.shape[1]), free)
    se = float(np.sqrt(np.linalg.inv(_information(data, beta)[0])[1, 1]))
    held = free.copy()
    held[1] = False

    def drop(value: float) -> float:
        """How far the profile has fallen; NaN where that cannot be told."""
        start = beta.copy()
        start[1] = value
        try:
            return 2 * (top - _maximise(data, start, held)[1])
        except UnanswerableError:
            return float("nan")

    bound = float(special.chdtri(1, 1 - level))
    low, high = (_limit(drop, float(beta[1]), side * se, bound) for side in (-1, 1))
    p = float(special.chdtrc(1, np.maximum(drop(0.0), 0.0)))
    return FirthLogistic(float(beta[1]), se, low, high, p, top)


@dataclass(frozen=True)
class _Rows:
    """Columns, event, and how many patients a row stands for."""

    X: Floats
    y: Floats
    f: Floats


def _columns(x: Floats, f: Floats) -> Floats:
    """Intercept, the treatment as it is, the others standardised: the first estimate is the same."""
    X = np.column_stack([np.ones(len(x)), x])
    centre = f @ x / f.sum()
    scale = np.sqrt(f @ (x - centre) ** 2 / f.sum())
    if (scale <= 1e-12 * np.maximum(np.abs(centre), 1.0)).any():
        raise UnanswerableError("a covariate is constant or follows from the others")
    z = (x - centre) / scale
    X[:, 2:] = z[:, 1:]
    if np.linalg.eigvalsh((f[:, None] * z).T @ z / f.sum())[0] < _COLLINEAR:
        raise UnanswerableError("a covariate is constant or follows from the others")
    return X


def _information(data: _Rows, beta: Floats) -> tuple[Floats, Floats, Floats]:
    """Of all patients; probability and its variance of one patient of each row."""
    X = data.X
    p = special.expit(X @ beta)
    w = p * special.expit(-(X @ beta))
    return (X * (data.f * w)[:, None]).T @ X, p, w


def _penalised(data: _Rows, beta: Floats) -> float:
    eta = data.X @ beta
    sign, log_determinant = np.linalg.slogdet(_information(data, beta)[0])
    if sign <= 0:
        return -np.inf
    log_likelihood = data.f @ (data.y * eta - np.logaddexp(0.0, eta))
    return float(log_likelihood + 0.5 * log_determinant)


def _maximise(data: _Rows, start: Floats, free: Bools) -> tuple[Floats, float]:
    """Newton steps on the modified score of the free coefficients, halved until none goes down."""
    beta, value = start, _penalised(data, start)
    for _ in range(MOST_STEPS):
        score, information = _modified_score(data, beta)
        step = np.zeros(len(beta))
        step[free] = np.linalg.solve(information[np.ix_(free, free)], score[free])
        longest = float(np.abs(step).max())
        if longest < STEP_GOAL:
            return beta, value
        step *= min(1.0, LARGEST_STEP / longest)
        tried = _penalised(data, beta + step)
        while tried < value - 1e-12 * abs(value):
            step = step / 2
            tried = _penalised(data, beta + step)
        beta, value = beta + step, tried
    return _climb(data, beta, free)


def _modified_score(data: _Rows, beta: Floats) -> tuple[Floats, Floats]:
    """Gradient of the penalised likelihood, and the information of the likelihood alone."""
    X = data.X
    information, p, w = _information(data, beta)
    leverage = w * np.einsum("ij,ji->i", X, np.linalg.solve(information, X.T))
    return X.T @ (data.f * (data.y - p + leverage * (0.5 - p))), information


def _climb(data: _Rows, start: Floats, free: Bools) -> tuple[Floats, float]:
    """A curvature learnt on the way: far out, where events are all but certain, the penalty bends
    the likelihood more than its own information tells, and Newton's steps go to and fro.
    """

    def full(part: Floats) -> Floats:
        beta = start.copy()
        beta[free] = part
        return beta

    with suppress(np.linalg.LinAlgError):
        found = minimize(
            lambda part: -_penalised(data, full(part)), start[free], method="BFGS",
            jac=lambda part: -_modified_score(data, full(part))[0][free], options={"gtol": FLAT},
        )  # fmt: skip
        if np.abs(found.jac).max() <= 1e3 * FLAT:
            return full(found.x), -float(found.fun)
    raise UnanswerableError("the penalised likelihood has no maximum that the search could find")


def _limit(drop: Callable[[float], float], middle: float, step: float, bound: float) -> float:
    """Where the profile has fallen by `bound`, looked for from the estimate outwards.

    Infinite where it has not fallen so far as the search can see.
    """
    inner, reach = middle, 2 * step
    while not (fallen := drop(middle + reach)) >= bound:
        inner = middle + reach
        reach *= 1.6
        if np.isnan(fallen) or abs(reach) > FARTHEST:
            return float(np.copysign(np.inf, step))
    return float(brentq(lambda b: drop(b) - bound, inner, middle + reach, xtol=1e-11, rtol=1e-12))
