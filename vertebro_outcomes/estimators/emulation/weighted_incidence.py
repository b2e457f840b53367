"""Cumulative incidence under weights that change over the first days and are constant afterwards."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vertebro_outcomes.estimators.arrays import Floats, Ints
from vertebro_outcomes.estimators.emulation.course import COMPETING, EVENT, Curve

WeightOn = Callable[[float], Floats]


@dataclass(frozen=True)
class _Sums:
    """Weighted patients at risk, events and competing events at each day with either."""

    day: Floats
    n: Floats
    events: Floats
    competing: Floats


def weighted_incidence(
    last: Floats,
    cause: Ints,
    *,
    weight_on: WeightOn,
    settled: float,
    day: float,
    start: float = -1.0,
) -> tuple[float, Floats, Curve]:
    """Aalen-Johansen estimate at `day`, its influences, and the curve.

    Parameters
    ----------
    last : array (n,)
        Last day at risk; before `start` for patients who do not enter.
    cause : array of int (n,)
        How `last` ended: 0 censored, 1 event, 2 competing event.
    weight_on : function of a day
        Weights of all patients on that day.
    settled : float
        Day after which the weights do not change any more.
    day : float
        Where the incidence is wanted.
    start : float
        Patients are at risk after this day.

    Returns
    -------
    (float, array (n,), Curve)
        The influences take the weights as known: the derivative of the estimate by each patient's
        share in the sums, so they add up to zero.

    Reference
    ---------
    Aalen & Johansen (1978), Scand J Stat 5:141-150; weights by day: Robins & Finkelstein (2000),
    Biometrics 56:779-788, doi:10.1111/j.0006-341X.2000.00779.x.
    """
    happened = (cause != 0) & (last > start) & (last <= day)
    days = np.unique(last[happened])
    early, late = days[days <= settled], days[days > settled]
    final = weight_on(settled + 1.0)
    sums = _join(
        _summed_daily(early, last, cause, weight_on), _summed_late(late, last, cause, final)
    )
    h1, h2 = sums.events / sums.n, sums.competing / sums.n
    free = np.cumprod(1.0 - h1 - h2)
    before = np.concatenate([[1.0], free[:-1]]) if len(free) else free
    F = np.cumsum(before * h1)
    at_end = float(F[-1]) if len(F) else 0.0
    left = 1.0 - h1 - h2
    # where everybody at risk has an event nothing is left to change afterwards
    slope = np.divide(at_end - F, left, out=np.zeros_like(F), where=left > 1e-12)
    a2 = -slope / sums.n
    a1 = before / sums.n + a2
    influence = np.zeros(len(last))
    steps = a1 * h1 + a2 * h2
    for k, u in enumerate(early):
        w = weight_on(float(u))
        there = last >= u
        now = there & (last == u)
        influence += np.where(there, -w * steps[k], 0.0)
        influence += np.where(now & (cause == EVENT), w * a1[k], 0.0)
        influence += np.where(now & (cause == COMPETING), w * a2[k], 0.0)
    if len(late):
        n_early = len(early)
        lived = np.concatenate([[0.0], np.cumsum(steps[n_early:])])
        upto = np.searchsorted(late, last, side="right")
        influence -= np.where(last > settled, final * lived[upto], 0.0)
        own = happened & (last > settled)
        at = upto[own] - 1 + n_early
        influence[own] += final[own] * np.where(cause[own] == EVENT, a1[at], a2[at])
    return at_end, influence, Curve(sums.day, F)


def _summed_daily(days: Floats, last: Floats, cause: Ints, weight_on: WeightOn) -> _Sums:
    rows = np.zeros((len(days), 3))
    for k, u in enumerate(days):
        w = weight_on(float(u))
        now = last == u
        rows[k] = (
            w[last >= u].sum(), w[now & (cause == EVENT)].sum(), w[now & (cause == COMPETING)].sum()
        )  # fmt: skip
    return _Sums(days, rows[:, 0], rows[:, 1], rows[:, 2])


def _summed_late(days: Floats, last: Floats, cause: Ints, w: Floats) -> _Sums:
    """By one sort: patients at risk at a day are those whose last day is that or later."""
    order = np.argsort(last, kind="stable")
    tail = np.concatenate([np.cumsum(w[order][::-1])[::-1], [0.0]])
    n = tail[np.searchsorted(last[order], days, side="left")]
    place = np.searchsorted(days, last)
    here = np.zeros(len(last), dtype=bool)
    known = place < len(days)
    here[known] = days[place[known]] == last[known]
    events, competing = (
        np.bincount(place[here & (cause == kind)], w[here & (cause == kind)], minlength=len(days))
        for kind in (EVENT, COMPETING)
    )
    return _Sums(days, n, events.astype(float), competing.astype(float))


def _join(a: _Sums, b: _Sums) -> _Sums:
    return _Sums(
        np.concatenate([a.day, b.day]), np.concatenate([a.n, b.n]),
        np.concatenate([a.events, b.events]), np.concatenate([a.competing, b.competing]),
    )  # fmt: skip
