"""Effects of two means, and the mean of one arm.

References
----------
Hedges (1981), J Educ Stat 6:107-128, doi:10.3102/10769986006002107, equations 6e and 11 (g);
Hedges, Gurevitch and Curtis (1999), Ecology 80:1150-1156,
doi:10.1890/0012-9658(1999)080[1150:TMAORR]2.0.CO;2 (ROM);
Deeks and Higgins (2010), Statistical algorithms in Review Manager 5 (RevMan's SMD).
"""

from typing import NamedTuple

import numpy as np
from scipy import special

from vertebro_outcomes.estimators.arrays import Floats

Effect = tuple[Floats, Floats]


class TwoMeans(NamedTuple):
    """Means, standard deviations and sizes of treatment (t) and comparator (c)."""

    mean_t: Floats
    sd_t: Floats
    n_t: Floats
    mean_c: Floats
    sd_c: Floats
    n_c: Floats


def mean_difference(x: TwoMeans) -> Effect:
    """Treatment minus comparator; variances not assumed equal."""
    return x.mean_t - x.mean_c, x.sd_t**2 / x.n_t + x.sd_c**2 / x.n_c


def pooled_sd(x: TwoMeans) -> Floats:
    """Standard deviation within arms, weighted by degrees of freedom."""
    df = x.n_t + x.n_c - 2
    return np.sqrt(((x.n_t - 1) * x.sd_t**2 + (x.n_c - 1) * x.sd_c**2) / df)


def small_sample_factor(df: Floats) -> Floats:
    """Hedges' J(df) = Γ(df/2) / (√(df/2) Γ((df - 1)/2)); NaN for df below 2.

    Above 200 degrees of freedom by Γ(x + ½)/Γ(x) = √x (1 - 1/8x + 1/128x² + 5/1024x³ - 21/32768x⁴),
    where the difference of two large log-gammas would lose digits.
    """
    x = (np.maximum(df, 2.0) - 1) / 2
    series = 1 + (-1 / 8 + (1 / 128 + (5 / 1024 - 21 / 32768 / x) / x) / x) / x
    log_ratio = special.gammaln(x + 0.5) - special.gammaln(x)
    ratio = np.where(df > 200, np.sqrt(x) * series, np.exp(np.where(df > 200, 0.0, log_ratio)))
    return np.where(df > 1, ratio / np.sqrt((2 * x + 1) / 2), np.nan)


def hedges_g(x: TwoMeans) -> Effect:
    """Standardised mean difference with the exact correction; variance 1/n1 + 1/n2 + g²/(2N)."""
    df = x.n_t + x.n_c - 2
    g = small_sample_factor(df) * (x.mean_t - x.mean_c) / pooled_sd(x)
    return g, 1 / x.n_t + 1 / x.n_c + g**2 / (2 * (x.n_t + x.n_c))


def hedges_g_revman(x: TwoMeans) -> Effect:
    """RevMan's standardised mean difference: 1 - 3/(4N - 9), variance N/(n1 n2) + g²/(2(N - 3.94))."""
    n = x.n_t + x.n_c
    g = (1 - 3 / (4 * n - 9)) * (x.mean_t - x.mean_c) / pooled_sd(x)
    return g, n / (x.n_t * x.n_c) + g**2 / (2 * (n - 3.94))


def ratio_of_means(x: TwoMeans) -> Effect:
    """Log ratio of two means of the same sign, by the delta method."""
    log_ratio = np.where(x.mean_t * x.mean_c > 0, np.log(np.abs(x.mean_t / x.mean_c)), np.nan)
    return log_ratio, (x.sd_t**2 / (x.n_t * x.mean_t**2) + x.sd_c**2 / (x.n_c * x.mean_c**2))


def mean(values: Floats, sd: Floats, n: Floats) -> Effect:
    """The mean of one arm and its variance."""
    return values, sd**2 / n
