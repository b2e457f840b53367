"""Three-level meta-analysis: effects within clusters within the population of clusters.

Model: y = Xb + (cluster effect, variance σ²_b) + (effect within cluster, variance σ²_w) + sampling error.
Notation: V = S + σ²_b Z_b + σ²_w Z_w, M = X'V⁻¹X, P = V⁻¹ - V⁻¹XM⁻¹X'V⁻¹, u = V⁻¹(y - Xb) = Py.

References
----------
Konstantopoulos (2011), Res Synth Methods 2:61-76, doi:10.1002/jrsm.35 (model);
Harville (1977), J Am Stat Assoc 72:320-338, doi:10.1080/01621459.1977.10480998 (scores, information).
"""

import math
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from scipy import optimize

from vertebro_outcomes.estimators.arrays import Bools, Floats
from vertebro_outcomes.estimators.pooled.clusters import Clusters, Stack

Likelihood = Literal["REML", "ML"]
MOST_STEPS: Final = 200
RELATIVE_STEP: Final = 1e-11  # of a variance component plus the smallest sampling variance
GRADIENT: Final = 1e-6  # of the log-likelihood for a doubling of the component, at the end


@dataclass(frozen=True)
class Slope:
    """Log-likelihood at σ² with its gradient, observed and expected information (2 x 2).

    `beta` and `covariance` belong to the orthonormal moderators.
    """

    value: float
    gradient: Floats
    observed: Floats
    expected: Floats
    beta: Floats
    covariance: Floats


@dataclass(frozen=True)
class MultilevelFit:
    """Estimates on the analysis scale; `sigma2` = (between clusters, within clusters)."""

    beta: Floats
    covariance: Floats
    sigma2: Floats
    sigma2_covariance: Floats
    log_likelihood: float
    q: float
    converged: bool


def fit_multilevel(data: Clusters, *, method: Likelihood) -> MultilevelFit:
    """Maximise the (restricted) likelihood over both variance components."""
    spread = max(_crude_spread(data), _scale(data))
    ends = [
        climb(data, np.array(start) * spread, method=method)
        for start in ((0.5, 0.5), (0.9, 0.1), (0.1, 0.9))
    ]
    sigma2, done = max(ends, key=lambda end: (end[1], slope(data, end[0], method=method).value))
    if not done:
        sigma2, done = _search(data, sigma2, method=method)
    best = slope(data, sigma2, method=method)
    return MultilevelFit(
        beta=data.back @ best.beta,
        covariance=data.back @ best.covariance @ data.back.T,
        sigma2=sigma2,
        sigma2_covariance=_information_inverse(best.expected),
        log_likelihood=best.value,
        q=_residual_q(data),
        converged=done,
    )


def slope(data: Clusters, sigma2: Floats, *, method: Likelihood) -> Slope:
    """The log-likelihood and its derivatives; sums over clusters only."""
    inverses, m, xy, log_det = _cross_products(data, sigma2)
    bread = np.asarray(np.linalg.inv(m), dtype=float)
    beta = bread @ xy
    parts = [
        _derivatives(stack, inverse, beta)
        for stack, inverse in zip(data.stacks, inverses, strict=True)
    ]
    yy, tr_1, tr_2, forms, curvature, a, b, c = (sum(terms) for terms in zip(*parts, strict=True))
    curvature = curvature - np.einsum("ip,pq,jq->ij", c, bread, c)
    value = -0.5 * (data.k * math.log(2 * math.pi) + log_det + yy)
    if method == "REML":
        ma = bread @ a
        tr_1 = tr_1 - np.einsum("ipp->i", ma)
        tr_2 = tr_2 - 2 * np.einsum("pq,ijqp->ij", bread, b) + np.einsum("ipq,jqp->ij", ma, ma)
        value += 0.5 * (data.p * math.log(2 * math.pi) - np.linalg.slogdet(m)[1])
    return Slope(
        value=float(value),
        gradient=0.5 * (forms - tr_1),
        observed=curvature - 0.5 * tr_2,
        expected=0.5 * tr_2,
        beta=beta,
        covariance=bread,
    )


def _cross_products(data: Clusters, sigma2: Floats) -> tuple[list[Floats], Floats, Floats, float]:
    """V⁻¹ of each stack, X'V⁻¹X, X'V⁻¹y and log|V|."""
    inverses, m, xy, log_det = [], np.zeros((data.p, data.p)), np.zeros(data.p), 0.0
    for stack in data.stacks:
        covariance = cluster_covariance(stack.sampling, sigma2)
        inverse = np.asarray(np.linalg.inv(covariance), dtype=float)
        inverses.append(inverse)
        weighted = inverse @ stack.x
        m += np.einsum("csp,csq->pq", stack.x, weighted)
        xy += np.einsum("csp,cs->p", weighted, stack.y)
        log_det += float(np.linalg.slogdet(covariance)[1].sum())
    return inverses, m, xy, log_det


def _derivatives(stack: Stack, inverse: Floats, beta: Floats) -> tuple[Any, ...]:
    """A stack's share of (y - Xb)'u; tr(V⁻¹Z), tr(V⁻¹ZV⁻¹Z); u'Zu, u'ZV⁻¹Zu; X'V⁻¹ZV⁻¹X,
    X'V⁻¹ZV⁻¹ZV⁻¹X, X'V⁻¹Zu.
    """
    size = stack.y.shape[1]
    z = np.array([np.ones((size, size)), np.eye(size)])
    residual = stack.y - stack.x @ beta
    u = np.einsum("cst,ct->cs", inverse, residual)
    vx = inverse @ stack.x
    zv = z[:, None] @ inverse
    zu = np.einsum("ist,ct->ics", z, u)
    zvx = z[:, None] @ vx
    return (
        float(np.einsum("cs,cs->", u, residual)),
        np.einsum("icss->i", zv),
        np.einsum("icst,jcts->ij", zv, zv),
        np.einsum("cs,ics->i", u, zu),
        np.einsum("ics,jcs->ij", zu, np.einsum("cst,jct->jcs", inverse, zu)),
        np.einsum("csp,icsq->ipq", vx, zvx),
        np.einsum("icsp,jcsq->ijpq", zvx, inverse @ zvx),
        np.einsum("csp,ics->ip", vx, zu),
    )


def cluster_covariance(sampling: Floats, sigma2: Floats) -> Floats:
    """V of each cluster in a stack."""
    return np.asarray(sampling + sigma2[0] + sigma2[1] * np.eye(sampling.shape[1]))


def climb(
    data: Clusters, start: Floats, *, method: Likelihood, held: Bools | None = None
) -> tuple[Floats, bool]:
    """Newton (Fisher scoring where the curvature is not negative) with halving, components >= 0.

    `held` marks components that keep their starting value. The second value says whether the
    gradient vanished.
    """
    sigma2, scale = start, _scale(data)
    movable = np.ones(2, dtype=bool) if held is None else ~held
    here = slope(data, sigma2, method=method)
    for _ in range(MOST_STEPS):
        free = movable & ((sigma2 > 0) | (here.gradient > 0))
        if not free.any():
            return sigma2, True
        step = np.zeros(2)
        step[free] = _direction(here, free)
        if (np.abs(step) <= RELATIVE_STEP * (sigma2 + scale)).all():
            settled = np.abs(here.gradient[free]) * (sigma2[free] + scale) <= GRADIENT
            return sigma2, bool(settled.all())
        for halving in range(40):
            new = np.maximum(sigma2 + step * 0.5**halving, 0.0)
            there = slope(data, new, method=method)
            if there.value >= here.value - 1e-13 * abs(here.value):
                break
        else:
            settled = np.abs(here.gradient[free]) * (sigma2[free] + scale) <= GRADIENT
            return sigma2, bool(settled.all())
        sigma2, here = new, there
    return sigma2, False


def _direction(here: Slope, free: Bools) -> Floats:
    chosen = np.ix_(free, free)
    for information in (here.observed[chosen], here.expected[chosen]):
        if np.linalg.eigvalsh(information)[0] > 1e-12 * np.trace(information) > 0:
            return np.asarray(np.linalg.solve(information, here.gradient[free]), dtype=float)
    return here.gradient[free] / np.diag(here.expected)[free]


def _search(data: Clusters, start: Floats, *, method: Likelihood) -> tuple[Floats, bool]:
    """Simplex search, then Newton from its end."""
    found = optimize.minimize(
        lambda root: -slope(data, root**2, method=method).value,
        np.sqrt(start + _scale(data)),
        method="Nelder-Mead",
        options={"xatol": 1e-10, "fatol": 1e-12, "maxiter": 2000},
    )
    return climb(data, found.x**2, method=method)


def _information_inverse(information: Floats) -> Floats:
    if np.linalg.cond(information) > 1e12:
        return np.full((2, 2), np.nan)
    return np.asarray(np.linalg.inv(information), dtype=float)


def _scale(data: Clusters) -> float:
    return float(min(np.einsum("css->cs", stack.sampling).min() for stack in data.stacks))


def _crude_spread(data: Clusters) -> float:
    """Unweighted variance of the effects minus the mean sampling variance."""
    y = np.concatenate([stack.y.ravel() for stack in data.stacks])
    v = np.concatenate([np.einsum("css->cs", stack.sampling).ravel() for stack in data.stacks])
    return float(np.var(y, ddof=1) - v.mean())


def _residual_q(data: Clusters) -> float:
    """Residual heterogeneity: the generalised sum of squares under sampling error only."""
    m, xy, yy = np.zeros((data.p, data.p)), np.zeros(data.p), 0.0
    for stack in data.stacks:
        wx = np.linalg.solve(stack.sampling, stack.x)
        m += np.einsum("csp,csq->pq", stack.x, wx)
        xy += np.einsum("csp,cs->p", wx, stack.y)
    beta = np.linalg.solve(m, xy)
    for stack in data.stacks:
        r = stack.y - stack.x @ beta
        yy += float(
            np.einsum("cs,cs->", r, np.linalg.solve(stack.sampling, r[:, :, None])[:, :, 0])
        )
    return yy
