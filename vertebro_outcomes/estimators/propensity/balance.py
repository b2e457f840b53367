"""How alike two arms are, before and after weighting: one definition for every method."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import special

from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints

LARGEST_SMD = 0.1  # Austin (2009), Stat Med 28:3083-3107, doi:10.1002/sim.3697


@dataclass(frozen=True)
class Balance:
    """One value per covariate. Undefined values (no variance) are NaN."""

    mean_t: Floats
    mean_c: Floats
    smd: Floats
    variance_ratio: Floats
    ks: Floats


def covariate_balance(
    x: Floats,
    treated: Bools,
    weights: Floats | None = None,
    *,
    alike: Floats | None = None,
) -> Balance:
    """Standardised mean differences, variance ratios and Kolmogorov-Smirnov distances.

    Parameters
    ----------
    x : array (n, p)
        Covariates as numbers.
    treated : array of bool (n,)
    weights : array (n,), optional
        One if not given; zero leaves a patient out.
    alike : array (n,), optional
        Patients with these covariates, arm and weight that a row stands for; one if not given.

    Returns
    -------
    Balance

    Notes
    -----
    The mean difference is always divided by the square root of the average of the two arms'
    unweighted variances, so that values before and after can be compared. A 0/1 covariate has the
    variance q (1 - q) and no variance ratio.

    Reference
    ---------
    Austin (2009), Stat Med 28:3083-3107, doi:10.1002/sim.3697; Austin & Stuart (2015), Stat Med
    34:3661-3679, doi:10.1002/sim.6607.
    """
    w = np.ones(len(x)) if weights is None else weights
    f = np.ones(len(x)) if alike is None else alike
    return _joined([_one(_Column(x[:, j], treated, f), w) for j in range(x.shape[1])])


def balance_before_and_after(
    x: Floats, treated: Bools, weights: Floats, *, alike: Floats | None = None
) -> tuple[Balance, Balance]:
    """`covariate_balance` without and with weights; every covariate is sorted once."""
    even = np.ones(len(x))
    f = even if alike is None else alike
    columns = [_Column(x[:, j], treated, f) for j in range(x.shape[1])]
    return _joined([_one(c, even) for c in columns]), _joined([_one(c, weights) for c in columns])


class _Column:
    """One covariate with what does not depend on the weights."""

    def __init__(self, x: Floats, treated: Bools, alike: Floats) -> None:
        self.x, self.treated, self.alike = x, treated, alike
        low, high = x.min(), x.max()
        self.binary = bool(low >= 0 and high <= 1 and ((x == 0) | (x == 1)).all())
        self.t, self.c = x[treated], x[~treated]
        parts = (self.t, alike[treated]), (self.c, alike[~treated])
        self.spread = sum(_variance(own, np.ones(len(own)), f, self.binary) for own, f in parts) / 2

    @cached_property
    def order(self) -> tuple[Ints, Bools]:
        """Rows by value, and whether a row is the last with its value."""
        rows = np.argsort(self.x).astype(np.int64)
        return rows, np.append(np.diff(self.x[rows]) > 0, True)


def _joined(columns: list[tuple[float, float, float, float, float]]) -> Balance:
    return Balance(*np.array(columns, dtype=float).reshape(-1, 5).T)


def _one(column: _Column, w: Floats) -> tuple[float, float, float, float, float]:
    treated, binary = column.treated, column.binary
    w_t, w_c = w[treated], w[~treated]
    f_t, f_c = column.alike[treated], column.alike[~treated]
    all_t, all_c = w_t * f_t, w_c * f_c
    mean_t = float(all_t @ column.t / all_t.sum())
    mean_c = float(all_c @ column.c / all_c.sum())
    smd = (mean_t - mean_c) / np.sqrt(column.spread) if column.spread > 0 else np.nan
    if binary:
        return mean_t, mean_c, float(smd), np.nan, abs(mean_t - mean_c)
    var_c = _variance(column.c, w_c, f_c, binary=False)
    ratio = _variance(column.t, w_t, f_t, binary=False) / var_c if var_c > 0 else np.nan
    both = w * column.alike
    share = np.where(treated, both / all_t.sum(), -both / all_c.sum())
    return mean_t, mean_c, float(smd), float(ratio), _ks(column, share)


def _variance(x: Floats, w: Floats, alike: Floats, binary: bool) -> float:
    """Unbiased for reliability weights; q (1 - q) for a 0/1 covariate."""
    both = w * alike
    total = both.sum()
    mean = both @ x / total
    if binary:
        return float(mean * (1.0 - mean))
    free = total - (both @ w) / total
    return float(both @ (x - mean) ** 2 / free) if free > 0 else float("nan")


def _ks(column: _Column, share: Floats) -> float:
    """Largest distance between the two distribution functions."""
    order, last = column.order
    gap = np.cumsum(share[order])
    return float(np.abs(gap[last]).max())


def effective_n(weights: Floats, alike: Floats | None = None) -> float:
    """Kish's effective sample size: (sum w)^2 / sum w^2."""
    both = weights if alike is None else weights * alike
    return float(both.sum() ** 2 / (both @ weights))


def equipoise_share(e: Floats, treated: Bools) -> float:
    """Share of patients whose preference score lies between 0.3 and 0.7.

    The preference score F has logit(F) = logit(e) - logit(share treated).

    Reference
    ---------
    Walker et al. (2013), Comp Eff Res 3:11-20, doi:10.2147/CER.S40357.
    """
    share = float(np.mean(treated))
    preference = special.expit(special.logit(e) - special.logit(share))
    return float(np.mean((preference >= 0.3) & (preference <= 0.7)))
