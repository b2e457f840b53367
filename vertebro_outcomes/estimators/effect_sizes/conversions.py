"""From what papers print to mean, standard deviation and standard error.

References
----------
Wan et al. (2014), BMC Med Res Methodol 14:135, doi:10.1186/1471-2288-14-135, equations 7, 9 and 13-16 (SD);
Luo et al. (2018), Stat Methods Med Res 27:1785-1805, doi:10.1177/0962280216669183, equations 7, 11 and 15
(mean); Cochrane Handbook for Systematic Reviews of Interventions, chapter 6, sections 6.3 and 6.5.2.
"""

import numpy as np
from scipy import special

from vertebro_outcomes.estimators.arrays import Floats


def se_from_interval(ci_low: Floats, ci_high: Floats, *, level: float = 0.95) -> Floats:
    """Standard error from a symmetric interval with normal quantiles, both on the analysis scale."""
    z = -special.ndtri((1 - level) / 2)
    return (np.asarray(ci_high, dtype=float) - np.asarray(ci_low, dtype=float)) / (2 * z)


def se_from_p_value(effect: Floats, p_value: Floats, *, df: Floats | None = None) -> Floats:
    """Standard error from an effect and its exact two-sided p-value (normal, or t on `df`).

    NaN where p is not strictly between 0 and 1: a printed '<0.01' is a bound, not a p-value.
    """
    p = np.asarray(p_value, dtype=float)
    p = np.where((p > 0) & (p < 1), p, np.nan)
    quantile = -special.ndtri(p / 2) if df is None else -special.stdtrit(df, p / 2)
    return np.abs(np.asarray(effect, dtype=float)) / quantile


def sd_from_se(se: Floats, n: Floats) -> Floats:
    """Standard deviation of one arm from the standard error of its mean."""
    return np.asarray(se, dtype=float) * np.sqrt(np.asarray(n, dtype=float))


def sd_from_interval(
    ci_low: Floats, ci_high: Floats, n: Floats, *, level: float = 0.95, small_sample: bool = True
) -> Floats:
    """Standard deviation of one arm from the interval of its mean (t on n - 1 if `small_sample`)."""
    n = np.asarray(n, dtype=float)
    tail = (1 - level) / 2
    quantile = -special.stdtrit(n - 1, tail) if small_sample else -special.ndtri(tail)
    return np.sqrt(n) * (np.asarray(ci_high, dtype=float) - ci_low) / (2 * quantile)


def mean_from_quantiles(
    n: Floats,
    median: Floats,
    *,
    q1: Floats | None = None,
    q3: Floats | None = None,
    low: Floats | None = None,
    high: Floats | None = None,
) -> Floats:
    """Mean of a roughly normal sample of n from its median with quartiles, extremes, or both.

    Luo et al. (2018). Give `q1` and `q3`, or `low` and `high` (minimum and maximum), or all four.
    """
    n = np.asarray(n, dtype=float)
    quartiles, extremes = _midpoint(q1, q3), _midpoint(low, high)
    if quartiles is not None and extremes is not None:
        w1 = 2.2 / (2.2 + n**0.75)
        w2 = 0.7 - 0.72 / n**0.55
        return w1 * extremes + w2 * quartiles + (1 - w1 - w2) * median
    if quartiles is not None:
        w = 0.7 + 0.39 / n
        return w * quartiles + (1 - w) * median
    if extremes is not None:
        w = 4 / (4 + n**0.75)
        return w * extremes + (1 - w) * median
    return np.full_like(n, np.nan)


def sd_from_quantiles(
    n: Floats,
    *,
    q1: Floats | None = None,
    q3: Floats | None = None,
    low: Floats | None = None,
    high: Floats | None = None,
) -> Floats:
    """Standard deviation of a roughly normal sample of n from quartiles, extremes, or both.

    Wan et al. (2014): the range over its expected length; with both, the mean of the two estimates.
    """
    n = np.asarray(n, dtype=float)
    estimates = []
    if low is not None and high is not None:
        expected = 2 * special.ndtri((n - 0.375) / (n + 0.25))
        estimates.append((np.asarray(high, dtype=float) - low) / expected)
    if q1 is not None and q3 is not None:
        expected = 2 * special.ndtri((0.75 * n - 0.125) / (n + 0.25))
        estimates.append((np.asarray(q3, dtype=float) - q1) / expected)
    return np.asarray(sum(estimates) / len(estimates) if estimates else np.full_like(n, np.nan))


def combine_arms(
    n: tuple[Floats, Floats], mean: tuple[Floats, Floats], sd: tuple[Floats, Floats]
) -> tuple[Floats, Floats, Floats]:
    """Size, mean and standard deviation of two arms taken together, as if never divided."""
    (n1, n2), (m1, m2), (s1, s2) = (
        tuple(np.asarray(value, dtype=float) for value in pair) for pair in (n, mean, sd)
    )
    total = n1 + n2
    within = (n1 - 1) * s1**2 + (n2 - 1) * s2**2
    between = n1 * n2 / total * (m1 - m2) ** 2
    return total, (n1 * m1 + n2 * m2) / total, np.sqrt((within + between) / (total - 1))


def change_sd(sd_baseline: Floats, sd_final: Floats, *, correlation: Floats) -> Floats:
    """Standard deviation of the change score; the correlation (-1 to 1) has to be stated."""
    b, f = np.asarray(sd_baseline, dtype=float), np.asarray(sd_final, dtype=float)
    r = np.asarray(correlation, dtype=float)
    return np.sqrt(b**2 + f**2 - 2 * np.where(np.abs(r) <= 1, r, np.nan) * b * f)


def change_correlation(sd_baseline: Floats, sd_final: Floats, sd_change: Floats) -> Floats:
    """The correlation that three printed standard deviations imply."""
    b, f, c = (np.asarray(value, dtype=float) for value in (sd_baseline, sd_final, sd_change))
    return (b**2 + f**2 - c**2) / (2 * b * f)


def _midpoint(low: Floats | None, high: Floats | None) -> Floats | None:
    if low is None or high is None:
        return None
    return (np.asarray(low, dtype=float) + np.asarray(high, dtype=float)) / 2
