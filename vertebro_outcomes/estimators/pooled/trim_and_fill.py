"""Trim-and-fill: how many studies are missing on one side of the funnel, and the pool with them.

References
----------
Duval and Tweedie (2000), J Am Stat Assoc 95:89-98, doi:10.1080/01621459.2000.10473905;
Duval and Tweedie (2000), Biometrics 56:455-463, doi:10.1111/j.0006-341X.2000.00455.x.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from vertebro_outcomes.estimators.arrays import Floats, Ints
from vertebro_outcomes.estimators.pooled.heterogeneity import Tau2Method
from vertebro_outcomes.estimators.pooled.inverse_variance import fit_inverse_variance
from vertebro_outcomes.estimators.pooled.small_study import is_constant, mixed_line

MissingEstimator = Literal["L0", "R0", "Q0"]
Side = Literal["left", "right"]
MOST_ROUNDS: Final = 100


@dataclass(frozen=True)
class TrimAndFillFit:
    """`k_added` studies of `side` filled in: `effects`, `variances`, mirrored from rows `mirrored`.

    `k_added_se` is NaN if the estimator is not defined for the data (Q0 only); nothing is added then.
    """

    k_added: int
    k_added_se: float
    side: Side
    effects: Floats
    variances: Floats
    mirrored: Ints
    converged: bool


def missing_side(y: Floats, v: Floats, *, method: Tau2Method) -> Side:
    """Left unless small studies have the smaller effects: the slope of effect on standard error."""
    if is_constant(v):
        return "left"
    return "right" if mixed_line(y, v, np.sqrt(v), method=method).b1 < 0 else "left"


def fit_trim_and_fill(
    y: Floats, v: Floats, *, estimator: MissingEstimator, method: Tau2Method, side: Side | None
) -> TrimAndFillFit:
    """Trim the k0 most extreme studies, estimate the centre, estimate k0 again, until k0 stays.

    Parameters
    ----------
    y, v : arrays of length k (at least 3)
        Effects and sampling variances, without gaps.
    estimator
        L0, R0 or Q0 of Duval and Tweedie.
    method
        tau² estimator used for the centre.
    side
        Where studies are missing; None decides by the slope of the funnel.
    """
    side = side or missing_side(y, v, method=method)
    sign = -1.0 if side == "right" else 1.0
    order = np.argsort(sign * y, kind="stable")
    x, vx = sign * y[order], v[order]
    n, k0, se, centre = len(x), 0, 0.0, 0.0
    seen: set[int] = set()
    converged = False
    for _ in range(MOST_ROUNDS):
        keep = n - k0
        fit = fit_inverse_variance(x[None, :keep], vx[None, :keep], method=method)
        centre = float(fit.estimate[0])
        found, se = _ESTIMATORS[estimator](x - centre, n)
        if np.isnan(found):
            return TrimAndFillFit(0, se, side, x[:0], vx[:0], order[:0], False)
        new = min(max(0, round(found)), n - 1)
        if new == k0:
            converged = True
            break
        if new in seen:
            k0 = new
            break
        seen.add(new)
        k0 = new
    extreme = slice(n - k0, n)
    return TrimAndFillFit(
        k_added=k0,
        k_added_se=se,
        side=side,
        effects=sign * (2.0 * centre - x[extreme]),
        variances=vx[extreme],
        mirrored=order[extreme],
        converged=converged,
    )


def _signed_ranks(deviation: Floats) -> Floats:
    """Ranks of the absolute deviations with their signs; ties in the order they stand."""
    ranks = np.empty(len(deviation))
    ranks[np.argsort(np.abs(deviation), kind="stable")] = np.arange(1, len(deviation) + 1)
    return ranks * np.sign(deviation)


def _r0(deviation: Floats, n: int) -> tuple[float, float]:
    """Length of the run of largest ranks on the positive side, minus 1."""
    ranks = _signed_ranks(deviation)
    below = -ranks[ranks < 0]
    k0 = (n - (float(below.max()) if len(below) else 0.0)) - 1.0
    return k0, float(np.sqrt(2.0 * max(0.0, k0) + 2.0))


def _l0(deviation: Floats, n: int) -> tuple[float, float]:
    """Linear in the Wilcoxon statistic."""
    t = _wilcoxon(deviation)
    k0 = (4.0 * t - n * (n + 1)) / (2 * n - 1)
    return k0, 4.0 * float(np.sqrt(_wilcoxon_variance(n, k0))) / (2 * n - 1)


def _q0(deviation: Floats, n: int) -> tuple[float, float]:
    """Quadratic in the Wilcoxon statistic; NaN where that is too large for it."""
    t = _wilcoxon(deviation)
    inside = 2.0 * n * n - 4.0 * t + 0.25
    if inside <= 0:
        return np.nan, np.nan
    k0 = n - 0.5 - float(np.sqrt(inside))
    slope = float(np.sqrt((n - 0.5) ** 2 - k0 * (2 * n - k0 - 1)))
    return k0, 2.0 * float(np.sqrt(_wilcoxon_variance(n, k0))) / slope


def _wilcoxon(deviation: Floats) -> float:
    ranks = _signed_ranks(deviation)
    return float(ranks[ranks > 0].sum())


def _wilcoxon_variance(n: int, k0: float) -> float:
    """Variance of the Wilcoxon statistic with k0 of n + k0 studies missing."""
    variance = (
        n * (n + 1) * (2 * n + 1)
        + 10 * k0**3
        + 27 * k0**2
        + 17 * k0
        - 18 * n * k0**2
        - 18 * n * k0
        + 6 * n**2 * k0
    ) / 24.0
    return max(variance, 0.0)


_ESTIMATORS: Final[dict[str, Callable[[Floats, int], tuple[float, float]]]] = {
    "L0": _l0,
    "R0": _r0,
    "Q0": _q0,
}
