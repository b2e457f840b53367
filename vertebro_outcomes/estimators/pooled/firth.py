"""Common odds ratio by logistic regression with study intercepts and Firth's penalty.

The likelihood is multiplied by the square root of the determinant of the information, which keeps the
estimate finite where one arm has no event in any study. Parameters: alpha_i per study, theta half up and
half down in the arms; I is diagonal in the alphas.

References
----------
Firth (1993), Biometrika 80:27-38, doi:10.1093/biomet/80.1.27;
Heinze, Schemper (2002), Stat Med 21:2409-2419, doi:10.1002/sim.1047, equation 2 (modified score).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import special

from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.effect_sizes.two_by_two import Table

MOST_STEPS: Final = 200
SMALLEST_STEP: Final = 1e-11
LARGEST_STEP: Final = 1.0


@dataclass(frozen=True)
class FirthFit:
    """Log odds ratio, standard error from the information at the estimate, penalised log-likelihood."""

    estimate: float
    se: float
    penalised_log_likelihood: float
    converged: bool


def fit_firth(table: Table) -> FirthFit:
    """Pool arrays a, b, c, d of length k; leave out studies without (or with only) events before."""
    a, b, c, d = table
    x, n = np.stack([a, c]), np.stack([a + b, c + d])
    half = np.array([[0.5], [-0.5]])  # theta in the two arms
    alpha = np.log((a + c + 0.5) / (b + d + 0.5))
    theta, converged = 0.0, False
    for _ in range(MOST_STEPS):
        p = special.expit(alpha + half * theta)
        w = n * p * (1 - p)
        own, cross = w.sum(axis=0), (half * w).sum(axis=0)
        schur = 0.25 * w.sum() - np.sum(cross**2 / own)
        leverage = w * (1 / own + (half - cross / own) ** 2 / schur)
        u = x - n * p + leverage * (0.5 - p)
        u_alpha, u_theta = u.sum(axis=0), float((half * u).sum())
        step = float(u_theta - np.sum(cross * u_alpha / own)) / float(schur)
        alpha_step = (u_alpha - cross * step) / own
        longest = max(abs(step), float(np.max(np.abs(alpha_step))))
        scale = min(1.0, LARGEST_STEP / max(longest, 1e-300))
        theta, alpha = theta + scale * step, alpha + scale * alpha_step
        if longest < SMALLEST_STEP:
            converged = True
            break
    return FirthFit(theta, *_at(x, n, alpha, theta), converged=converged)


def _at(x: Floats, n: Floats, alpha: Floats, theta: float) -> tuple[float, float]:
    half = np.array([[0.5], [-0.5]])
    eta = alpha + half * theta
    p = special.expit(eta)
    w = n * p * (1 - p)
    own, cross = w.sum(axis=0), (half * w).sum(axis=0)
    schur = float(0.25 * w.sum() - np.sum(cross**2 / own))
    log_likelihood = float(np.sum(x * eta - n * np.logaddexp(0.0, eta)))
    penalty = 0.5 * (float(np.sum(np.log(own))) + float(np.log(schur)))
    return schur**-0.5, log_likelihood + penalty
