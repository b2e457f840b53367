"""Non-negative roots of many one-dimensional equations at once: Newton inside a shrinking bracket."""

from collections.abc import Callable
from typing import Final

import numpy as np

from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints

RELATIVE_STEP: Final = 1e-12  # a step below this share of x + scale ends the search
MOST_STEPS: Final = (
    200  # bisection alone would end within 100; beyond that the row is not converged
)

Equation = Callable[[Floats, Ints], tuple[Floats, Floats]]


def solve_decreasing(equation: Equation, *, start: Floats, scale: Floats) -> tuple[Floats, Bools]:
    """Where each row's function crosses zero from above, or 0 where it is not positive at 0.

    `equation(x, rows)` returns the function and minus its derivative at `x` for the given rows.
    The function has to fall below zero for large x. A Newton step that leaves the bracket, or that a
    rising function would send the wrong way, is replaced by bisection (or doubling while no upper
    end is known).

    Returns
    -------
    root, converged : arrays of the shape of `start`
    """
    root = start.astype(float).copy()
    converged = np.zeros(len(root), dtype=bool)
    low = np.zeros(len(root))  # not positive below: 0 itself is tried when a step would pass it
    high = np.full(len(root), np.inf)
    zero_tried = np.zeros(len(root), dtype=bool)
    rows = np.arange(len(root))
    for _ in range(MOST_STEPS):
        x = root[rows]
        value, falls = equation(x, rows)
        above = value > 0
        low[rows] = np.where(above, x, low[rows])
        high[rows] = np.where(above, high[rows], x)
        at_zero = x <= 0
        zero_tried[rows] |= at_zero | above
        new = _next(
            x,
            x + value / np.where(falls > 0, falls, np.nan),
            bracket=(low[rows], high[rows]),
            zero_open=~zero_tried[rows] & (value <= 0),
            scale=scale[rows],
        )
        small = np.abs(new - x) <= RELATIVE_STEP * (x + scale[rows])
        ended = small | (at_zero & ~above) | (value == 0) | ~np.isfinite(value)
        converged[rows[ended]] = np.isfinite(value[ended])
        root[rows] = np.where((at_zero & ~above) | (value == 0), x, new)
        rows = rows[~ended]
        if not len(rows):
            break
    return root, converged


def _next(
    x: Floats, newton: Floats, *, bracket: tuple[Floats, Floats], zero_open: Bools, scale: Floats
) -> Floats:
    """Newton where it stays inside the bracket; else 0 if that may be the answer, else the middle."""
    low, high = bracket
    inside = (newton > low) & (newton < high)
    middle = np.where(np.isfinite(high), 0.5 * (low + high), 2.0 * x + scale)
    return np.where(inside & (newton > 0), newton, np.where(zero_open, 0.0, middle))
