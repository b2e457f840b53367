"""Tabulated log likelihoods of several sites, added and maximised."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.interpolate import BPoly

from vertebro_outcomes.estimators.arrays import Floats


def maximum(parts: Sequence[Mapping[str, Any]]) -> tuple[float, float] | None:
    """Where the sum of the likelihoods is highest, and the standard error there.

    Quintic between the points of the grid: value, slope and bend are those of the tables at each.
    None if the maximum lies outside the grid.
    """
    names = ("log_likelihood", "score", "information")
    table = sum(np.column_stack([np.array(part[name], float) for name in names]) for part in parts)
    table = np.asarray(table) * np.array([1.0, 1.0, -1.0])
    at: Floats = np.array(parts[0]["log_hazard_ratio"], dtype=float)
    falls = np.flatnonzero((table[:-1, 1] > 0) & (table[1:, 1] <= 0))
    if not len(falls):
        return None
    value = BPoly.from_derivatives(at, table)
    slope, bend = value.derivative(), value.derivative(2)
    low, high = at[falls[0]], at[falls[0] + 1]
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) > 0 else (low, middle)
    best = float((low + high) / 2)
    return best, float(1 / np.sqrt(-bend(best)))
