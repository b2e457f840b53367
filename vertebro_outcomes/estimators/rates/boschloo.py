"""Boschloo's unconditional test of two proportions, fast enough for arms of a thousand.

The tables at least as extreme as the one seen, by Fisher's one-sided p-value, form a staircase: for
each count in one arm all counts of the other from a bound on. So their probability at a common rate is
one sum over one arm.

Reference: Boschloo 1970, doi:10.1111/j.1467-9574.1970.tb00104.x.
"""

from typing import Final

import numpy as np
from scipy import stats
from scipy.optimize import minimize_scalar

from vertebro_outcomes.estimators.arrays import Floats, Ints

POINTS: Final = 400  # common rates tried, evenly spaced in arcsine of the root
REFINED: Final = 6  # highest peaks among them that are climbed
_TIE: Final = 1e-12  # relative distance at which two p-values are the same


def boschloo(x1: int, n1: int, x0: int, n0: int) -> float:
    """Two-sided p-value: twice the smaller of the one-sided ones, at most 1."""
    smaller = min(_one_sided(x1, n1, x0, n0), _one_sided(x0, n0, x1, n1))
    return min(2 * smaller, 1.0)


def _one_sided(x1: int, n1: int, x0: int, n0: int) -> float:
    """Against fewer events in the first arm."""
    seen = float(stats.hypergeom.cdf(x1, n1 + n0, x1 + x0, n1))
    a = np.arange(n1 + 1)
    bound = _staircase(a, n1, n0, seen * (1 + _TIE))

    def tail(angle: Floats) -> Floats:
        p = np.sin(angle)[:, None] ** 2
        inside = stats.binom.pmf(a, n1, p) * stats.binom.sf(bound - 1, n0, p)
        return np.asarray(inside.sum(axis=1))

    angles = np.linspace(0, np.pi / 2, POINTS + 2)[1:-1]
    heights = np.concatenate([tail(part) for part in np.array_split(angles, 20)])
    padded = np.concatenate([[-1.0], heights, [-1.0]])
    peaks = np.flatnonzero((heights >= padded[:-2]) & (heights >= padded[2:]))
    best, width = float(heights.max()), float(angles[1] - angles[0])
    for peak in peaks[np.argsort(heights[peaks])[::-1][:REFINED]]:
        bounds = (angles[peak] - width, angles[peak] + width)
        climbed = minimize_scalar(
            lambda v: -float(tail(np.array([v]))[0]), bounds=bounds, method="bounded",
            options={"xatol": 1e-10},
        )  # fmt: skip
        best = max(best, -float(climbed.fun))
    return best


def _staircase(a: Ints, n1: int, n0: int, p: float) -> Ints:
    """For each count a the smallest count in the other arm at which Fisher's p is at most `p`."""
    low, high = np.zeros(a.size, dtype=np.int64), np.full(a.size, n0 + 1, dtype=np.int64)
    while (low < high).any():
        middle = (low + high) // 2
        tried = np.minimum(middle, n0)
        extreme = stats.hypergeom.cdf(a, n1 + n0, a + tried, n1) <= p
        open_ = low < high
        high = np.where(open_ & extreme, middle, high)
        low = np.where(open_ & ~extreme, middle + 1, low)
    return low
