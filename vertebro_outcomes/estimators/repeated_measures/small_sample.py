"""Standard error and degrees of freedom of a contrast of coefficients in a small sample."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.repeated_measures.reml import RemlFit
from vertebro_outcomes.estimators.unanswerable import UnanswerableError

_TOO_SMALL = "too few patients for the small-sample correction of the standard error"
SmallSample = Literal["satterthwaite", "kenward_roger", "kenward_roger_linear"]


@dataclass(frozen=True)
class ContrastEstimates:
    """One value per contrast; `se` and `df` by the same method."""

    estimate: Floats
    se: Floats
    df: Floats


def infer_contrasts(fit: RemlFit, L: Floats, *, method: SmallSample) -> ContrastEstimates:
    """Contrasts L beta with standard errors and degrees of freedom.

    Parameters
    ----------
    fit : RemlFit
    L : array (m, p)
        One contrast per row.
    method : {"satterthwaite", "kenward_roger", "kenward_roger_linear"}
        Kenward-Roger inflates the covariance of the coefficients for the estimation of Sigma; the
        linear variant leaves out the second derivatives of Sigma, so it does not depend on how Sigma
        is parametrised. The full one takes log scale factors and a unit triangular factor, as R mmrm.

    Returns
    -------
    ContrastEstimates

    Raises
    ------
    UnanswerableError
        If a corrected variance is not positive, which only very small sets do.

    Notes
    -----
    The covariance of theta is the inverse of the observed information. For one contrast the
    Kenward-Roger degrees of freedom equal Satterthwaite's.

    Reference
    ---------
    Kenward & Roger (1997), Biometrics 53:983-997, doi:10.2307/2533558, section 2;
    Fai & Cornelius (1996), J Stat Comput Simul 54:363-378, doi:10.1080/00949659608811740.
    """
    try:
        W = np.asarray(np.linalg.inv(fit.at.observed_information), dtype=np.float64)
    except np.linalg.LinAlgError:
        raise UnanswerableError(_TOO_SMALL) from None
    Phi = fit.covariance
    variance = np.einsum("mp,pr,mr->m", L, Phi, L, optimize=True)
    LPhi = L @ Phi
    gradient = np.einsum("mp,apr,mr->ma", LPhi, fit.at.p_terms, LPhi, optimize=True)
    spread = np.einsum("ma,ab,mb->m", gradient, W, gradient, optimize=True)
    df = 2.0 * variance**2 / spread
    if method != "satterthwaite":
        adjusted = _adjusted(fit, W, second_order=method == "kenward_roger")
        variance = np.einsum("mp,pr,mr->m", L, adjusted, L, optimize=True)
    if not ((variance > 0) & (df > 0)).all():
        raise UnanswerableError(_TOO_SMALL)
    return ContrastEstimates(L @ fit.beta, np.sqrt(variance), df)


def _adjusted(fit: RemlFit, W: Floats, *, second_order: bool) -> Floats:
    """Phi_A = Phi + 2 Phi { sum W_ij (Q_ij - P_i Phi P_j - R_ij / 4) } Phi."""
    at, Phi = fit.at, fit.covariance
    inner = np.einsum("ab,abpr->pr", W, at.q_terms, optimize=True)
    inner -= np.einsum("ab,apr,rs,bst->pt", W, at.p_terms, Phi, at.p_terms, optimize=True)
    if second_order:
        K = _curvature(fit.Sigma, W)
        sandwich = at.W @ K @ at.W
        inner -= np.einsum("kjl,kjlpr->pr", sandwich, at.xx, optimize=True) / 4.0
    inner = (inner + inner.T) / 2.0
    return np.asarray(Phi + 2.0 * Phi @ inner @ Phi)


def _curvature(Sigma: Floats, W: Floats) -> Floats:
    """Sum of W_ij d2 Sigma / d phi_i d phi_j, phi = log standard deviations and unit Cholesky rows.

    Sigma = F F', F = diag(exp(s)) G, G unit lower triangular; W is given for the elements of Sigma.
    """
    T = len(Sigma)
    F = np.asarray(np.linalg.cholesky(Sigma), dtype=np.float64)
    s = np.diag(F)
    first, second = _factor_derivatives(F, s)
    dSigma = first @ F.T + F @ first.transpose(0, 2, 1)
    rows, columns = np.tril_indices(T)
    J = dSigma[:, rows, columns].T
    W_phi = np.linalg.solve(J, np.linalg.solve(J, W).T)
    cross = np.einsum("ij,iab,jcb->ac", W_phi, first, first, optimize=True)
    curved = np.einsum("ij,ijab->ab", W_phi, second, optimize=True) @ F.T
    return np.asarray(cross + cross.T + curved + curved.T)


def _factor_derivatives(F: Floats, s: Floats) -> tuple[Floats, Floats]:
    """First (q, T, T) and second (q, q, T, T) derivatives of F by phi = (s_1 ... s_T, G below diagonal)."""
    T = len(F)
    below = [(j, k) for j in range(T) for k in range(j)]
    q = T + len(below)
    first, second = np.zeros((q, T, T)), np.zeros((q, q, T, T))
    for j in range(T):
        first[j, j] = F[j]
        second[j, j, j] = F[j]
    for position, (j, k) in enumerate(below, start=T):
        first[position, j, k] = s[j]
        second[position, j, j, k] = second[j, position, j, k] = s[j]
    return first, second
