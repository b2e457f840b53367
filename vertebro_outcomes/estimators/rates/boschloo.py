"""Boschloo's unconditional test of two proportions, fast enough for arms of a thousand.

The tables at least as extreme as the one seen, by Fisher's one-sided p-value, form a staircase: for
each count in one arm all counts of the other from a bound on. So their probability at a common rate is
one sum over one arm. Probabilities are products of tabulated factorials; where their rounding could
decide whether a table counts as extreme, scipy's distribution function decides.

Reference: Boschloo 1970, doi:10.1111/j.1467-9574.1970.tb00104.x.
"""

from typing import Final

import numpy as np
from scipy import stats
from scipy.optimize import minimize_scalar
from scipy.special import gammaln

from vertebro_outcomes.estimators.arrays import Floats, Ints

POINTS: Final = 400  # common rates tried, evenly spaced in arcsine of the root
ANGLES: Final = np.linspace(0, np.pi / 2, POINTS + 2)[1:-1]
REFINED: Final = 6  # highest peaks among them that are climbed
_TIE: Final = 1e-12  # relative distance at which two p-values are the same
_ROUNDING: Final = 1e-9  # relative error of tabulated probabilities, by far not reached
_CELLS: Final = 1_000_000  # tables looked at together


def boschloo(x1: int, n1: int, x0: int, n0: int) -> float:
    """Two-sided p-value: twice the smaller of the one-sided ones, at most 1."""
    fewer, more = (x1, n1, x0, n0), (x0, n0, x1, n1)
    likely, other = (fewer, more) if x1 * n0 < x0 * n1 else (more, fewer)
    smaller = _one_sided(*likely)
    if smaller > _at_least(*other):
        smaller = min(smaller, _one_sided(*other))
    return min(2 * smaller, 1.0)


def _at_least(x1: int, n1: int, x0: int, n0: int) -> float:
    """What a one-sided p-value reaches at least: fewer events here and more there are as extreme."""
    rate = np.sin(ANGLES) ** 2
    both = stats.binom.cdf(x1, n1, rate) * stats.binom.sf(x0 - 1, n0, rate)
    return float(both.max()) * (1 - _ROUNDING)


def _one_sided(x1: int, n1: int, x0: int, n0: int) -> float:
    """Against fewer events in the first arm."""
    seen = float(stats.hypergeom.cdf(x1, n1 + n0, x1 + x0, n1))
    bound = _staircase(n1, n0, seen * (1 + _TIE))

    def tail(angle: Floats) -> Floats:
        other = np.cumsum(_binomial(n0, angle)[:, ::-1], axis=1)[:, ::-1]
        reached = np.concatenate([other, np.zeros((len(angle), 1))], axis=1)[:, bound]
        return np.asarray((_binomial(n1, angle) * reached).sum(axis=1))

    heights = np.concatenate([tail(part) for part in np.array_split(ANGLES, 20)])
    padded = np.concatenate([[-1.0], heights, [-1.0]])
    peaks = np.flatnonzero((heights >= padded[:-2]) & (heights >= padded[2:]))
    best, width = float(heights.max()), float(ANGLES[1] - ANGLES[0])
    for peak in peaks[np.argsort(heights[peaks])[::-1][:REFINED]]:
        bounds = (ANGLES[peak] - width, ANGLES[peak] + width)
        climbed = minimize_scalar(
            lambda v: -float(tail(np.array([v]))[0]), bounds=bounds, method="bounded",
            options={"xatol": 1e-10},
        )  # fmt: skip
        best = max(best, -float(climbed.fun))
    return best


def _log_choose(n: int) -> Floats:
    """Logarithm of the number of ways to choose 0, 1, ..., n of n."""
    factorial = gammaln(np.arange(n + 1) + 1.0)
    return np.asarray(factorial[-1] - (factorial + factorial[::-1]))


def _binomial(n: int, angle: Floats) -> Floats:
    """Probability of 0, 1, ..., n events of n, one row per angle; the rate is its sine squared."""
    a = np.arange(n + 1)
    yes, no = 2 * np.log(np.sin(angle)), 2 * np.log(np.cos(angle))
    return np.exp(_log_choose(n) + yes[:, None] * a + no[:, None] * (n - a))


def _staircase(n1: int, n0: int, p: float) -> Ints:
    """For each count a of the first arm the smallest one of the other where Fisher's p is at most `p`."""
    ways, none = _log_choose(n1), np.full(n1, -np.inf)
    other = np.lib.stride_tricks.sliding_window_view(
        np.concatenate([none, _log_choose(n0), none]), n1 + 1
    )  # row of m events in both arms: a = n1 first
    every = _log_choose(n1 + n0)
    a, bound = np.arange(n1 + 1), np.full(n1 + 1, n0 + 1, dtype=np.int64)
    for m in np.array_split(np.arange(n1 + n0 + 1), 1 + (n1 + n0) * n1 // _CELLS):
        below = np.cumsum(np.exp(ways + other[m, ::-1] - every[m, None]), axis=1)
        extreme = below <= p
        unsure = np.abs(below - p) <= _ROUNDING * p
        b = m[:, None] - a
        possible = (b >= 0) & (b <= n0)
        if p < 1 - _ROUNDING:  # closer to 1 the other tail is the smaller one
            row, column = np.nonzero(unsure & possible)
            exact = stats.hypergeom.cdf(column, n1 + n0, m[row], n1)
            extreme[row, column] = exact <= p
        else:
            extreme |= unsure
        bound = np.minimum(bound, np.where(extreme & possible, b, n0 + 1).min(axis=0))
    return bound
