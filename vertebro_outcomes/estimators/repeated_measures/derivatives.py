"""Restricted likelihood of an unstructured covariance, its slope and its information matrices.

theta holds the elements of Sigma on and below the diagonal; V = Sigma on the visits of a pattern is
linear in theta, so second derivatives of V vanish. Notation of Kenward & Roger (1997).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.repeated_measures.pattern_sums import PatternSums

_SMALLEST_PIVOT = 1e-6  # of the Cholesky factor of a correlation matrix


def basis(T: int) -> Floats:
    """dSigma/dtheta_a, (q, T, T), for the q = T (T + 1) / 2 elements on and below the diagonal."""
    rows, columns = np.tril_indices(T)
    E = np.zeros((len(rows), T, T))
    E[np.arange(len(rows)), rows, columns] = 1.0
    E[np.arange(len(rows)), columns, rows] = 1.0
    return E


@dataclass(frozen=True)
class RestrictedLikelihood:
    """The restricted likelihood at one Sigma; what is expensive is computed on demand.

    Attributes
    ----------
    beta : array (p,)
        Generalised least squares at this Sigma.
    Phi : array (p, p)
        (X'V^-1 X)^-1.
    loglik : float
        -1/2 [(N - p) log 2 pi + log|V| + log|X'V^-1 X| + r'V^-1 r].
    """

    sums: PatternSums
    W: Floats  # V^-1 of every pattern, zero outside it, (k, T, T)
    beta: Floats
    Phi: Floats
    loglik: float

    @cached_property
    def slopes(self) -> Floats:
        return basis(self.W.shape[1])

    @cached_property
    def _wew(self) -> Floats:
        """W E_a W for every pattern, (k, q, T, T)."""
        return np.asarray(self.W[:, None] @ self.slopes[None] @ self.W[:, None])

    @cached_property
    def _wewew(self) -> Floats:
        """W E_a W E_b W for every pattern, (k, q, q, T, T)."""
        return np.asarray(self._wew[:, :, None] @ (self.slopes[None] @ self.W[:, None])[:, None])

    @property
    def xx(self) -> Floats:
        """Sum of x_j x_k', (k, T, T, p, p)."""
        return self.sums.moments[..., :-1, :-1]

    @cached_property
    def _xr(self) -> Floats:
        """Sum of x_j r_k, (k, T, T, p)."""
        c = np.append(-self.beta, 1.0)
        return np.asarray(self.sums.moments[..., :-1, :] @ c)

    @cached_property
    def residual_products(self) -> Floats:
        """Sum of r_j r_k, (k, T, T)."""
        c = np.append(-self.beta, 1.0)
        return np.asarray(c @ (self.sums.moments @ c)[..., None])[..., 0]

    @cached_property
    def p_terms(self) -> Floats:
        """X' W E_a W X, (q, p, p): minus the derivative of X'V^-1 X."""
        return np.einsum("kajl,kjlpr->apr", self._wew, self.xx, optimize=True)

    @cached_property
    def q_terms(self) -> Floats:
        """X' W E_a W E_b W X, (q, q, p, p)."""
        return np.einsum("kabjl,kjlpr->abpr", self._wewew, self.xx, optimize=True)

    @cached_property
    def score(self) -> Floats:
        """Derivative of `loglik` by theta."""
        trace = np.einsum("k,kjl,alj->a", self.sums.n, self.W, self.slopes, optimize=True)
        trace -= np.einsum("pr,arp->a", self.Phi, self.p_terms)
        quadratic = np.einsum("kajl,kjl->a", self._wew, self.residual_products)
        return np.asarray((quadratic - trace) / 2.0)

    @cached_property
    def expected_information(self) -> Floats:
        """1/2 tr(P V_a P V_b) with P = V^-1 - V^-1 X Phi X' V^-1."""
        WE = self.W[:, None] @ self.slopes[None]
        both = np.einsum("k,kajl,kblj->ab", self.sums.n, WE, WE, optimize=True)
        N = np.einsum("kjlpr,rp->kjl", self.xx, self.Phi, optimize=True)
        cross = np.einsum("kabjl,kjl->ab", self._wewew, N, optimize=True)
        PhiP = self.Phi @ self.p_terms
        own = np.einsum("apr,brp->ab", PhiP, PhiP, optimize=True)
        return np.asarray((both - cross - cross.T + own) / 2.0)

    @cached_property
    def observed_information(self) -> Floats:
        """Minus the second derivative: y'P V_a P V_b P y - 1/2 tr(P V_a P V_b)."""
        direct = np.einsum("kabjl,kjl->ab", self._wewew, self.residual_products, optimize=True)
        u = np.einsum("kajl,kjlp->ap", self._wew, self._xr, optimize=True)
        quadratic = (direct + direct.T) / 2.0 - u @ self.Phi @ u.T
        return np.asarray(quadratic - self.expected_information)


def restricted_likelihood(sums: PatternSums, Sigma: Floats) -> RestrictedLikelihood | None:
    """The restricted likelihood at Sigma; None where Sigma or X'V^-1 X is not positive definite."""
    if not _is_positive_definite(Sigma):
        return None
    T = sums.seen.shape[1]
    p = sums.moments.shape[-1] - 1
    both = sums.seen[:, :, None] & sums.seen[:, None, :]
    V = np.where(both, Sigma, 0.0)
    V[:, np.arange(T), np.arange(T)] += ~sums.seen  # unseen visits: an identity block, then removed
    W = np.where(both, np.linalg.inv(V), 0.0)
    total = np.einsum("kjl,kjlab->ab", W, sums.moments, optimize=True)
    A, b, yy = total[:p, :p], total[:p, p], total[p, p]
    if not (np.diag(A) > 0).all():  # rounding at the edge of the cone
        return None
    scale = 1.0 / np.sqrt(np.diag(A))
    try:
        L = np.linalg.cholesky(A * scale[:, None] * scale)
    except np.linalg.LinAlgError:
        return None
    half = np.linalg.solve(L, np.diag(scale))
    Phi = half.T @ half
    beta = Phi @ b
    beta += Phi @ (b - A @ beta)
    log_det_v = float(sums.n @ np.linalg.slogdet(V)[1])
    log_det_a = 2.0 * float(np.log(np.diag(L) / scale).sum())
    residual = yy - 2 * beta @ b + beta @ A @ beta
    n_free = sums.n_rows - p
    loglik = -0.5 * (n_free * np.log(2 * np.pi) + log_det_v + log_det_a + residual)
    return RestrictedLikelihood(sums, W, beta, Phi, float(loglik))


def _is_positive_definite(Sigma: Floats) -> bool:
    """With room for the inverse: every visit keeps a share of its variance given the earlier ones."""
    variance = np.diag(Sigma)
    if not (variance > 0).all():
        return False
    sd = np.sqrt(variance)
    try:
        pivots = np.diag(np.linalg.cholesky(Sigma / np.outer(sd, sd)))
    except np.linalg.LinAlgError:
        return False
    return bool((pivots > _SMALLEST_PIVOT).all())
