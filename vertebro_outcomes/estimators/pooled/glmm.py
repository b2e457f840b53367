"""Generalised linear mixed models for counts: one random treatment effect per study, maximum likelihood.

References
----------
Stijnen, Hamza, Özdemir (2010), Stat Med 29:3046-3067, doi:10.1002/sim.4040, sections 3 to 5;
Jackson, Law, Stijnen, Viechtbauer, White (2018), Stat Med 37:1059-1085, doi:10.1002/sim.7588 (models 3 to 7).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.pooled.arrowhead_newton import (
    Derive,
    Local,
    Optimum,
    Value,
    maximise,
)
from vertebro_outcomes.estimators.pooled.glmm_kernels import (
    BothArms,
    FisherHypergeometric,
    binomial,
)
from vertebro_outcomes.estimators.pooled.numeric_derivatives import differentiate
from vertebro_outcomes.estimators.pooled.quadrature import gauss_hermite, log_marginal, modes

POINTS: Final = 7  # quadrature nodes; the value metafor::rma.glmm and its published results use
EXACT_POINTS: Final = 31  # for the exact conditional model: enough for 1e-8 in the log-likelihood
START_TAU: Final = 0.5
LARGEST_TAU: Final = (
    10.0  # beyond, the likelihood has no maximum: every study lies at the end of its range
)
SMALLEST_TAU: Final = 1e-4  # a standard deviation below this is reported as 0


@dataclass(frozen=True)
class GlmmFit:
    """Mean effect on the log (or logit) scale, its standard error from the observed information.

    `tau2` is the variance of the effects between studies, `sigma2` that of the study intercepts (NaN
    unless they are random). `q` compares the model without heterogeneity with one effect per study by
    a likelihood ratio on `df` degrees of freedom. `converged` is False where the search did not end.
    """

    estimate: float
    se: float
    tau2: float
    sigma2: float
    q: float
    df: int
    log_likelihood: float
    converged: bool


def fit_unconditional(
    counts: tuple[Floats, Floats],
    sizes: tuple[Floats, Floats],
    *,
    rates: bool = False,
    random: bool = True,
    points: int = POINTS,
) -> GlmmFit:
    """Fixed study effects (UM.FS): logistic model 4 of Jackson et al., or its Poisson analogue.

    Parameters
    ----------
    counts
        Events under treatment and under comparator, arrays of length k. Leave out studies without
        events in both arms (and, for patients, with only events): they carry no information.
    sizes
        Patients, or with `rates` person-time, of the same arms.
    random
        False fixes tau² at 0.
    points
        Quadrature nodes; 1 is the Laplace approximation.
    """
    arms = BothArms(counts=counts, sizes=sizes, rates=rates)

    def value(alpha: Floats | None, shared: Floats) -> Floats:
        assert alpha is not None
        theta, tau = shared[..., 0], shared[..., 1]
        return log_marginal(lambda x: arms.given_alpha(alpha, x), theta, tau, points=points)

    start = _middle_of_arms(counts, sizes, rates=rates)
    saturated = sum(_saturated(x, n, rates=rates) for x, n in zip(counts, sizes, strict=True))
    return _fit(value, differentiate(value), alpha=start, random=random, saturated=float(saturated))


def fit_binomial_normal(
    x: Floats, n: Floats, *, offset: Floats | float = 0.0, random: bool = True, points: int = POINTS
) -> GlmmFit:
    """X events among n with log odds delta + offset.

    One arm: the logit-normal model (offset 0). Two arms: events under treatment among all events, with
    offset log(n1/n2) the approximate conditional model (CM.AL), with offset log(t1/t2) the exact
    conditional model of two Poisson rates.
    """

    def value(_: Floats | None, shared: Floats) -> Floats:
        theta, tau = shared[..., 0], shared[..., 1]
        return log_marginal(
            lambda delta: binomial(x, n, delta + offset), theta + 0 * x, tau, points=points
        )

    saturated = float(_saturated(x, n, rates=False))
    return _fit(value, differentiate(value), alpha=None, random=random, saturated=saturated)


def fit_conditional_exact(
    a: Floats, n1: Floats, c: Floats, n2: Floats, *, random: bool = True, points: int = EXACT_POINTS
) -> GlmmFit:
    """Noncentral hypergeometric-normal model (CM.EL) of a events among n1 against c among n2."""
    kernel = FisherHypergeometric(a, n1, c, n2)

    def value(_: Floats | None, shared: Floats) -> Floats:
        return log_marginal(kernel, shared[..., 0] + 0 * a, shared[..., 1], points=points)

    return _fit(
        value,
        _fisher_identity(kernel, k=len(a), points=points),
        alpha=None,
        random=random,
        saturated=_saturated_hypergeometric(kernel, k=len(a)),
    )


def _fit(
    value: Value, derive: Derive, *, alpha: Floats | None, random: bool, saturated: float
) -> GlmmFit:
    """The model without heterogeneity, then, from there, with it; the better of the two."""
    best = maximise(value, derive, alpha=alpha, shared=np.zeros(2), free=1)
    k = len(value(best.alpha, best.shared[None, :]))
    q = max(0.0, 2.0 * (saturated - best.log_likelihood))
    converged = best.converged
    if random and k > 1:
        start = np.array([best.shared[0], START_TAU])
        mixed = maximise(value, derive, alpha=best.alpha, shared=start, free=2)
        converged = converged and mixed.converged
        if abs(mixed.shared[1]) > SMALLEST_TAU and mixed.log_likelihood > best.log_likelihood:
            best = mixed
    return GlmmFit(
        estimate=float(best.shared[0]),
        se=standard_error(best, 0),
        tau2=float(best.shared[1] ** 2),
        sigma2=float("nan"),
        q=q,
        df=k - 1,
        log_likelihood=best.log_likelihood,
        converged=converged and abs(best.shared[1]) < LARGEST_TAU,
    )


def standard_error(found: Optimum, which: int) -> float:
    """From the observed information; NaN where that is not positive."""
    variance = float(found.covariance[which, which])
    return math.sqrt(variance) if variance > 0 else math.nan


def _fisher_identity(
    kernel: Callable[[Floats], tuple[Floats, Floats, Floats]], *, k: int, points: int
) -> Derive:
    """Derivatives in (theta, tau) as posterior moments over the nodes: Fisher's and Louis's identities.

    Louis (1982), J R Stat Soc B 44:226-233, doi:10.1111/j.2517-6161.1982.tb01203.x.
    """
    z, w = gauss_hermite(points)

    def derive(_: Floats | None, shared: Floats) -> Local:
        theta, tau = np.full(k, shared[0]), shared[1]
        b, s = modes(kernel, theta, tau)
        node = b + s * z[:, None]
        h, h1, h2 = kernel(theta + tau * node)
        height = h - 0.5 * node**2 + 0.5 * z[:, None] ** 2
        top = height.max(axis=0)
        weight = w[:, None] * np.exp(height - top)
        total = weight.sum(axis=0)
        p = weight / total
        score = np.stack([h1, node * h1])  # of (theta, tau) at every node
        bend = h2 * np.stack([np.ones_like(node), node, node, node**2]).reshape(2, 2, *node.shape)
        gradient = np.einsum("qk,iqk->ki", p, score)
        second = np.einsum("qk,ijqk->kij", p, bend + score[:, None] * score[None, :])
        hessian = second - gradient[:, :, None] * gradient[:, None, :]
        return Local(np.log(s) + top + np.log(total), gradient, hessian)

    return derive


def _middle_of_arms(
    counts: tuple[Floats, Floats], sizes: tuple[Floats, Floats], *, rates: bool
) -> Floats:
    """Log odds (log rate) of both arms together, pulled in by half an event: where the alphas start."""
    events, size = counts[0] + counts[1] + 0.5, sizes[0] + sizes[1]
    return np.asarray(np.log(events / size if rates else events / (size + 1.0 - events)))


def _saturated(x: Floats, n: Floats, *, rates: bool) -> float:
    """Σ of the log-likelihood at each count's own rate."""
    if rates:
        with np.errstate(divide="ignore", invalid="ignore"):
            return float(np.sum(np.where(x > 0, x * np.log(x / n), 0.0) - x))
    with np.errstate(divide="ignore", invalid="ignore"):
        hit = np.where(x > 0, x * np.log(x / n), 0.0)
        miss = np.where(x < n, (n - x) * np.log((n - x) / n), 0.0)
    return float(np.sum(hit + miss))


def _saturated_hypergeometric(kernel: FisherHypergeometric, *, k: int) -> float:
    """The same given both margins: every study at its own conditional estimate, by bounded Newton.

    A count at the end of its support has a log-likelihood that rises to 0.
    """
    delta = np.zeros(k)
    for _ in range(200):
        _, slope, bend = kernel(delta)
        step = np.clip(slope / np.maximum(-bend, 1e-300), -1.0, 1.0)
        delta = delta + step
        if np.max(np.abs(step)) < 1e-12:
            break
    return float(kernel(delta)[0].sum())
