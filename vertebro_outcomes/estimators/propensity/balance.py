"""How alike two arms are, before and after weighting: one definition for every method."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from vertebro_outcomes.estimators.arrays import Bools, Floats

LARGEST_SMD = 0.1  # Austin (2009), Stat Med 28:3083-3107, doi:10.1002/sim.3697


@dataclass(frozen=True)
class Balance:
    """One value per covariate. Undefined values (no variance) are NaN."""

    mean_t: Floats
    mean_c: Floats
    smd: Floats
    variance_ratio: Floats
    ks: Floats


def covariate_balance(x: Floats, treated: Bools, weights: Floats | None = None) -> Balance:
    """Standardised mean differences, variance ratios and Kolmogorov-Smirnov distances.

    Parameters
    ----------
    x : array (n, p)
        Covariates as numbers.
    treated : array of bool (n,)
    weights : array (n,), optional
        One if not given; zero leaves a patient out.

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
    out = np.full((5, x.shape[1]), np.nan)
    for j in range(x.shape[1]):
        out[:, j] = _one(x[:, j], treated, w)
    return Balance(*out)


def _one(x: Floats, treated: Bools, w: Floats) -> tuple[float, float, float, float, float]:
    binary = bool(np.isin(x, (0.0, 1.0)).all())
    spread = (_variance(x[treated], None, binary) + _variance(x[~treated], None, binary)) / 2.0
    w1, w0 = np.where(treated, w, 0.0), np.where(treated, 0.0, w)
    mean_t, mean_c = float(w1 @ x / w1.sum()), float(w0 @ x / w0.sum())
    smd = (mean_t - mean_c) / np.sqrt(spread) if spread > 0 else np.nan
    ratio = np.nan
    if not binary:
        var_c = _variance(x[~treated], w[~treated], binary=False)
        ratio = _variance(x[treated], w[treated], binary=False) / var_c if var_c > 0 else np.nan
    return mean_t, mean_c, float(smd), float(ratio), _ks(x, w1 / w1.sum() - w0 / w0.sum(), binary)


def _variance(x: Floats, w: Floats | None, binary: bool) -> float:
    """Unbiased for reliability weights; q (1 - q) for a 0/1 covariate."""
    if w is None:
        w = np.ones(len(x))
    total = w.sum()
    mean = w @ x / total
    if binary:
        return float(mean * (1.0 - mean))
    free = total - (w @ w) / total
    return float(w @ (x - mean) ** 2 / free) if free > 0 else float("nan")


def _ks(x: Floats, share: Floats, binary: bool) -> float:
    """Largest distance between the two distribution functions."""
    if binary:
        return float(abs(share @ x))
    order = np.argsort(x, kind="stable")
    gap = np.cumsum(share[order])
    last = np.append(np.diff(x[order]) > 0, True)
    return float(np.abs(gap[last]).max())


def effective_n(weights: Floats) -> float:
    """Kish's effective sample size: (sum w)^2 / sum w^2."""
    return float(weights.sum() ** 2 / (weights @ weights))


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
