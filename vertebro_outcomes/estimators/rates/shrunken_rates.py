"""Proportions of many sites drawn towards their mean, by a model whose spread is estimated.

The intervals count the uncertainty of the mean to first order, not that of the spread; those of
`rates_posterior` count both.

References
----------
Griffiths 1973, Biometrics 29:637-648, doi:10.2307/2529131 (beta-binomial by maximum likelihood);
Kass and Steffey 1989, J Am Stat Assoc 84:717-726, doi:10.1080/01621459.1989.10478825 (intervals).
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.pooled.beta_binomial import fit_beta_binomial_one_arm
from vertebro_outcomes.estimators.pooled.glmm import fit_binomial_normal
from vertebro_outcomes.estimators.pooled.glmm_kernels import binomial
from vertebro_outcomes.estimators.pooled.quadrature import modes

POINTS = 25  # quadrature nodes: as good as exact


@dataclass(frozen=True)
class ShrunkenRates:
    """`mean` is that of the sites (of the median site with the logit-normal model).

    `spread` is the intra-site correlation of the beta-binomial model or the standard deviation of
    the logits; `rate`, `ci_low`, `ci_high` have one entry per site.
    """

    mean: float
    spread: float
    rate: Floats
    ci_low: Floats
    ci_high: Floats


def shrink_beta_binomial(x: Floats, n: Floats, *, level: float) -> ShrunkenRates:
    """Posterior means (a + x)/(a + b + n) at the marginal maximum likelihood of a and b.

    The limits are those of the beta distribution with the posterior mean and a variance that adds
    (B p q)² var(logit p), where B is the weight of the mean.

    Parameters
    ----------
    x, n : arrays
        Events among n of each site, 0 < Σx < Σn.
    level : float
        Between 0 and 1.
    """
    fit = fit_beta_binomial_one_arm(x, n)
    p, rho = fit.probabilities[0], fit.rho
    weight = 1.0 / (1.0 + n * rho / (1.0 - rho))  # (a + b)/(a + b + n), with a + b = (1 - rho)/rho
    m = weight * p + (1 - weight) * x / n
    own = m * (1 - m) * rho / (rho * (n + 1) + (1 - rho))
    variance = own + (weight * p * (1 - p) * fit.se) ** 2
    size = m * (1 - m) / variance - 1
    tail = (1 - level) / 2
    low, high = (special.betaincinv(m * size, (1 - m) * size, t) for t in (tail, 1 - tail))
    return ShrunkenRates(p, rho, m, low, high)


def shrink_logit_normal(x: Floats, n: Floats, *, level: float) -> ShrunkenRates:
    """Modes of the sites' logits given mean and standard deviation of maximum likelihood.

    Limits are mode ± z sqrt(v + (v/tau²)² var(mean)), with v the curvature variance of the mode,
    carried back from the logit scale.

    Parameters
    ----------
    x, n : arrays
        Events among n of each site, 0 < Σx < Σn.
    level : float
        Between 0 and 1.
    """
    fit = fit_binomial_normal(x, n, points=POINTS)
    tau = np.sqrt(fit.tau2)
    if tau == 0:
        logit, variance = np.full(len(x), fit.estimate), np.full(len(x), fit.se**2)
    else:
        theta = np.full(len(x), fit.estimate)
        b, s = modes(lambda delta: binomial(x, n, delta), theta, np.full(len(x), tau))
        logit, variance = theta + tau * b, (tau * s) ** 2 + (s**2 * fit.se) ** 2
    half = -special.ndtri((1 - level) / 2) * np.sqrt(variance)
    rate, low, high = (special.expit(logit + side * half) for side in (0.0, -1.0, 1.0))
    return ShrunkenRates(float(special.expit(fit.estimate)), float(tau), rate, low, high)
