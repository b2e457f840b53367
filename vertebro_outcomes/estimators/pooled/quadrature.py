"""Integrate one normal random effect per study out of a likelihood, by adaptive Gauss-Hermite quadrature.

The effect of study i is delta = theta + tau b with b standard normal. The nodes of each study are centred
at the mode of its integrand and scaled by the curvature there.

Reference: Pinheiro, Bates (1995), J Comput Graph Stat 4:12-35,
doi:10.1080/10618600.1995.10474663, section 2.4.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Final

import numpy as np

from vertebro_outcomes.estimators.arrays import Floats

# delta (..., k) -> log-likelihood of every study and its first two derivatives in delta
Kernel = Callable[[Floats], tuple[Floats, Floats, Floats]]

MODE_STEP: Final = 1e-10  # Newton steps below this (in standard deviations of b) end the search
MOST_MODE_STEPS: Final = 100
FARTHEST_STEP: Final = 1.0  # a Newton step moves delta by at most this


@lru_cache(maxsize=16)
def gauss_hermite(points: int) -> tuple[Floats, Floats]:
    """Nodes z and weights w with Σ w f(z) = E f(Z) for standard normal Z."""
    x, w = np.polynomial.hermite_e.hermegauss(points)
    return x, w / np.sqrt(2.0 * np.pi)


def modes(kernel: Kernel, theta: Floats, tau: Floats) -> tuple[Floats, Floats]:
    """Where each integrand peaks in b, and its standard deviation there (both of shape (..., k))."""
    b = np.zeros(np.broadcast_shapes(kernel(theta)[0].shape, np.shape(tau)))
    farthest = FARTHEST_STEP / np.maximum(np.abs(tau), 1e-300)
    curvature = np.ones_like(b)
    for _ in range(MOST_MODE_STEPS):
        _, slope, bend = kernel(theta + tau * b)
        curvature = 1.0 - tau**2 * bend
        step = np.clip((tau * slope - b) / curvature, -farthest, farthest)
        b = b + step
        if np.max(np.abs(step)) < MODE_STEP:
            break
    return b, 1.0 / np.sqrt(curvature)


def log_marginal(kernel: Kernel, theta: Floats, tau: Floats, *, points: int) -> Floats:
    """Log of each study's likelihood with its random effect integrated out.

    Parameters
    ----------
    kernel
        Concave log-likelihoods in delta.
    theta, tau
        Mean and standard deviation of delta, broadcasting against (..., k). The result is even in tau.
    points
        Number of nodes; 1 is the Laplace approximation.
    """
    b, s = modes(kernel, theta, tau)
    z, w = gauss_hermite(points)
    lead = (slice(None), *([None] * b.ndim))
    node = b + s * z[lead]
    height = kernel(theta + tau * node)[0] - 0.5 * node**2 + 0.5 * z[lead] ** 2
    top = height.max(axis=0)
    total = np.sum(w[lead] * np.exp(height - top), axis=0)
    return np.asarray(np.log(s) + top + np.log(total))
