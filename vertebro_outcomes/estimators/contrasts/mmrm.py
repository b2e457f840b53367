"""Mixed model for repeated measures: every visit with its own mean and an unstructured covariance."""

from typing import cast

import numpy as np

from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.method import Method
from vertebro_outcomes.estimators.repeated_measures.pattern_sums import sums_of_patients
from vertebro_outcomes.estimators.repeated_measures.reml import RemlFit, fit_reml
from vertebro_outcomes.estimators.repeated_measures.sandwich import infer_contrasts_empirically
from vertebro_outcomes.estimators.repeated_measures.small_sample import (
    ContrastEstimates,
    SmallSample,
    infer_contrasts,
)
from vertebro_outcomes.estimators.two_arms import ContrastFit, TwoArms


def visit_design(T: int, varies: list[bool]) -> Floats:
    """x_ij = design[j] @ u_i: one coefficient per visit where `varies`, else one for all visits."""
    q = len(varies)
    p = sum(T if own else 1 for own in varies)
    design = np.zeros((T, p, q))
    at = 0
    for covariate, own in enumerate(varies):
        for j in range(T):
            design[j, at + (j if own else 0), covariate] = 1.0
        at += T if own else 1
    return design


def fit_mmrm(data: TwoArms, *, variance: str = "satterthwaite") -> ContrastFit:
    """Treatment minus comparator at one visit from all visits of all patients with a score.

    Parameters
    ----------
    data : TwoArms
        With `visits`; the intercept and the arm differ by visit, so do the covariates in `varies`.
    variance : {"satterthwaite", "kenward_roger", "kenward_roger_linear", "empirical"}

    Returns
    -------
    ContrastFit
        `quantities` hold the least-squares means at the average covariates of the analysed scores.

    Raises
    ------
    UnanswerableError
        If the covariance or the coefficients are not determined.
    """
    assert data.visits is not None
    seen = ~np.isnan(data.visits)
    kept = seen.any(axis=1)
    y, x, arm = data.visits[kept], data.x[kept], data.treated[kept].astype(float)
    T = y.shape[1]
    varies = [False] * x.shape[1] if data.varies is None else [bool(own) for own in data.varies]
    u = np.column_stack([np.ones(len(y)), arm, x])
    design = visit_design(T, [True, True, *varies])
    fit = fit_reml(sums_of_patients(y, u, design))
    average = (seen[kept].sum(axis=1) @ x) / seen.sum()
    L = np.array(
        [
            design[data.visit] @ row
            for row in ([0, 1, *(0 * average)], [1, 1, *average], [1, 0, *average])
        ]
    )
    found = _infer(fit, L, variance, y=y, u=u, design=design)
    quantities = {
        "mean_t": float(found.estimate[1]),
        "mean_c": float(found.estimate[2]),
        "se_mean_t": float(found.se[1]),
        "se_mean_c": float(found.se[2]),
        "loglik": fit.loglik,
        "n_scores": float(seen.sum()),
        "n_visits": float(T),
    }
    return ContrastFit(
        estimate=float(found.estimate[0]),
        se=float(found.se[0]),
        df=float(found.df[0]),
        weights=kept.astype(float),
        quantities=quantities,
    )


def _infer(
    fit: RemlFit, L: Floats, variance: str, *, y: Floats, u: Floats, design: Floats
) -> ContrastEstimates:
    if variance == "empirical":
        return infer_contrasts_empirically(fit, L, y=y, u=u, design=design)
    return infer_contrasts(fit, L, method=cast(SmallSample, variance))


METHOD = Method(
    name="mmrm",
    fit=fit_mmrm,
    kind="continuous",
    estimand="difference in means at the visit (adjusted for baseline by visit)",
    assumptions="scores missing at random given arm, covariates and the other scores of the patient; "
    "multivariate normal residuals; no unmeasured confounding",
    reference="Mallinckrodt et al. (2008), Drug Inf J 42:303-319, doi:10.1177/009286150804200402; "
    "Kenward & Roger (1997), Biometrics 53:983-997, doi:10.2307/2533558",
    variances=("satterthwaite", "kenward_roger", "kenward_roger_linear", "empirical"),
    adjusts="outcome_model",
)
