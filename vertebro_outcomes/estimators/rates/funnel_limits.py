"""Proportions of several sites against one target: exact limits, and spread beyond chance.

Reference
---------
Spiegelhalter 2005, Stat Med 24:1185-1202, doi:10.1002/sim.1970, section 2 (limits), section 4
(over-dispersion) and appendix A.1.1 (interpolation of exact limits).
"""

from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from vertebro_outcomes.estimators.arrays import Floats


@dataclass(frozen=True)
class OverDispersion:
    """Spread of the sites' z-scores, winsorised.

    `z` are the raw scores and `winsorised` those with the extremes pulled in; `phi` is the mean
    square of the latter, `q` their sum of squares with its upper-tail `p_value` on as many degrees of
    freedom as sites; `tau` is the standard deviation between sites on the scale of the proportion,
    0 where the scores vary no more than chance makes them.
    """

    z: Floats
    winsorised: Floats
    phi: float
    q: float
    p_value: float
    tau: float


def exact_limit(n: Floats, *, target: float, tail: float) -> Floats:
    """Proportion below which a share `tail` of samples of n lies when the true one is `target`.

    With r the smallest count with F(r) >= tail, the limit is (r - a)/n, where
    a = (F(r) - tail)/(F(r) - F(r - 1)): between the two counts around it, by their probabilities.

    Parameters
    ----------
    n : array
        Sizes of the samples, 1 or more.
    target : float
        Between 0 and 1, both excluded.
    tail : float
        Between 0 and 1; 0.025 and 0.975 make the 95 % limits.
    """
    size = np.asarray(n, dtype=float)
    r = stats.binom.ppf(tail, size, target)
    above, below = stats.binom.cdf(r, size, target), stats.binom.cdf(r - 1, size, target)
    limit = (r - (above - tail) / (above - below)) / size
    return np.asarray(np.clip(limit, 0.0, 1.0))


def over_dispersion(x: Floats, n: Floats, *, target: float, winsorise: float) -> OverDispersion:
    """How much more the sites differ from `target` than binomial chance.

    z = (x/n - target)/s with s² = target (1 - target)/n; scores beyond the quantiles `winsorise`
    and 1 - `winsorise` are set to these. tau² = (I phi - (I - 1))/(Σw - Σw²/Σw), w = 1/s², where
    that is positive.

    Parameters
    ----------
    x, n : arrays
        Events among n of each of I sites.
    target : float
        Between 0 and 1, both excluded.
    winsorise : float
        Share pulled in at either end, 0 (none) to below 0.5.
    """
    s2 = target * (1 - target) / n
    z = (x / n - target) / np.sqrt(s2)
    low, high = np.quantile(z, [winsorise, 1 - winsorise])
    pulled = np.clip(z, low, high)
    k, q = len(z), float(pulled @ pulled)
    w = 1 / s2
    room = w.sum() - (w**2).sum() / w.sum()
    tau2 = max(0.0, (q - (k - 1)) / room) if k > 1 else 0.0
    return OverDispersion(
        z, pulled, phi=q / k, q=q, p_value=float(special.chdtrc(k, q)), tau=float(np.sqrt(tau2))
    )


def wide_limit(n: Floats, *, target: float, tail: float, tau: float) -> Floats:
    """Limit with a standard deviation `tau` between sites: target + z sqrt(s² + tau²)."""
    s2 = target * (1 - target) / np.asarray(n, dtype=float)
    limit = target + special.ndtri(tail) * np.sqrt(s2 + tau**2)
    return np.asarray(np.clip(limit, 0.0, 1.0))
