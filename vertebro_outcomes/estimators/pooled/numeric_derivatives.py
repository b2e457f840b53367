"""Gradients and Hessians of many separate functions at once, by central differences.

Each study's function depends on few parameters, so all displaced points of all studies are evaluated
in one call. The error of every formula is of the fourth order in the step.
"""

from collections.abc import Callable
from itertools import combinations
from typing import Final

import numpy as np

from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.pooled.arrowhead_newton import Local, Value

STEP: Final = 2e-3  # of parameters on log, logit or standard deviation scale
_SIGNS: Final = ((1, 1), (1, -1), (-1, 1), (-1, -1))


def differentiate(value: Value) -> Callable[[Floats | None, Floats], Local]:
    """A function that returns value, gradient and Hessian of every study at (alpha, shared)."""

    def derive(alpha: Floats | None, shared: Floats) -> Local:
        has_alpha = alpha is not None
        parameters = len(shared) + has_alpha
        moves = _displacements(parameters) * STEP
        if alpha is None:
            f = value(None, shared + moves[:, None, :])
        else:
            f = value(alpha + moves[:, :1], shared + moves[:, None, 1:])
        return _combine(f, parameters)

    return derive


def _displacements(parameters: int) -> Floats:
    """Centre; then ±1, ±2 along every axis; then the four corners of every pair at 1 and at 2."""
    moves = [np.zeros(parameters)]
    unit = np.eye(parameters)
    for i in range(parameters):
        moves += [unit[i], -unit[i], 2 * unit[i], -2 * unit[i]]
    for i, j in combinations(range(parameters), 2):
        for length in (1, 2):
            moves += [length * (s * unit[i] + t * unit[j]) for s, t in _SIGNS]
    return np.array(moves)


def _combine(f: Floats, parameters: int) -> Local:
    k = f.shape[1]
    gradient = np.empty((k, parameters))
    hessian = np.empty((k, parameters, parameters))
    for i in range(parameters):
        up, down, up2, down2 = f[1 + 4 * i : 5 + 4 * i]
        gradient[:, i] = (8 * (up - down) - (up2 - down2)) / (12 * STEP)
        hessian[:, i, i] = (16 * (up + down) - (up2 + down2) - 30 * f[0]) / (12 * STEP**2)
    at = 1 + 4 * parameters
    for i, j in combinations(range(parameters), 2):
        near, far = (_corner(f[at + 4 * n : at + 4 * n + 4]) for n in (0, 1))
        cross = (4 * near / STEP**2 - far / (4 * STEP**2)) / 3
        hessian[:, i, j] = hessian[:, j, i] = cross
        at += 8
    return Local(f[0], gradient, hessian)


def _corner(f: Floats) -> Floats:
    return np.asarray((f[0] - f[1] - f[2] + f[3]) / 4)
