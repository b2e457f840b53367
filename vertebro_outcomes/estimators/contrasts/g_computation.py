"""G-computation: both treatments predicted for everybody from one outcome model per arm."""

import numpy as np

from vertebro_outcomes.estimators.method import Method
from vertebro_outcomes.estimators.propensity.influence import (
    least_squares_by_arm,
    se_from_influence,
)
from vertebro_outcomes.estimators.propensity.logistic import fit_logistic
from vertebro_outcomes.estimators.two_arms import ContrastFit, TwoArms


def fit_g_computation(data: TwoArms, *, variance: str = "sandwich") -> ContrastFit:
    """Mean over all patients of the predicted difference; one linear model per arm.

    Parameters
    ----------
    data : TwoArms
    variance : {"sandwich", "sandwich_site"}
        Stacked estimating equations; with "sandwich_site" summed within sites.

    Returns
    -------
    ContrastFit
        The propensity is fitted only to refuse arms that the covariates separate.

    Reference
    ---------
    Snowden, Rose & Mortimer (2011), Am J Epidemiol 173:731-738, doi:10.1093/aje/kwq472;
    Stefanski & Boos (2002), Am Stat 56:29-38, doi:10.1198/000313002753631330.
    """
    e = fit_logistic(data.x, data.treated).probability
    n, a = len(data.y), data.treated.astype(float)
    X = np.column_stack([np.ones(n), data.x - data.x.mean(axis=0)])
    beta1, gram1 = least_squares_by_arm(X, data.y, a)
    beta0, gram0 = least_squares_by_arm(X, data.y, 1.0 - a)
    m1, m0 = X @ beta1, X @ beta0
    average = X.mean(axis=0)
    psi = (m1 - m0 - (m1 - m0).mean()) / n
    psi += a * (data.y - m1) * (X @ (gram1 @ average))
    psi -= (1.0 - a) * (data.y - m0) * (X @ (gram0 @ average))
    cluster = data.cluster if variance == "sandwich_site" else None
    return ContrastFit(
        estimate=float((m1 - m0).mean()),
        se=se_from_influence(psi, cluster),
        propensity=e,
        quantities={"mean_t": float(m1.mean()), "mean_c": float(m0.mean())},
    )


METHOD = Method(
    name="g_computation",
    fit=fit_g_computation,
    kind="continuous",
    estimand="average effect in all patients of both arms (ATE)",
    assumptions="linear outcome model right in each arm; no unmeasured confounding given the covariates; "
    "scores missing at random given arm and covariates",
    reference="Snowden, Rose & Mortimer (2011), Am J Epidemiol 173:731-738, doi:10.1093/aje/kwq472",
    variances=("sandwich", "sandwich_site"),
    adjusts="outcome_model",
)
