"""Intervals for one proportion and one rate; arrays in, limits out."""

from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv, chdtri, ndtri

from vertebro_outcomes.estimators.arrays import Floats, Ints
from vertebro_outcomes.estimators.survival.proportional_hazards import summed_by

Limits = tuple[Floats, Floats]


@dataclass(frozen=True)
class ClusteredProportion:
    """Proportion of units with the event; the variance counts clusters, not units."""

    estimate: float
    se: float
    ci_low: float
    ci_high: float
    clusters: int


def wilson(x: Floats, n: Floats, *, level: float = 0.95) -> Limits:
    """Score interval. Reference: Wilson 1927, doi:10.1080/01621459.1927.10502953."""
    z = float(ndtri((1 + level) / 2))
    p = x / n
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    return np.where(x == 0, 0.0, middle - half), np.where(x == n, 1.0, middle + half)


def clopper_pearson(x: Floats, n: Floats, *, level: float = 0.95) -> Limits:
    """Exact interval. Reference: Clopper and Pearson 1934, doi:10.1093/biomet/26.4.404."""
    tail = (1 - level) / 2
    low = betaincinv(np.maximum(x, 1), n - np.maximum(x, 1) + 1, tail)
    high = betaincinv(np.minimum(x, n - 1) + 1, n - np.minimum(x, n - 1), 1 - tail)
    return np.where(x == 0, 0.0, low), np.where(x == n, 1.0, high)


def jeffreys(x: Floats, n: Floats, *, level: float = 0.95) -> Limits:
    """Equal tails of the Beta(x + 1/2, n - x + 1/2) posterior.

    Reference: Brown, Cai and DasGupta 2001, doi:10.1214/ss/1009213286, section 4.3.
    """
    tail = (1 - level) / 2
    low = betaincinv(x + 0.5, n - x + 0.5, tail)
    high = betaincinv(x + 0.5, n - x + 0.5, 1 - tail)
    return np.where(x == 0, 0.0, low), np.where(x == n, 1.0, high)


def rule_of_three(n: Floats) -> Floats:
    """Largest rate that no event in n leaves plausible at one-sided 95 %: 3/n, at most 1.

    Reference: Hanley and Lippman-Hand 1983, doi:10.1001/jama.1983.03330370053031.
    """
    return np.minimum(3 / n, 1.0)


def exact_rate(events: Floats, person_time: Floats, *, level: float = 0.95) -> Limits:
    """Exact Poisson limits of a rate. Reference: Garwood 1936, doi:10.1093/biomet/28.3-4.437."""
    tail = (1 - level) / 2
    low = np.where(events > 0, chdtri(2 * np.maximum(events, 1), 1 - tail) / 2, 0.0)
    return low / person_time, chdtri(2 * (events + 1), tail) / 2 / person_time


def clustered_proportion(
    event: Floats, cluster: Ints, *, level: float = 0.95
) -> ClusteredProportion:
    """Ratio estimator over clusters with its sandwich variance, interval on the logit scale.

    Reference: Rao and Scott 1992, doi:10.2307/2532311.
    """
    totals = summed_by(cluster, np.column_stack([event, np.ones(event.size)]))
    alike = np.ones(totals.shape[0])
    return proportion_of_totals(totals[:, 0], totals[:, 1], alike=alike, level=level)


def proportion_of_totals(
    events: Floats, units: Floats, *, alike: Floats, level: float = 0.95
) -> ClusteredProportion:
    """The same from `events` among `units`, each row standing for `alike` clusters."""
    k, size = int(alike.sum()), float(alike @ units)
    p = float(alike @ events) / size
    if k < 2:
        return ClusteredProportion(p, np.nan, np.nan, np.nan, k)
    rest = events - p * units
    se = float(np.sqrt(k / (k - 1) * (alike @ rest**2)) / size)
    if not 0 < p < 1:  # no spread to measure: exact limits for as many clusters as there are
        low, high = clopper_pearson(np.array([p * k]), np.array([float(k)]), level=level)
        return ClusteredProportion(p, np.nan, float(low[0]), float(high[0]), k)
    width = float(ndtri((1 + level) / 2)) * se / (p * (1 - p))
    odds = p / (1 - p)
    low_odds, high_odds = odds * np.exp(-width), odds * np.exp(width)
    return ClusteredProportion(p, se, low_odds / (1 + low_odds), high_odds / (1 + high_odds), k)


def benjamini_hochberg(p: Floats) -> Floats:
    """Adjusted p-values that bound the false discovery rate.

    Reference: Benjamini and Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x.
    """
    order = np.argsort(p)[::-1]
    scaled = p[order] * p.size / np.arange(p.size, 0, -1)
    out = np.empty(p.size)
    out[order] = np.minimum(np.minimum.accumulate(scaled), 1.0)
    return out


def holm(p: Floats) -> Floats:
    """Adjusted p-values that bound the chance of any false finding.

    Reference: Holm 1979, Scand J Stat 6:65-70, https://www.jstor.org/stable/4615733.
    """
    order = np.argsort(p)
    scaled = p[order] * np.arange(p.size, 0, -1)
    out = np.empty(p.size)
    out[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return out
