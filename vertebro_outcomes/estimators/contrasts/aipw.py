"""Augmented inverse-probability weighting: right if the propensity or the outcome model is."""

import numpy as np

from vertebro_outcomes.estimators.method import Method
from vertebro_outcomes.estimators.propensity.influence import (
    least_squares_by_arm,
    se_from_influence,
)
from vertebro_outcomes.estimators.propensity.logistic import fit_logistic
from vertebro_outcomes.estimators.propensity.weighted_contrast import score_influence
from vertebro_outcomes.estimators.propensity.weights import balancing_weights
from vertebro_outcomes.estimators.two_arms import ContrastFit, TwoArms


def fit_aipw(data: TwoArms, *, variance: str = "sandwich") -> ContrastFit:
    """Outcome model per arm, its residuals weighted by the inverse propensity.

    Parameters
    ----------
    data : TwoArms
    variance : {"sandwich", "sandwich_site"}
        Stacked estimating equations of the logistic model, both linear models and both means.

    Returns
    -------
    ContrastFit

    Reference
    ---------
    Robins, Rotnitzky & Zhao (1994), J Am Stat Assoc 89:846-866, doi:10.1080/01621459.1994.10476818;
    Lunceford & Davidian (2004), Stat Med 23:2937-2960, doi:10.1002/sim.1903, equation 9.
    """
    model = fit_logistic(data.x, data.treated)
    e, n, a = model.probability, len(data.y), data.treated.astype(float)
    X = np.column_stack([np.ones(n), data.x - data.x.mean(axis=0)])
    beta1, gram1 = least_squares_by_arm(X, data.y, a)
    beta0, gram0 = least_squares_by_arm(X, data.y, 1.0 - a)
    m1, m0 = X @ beta1, X @ beta0
    r1, r0 = a * (data.y - m1), (1.0 - a) * (data.y - m0)
    each_t, each_c = m1 + r1 / e, m0 + r0 / (1.0 - e)
    estimate = float((each_t - each_c).mean())
    psi = (each_t - each_c - estimate) / n
    psi += r1 * (X @ (gram1 @ ((1.0 - a / e) @ X))) / n
    psi -= r0 * (X @ (gram0 @ ((1.0 - (1.0 - a) / (1.0 - e)) @ X))) / n
    slope = -(r1 * (1.0 - e) / e + r0 * e / (1.0 - e)) / n
    psi += score_influence(data.x, a - e, model.covariance, slope)
    cluster = data.cluster if variance == "sandwich_site" else None
    return ContrastFit(
        estimate=estimate,
        se=se_from_influence(psi, cluster),
        weights=balancing_weights(e, data.treated, kind="ate"),
        propensity=e,
        quantities={"mean_t": float(each_t.mean()), "mean_c": float(each_c.mean())},
    )


METHOD = Method(
    name="aipw",
    fit=fit_aipw,
    kind="continuous",
    estimand="average effect in all patients of both arms (ATE)",
    assumptions="logistic model of treatment or linear outcome models right; no unmeasured confounding "
    "given the covariates; overlap; scores missing at random given arm",
    reference="Lunceford & Davidian (2004), Stat Med 23:2937-2960, doi:10.1002/sim.1903",
    variances=("sandwich", "sandwich_site"),
    adjusts="both",
)
