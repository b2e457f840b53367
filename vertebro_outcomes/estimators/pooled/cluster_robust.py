"""Cluster-robust covariance of regression coefficients with small-sample corrections.

Notation: Φ the working covariance (block diagonal), W = Φ⁻¹, M⁻¹ = (X'WX)⁻¹, e residuals,
A_j the adjustment of cluster j: V = M⁻¹ (Σ_j X_j'W_j A_j e_j e_j'A_j'W_j X_j) M⁻¹.

References
----------
Pustejovsky and Tipton (2018), J Bus Econ Stat 36:672-683, doi:10.1080/07350015.2016.1247004 (CR2, equation
(4); Satterthwaite degrees of freedom, section 3; approximate Hotelling test, section 3.2);
Tipton (2015), Psychol Methods 20:375-393, doi:10.1037/met0000011.
"""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from scipy import special

from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.pooled.clusters import Clusters
from vertebro_outcomes.estimators.pooled.multilevel import cluster_covariance
from vertebro_outcomes.estimators.pooled.weighted_regression import invert

Robust = Literal["CR0", "CR1", "CR1p", "CR2"]
NO_INFORMATION: Final = 1e-12  # relative eigenvalue of a residual covariance that counts as zero


@dataclass(frozen=True)
class RobustCovariance:
    """Covariance (p, p) of the coefficients, and what degrees of freedom follow from.

    With g_j (effects of cluster j x coefficients) such that V = Σ_j g_j'e_j e_j'g_j: `loadings`
    (m, p, p) are X_j'g_j, `own` (m, p, p) are g_j'Φ_j g_j, `bread` is M⁻¹, X being orthonormal.
    """

    covariance: Floats
    bread: Floats
    loadings: Floats
    own: Floats

    def df(self, combination: Floats) -> float:
        """Satterthwaite degrees of freedom of a linear combination of the coefficients."""
        loading = self.loadings @ combination
        own = np.einsum("a,mab,b->m", combination, self.own, combination)
        return _satterthwaite(loading, own, self.bread)

    def joint_test(self, beta: Floats, tested: Floats) -> tuple[float, float, float, float]:
        """Approximate Hotelling T² test that the tested coefficients are all 0.

        Returns
        -------
        F, numerator and denominator degrees of freedom, p-value; NaN where not defined
        """
        c = np.flatnonzero(tested)
        q = len(c)
        if not q:
            return (np.nan, 0.0, np.nan, np.nan)
        loadings, own = self.loadings[:, :, c], self.own[:, c][:, :, c]
        expected = own.sum(axis=0) - np.einsum("mps,pr,mrt->st", loadings, self.bread, loadings)
        values, vectors = np.linalg.eigh(expected)
        root = (vectors / np.sqrt(values)) @ vectors.T
        g = np.einsum("sa,mpa->mps", root, loadings)
        cross = -np.einsum("mps,pr,nrt->stmn", g, self.bread, g)
        m = np.arange(len(g))
        cross[:, :, m, m] += np.einsum("sa,mab,tb->stm", root, own, root)
        spread = np.einsum("ssmn,ttmn->", cross, cross) + np.einsum("stmn,tsmn->", cross, cross)
        eta = q * (q + 1) / spread
        wald = float(beta[c] @ invert(self.covariance[np.ix_(c, c)][None])[0] @ beta[c])
        df = float(eta - q + 1)
        if df <= 0:
            return (np.nan, float(q), df, np.nan)
        f = df / (eta * q) * wald
        return f, float(q), df, float(special.fdtrc(q, df, f))


def robust_covariance(data: Clusters, *, sigma2: Floats, kind: Robust) -> RobustCovariance:
    """Robust covariance of generalised least squares, with Satterthwaite degrees of freedom.

    Parameters
    ----------
    data : Clusters
    sigma2 : pair
        Variance components between and within clusters that make up Φ with the sampling covariance.
    kind
        "CR0" no correction; "CR1" times m/(m - 1); "CR1p" times m/(m - p); "CR2" bias-reduced.
    """
    p, m = data.p, data.m
    beta, bread = _least_squares(data, sigma2)
    scores, loadings, own = np.zeros((m, p)), np.zeros((m, p, p)), np.zeros((m, p, p))
    for stack in data.stacks:
        phi = cluster_covariance(stack.sampling, sigma2)
        g = np.linalg.solve(phi, stack.x) @ bread @ data.back.T
        if kind == "CR2":
            g = _adjustment(phi, stack.x, bread) @ g
        residual = stack.y - stack.x @ beta
        scores[stack.which] = np.einsum("csp,cs->cp", g, residual)
        loadings[stack.which] = np.einsum("csp,csq->cpq", stack.x, g)
        own[stack.which] = np.einsum("csp,cst,ctq->cpq", g, phi, g)
    factor = {"CR1": m / (m - 1), "CR1p": m / (m - p) if m > p else np.nan}.get(kind, 1.0)
    covariance = factor * scores.T @ scores
    return RobustCovariance(covariance, bread, loadings, own)


def _least_squares(data: Clusters, sigma2: Floats) -> tuple[Floats, Floats]:
    """Coefficients and M⁻¹ for the orthonormal moderators."""
    m, xy = np.zeros((data.p, data.p)), np.zeros(data.p)
    for stack in data.stacks:
        wx = np.linalg.solve(cluster_covariance(stack.sampling, sigma2), stack.x)
        m += np.einsum("csp,csq->pq", stack.x, wx)
        xy += np.einsum("csp,cs->p", wx, stack.y)
    bread = np.asarray(np.linalg.inv(m), dtype=float)
    return bread @ xy, bread


def _adjustment(phi: Floats, x: Floats, bread: Floats) -> Floats:
    """A = D'B^(-1/2)D with Φ = D'D and B = D(Φ - XM⁻¹X')D'; a generalised inverse root."""
    lower = np.linalg.cholesky(phi)
    upper = np.swapaxes(lower, 1, 2)
    b = upper @ (phi - x @ bread @ np.swapaxes(x, 1, 2)) @ lower
    values, vectors = np.linalg.eigh(b)
    largest = np.linalg.eigvalsh(upper @ phi @ lower)[:, -1:]
    sound = values > NO_INFORMATION * largest
    root = np.where(sound, 1.0 / np.sqrt(np.where(sound, values, 1.0)), 0.0)
    inverse_root = (vectors * root[:, None, :]) @ np.swapaxes(vectors, 1, 2)
    return np.asarray(lower @ inverse_root @ upper)


def _satterthwaite(loading: Floats, own: Floats, bread: Floats) -> float:
    """2 E(V)² / Var(V) under the working model, for one combination of coefficients."""
    square = np.einsum("mp,pq,mq->m", loading, bread, loading)
    gram = bread @ (loading.T @ loading)
    total = (own**2 - 2.0 * own * square).sum() + np.trace(gram @ gram)
    mean = (own - square).sum()
    return float(mean**2 / total) if total > 0 else float("nan")
