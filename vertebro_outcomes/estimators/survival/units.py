"""Units of patients at risk and their sufficient statistics; patients who are alike stand there once."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints, Wholes

ROWS_AT_ONCE: Final = 400_000


@dataclass(frozen=True)
class Units:
    """One row per unit at risk: patient (ascending numbers), pattern, time at risk, event at its end.

    `z` has one row of covariates per pattern; `cuts` are the inner limits of the intervals. The rows of
    patient i stand for those of `alike[i]` patients (one if not given).
    """

    patient: Wholes
    pattern: Wholes
    time: Floats | Wholes
    event: Bools
    z: Floats
    cuts: Floats
    alike: Floats | None = None

    def times(self, rows: slice) -> Floats:
        """How many patients each row stands for."""
        patient = self.patient[rows]
        return np.ones(patient.size) if self.alike is None else self.alike[patient]

    @property
    def starts(self) -> Floats:
        return np.asarray(np.r_[0.0, self.cuts])

    def blocks(self) -> Iterator[slice]:
        """Rows of whole patients, some hundred thousand at once."""
        first = np.flatnonzero(np.r_[True, np.diff(self.patient) != 0])
        at = 0
        while at < self.patient.size:
            end = int(np.searchsorted(first, at + ROWS_AT_ONCE))
            stop = int(first[end]) if end < first.size else self.patient.size
            yield slice(at, stop)
            at = stop

    def exposure(self, rows: slice) -> Floats:
        """Time at risk of each row in each interval."""
        time = self.time[rows, None]
        ends = np.r_[self.cuts, np.inf]
        return np.asarray(np.maximum(np.minimum(time, ends) - self.starts, 0.0))

    def interval(self, rows: slice) -> Ints:
        """The interval in which each row ends."""
        return np.searchsorted(self.cuts, self.time[rows], side="left")


def cells(units: Units) -> tuple[Floats, Floats]:
    """Events and time at risk, (intervals, patterns): sufficient for the rates."""
    k, size = units.starts.size, units.z.shape[0]
    events, time = np.zeros((k, size)), np.zeros((k, size))
    for rows in units.blocks():
        pattern, exposure, alike = units.pattern[rows], units.exposure(rows), units.times(rows)
        for j in range(k):
            time[j] += np.bincount(pattern, alike * exposure[:, j], minlength=size)
        hit = units.event[rows]
        np.add.at(events, (units.interval(rows)[hit], pattern[hit]), alike[hit])
    return events, time
