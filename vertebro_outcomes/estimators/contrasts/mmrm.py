"""Mixed model for repeated measures: every visit with its own mean and an unstructured covariance."""

from dataclasses import dataclass
from typing import cast

import numpy as np

from vertebro_outcomes.estimators.arrays import Bools, Floats
from vertebro_outcomes.estimators.method import Method
from vertebro_outcomes.estimators.repeated_measures.pattern_sums import sums_of_patients
from vertebro_outcomes.estimators.repeated_measures.reml import RemlFit, fit_reml
from vertebro_outcomes.estimators.repeated_measures.sandwich import infer_contrasts_empirically
from vertebro_outcomes.estimators.repeated_measures.small_sample import (
    ContrastEstimates,
    SmallSample,
    infer_contrasts,
)
from vertebro_outcomes.estimators.two_arms import ContrastFit, TwoArms, VisitFits


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
    model = visit_model(data)
    found = model.infer(model.contrasts, variance)
    return contrast_at_visit(
        model.fit, found, visit=data.visit, kept=model.kept, n_scores=model.n_scores
    )


def combine_visits(data: TwoArms, weights: Floats, *, variance: str) -> ContrastFit:
    """Sum of the differences at all visits, each times its weight, with their joint covariance.

    Parameters
    ----------
    data : TwoArms
        As for `fit_mmrm`.
    weights : array (T,)
        One per visit.
    variance : str
        As for `fit_mmrm`; the degrees of freedom are those of the combination itself.

    Returns
    -------
    ContrastFit

    Raises
    ------
    UnanswerableError
        If the covariance or the coefficients are not determined.
    """
    model = visit_model(data)
    T = len(weights)
    found = model.infer(model.contrasts, variance)
    at_visits = contrast_at_visit(
        model.fit, found, visit=data.visit, kept=model.kept, n_scores=model.n_scores
    )
    combined = model.infer((weights @ model.contrasts[:T])[None, :], variance)
    return ContrastFit(
        estimate=float(combined.estimate[0]),
        se=float(combined.se[0]),
        df=float(combined.df[0]),
        weights=at_visits.weights,
        by_visit=at_visits.by_visit,
    )


@dataclass(frozen=True)
class VisitModel:
    """A fitted model with `contrasts`: differences, treated and comparator means of all visits."""

    fit: RemlFit
    y: Floats
    u: Floats
    design: Floats
    kept: Bools
    contrasts: Floats
    n_scores: float

    def infer(self, L: Floats, variance: str) -> ContrastEstimates:
        """Contrasts L beta."""
        return infer(self.fit, L, variance, y=self.y, u=self.u, design=self.design)


def visit_model(data: TwoArms) -> VisitModel:
    """Every visit with its own intercept and arm difference, covariance unstructured.

    Raises
    ------
    UnanswerableError
        If the covariance or the coefficients are not determined.
    """
    assert data.visits is not None
    seen = ~np.isnan(data.visits)
    kept: Bools = np.asarray(seen.any(axis=1), dtype=bool)
    y, x, arm = data.visits[kept], data.x[kept], data.treated[kept].astype(float)
    varies = [False] * x.shape[1] if data.varies is None else [bool(own) for own in data.varies]
    u = np.column_stack([np.ones(len(y)), arm, x])
    design = visit_design(y.shape[1], [True, True, *varies])
    fit = fit_reml(sums_of_patients(y, u, design))
    average = (seen[kept].sum(axis=1) @ x) / seen.sum()
    rows = [[0, 1, *(0 * average)], [1, 1, *average], [1, 0, *average]]
    L = np.concatenate([design @ np.array(row) for row in rows])
    return VisitModel(fit, y, u, design, kept, L, float(seen.sum()))


def contrast_at_visit(
    fit: RemlFit, found: ContrastEstimates, *, visit: int, kept: Bools, n_scores: float
) -> ContrastFit:
    """The visit asked for, from differences, treated means and comparator means of all visits."""
    estimate, se, df = (part.reshape(3, -1) for part in (found.estimate, found.se, found.df))
    by_visit = VisitFits(estimate[0], se[0], df[0], estimate[1], estimate[2], se[1], se[2])
    return ContrastFit(
        estimate=float(estimate[0, visit]),
        se=float(se[0, visit]),
        df=float(df[0, visit]),
        weights=kept.astype(float),
        quantities={
            "mean_t": float(estimate[1, visit]),
            "mean_c": float(estimate[2, visit]),
            "se_mean_t": float(se[1, visit]),
            "se_mean_c": float(se[2, visit]),
            "loglik": fit.loglik,
            "n_scores": n_scores,
            "n_visits": float(estimate.shape[1]),
        },
        by_visit=by_visit,
    )


def infer(
    fit: RemlFit, L: Floats, variance: str, *, y: Floats, u: Floats, design: Floats
) -> ContrastEstimates:
    """Contrasts L beta with the standard errors and degrees of freedom of a word of `variances`."""
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
