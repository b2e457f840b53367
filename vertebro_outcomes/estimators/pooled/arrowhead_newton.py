"""Maximise Σ_i f_i(alpha_i, g): one parameter per study, a few shared, by Newton's method.

The Hessian is diagonal in the alphas, so a step costs a multiple of the number of studies. The last shared
parameter is a spread in which every f_i is even; it may be held at 0.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from vertebro_outcomes.estimators.arrays import Floats

SMALLEST_GAIN: Final = (
    1e-14  # a Newton step promising less log-likelihood than this ends the search
)
MOST_STEPS: Final = 100
SADDLE_STEP: Final = 0.25
LARGEST_STEP: Final = (
    2.0  # in any parameter, all of which live on log, logit or standard deviation scale
)


@dataclass(frozen=True)
class Local:
    """Values (k), gradients (k, P) and Hessians (k, P, P) of all f_i; alpha, if any, comes first."""

    value: Floats
    gradient: Floats
    hessian: Floats


@dataclass(frozen=True)
class Optimum:
    """Where the search ended: shared parameters, their covariance (inverse information), maximum."""

    shared: Floats
    covariance: Floats
    alpha: Floats | None
    log_likelihood: float
    converged: bool


Value = Callable[[Floats | None, Floats], Floats]  # alpha (..., k), shared (..., 1, G) -> (..., k)
Derive = Callable[[Floats | None, Floats], Local]


def maximise(
    value: Value, derive: Derive, *, alpha: Floats | None, shared: Floats, free: int
) -> Optimum:
    """Climb from a start; only the first `free` shared parameters move, the others stay.

    A step that does not climb is halved; a Hessian that is not negative definite is replaced by one
    with the same eigenvectors that is. Where the slope vanishes at a saddle (a spread of 0 that should
    be positive) the search goes on along the direction that climbs.
    """
    here, converged = derive(alpha, shared), False
    for _ in range(MOST_STEPS):
        slope, information, rest = _reduced(here, has_alpha=alpha is not None, free=free)
        step = np.zeros_like(shared)
        step[:free] = _climb(slope, information)
        alpha_step = None if alpha is None else rest[0] + rest[1] @ step[:free]
        gain = float(slope @ step[:free]) + (0.0 if alpha is None else rest[2])
        step, alpha_step = _limited(step, alpha_step)
        if gain < SMALLEST_GAIN * (1.0 + abs(here.value.sum())):
            away = _way_off_saddle(information)
            if away is None:
                alpha, shared = _moved(alpha, shared, alpha_step, step)
                here, converged = derive(alpha, shared), True
                break
            step[:free], alpha_step = away, None if alpha is None else np.zeros_like(alpha)
        alpha, shared, climbed = _search(value, here, (alpha, shared), (alpha_step, step))
        here = derive(alpha, shared)
        if not climbed:
            converged = gain < 1e-8
            break
    _, information, _ = _reduced(here, has_alpha=alpha is not None, free=free)
    covariance = np.asarray(np.linalg.pinv(information, hermitian=True), dtype=np.float64)
    return Optimum(shared, covariance, alpha, float(here.value.sum()), converged)


def _moved(
    alpha: Floats | None, shared: Floats, alpha_step: Floats | None, step: Floats
) -> tuple[Floats | None, Floats]:
    if alpha is None or alpha_step is None:
        return None, shared + step
    return alpha + alpha_step, shared + step


def _way_off_saddle(information: Floats) -> Floats | None:
    """A step along the direction of most negative information, None at a maximum."""
    size, axes = np.linalg.eigh(information)
    if size[0] > -1e-6 * max(1.0, float(np.abs(size).max())):
        return None
    return np.asarray(SADDLE_STEP * axes[:, 0])


def _reduced(
    here: Local, *, has_alpha: bool, free: int
) -> tuple[Floats, Floats, tuple[Floats, Floats, float]]:
    """Gradient and information of the shared parameters with the alphas profiled out."""
    if not has_alpha:
        none = np.zeros(0)
        slope = here.gradient[:, :free].sum(axis=0)
        return slope, -here.hessian[:, :free, :free].sum(axis=0), (none, none, 0.0)
    keep = slice(1, 1 + free)
    own = np.maximum(-here.hessian[:, 0, 0], 1e-10)
    cross = here.hessian[:, 0, keep]
    share = here.gradient[:, 0] / own
    slope = here.gradient[:, keep].sum(axis=0) + cross.T @ share
    information = -here.hessian[:, keep, keep].sum(axis=0) - (cross / own[:, None]).T @ cross
    return slope, information, (share, cross / own[:, None], float(here.gradient[:, 0] @ share))


def _climb(slope: Floats, information: Floats) -> Floats:
    size, axes = np.linalg.eigh(information)
    size = np.maximum(np.abs(size), 1e-8)
    return np.asarray(axes @ ((axes.T @ slope) / size))


def _limited(step: Floats, alpha_step: Floats | None) -> tuple[Floats, Floats | None]:
    """The same direction, no parameter moving by more than `LARGEST_STEP`."""
    longest = float(np.max(np.abs(step)))
    if alpha_step is not None:
        longest = max(longest, float(np.max(np.abs(alpha_step))))
    scale = min(1.0, LARGEST_STEP / max(longest, 1e-300))
    return scale * step, None if alpha_step is None else scale * alpha_step


def _search(
    value: Value,
    here: Local,
    point: tuple[Floats | None, Floats],
    direction: tuple[Floats | None, Floats],
) -> tuple[Floats | None, Floats, bool]:
    """The longest of the steps 1, 1/2, 1/4 ... that raises the log-likelihood."""
    old = float(here.value.sum())
    length = 1.0
    for _ in range(40):
        part = None if direction[0] is None else length * direction[0]
        alpha, shared = _moved(point[0], point[1], part, length * direction[1])
        if float(value(alpha, shared[None, :]).sum()) > old:
            return alpha, shared, True
        length *= 0.5
    return point[0], point[1], False
