"""Sums over risk sets, and cumulated hazards back to patients, by running sums over one sort.

Patients stand by (stratum, time). A patient with a competing event may stay in later risk sets
with the weight G(t-)/G(T-), G being the Kaplan-Meier curve of censoring (subdistribution hazards).
"""

from dataclasses import dataclass, replace

import numpy as np

from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints


@dataclass(frozen=True)
class RiskSets:
    """Distinct event times per stratum, numbered in one row, and who stands in their risk sets."""

    order: Ints  # sorted position -> row of the input
    event: Bools  # sorted
    weight: Floats  # sorted
    alike: Floats  # sorted: patients that a row stands for
    start: Ints  # per event time: first sorted position at risk
    stratum_start: Ints  # per event time: sorted positions of its stratum
    stratum_end: Ints
    time: Floats  # per event time
    upto: Ints  # per patient: event times up to and including the own time
    low: Ints  # per patient: event times of earlier strata, and up to the own entry
    high: Ints  # per patient: event times up to the end of the own stratum
    group: Ints  # per event row: which event time
    events: Floats  # per event time: number of events
    efron: bool  # how tied events are counted; False: Breslow
    carried: Bools  # sorted: stays at risk after the own time
    carried_by: Floats  # sorted: 1/G(T-), 0 where not carried
    carry: Floats  # per event time: G(t-)
    late: Ints | None = None  # sorted positions by (stratum, entry); None: everybody enters at once
    late_start: Ints | None = None  # per event time: first of them not yet in

    @property
    def mean_weight(self) -> Floats:
        """Mean weight of those who have the event at each event time."""
        return np.asarray(self.at_events(self.weight * self.alike) / self.events)

    def at_risk(self, values: Floats) -> Floats:
        """Sum of `values` (n,) or (n, p) over each risk set."""
        tail = _from_the_end(values)
        sums = tail[self.start] - tail[self.stratum_end]
        if self.late is not None:
            tail = _from_the_end(values[self.late])
            sums = sums - (tail[self.late_start] - tail[self.stratum_end])
        if not self.carried.any():
            return np.asarray(sums)
        left = _from_the_start(_times(self.carried_by, values))
        return np.asarray(sums + _times(self.carry, left[self.start] - left[self.stratum_start]))

    def at_events(self, values: Floats) -> Floats:
        """Sum of `values` over those who have the event at each event time."""
        rows = np.flatnonzero(self.event)
        return per_group(self.group, values[rows], self.time.size)

    def lived_through(self, steps: Floats) -> Floats:
        """Per patient: sum of `steps` (one per event time) weighted by presence in the risk set."""
        run = _from_the_start(steps)
        total = run[self.upto] - run[self.low]
        if not self.carried.any():
            return np.asarray(total)
        later = _from_the_start(_times(self.carry, steps))
        return np.asarray(total + _times(self.carried_by, later[self.high] - later[self.upto]))

    def own(self, steps: Floats) -> Floats:
        """Per patient: the step at the own event time, 0 without event."""
        out = np.zeros((self.event.size, *steps.shape[1:]))
        out[self.event] = steps[self.group]
        return out


def risk_sets(
    time: Floats,
    event: Bools,
    *,
    weight: Floats,
    stratum: Ints,
    competing: Bools | None = None,
    events_before_censoring: bool = False,
    censoring_weight: Floats | None = None,
    efron: bool = True,
    entry: Floats | None = None,
    alike: Floats | None = None,
) -> RiskSets:
    """The risk sets of an event; `competing` keeps those patients at risk by inverse censoring.

    With `entry` a row is at risk after its entry, up to and including its time. A row stands for
    `alike` patients (one if not given).
    """
    order = np.lexsort((time, stratum))
    time, event, weight, stratum = time[order], event[order], weight[order], stratum[order]
    alike = np.ones(time.size) if alike is None else alike[order]
    new = np.r_[True, (np.diff(time) != 0) | (np.diff(stratum) != 0)]
    block = np.cumsum(new) - 1
    first = np.flatnonzero(new)
    events = per_group(block, event * alike, first.size)
    timed = events > 0
    edges = np.flatnonzero(np.r_[True, np.diff(stratum) != 0])
    number = np.cumsum(np.r_[True, np.diff(stratum) != 0][: stratum.size]) - 1
    starts, ends = edges, np.r_[edges[1:], stratum.size]
    running = np.cumsum(timed)
    upto = running[block]
    high = np.r_[running][block[ends - 1]]
    start = first[timed]
    group = upto[event] - 1
    carried = np.zeros(time.size, dtype=bool) if competing is None else competing[order]
    censored = ~(event | carried)
    carried_by, carry = np.zeros(time.size), np.ones(start.size)
    if carried.any():
        counted = weight if censoring_weight is None else censoring_weight[order]
        before = censoring_curve(
            block,
            first,
            number,
            censored,
            counted * alike,
            events_before_censoring=events_before_censoring,
        )
        carried_by[carried] = 1 / before[block[carried]]
        carry = before[timed]
    sets = RiskSets(
        order=order, event=event, weight=weight, alike=alike, start=start,
        stratum_start=starts[number[start]], stratum_end=ends[number[start]],
        time=time[start], upto=upto, low=np.r_[0, high][number], high=high[number], group=group,
        events=events[timed], efron=efron,
        carried=carried, carried_by=carried_by, carry=carry,
    )  # fmt: skip
    return sets if entry is None else _entering(sets, entry[order], stratum, number[start])


def _entering(sets: RiskSets, entry: Floats, stratum: Ints, of_time: Ints) -> RiskSets:
    """The same sets without those who have not entered before the event time."""
    late = np.lexsort((entry, stratum))
    late_start, low = sets.stratum_end.copy(), sets.low.copy()
    number = np.cumsum(np.r_[True, np.diff(stratum) != 0][: stratum.size]) - 1
    for s in np.unique(of_time):
        at = np.flatnonzero(of_time == s)
        rows = np.flatnonzero(number == s)
        waiting = entry[late[rows]]
        late_start[at] = rows[0] + np.searchsorted(waiting, sets.time[at], side="left")
        low[rows] = at[0] + np.searchsorted(sets.time[at], entry[rows], side="right")
    return replace(sets, late=late, late_start=late_start, low=low)


def censoring_curve(
    block: Ints,
    first: Ints,
    number: Ints,
    censored: Bools,
    weight: Floats,
    *,
    events_before_censoring: bool,
) -> Floats:
    """Kaplan-Meier curve of censoring just before each distinct time, per stratum."""
    tail = _from_the_end(weight)
    ends = np.r_[np.flatnonzero(np.diff(number)) + 1, number.size]
    n = tail[first] - tail[ends[number[first]]]
    c = np.bincount(block, weight * censored, minlength=first.size)
    if events_before_censoring:
        n = n - np.bincount(block, weight * ~censored, minlength=first.size)
    factor = np.where(c > 0, 1 - c / np.where(c > 0, n, 1.0), 1.0)
    out = np.empty(first.size)
    for rows in np.split(np.arange(first.size), np.flatnonzero(np.diff(number[first])) + 1):
        out[rows] = np.r_[1.0, np.cumprod(np.maximum(factor[rows], 0.0))[:-1]]
    return out


def per_group(group: Ints, values: Floats, size: int) -> Floats:
    """Sum of `values` (m,) or (m, p) per group number."""
    if values.ndim == 1:
        return np.asarray(np.bincount(group, values, minlength=size), dtype=float)
    columns = [np.bincount(group, column, minlength=size) for column in values.T]
    return np.stack(columns, axis=1) if columns else np.zeros((size, 0))


def _from_the_end(values: Floats) -> Floats:
    out = np.zeros((values.shape[0] + 1, *values.shape[1:]))
    np.cumsum(values[::-1], axis=0, out=out[-2::-1])
    return out


def _from_the_start(values: Floats) -> Floats:
    out = np.zeros((values.shape[0] + 1, *values.shape[1:]))
    np.cumsum(values, axis=0, out=out[1:])
    return out


def _times(factor: Floats, values: Floats) -> Floats:
    return np.asarray(factor * values if values.ndim == 1 else factor[:, None] * values)
