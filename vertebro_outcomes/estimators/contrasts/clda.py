"""Constrained longitudinal data analysis: the baseline is an outcome with one mean for both arms."""

import numpy as np

from vertebro_outcomes.estimators.arrays import Bools
from vertebro_outcomes.estimators.contrasts.mmrm import contrast_at_visit, infer, visit_design
from vertebro_outcomes.estimators.method import Method
from vertebro_outcomes.estimators.repeated_measures.pattern_sums import sums_of_patients
from vertebro_outcomes.estimators.repeated_measures.reml import fit_reml
from vertebro_outcomes.estimators.two_arms import ContrastFit, TwoArms


def fit_clda(data: TwoArms, *, variance: str = "satterthwaite") -> ContrastFit:
    """Treatment minus comparator at one visit; patients without a baseline or without later scores stay.

    Parameters
    ----------
    data : TwoArms
        With `visits` and `before`. The arms share the mean at baseline; covariates have one effect.
    variance : {"satterthwaite", "kenward_roger", "kenward_roger_linear", "empirical"}

    Returns
    -------
    ContrastFit

    Raises
    ------
    UnanswerableError
        If the covariance or the coefficients are not determined.

    Reference
    ---------
    Liang & Zeger (2000), Sankhya B 62:134-148; Lu (2010), Biometrics 66:891-896,
    doi:10.1111/j.1541-0420.2009.01332.x.
    """
    assert data.visits is not None
    assert data.before is not None
    scores = np.column_stack([data.before, data.visits])
    seen = ~np.isnan(scores)
    kept: Bools = np.asarray(seen.any(axis=1), dtype=bool)
    y, x = scores[kept], data.x[kept]
    T = y.shape[1]
    u = np.column_stack([np.ones(len(y)), data.treated[kept].astype(float), x])
    design = visit_design(T, [True, True, *[False] * x.shape[1]])
    design = np.delete(design, T, axis=1)  # no effect of the arm at baseline
    fit = fit_reml(sums_of_patients(y, u, design))
    average = (seen[kept].sum(axis=1) @ x) / seen.sum()
    rows = [[0, 1, *(0 * average)], [1, 1, *average], [1, 0, *average]]
    L = np.concatenate([design[1:] @ np.array(row) for row in rows])
    found = infer(fit, L, variance, y=y, u=u, design=design)
    return contrast_at_visit(fit, found, visit=data.visit, kept=kept, n_scores=float(seen.sum()))


METHOD = Method(
    name="clda",
    fit=fit_clda,
    kind="continuous",
    estimand="difference in means at the visit (arms equal at baseline)",
    assumptions="equal means at baseline (randomised); scores missing at random given arm, covariates and "
    "the other scores of the patient; multivariate normal residuals",
    reference="Lu (2010), Biometrics 66:891-896, doi:10.1111/j.1541-0420.2009.01332.x",
    variances=("satterthwaite", "kenward_roger", "kenward_roger_linear", "empirical"),
    adjusts="outcome_model",
)
