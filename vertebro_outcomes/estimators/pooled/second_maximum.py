"""A likelihood of tau² can have a maximum at 0 and a higher one inside; a search may stop at the first."""

from collections.abc import Callable
from typing import Final

import numpy as np

from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints
from vertebro_outcomes.estimators.roots import Equation, solve_decreasing

GRID: Final = 2.0 ** -np.arange(
    12.0, -1.0, -1.0
)  # shares of `reach` at which the likelihood is read
CLEARLY_HIGHER: Final = 1e-9

LogLikelihood = Callable[[Floats, Ints], Floats]


def leave_zero(
    root: Floats,
    converged: Bools,
    *,
    score: Equation,
    log_likelihood: LogLikelihood,
    start: Floats,
    reach: Floats,
    scale: Floats,
) -> tuple[Floats, Bools]:
    """For rows that ended at 0 although `start` was above: the higher maximum in (0, reach], if any.

    `score` and `log_likelihood` take tau² and row numbers; `scale` as for `solve_decreasing`.
    """
    rows = np.flatnonzero((root == 0) & (start > 0))
    if not len(rows):
        return root, converged
    at_zero = log_likelihood(np.zeros(len(rows)), rows)
    heights = np.array([log_likelihood(share * reach[rows], rows) for share in GRID])
    best = heights.argmax(axis=0)
    higher = heights.max(axis=0) > at_zero + CLEARLY_HIGHER
    rows, best = rows[higher], best[higher]
    if not len(rows):
        return root, converged
    floor = np.where(best > 0, GRID[np.maximum(best - 1, 0)], GRID[0] / 2.0) * reach[rows]

    def beyond(x: Floats, chosen: Ints) -> tuple[Floats, Floats]:
        return score(floor[chosen] + x, rows[chosen])

    found, done = solve_decreasing(
        beyond, start=GRID[best] * reach[rows] - floor, scale=scale[rows]
    )
    inside = found > 0
    root, converged = root.copy(), converged.copy()
    root[rows[inside]], converged[rows[inside]] = (floor + found)[inside], done[inside]
    return root, converged
