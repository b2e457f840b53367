"""From a relative effect and a baseline risk to an absolute one, and sample sizes to compare with.

References
----------
Guyatt et al. (2013), J Clin Epidemiol 66:158-172, doi:10.1016/j.jclinepi.2012.01.012 (absolute effects);
Guyatt et al. (2011), J Clin Epidemiol 64:1283-1293, doi:10.1016/j.jclinepi.2011.01.012 (optimal
information size); Newcombe and Bender (2014), Evid Based Med 19:6-8, doi:10.1136/eb-2013-101340.
"""

import numpy as np
from scipy import special

from vertebro_outcomes.estimators.arrays import Floats


def risk_with_treatment(relative: Floats, *, baseline: float, measure: str) -> Floats:
    """Risk with treatment (0 to 1) for effects on the natural scale.

    Parameters
    ----------
    relative : array
        Risk ratios, odds ratios, hazard ratios, or risk differences.
    baseline : float
        Risk in the comparator, 0 to 1; with a hazard ratio, by a stated time.
    measure : "RR", "OR", "PETO", "HR" or "RD"; anything else gives NaN
    """
    x = np.asarray(relative, dtype=float)
    if measure == "RR":
        risk = baseline * x
    elif measure in ("OR", "PETO"):
        risk = baseline * x / (1.0 - baseline + baseline * x)
    elif measure == "HR":
        risk = -np.expm1(x * np.log1p(-baseline))
    elif measure == "RD":
        risk = baseline + x
    else:
        return np.full(x.shape, np.nan)
    return np.clip(risk, 0.0, 1.0)


def sample_size_two_risks(p1: float, p0: float, *, alpha: float, power: float) -> float:
    """People in both arms together to tell two risks apart (two-sided, equal arms).

    Fleiss, Levin and Paik (2003), Statistical Methods for Rates and Proportions, equation (4.14),
    without continuity correction.
    """
    if not (0 <= p1 <= 1 and 0 < p0 < 1) or p1 == p0:
        return float("nan")
    za, zb = -special.ndtri(alpha / 2), special.ndtri(power)
    mean = 0.5 * (p1 + p0)
    root = za * np.sqrt(2 * mean * (1 - mean)) + zb * np.sqrt(p1 * (1 - p1) + p0 * (1 - p0))
    return float(2.0 * np.ceil((root / (p1 - p0)) ** 2))


def sample_size_two_means(delta: float, *, sd: float, alpha: float, power: float) -> float:
    """People in both arms together to tell two means `delta` apart (normal quantiles)."""
    if not delta or not sd > 0:
        return float("nan")
    z = -special.ndtri(alpha / 2) + special.ndtri(power)
    return float(2.0 * np.ceil(2.0 * (z * sd / delta) ** 2))


def overlapping_share(low: Floats, high: Floats) -> float:
    """Share of pairs of intervals that overlap, 0 to 1; NaN for fewer than two."""
    k = len(low)
    if k < 2:
        return float("nan")
    ends, starts = np.sort(high), np.sort(low)
    apart = int(np.searchsorted(ends, starts, side="left").sum())
    return 1.0 - apart / (k * (k - 1) / 2)
