"""Difference of weighted means whose standard error knows that the propensity was estimated."""

import numpy as np

from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.propensity.influence import se_from_influence
from vertebro_outcomes.estimators.propensity.logistic import fit_logistic
from vertebro_outcomes.estimators.propensity.weights import (
    WeightKind,
    balancing_weights,
    weight_slopes,
)
from vertebro_outcomes.estimators.two_arms import ContrastFit, TwoArms


def fit_weighted_contrast(
    data: TwoArms, *, kind: WeightKind, variance: str = "sandwich"
) -> ContrastFit:
    """sum(w y) / sum(w) in the treated minus the same in the comparators.

    Parameters
    ----------
    data : TwoArms
    kind : {"overlap", "ate", "att", "atc", "matching"}
        Target population.
    variance : {"sandwich", "sandwich_site", "fixed_propensity"}
        Stacked estimating equations of the logistic model and both weighted means; with
        "sandwich_site" summed within sites; "fixed_propensity" takes the weights as known.

    Returns
    -------
    ContrastFit

    Raises
    ------
    UnanswerableError
        If the arms are separated by the covariates.

    Reference
    ---------
    Lunceford & Davidian (2004), Stat Med 23:2937-2960, doi:10.1002/sim.1903, section 3;
    Li, Thomas & Li (2019), Am J Epidemiol 188:250-257, doi:10.1093/aje/kwy201.
    """
    model = fit_logistic(data.x, data.treated)
    e, a = model.probability, data.treated
    w = balancing_weights(e, a, kind=kind)
    w1, w0 = np.where(a, w, 0.0), np.where(a, 0.0, w)
    mean_t, mean_c = float(w1 @ data.y / w1.sum()), float(w0 @ data.y / w0.sum())
    residual = data.y - np.where(a, mean_t, mean_c)
    share = w1 / w1.sum() - w0 / w0.sum()
    psi = share * residual
    if variance != "fixed_propensity":
        slope = weight_slopes(e, a, kind=kind) * residual
        slope *= np.where(a, 1.0 / w1.sum(), -1.0 / w0.sum())
        psi = psi + score_influence(data.x, a - e, model.covariance, slope)
    cluster = data.cluster if variance == "sandwich_site" else None
    return ContrastFit(
        estimate=mean_t - mean_c,
        se=se_from_influence(psi, cluster),
        weights=w,
        propensity=e,
        quantities={"mean_t": mean_t, "mean_c": mean_c},
    )


def score_influence(x: Floats, residual: Floats, covariance: Floats, slope: Floats) -> Floats:
    """What the estimation of the propensity adds to each patient's influence.

    `slope` is the derivative of the estimate by each patient's linear predictor.
    """
    H = np.concatenate([[slope.sum()], x.T @ slope])
    direction = covariance @ H
    return np.asarray(residual * (direction[0] + x @ direction[1:]))
