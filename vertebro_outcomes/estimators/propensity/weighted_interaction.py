"""Weighted least squares whose covariance knows that the propensity was estimated."""

import numpy as np

from vertebro_outcomes.estimators.arrays import Bools, Floats
from vertebro_outcomes.estimators.interaction import LinearFit
from vertebro_outcomes.estimators.propensity.logistic import fit_logistic
from vertebro_outcomes.estimators.propensity.weights import (
    WeightKind,
    balancing_weights,
    weight_slopes,
)
from vertebro_outcomes.estimators.unanswerable import UnanswerableError

_COLLINEAR = 1e-10  # smallest eigenvalue of the scaled weighted X'X
_NO_SPREAD = 1e-20  # weighted residual sum of squares, of that of the scores: rounding


def fit_weighted_linear(
    y: Floats,
    X: Floats,
    *,
    x: Floats,
    treated: Bools,
    kind: WeightKind,
    variance: str = "sandwich",
) -> LinearFit:
    """Weighted least squares of y on X with balancing weights from a logistic model on x.

    Parameters
    ----------
    y, X : array
        Scores and the whole design (with its intercept) of the effect by a modifier.
    x : array (n, p)
        Covariates of the propensity, without an intercept.
    treated : array of bool (n,)
    kind : {"overlap", "ate", "att", "matching"}
    variance : {"sandwich", "fixed_propensity"}
        Stacked estimating equations of both models, or weights taken as known.

    Returns
    -------
    LinearFit
        With infinite degrees of freedom.

    Raises
    ------
    UnanswerableError
        If the arms are separated, or a column follows from the others.

    Reference
    ---------
    Lunceford & Davidian (2004), Stat Med 23:2937-2960, doi:10.1002/sim.1903, section 3; subgroups:
    Yang et al. (2021), Stat Med 40:4294-4309, doi:10.1002/sim.9029.
    """
    model = fit_logistic(x, treated)
    e = model.probability
    w = balancing_weights(e, treated, kind=kind)
    scale = np.sqrt((X**2).mean(axis=0))
    if (scale == 0).any():
        raise UnanswerableError("a covariate is constant or follows from the others")
    Z = X / scale
    A = Z.T @ (w[:, None] * Z)
    size = np.sqrt(np.diag(A))
    if np.linalg.eigvalsh(A / np.outer(size, size))[0] < _COLLINEAR:
        raise UnanswerableError("a covariate is constant or follows from the others")
    bread = np.linalg.inv(A)
    beta = bread @ (Z.T @ (w * y))
    residual = y - Z @ beta
    if float(w @ residual**2) <= _NO_SPREAD * max(float(w @ y**2), 1e-300):
        raise UnanswerableError("the scores follow exactly from arm and modifier")
    each = Z * (w * residual)[:, None]
    if variance == "sandwich":
        ones = np.column_stack([np.ones(len(x)), x])
        slope = (weight_slopes(e, treated, kind=kind) * residual)[:, None]
        moved = (
            (Z * slope).T @ ones @ model.covariance
        )  # d(sum of each) / d(propensity coefficients)
        each = each + (ones * (treated - e)[:, None]) @ moved.T
    lever = each @ bread
    cov = lever.T @ lever
    return LinearFit(beta / scale, cov / np.outer(scale, scale), np.inf, w)
