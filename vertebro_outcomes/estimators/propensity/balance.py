"""How alike two arms are, before and after weighting: one definition for every method."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from vertebro_outcomes.estimators.arrays import Bools, Floats

_ROUNDING = 1e-12  # the smallest q (1 - q) of a million patients is 1e-6
_CANCELLED = 1e-6  # a variance below this share of the mean square is computed again about its mean
LARGEST_SMD = 0.1  # Austin (2009), Stat Med 28:3083-3107, doi:10.1002/sim.3697


@dataclass(frozen=True)
class Balance:
    """One value per covariate. Undefined values (no variance) are NaN."""

    mean_t: Floats
    mean_c: Floats
    smd: Floats
    variance_ratio: Floats
    ks: Floats
    sd_t: Floats
    sd_c: Floats


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
    return _balances(x, treated, [weights], alike)[0]


def balance_before_and_after(
    x: Floats, treated: Bools, weights: Floats, *, alike: Floats | None = None
) -> tuple[Balance, Balance]:
    """`covariate_balance` without and with weights; every covariate is sorted once."""
    before, after = _balances(x, treated, [None, weights], alike)
    return before, after


def _balances(
    x: Floats, treated: Bools, weightings: list[Floats | None], alike: Floats | None
) -> list[Balance]:
    """One balance for each set of weights. The spread of the arms is always that without weights."""
    f = np.ones(len(x)) if alike is None else alike
    shares = []
    for w in (None, *weightings):
        both = f if w is None else w * f
        shares += [np.where(arm, both, 0.0) / both[arm].sum() for arm in (treated, ~treated)]
    # pairs of columns: treated and comparators, each adding to one; first those without weights
    weights = np.ascontiguousarray(np.column_stack(shares))
    steps = [shares[i] - shares[i + 1] for i in range(2, len(shares), 2)]
    free = 1.0 - (1.0 / f) @ (weights * weights)
    rows = [_column(x[:, j], weights, steps, free) for j in range(x.shape[1])]
    found = np.array(rows, dtype=float).reshape(x.shape[1], len(weightings), 7)
    return [Balance(*found[:, i].T) for i in range(len(weightings))]


def _column(
    x: Floats, weights: Floats, steps: list[Floats], free: Floats
) -> list[tuple[float, ...]]:
    """Means, standardised difference, variance ratio, distance, SDs of one covariate, by weighting."""
    x = np.ascontiguousarray(x)
    low, high = x.min(), x.max()
    binary = bool(low >= 0 and high <= 1 and ((x == 0) | (x == 1)).all())
    centre = x.mean()
    away = x - centre
    shift = away @ weights
    mean = centre + shift
    if binary:
        share = mean * (1.0 - mean)
        variance = np.where(share > _ROUNDING, share, 0.0)
    else:
        variance = _variances(away, weights, shift, free)
    spread = variance[:2].sum() / 2.0
    gaps = np.abs(mean[2::2] - mean[3::2]) if binary else _ks(x, steps)
    found: list[tuple[float, ...]] = []
    for i in range(len(steps)):
        t, c = 2 + 2 * i, 3 + 2 * i
        smd = (mean[t] - mean[c]) / np.sqrt(spread) if spread > 0 else np.nan
        ratio = variance[t] / variance[c] if variance[c] > 0 and not binary else np.nan
        found.append((mean[t], mean[c], smd, ratio, gaps[i], *np.sqrt(variance[[t, c]])))
    return found


def _variances(away: Floats, weights: Floats, shift: Floats, free: Floats) -> Floats:
    """Unbiased for reliability weights that add to one; NaN where one patient has all the weight."""
    square = (away * away) @ weights
    variance = square - shift * shift
    for j in np.flatnonzero(variance <= _CANCELLED * square):  # few, or all far from the middle
        variance[j] = weights[:, j] @ (away - shift[j]) ** 2
    return np.where(free > 0, variance / np.where(free > 0, free, 1.0), np.nan)


def _ks(x: Floats, steps: list[Floats]) -> list[float]:
    """Largest distance between the two distribution functions, for each kind of steps."""
    order = np.argsort(x)
    value = x[order]
    tied = value[1:] == value[:-1]
    last = np.append(~tied, True) if tied.any() else slice(None)
    gaps = [np.cumsum(step[order])[last] for step in steps]
    return [float(max(gap.max(), -gap.min())) for gap in gaps]


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
