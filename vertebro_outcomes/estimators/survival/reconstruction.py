"""Individual times from a digitised survival curve and its numbers at risk."""

from dataclasses import dataclass

import numpy as np

from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints

MOST_ROUNDS = 500


@dataclass(frozen=True)
class Reconstruction:
    """One entry per patient: time, and whether it ended with the event."""

    time: Floats
    event: Bools


def reconstruct(
    time: Floats,
    survival: Floats,
    *,
    risk_time: Floats,
    n_at_risk: Floats,
    total_events: int | None = None,
) -> Reconstruction:
    """Events and censorings that reproduce the curve and the numbers at risk.

    `survival` falls from 1 at time 0; `risk_time` starts at 0. Censorings spread evenly over each
    interval; their number is adjusted until the next number at risk is met, and in the last
    interval until `total_events` is met (without it they go on at the rate of the earlier ones).

    Reference: Guyot et al. 2012, doi:10.1186/1471-2288-12-9, steps 1 to 7.
    """
    lower = np.searchsorted(time, risk_time, side="left")
    lower = np.minimum(lower, time.size - 1)
    deaths, lost = np.zeros(time.size, dtype=np.int64), np.zeros(time.size, dtype=np.int64)
    n, last = int(n_at_risk[0]), 1.0  # at risk, and Kaplan-Meier at the last event
    for i in range(risk_time.size - 1):
        rows = np.arange(lower[i], lower[i + 1])
        goal = int(n_at_risk[i + 1])
        d, c, last = _to_the_next(time, survival, rows=rows, end=risk_time[i + 1], n=n, goal=goal,
                                  last=last)  # fmt: skip
        deaths[rows], lost[rows] = d, c
        n = n - int(d.sum()) - int(c.sum())
    rows = np.arange(lower[-1], time.size)
    before = risk_time[-1] - risk_time[0]
    most = 0
    if before > 0 and lost.any():  # at the rate of before
        with np.errstate(over="ignore"):
            most = round(min(lost.sum() * ((time[-1] - risk_time[-1]) / before), n))
    wanted = None if total_events is None else max(total_events - int(deaths.sum()), 0)
    deaths[rows], lost[rows] = _the_rest(
        time, survival, rows=rows, n=n, last=last, censored=most, events=wanted
    )
    return _patients(time, deaths, lost, total=int(n_at_risk[0]))


def _walk(survival: Floats, *, rows: Ints, c: Ints, n: int, last: float) -> tuple[Ints, float, int]:
    """Events at each point of the curve given the censorings, Kaplan-Meier after them, and n left."""
    d = np.zeros(rows.size, dtype=np.int64)
    for j, row in enumerate(rows):
        if n > 0 and last > 0:
            d[j] = min(max(round(n * (1 - survival[row] / last)), 0), n)
            if d[j]:
                last *= 1 - d[j] / n
        n -= int(d[j])
        c[j] = min(c[j], n)
        n -= int(c[j])
    return d, last, n


def _spread(time: Floats, *, rows: Ints, end: float, number: int) -> Ints:
    """How many of `number` evenly spaced censorings follow each point of the curve."""
    start = time[rows[0]]
    at = start + np.arange(1, number + 1) * (end - start) / (number + 1)
    place = np.searchsorted(time[rows], at, side="right") - 1
    return np.bincount(place, minlength=rows.size)


def _to_the_next(
    time: Floats, survival: Floats, *, rows: Ints, end: float, n: int, goal: int, last: float
) -> tuple[Ints, Ints, float]:
    if rows.size == 0:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), last
    following = survival[min(rows[-1] + 1, survival.size - 1)]
    number = max(round(n * following / survival[rows[0]] - goal), 0) if survival[rows[0]] else 0
    best: tuple[int, Ints, Ints, float] | None = None
    for _ in range(MOST_ROUNDS):
        c = _spread(time, rows=rows, end=end, number=number)
        d, after, left = _walk(survival, rows=rows, c=c, n=n, last=last)
        if best is None or abs(left - goal) < best[0]:
            best = (abs(left - goal), d, c, after)
        step = left - goal
        if step == 0 or (number == 0 and step < 0):
            break
        number = max(number + step, 0)
    assert best is not None
    return best[1], best[2], best[3]


def _the_rest(
    time: Floats, survival: Floats, *, rows: Ints, n: int, last: float, censored: int,
    events: int | None,
) -> tuple[Ints, Ints]:  # fmt: skip
    end = float(time[-1])
    best: tuple[float, Ints, Ints] | None = None
    tried = [min(censored, n)] if events is None else range(n + 1)
    for number in tried:
        c = (
            _spread(time, rows=rows, end=end, number=number)
            if end > time[rows[0]]
            else np.zeros(rows.size, dtype=np.int64)
        )
        d, _, _ = _walk(survival, rows=rows, c=c, n=n, last=last)
        off = 0.0 if events is None else abs(int(d.sum()) - events)
        if best is None or off < best[0]:
            best = (off, d, c)
    assert best is not None
    return best[1], best[2]


def _patients(time: Floats, deaths: Ints, lost: Ints, *, total: int) -> Reconstruction:
    following = np.r_[time[1:], time[-1]]
    between = (time + following) / 2
    stay = max(total - int(deaths.sum() + lost.sum()), 0)  # followed to the end of the curve
    when = np.r_[np.repeat(time, deaths), np.repeat(between, lost), np.full(stay, time[-1])]
    event = np.r_[np.ones(int(deaths.sum()), bool), np.zeros(int(lost.sum()) + stay, bool)]
    order = np.lexsort((~event, when))
    return Reconstruction(when[order], event[order])
