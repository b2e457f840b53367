"""Who is at risk at each event time, and sums over them, from one sort and blocks of rows.

Patients stand by (stratum, time). A patient with a competing event may stay in later risk sets
with the weight G(t-)/G(T-), G being the Kaplan-Meier curve of censoring (subdistribution hazards).

Rows that leave between the same two event times form a bin; a sum over a risk set is a sum over
bins. Rows are worked on in blocks that fit the cache of the processor, so that neither time nor
memory grows faster than the rows.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints
from vertebro_outcomes.estimators.survival.ranks import ordered, ranks

ROWS_AT_ONCE: Final = 8192


@dataclass(frozen=True)
class Segments:
    """Sorted rows cut into stretches that are summed; a stretch may be empty."""

    first: Ints  # where each stretch that is not empty begins
    number: Ints  # which of the sums it is
    size: int

    def add(self, to: Floats, values: Floats, rows: slice) -> None:
        """Add `values` (p, m) of `rows` to the sums (p, size) of their stretches."""
        low = int(np.searchsorted(self.first, rows.start, side="right")) - 1
        high = int(np.searchsorted(self.first, rows.stop, side="left"))
        begin = np.maximum(self.first[low:high] - rows.start, 0)
        to[:, self.number[low:high]] += np.add.reduceat(values, begin, axis=1)


@dataclass(frozen=True)
class RiskSets:
    """Distinct event times per stratum, numbered in one row, and who stands in their risk sets."""

    order: Ints  # sorted position -> row of the input
    event: Bools  # sorted
    weight: Floats  # sorted
    alike: Floats  # sorted: patients that a row stands for
    total: Floats  # sorted: weight times patients
    time: Floats  # per event time
    upto: Ints  # per patient: event times up to and including the own time
    low: Ints  # per patient: event times of earlier strata, and up to the own entry
    high: Ints  # per patient: event times up to the end of the own stratum
    events: Floats  # per event time: number of events
    mean_weight: Floats  # per event time: of those who have the event
    efron: bool  # how tied events are counted; False: Breslow
    carried: Bools  # sorted: stays at risk after the own time
    carried_by: Floats  # sorted: 1/G(T-), 0 where not carried
    carry: Floats  # per event time: G(t-)
    some_carried: bool
    bins: Segments  # rows by the number of event times they saw, stratum by stratum
    bin_after: Ints  # per event time: the first bin still at risk
    bin_start: Ints  # per event time: the first bin of its stratum
    bin_end: Ints  # per event time: the first bin of the next stratum
    day: Ints  # per patient: number of the own time among all times (of all strata)
    days: Segments
    late_bin: Ints | None = None  # per patient: bin of the own entry; None: all enter at once

    def blocks(self) -> Iterator[slice]:
        """Rows in blocks."""
        for at in range(0, self.event.size, ROWS_AT_ONCE):
            yield slice(at, min(at + ROWS_AT_ONCE, self.event.size))

    def room(self, width: int) -> Floats:
        """Room for `width` values of each row of a block, to be used again for every block."""
        return np.empty((width, min(ROWS_AT_ONCE, self.event.size)))

    def sums(self, width: int) -> Floats:
        """Sums by bin, still empty."""
        return np.zeros((width, self.bins.size))

    def leave(self, to: Floats, values: Floats, rows: slice) -> None:
        """Add `values` (p, m) of `rows` to the bins in which they leave, less where they enter."""
        self.bins.add(to, values, rows)
        if self.late_bin is not None:
            for sums, one in zip(to, values, strict=True):
                np.subtract.at(sums, self.late_bin[rows], one)

    def at_risk(self, left: Floats, carried: Floats | None) -> Floats:
        """Sums (p, event times) over the risk sets from sums by bin."""
        tail = _from_the_end(left)
        found = tail[:, self.bin_after] - tail[:, self.bin_end]
        if carried is None:
            return found
        head = _from_the_start(carried)
        return found + self.carry * (head[:, self.bin_after] - head[:, self.bin_start])

    def lived_through(self, steps: Floats) -> "Lived":
        """Cumulated `steps` (p, event times), to be read per patient."""
        later = _from_the_start(self.carry * steps) if self.some_carried else None
        return Lived(self, _from_the_start(steps), later)

    def own(self, steps: Floats, rows: slice) -> tuple[Ints, Floats]:
        """The rows of a block with an event, and `steps` (p, event times) at their event time."""
        having = np.flatnonzero(self.event[rows])
        return having, steps[:, self.upto[rows][having] - 1]


@dataclass(frozen=True)
class Lived:
    """Steps cumulated over event times, weighted by presence in the risk set."""

    sets: RiskSets
    run: Floats
    later: Floats | None

    def of(self, rows: slice) -> Floats:
        """Per patient of a block, (p, m)."""
        sets, upto = self.sets, self.sets.upto[rows]
        total = self.run[:, upto] - self.run[:, sets.low[rows]]
        if self.later is not None:
            total += sets.carried_by[rows] * (self.later[:, sets.high[rows]] - self.later[:, upto])
        return total


def risk_sets(
    time: Floats,
    event: Bools,
    *,
    weight: Floats | None = None,
    stratum: Ints | None = None,
    competing: Bools | None = None,
    events_before_censoring: bool = False,
    censoring_weight: Floats | None = None,
    efron: bool = True,
    entry: Floats | None = None,
    alike: Floats | None = None,
) -> RiskSets:
    """The risk sets of an event; `competing` keeps those patients at risk by inverse censoring.

    With `entry` a row is at risk after its entry, up to and including its time. A row stands for
    `alike` patients (one if not given). Without `weight` and `stratum` each counts once, in one stratum.
    """
    distinct, block = ranks(time)
    order, block, strata_from, first, which = _sorted(block, distinct.size, stratum)
    event, once = event[order], np.broadcast_to(np.float64(1.0), order.shape)
    w = once if weight is None else weight[order]
    f = once if alike is None else alike[order]
    total = w if alike is None else w * f
    size, having = first.size, np.flatnonzero(event)
    events = np.bincount(block[having], f[having], minlength=size).astype(float, copy=False)
    timed = events > 0
    own_weight = np.bincount(block[having], total[having], minlength=size)[timed] / events[timed]
    running: Ints = np.cumsum(timed, dtype=np.int64)
    upto: Ints = running[block]
    of_block = np.searchsorted(strata_from, first, side="right") - 1  # stratum
    ends = np.r_[strata_from[1:], order.size]
    last = running[block[ends - 1]]  # event times up to the end of each stratum
    low, high = (_spread(each, ends - strata_from) for each in (np.r_[0, last[:-1]], last))
    s = of_block[timed]  # stratum of each event time
    carried = np.zeros(order.size, dtype=bool) if competing is None else competing[order]
    carried_by, carry = np.zeros(order.size), np.ones(s.size)
    some_carried = bool(carried.any())
    if some_carried:
        counted = w if censoring_weight is None else censoring_weight[order]
        before = censoring_curve(
            block, of_block, ~(event | carried), counted if alike is None else counted * f,
            events_before_censoring=events_before_censoring,
        )  # fmt: skip
        carried_by[carried] = 1 / before[block[carried]]
        carry = before[timed]
    # the bins of a stratum: before its first event time, and from each event time on
    opens = np.r_[True, np.diff(of_block) > 0] | timed
    shift = np.arange(last.size)
    sets = RiskSets(
        order=order, event=event, weight=w, alike=f, total=total, time=distinct[which[timed]],
        upto=upto, low=low, high=high, events=events[timed], mean_weight=own_weight, efron=efron,
        carried=carried, carried_by=carried_by, carry=carry, some_carried=some_carried,
        bins=Segments(first[opens], (running + of_block)[opens], s.size + last.size),
        bin_after=np.arange(s.size) + s + 1, bin_start=(np.r_[0, last[:-1]] + shift)[s],
        bin_end=(last + shift + 1)[s], day=block, days=Segments(first, np.arange(size), size),
    )  # fmt: skip
    return sets if entry is None else _entering(sets, entry[order], strata_from, ends)


def _spread(each: Ints, rows: Ints) -> Ints:
    """A value per stratum, per row."""
    return np.broadcast_to(each[0], int(rows[0])) if rows.size == 1 else np.repeat(each, rows)


def _sorted(block: Ints, size: int, stratum: Ints | None) -> tuple[Ints, Ints, Ints, Ints, Ints]:
    """Order by (stratum, time); times numbered in it; first rows of strata, of times; which times."""
    order = ordered(block, size)
    strata_from = np.zeros(1, dtype=np.int64)
    names, number = (strata_from, block) if stratum is None else ranks(stratum)
    if names.size > 1:
        order = order[ordered(number[order], names.size)]
        number = number[order]
        strata_from = np.flatnonzero(np.r_[True, np.diff(number) != 0])
        block = block[order]
        new = np.r_[True, (np.diff(block) != 0) | (np.diff(number) != 0)]
        first = np.flatnonzero(new)
        return order, np.cumsum(new) - 1, strata_from, first, block[first]
    first = np.r_[0, np.cumsum(np.bincount(block, minlength=size))[:-1]]
    return order, block[order], strata_from, first, np.arange(size)


def _entering(sets: RiskSets, entry: Floats, begins: Ints, ends: Ints) -> RiskSets:
    """The same sets without those who have not entered before the event time."""
    low, late_bin = sets.low.copy(), np.empty(sets.low.size, dtype=np.int64)
    for s, (begin, end) in enumerate(zip(begins, ends, strict=True)):
        start, stop = sets.low[begin], sets.high[begin]
        seen = np.searchsorted(sets.time[start:stop], entry[begin:end], side="right")
        low[begin:end] = start + seen
        late_bin[begin:end] = start + seen + s
    return replace(sets, low=low, late_bin=late_bin)


def censoring_curve(
    block: Ints,
    stratum: Ints,
    censored: Bools,
    weight: Floats,
    *,
    events_before_censoring: bool,
) -> Floats:
    """Kaplan-Meier curve of censoring just before each distinct time, per stratum of the times."""
    size = stratum.size
    left = np.bincount(block, weight, minlength=size)
    c = np.bincount(block, weight * censored, minlength=size)
    out = np.empty(size)
    for rows in np.split(np.arange(size), np.flatnonzero(np.diff(stratum)) + 1):
        n = np.cumsum(left[rows][::-1])[::-1]
        if events_before_censoring:
            n = n - (left[rows] - c[rows])
        factor = np.where(c[rows] > 0, 1 - c[rows] / np.where(c[rows] > 0, n, 1.0), 1.0)
        out[rows] = np.r_[1.0, np.cumprod(np.maximum(factor, 0.0))[:-1]]
    return out


def per_group(group: Ints, values: Floats, size: int) -> Floats:
    """Sum of `values` (m,) or (m, p) per group number."""
    if values.ndim == 1:
        return np.asarray(np.bincount(group, values, minlength=size), dtype=float)
    columns = [np.bincount(group, column, minlength=size) for column in values.T]
    return np.stack(columns, axis=1) if columns else np.zeros((size, 0))


def _from_the_end(values: Floats) -> Floats:
    out = np.zeros((values.shape[0], values.shape[1] + 1))
    np.cumsum(values[:, ::-1], axis=1, out=out[:, -2::-1])
    return out


def _from_the_start(values: Floats) -> Floats:
    out = np.zeros((values.shape[0], values.shape[1] + 1))
    np.cumsum(values, axis=1, out=out[:, 1:])
    return out
