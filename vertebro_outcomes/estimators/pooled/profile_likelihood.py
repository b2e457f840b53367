"""Profile-likelihood intervals of the variance components of a three-level model.

Reference: Viechtbauer and López-López (2022), Res Synth Methods 13:697-715, doi:10.1002/jrsm.1562.
"""

from typing import Final

import numpy as np
from scipy import optimize, special

from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.pooled.clusters import Clusters
from vertebro_outcomes.estimators.pooled.multilevel import Likelihood, climb, slope

MOST_DOUBLINGS: Final = 60


def profile_interval(
    data: Clusters, sigma2: Floats, *, component: int, method: Likelihood, level: float
) -> tuple[float, float]:
    """Values of one component that a likelihood-ratio test at `level` does not refuse.

    Parameters
    ----------
    data : Clusters
    sigma2 : array of length 2
        The maximum likelihood (or REML) estimates.
    component : 0 between clusters, 1 within
    """
    drop = 0.5 * float(special.chdtri(1, 1.0 - level))
    floor = slope(data, sigma2, method=method).value - drop
    held = np.arange(2) == component

    def excess(value: float) -> float:
        start = np.where(held, value, np.maximum(sigma2, 0.1 * sigma2.sum()))
        end, _ = climb(data, start, method=method, held=held)
        return slope(data, end, method=method).value - floor

    best = float(sigma2[component])
    low = 0.0
    if best > 0 and excess(0.0) < 0:
        low = float(optimize.brentq(excess, 0.0, best, xtol=1e-12 * best, rtol=1e-12))
    high = max(2.0 * best, float(sigma2.sum()), 1e-8)
    for _ in range(MOST_DOUBLINGS):
        if excess(high) < 0:
            return low, float(optimize.brentq(excess, best, high, xtol=1e-12 * high, rtol=1e-12))
        high *= 2.0
    return low, float("nan")
