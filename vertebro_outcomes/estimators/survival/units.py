"""Units of patients at risk, their sufficient statistics, and patients who are alike counted once."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints

ROWS_AT_ONCE: Final = 400_000
# Of the patients: with more different ones than this, counting those alike saves nothing.
WORTH_COUNTING: Final = 0.8


@dataclass(frozen=True)
class Units:
    """One row per unit at risk: patient (ascending numbers), pattern, time at risk, event at its end.

    `z` has one row of covariates per pattern; `cuts` are the inner limits of the intervals. The rows of
    a patient stand for those of `alike` patients (one if not given).
    """

    patient: Ints
    pattern: Ints
    time: Floats
    event: Bools
    z: Floats
    cuts: Floats
    alike: Floats | None = None

    def times(self, rows: slice) -> Floats:
        """How many patients each row stands for."""
        n = rows.stop - rows.start
        return np.ones(n) if self.alike is None else self.alike[rows]

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


def compressed(units: Units) -> Units:
    """Patients with equal rows once, with their number; the fits are those of the patients written out.

    Equal patients are found by a number made of their rows, and then compared row by row.
    """
    first = np.flatnonzero(np.r_[True, np.diff(units.patient) != 0])
    if units.alike is not None or not first.size:
        return units
    sizes = np.diff(np.r_[first, units.patient.size])
    number = np.repeat(np.arange(first.size), sizes)
    place = np.arange(number.size) - first[number]
    sums = np.add.reduceat(_mixed(units, place), first)
    _, same, kind, n = np.unique(sums, return_index=True, return_inverse=True, return_counts=True)
    if same.size > WORTH_COUNTING * first.size or not np.array_equal(sizes[same][kind], sizes):
        return units
    twin = first[same][kind][number] + place
    if not all(np.array_equal(c, c[twin]) for c in (units.pattern, units.time, units.event)):
        return units
    kept = np.zeros(first.size, dtype=bool)
    kept[same] = True
    rows = kept[number]
    return replace(
        units, patient=units.patient[rows], pattern=units.pattern[rows], time=units.time[rows],
        event=units.event[rows], alike=n[kind[number[rows]]].astype(float),
    )  # fmt: skip


def _mixed(units: Units, place: Ints) -> np.ndarray:
    """One number of 64 bits per row (the finaliser of splitmix64); equal rows give equal numbers."""
    bits = np.uint64
    key = units.pattern.astype(bits) * bits(0x9E3779B97F4A7C15)
    key += units.time.astype(np.float64).view(bits) * bits(0xD1342543DE82EF95)
    key += (2 * place + units.event).astype(bits) * bits(0xAF251AF3B0F025B5)
    key = (key ^ (key >> bits(30))) * bits(0xBF58476D1CE4E5B9)
    key = (key ^ (key >> bits(27))) * bits(0x94D049BB133111EB)
    return np.asarray(key ^ (key >> bits(31)))
