"""Generalised estimating equations for all visits: a working correlation and a robust variance."""

import numpy as np

from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints
from vertebro_outcomes.estimators.contrasts.mmrm import visit_design
from vertebro_outcomes.estimators.method import Method
from vertebro_outcomes.estimators.two_arms import ContrastFit, TwoArms, VisitFits
from vertebro_outcomes.estimators.unanswerable import UnanswerableError

_MOST_STEPS = 200
_CONVERGED = 1e-12  # largest change of a coefficient as a share of the spread of the scores
_COLLINEAR = 1e-11  # smallest eigenvalue of the scaled X'X
_SETTLED = 1e-14  # change of the correlation of adjacent visits
_SINGULAR = 1e-8  # smallest eigenvalue of a working correlation


def fit_gee(data: TwoArms, *, variance: str = "robust_exchangeable") -> ContrastFit:
    """Treatment minus comparator at one visit from all visits of all patients with a score.

    Parameters
    ----------
    data : TwoArms
        With `visits`; the intercept and the arm differ by visit, so do the covariates in `varies`.
        With `weight`, each patient's equations count so often; weights are taken as known.
    variance : {"robust_exchangeable", "robust_independence", "robust_unstructured", "robust_ar1"}
        The working correlation (ar1: falling with the number of visits between two, whatever their
        days); the standard error is robust to a wrong one (patients are clusters, no small-sample
        correction).

    Returns
    -------
    ContrastFit

    Raises
    ------
    UnanswerableError
        If a covariate follows from the others or the working correlation is singular.

    Reference
    ---------
    Liang & Zeger (1986), Biometrika 73:13-22, doi:10.1093/biomet/73.1.13, sections 3.1 and 3.3; the
    moments of scale and correlation divide by the number of residuals and of pairs, or by the sums of
    the weights and of their squares.
    """
    assert data.visits is not None
    seen = ~np.isnan(data.visits)
    kept: Bools = np.asarray(seen.any(axis=1), dtype=bool)
    seen = seen[kept]
    w = np.ones(int(kept.sum())) if data.weight is None else data.weight[kept]
    y, x, arm = data.visits[kept], data.x[kept], data.treated[kept].astype(float)
    T = y.shape[1]
    varies = [False] * x.shape[1] if data.varies is None else [bool(own) for own in data.varies]
    u = np.column_stack([np.ones(len(y)), arm, x])
    design = visit_design(T, [True, True, *varies])
    X = np.einsum("jpq,nq->njp", design, u) * seen[:, :, None]
    beta, V = _solve(np.where(seen, y, 0.0), X, seen, variance.removeprefix("robust_"), w=w)
    share = w * seen.sum(axis=1)
    average = (share @ x) / share.sum()
    rows = [[0, 1, *(0 * average)], [1, 1, *average], [1, 0, *average]]
    L = np.concatenate([design @ np.array(row) for row in rows])
    estimate = (L @ beta).reshape(3, T)
    se = np.sqrt(np.einsum("mp,pr,mr->m", L, V, L)).reshape(3, T)
    at = data.visit
    return ContrastFit(
        estimate=float(estimate[0, at]),
        se=float(se[0, at]),
        weights=kept.astype(float),
        quantities={
            "mean_t": float(estimate[1, at]), "mean_c": float(estimate[2, at]),
            "n_scores": float(seen.sum()), "n_visits": float(T),
        },
        by_visit=VisitFits(
            estimate[0], se[0], np.full(T, np.inf), estimate[1], estimate[2], se[1], se[2]
        ),
    )  # fmt: skip


def _solve(
    y: Floats, X: Floats, seen: Bools, structure: str, *, w: Floats
) -> tuple[Floats, Floats]:
    """Coefficients and their robust covariance; rows of unseen visits are zero."""
    wX = w[:, None, None] * X
    gram = np.einsum("njp,njr->pr", wX, X)
    size = np.sqrt(np.diag(gram))
    if not (size > 0).all() or (np.linalg.eigvalsh(gram / np.outer(size, size))[0] < _COLLINEAR):
        raise UnanswerableError("a covariate is constant or follows from the others")
    beta = np.linalg.solve(gram, np.einsum("njp,nj->p", wX, y))
    spread = float(np.std(y[seen]))
    for _ in range(_MOST_STEPS):
        r = y - X @ beta
        WX = _weighted(wX, seen, _correlation(r, seen, structure, w))
        bread = np.einsum("njp,njr->pr", WX, X)
        step = np.linalg.solve(bread, np.einsum("njp,nj->p", WX, r))
        beta = beta + step
        if np.abs(step * size).max() <= _CONVERGED * spread * np.sqrt(seen.sum()):
            break
    else:
        raise UnanswerableError("the working correlation does not settle; try another")
    scores = np.einsum("njp,nj->np", WX, y - X @ beta)
    half = np.linalg.solve(bread, scores.T)
    return beta, half @ half.T


def _correlation(r: Floats, seen: Bools, structure: str, w: Floats) -> Floats:
    """Moments of the residuals: pairs of a patient weigh as the square of the patient's weight."""
    T = r.shape[1]
    if structure == "independence" or T == 1:
        return np.eye(T)
    here = seen.astype(float)
    if (here.T @ here < 2).any():
        raise UnanswerableError("two of the visits were seen together in fewer than two patients")
    scale = float((w[:, None] * r**2).sum() / (w[:, None] * here).sum())
    if scale <= 0:
        raise UnanswerableError("the scores follow exactly from arm and covariates")
    twice = (w**2)[:, None]
    pairs, together = (twice * r).T @ r / scale, (twice * here).T @ here
    apart = np.abs(np.subtract.outer(np.arange(T), np.arange(T)))
    if structure == "ar1":
        R = _falling(pairs, together, apart)
    elif structure == "exchangeable":
        R = np.full((T, T), pairs[apart > 0].sum() / together[apart > 0].sum())
    else:
        R = pairs / together
    np.fill_diagonal(R, 1.0)
    if np.linalg.eigvalsh(R)[0] < _SINGULAR:
        raise UnanswerableError("the working correlation of the visits is singular")
    return R


def _falling(pairs: Floats, together: Floats, apart: Ints) -> Floats:
    """Rho to the power of the visits between: least squares of all pairs, from the adjacent ones on."""
    i, j = np.nonzero(np.triu(apart))
    k, z, n = apart[i, j].astype(float), pairs[i, j], together[i, j]
    rho = float(z[k == 1].sum() / n[k == 1].sum())
    for _ in range(_MOST_STEPS):
        slope = k * rho ** (k - 1)
        step = float(slope @ (z - n * rho**k) / (n @ slope**2))
        rho += step
        if abs(step) < _SETTLED:
            break
    if not abs(rho) < 1:
        raise UnanswerableError("the working correlation of the visits is singular")
    return np.asarray(rho ** apart.astype(float))


def _weighted(X: Floats, seen: Bools, R: Floats) -> Floats:
    """R^-1 X patient by patient, over the visits that were seen."""
    out = np.zeros_like(X)
    patterns, which = np.unique(seen, axis=0, return_inverse=True)
    for k, pattern in enumerate(patterns):
        at, mine = np.flatnonzero(pattern), np.flatnonzero(which.ravel() == k)
        out[np.ix_(mine, at)] = np.linalg.inv(R[np.ix_(at, at)]) @ X[np.ix_(mine, at)]
    return out


METHOD = Method(
    name="gee",
    fit=fit_gee,
    kind="continuous",
    estimand="difference in means at the visit (adjusted for baseline by visit)",
    assumptions="scores missing completely at random given arm and covariates, whatever the correlation; "
    "many patients; no unmeasured confounding",
    reference="Liang & Zeger (1986), Biometrika 73:13-22, doi:10.1093/biomet/73.1.13",
    variances=(
        "robust_exchangeable",
        "robust_independence",
        "robust_unstructured",
        "robust_ar1",
    ),
    adjusts="outcome_model",
)
