"""Events and numbers at risk at each distinct time."""

from dataclasses import dataclass

import numpy as np

from vertebro_outcomes.estimators.arrays import Floats, Ints
from vertebro_outcomes.estimators.survival.ranks import ranks


@dataclass(frozen=True)
class Counts:
    """Weighted counts at the distinct times.

    A cell is a time and what happened then: 0 censored, 1 another event, 2 the cause asked for.
    """

    time: Floats
    cell: Ints  # of each patient: 3 times the number of the time, plus what happened
    table: Floats  # (times, 3)
    n_at_risk: Floats
    any_event: Floats
    of_cause: Floats

    @property
    def code(self) -> Ints:
        """At which of the times each patient leaves."""
        return self.cell // 3

    def per_cell(self, values: Floats) -> Floats:
        """Sums of values of patients, (times, 3)."""
        summed = np.bincount(self.cell, values, minlength=self.table.size)
        return np.asarray(summed.reshape(-1, 3), dtype=float)


def count(time: Floats, cause: Ints, *, of: int, weight: Floats | None = None) -> Counts:
    """Counts of events `of` and of all events; cause 0 is censored."""
    distinct, cell = ranks(time)
    cell *= 3
    cell += cause > 0
    cell += cause == of
    counted = np.bincount(cell, weight, minlength=3 * distinct.size)
    table = counted.reshape(-1, 3).astype(float, copy=False)
    left = table.sum(axis=1)
    n = np.cumsum(left[::-1])[::-1]
    return Counts(distinct, cell, table, n, table[:, 1] + table[:, 2], table[:, 2])


def times(weight: Floats | None, alike: Floats | None) -> Floats | None:
    """How much each row counts: the weight of a patient times the patients alike; None: once."""
    if weight is None or alike is None:
        return alike if weight is None else weight
    return weight * alike


def before(values: Floats, first: float) -> Floats:
    """A running value just before each time."""
    return np.r_[first, values[:-1]]


def step_at(time: Floats, values: Floats, days: Floats, first: float) -> Floats:
    """A right-continuous step function at `days`."""
    return np.asarray(np.r_[first, values][np.searchsorted(time, days, side="right")])


def survival_steps(counts: Counts) -> Floats:
    """Kaplan-Meier curve of being free of any event."""
    gone = np.minimum(counts.any_event / counts.n_at_risk, 1.0)
    return np.asarray(np.cumprod(1 - gone))
