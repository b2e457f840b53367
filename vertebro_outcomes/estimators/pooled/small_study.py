"""Is the effect related to the size of the study? Regression and rank tests.

Every regression test is a weighted line y = b0 + b1 x with multiplicative dispersion: b1 measures
small-study effects, b0 is the effect that remains where x is 0.

References
----------
Egger et al. (1997), BMJ 315:629-634, doi:10.1136/bmj.315.7109.629;
Begg and Mazumdar (1994), Biometrics 50:1088-1101, doi:10.2307/2533446;
Macaskill et al. (2001), Stat Med 20:641-654, doi:10.1002/sim.698;
Deeks et al. (2005), J Clin Epidemiol 58:882-893, doi:10.1016/j.jclinepi.2005.01.016;
Peters et al. (2006), JAMA 295:676-680, doi:10.1001/jama.295.6.676;
Harbord et al. (2006), Stat Med 25:3443-3457, doi:10.1002/sim.2380;
Stanley and Doucouliagos (2014), Res Synth Methods 5:60-78, doi:10.1002/jrsm.1095 (PET, PEESE).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import special

from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.pooled.heterogeneity import Tau2Method
from vertebro_outcomes.estimators.pooled.mixed_effects import fit_mixed_effects

CONSTANT: Final = 1e-10  # a predictor whose spread is below this share of its size is constant
PERFECT: Final = 1e-13  # residuals below this share of the effects are rounding


@dataclass(frozen=True)
class Line:
    """y = b0 + b1 x. `df` is k - 2, or infinite where the tests are normal; `tau2` NaN if not fitted."""

    b0: float
    b0_se: float
    b1: float
    b1_se: float
    df: float
    tau2: float = float("nan")

    def quantile(self, level: float) -> float:
        """Half-width of an interval in standard errors."""
        tail = (1.0 - level) / 2.0
        return float(-special.ndtri(tail) if np.isinf(self.df) else -special.stdtrit(self.df, tail))

    def p_value(self, statistic: float) -> float:
        """Two-sided."""
        size = -abs(statistic)
        return float(
            2.0 * (special.ndtr(size) if np.isinf(self.df) else special.stdtr(self.df, size))
        )


def is_constant(x: Floats) -> bool:
    """Nothing can be regressed on x."""
    return bool(np.ptp(x) <= CONSTANT * np.max(np.abs(x)))


def weighted_line(y: Floats, x: Floats, w: Floats) -> Line:
    """Weighted least squares with an estimated dispersion, t on k - 2 degrees of freedom."""
    root = np.sqrt(w / w.mean())
    design = np.column_stack([root, root * x])
    q, r = np.linalg.qr(design)
    inverse = np.linalg.inv(r)
    b = inverse @ (q.T @ (root * y))
    rest = root * y - design @ b
    dispersion = float(rest @ rest) / (len(y) - 2)
    size = float(np.linalg.norm(root * y))
    if np.sqrt(dispersion) <= PERFECT * size:  # rounding is no scatter, and no slope
        dispersion = 0.0
        b[1] = 0.0 if abs(b[1]) * np.linalg.norm(design[:, 1]) <= PERFECT * size else b[1]
    se = np.sqrt(dispersion * np.square(inverse).sum(axis=1))
    return Line(float(b[0]), float(se[0]), float(b[1]), float(se[1]), float(len(y) - 2))


def mixed_line(y: Floats, v: Floats, x: Floats, *, method: Tau2Method) -> Line:
    """Mixed-effects regression: additive residual tau², normal tests."""
    design = np.column_stack([np.ones_like(x), x])
    fit = fit_mixed_effects(y[None, :], v[None, :], x=design, method=method)
    se = np.sqrt(np.diagonal(fit.covariance(ci="wald")[0]))
    (b0, b1), tau2 = fit.beta[0], float(fit.tau2[0])
    return Line(float(b0), float(se[0]), float(b1), float(se[1]), float("inf"), tau2)


def egger_line(y: Floats, v: Floats) -> Line:
    """Effect on its standard error, weights 1/v; b1 is the intercept of y/se on 1/se."""
    return weighted_line(y, np.sqrt(v), 1.0 / v)


def peese_line(y: Floats, v: Floats) -> Line:
    """Effect on its variance, weights 1/v."""
    return weighted_line(y, v, 1.0 / v)


@dataclass(frozen=True)
class Counts:
    """Events and patients of two arms; everyone counted, no correction."""

    a: Floats  # events, treatment
    n1: Floats
    c: Floats  # events, comparator
    n2: Floats

    @property
    def n(self) -> Floats:
        return self.n1 + self.n2

    @property
    def events(self) -> Floats:
        return self.a + self.c

    @property
    def usable(self) -> "np.ndarray":
        """Studies with events and with patients free of them: only these say anything here."""
        return (self.events > 0) & (self.events < self.n)


def harbord_line(counts: Counts) -> Line:
    """Efficient score Z/V on 1/sqrt(V), weights V: Z and V of the log odds ratio at 0.

    Z = a - n1 m/n and V = n1 n2 m (n - m) / (n² (n - 1)), m all events: Harbord (2006), section 2.3.
    """
    m, n = counts.events, counts.n
    z = counts.a - counts.n1 * m / n
    v = counts.n1 * counts.n2 * m * (n - m) / (n**2 * (n - 1.0))
    return weighted_line(z / v, 1.0 / np.sqrt(v), v)


def peters_line(y: Floats, counts: Counts) -> Line:
    """Effect on 1/n, weights m (n - m) / n: the variance under equal risks."""
    m, n = counts.events, counts.n
    return weighted_line(y, 1.0 / n, m * (n - m) / n)


def macaskill_line(y: Floats, counts: Counts) -> Line:
    """Effect on n, weights m (n - m) / n."""
    m, n = counts.events, counts.n
    return weighted_line(y, n, m * (n - m) / n)


def deeks_line(y: Floats, n1: Floats, n2: Floats) -> Line:
    """Effect on 1/sqrt(effective sample size), weights the effective sample size 4 n1 n2/(n1 + n2)."""
    ess = 4.0 * n1 * n2 / (n1 + n2)
    return weighted_line(y, 1.0 / np.sqrt(ess), ess)


def begg_rank(y: Floats, v: Floats) -> tuple[float, float, bool]:
    """Kendall's tau-b between standardised effects and variances; p-value; whether it is exact.

    Effects are taken from the common-effect mean and divided by sqrt(v - 1/sum(1/v)). Without ties the
    p-value is exact, otherwise normal with the variance for ties and no continuity correction.
    """
    from scipy.stats import kendalltau  # a slow import, needed here only

    w = 1.0 / v
    mu = float(w @ y / w.sum())
    standard = (y - mu) / np.sqrt(v - 1.0 / w.sum())
    exact = len(np.unique(standard)) == len(np.unique(v)) == len(y)
    found = kendalltau(standard, v, method="exact" if exact else "asymptotic")
    return float(found.statistic), float(found.pvalue), exact
