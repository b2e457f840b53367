"""Which days stand for which visit."""

from itertools import pairwise
from typing import Final

import numpy as np

from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints

# A score counts for a day when it lies within 30 % of it, at most 60 days away: tight enough that
# neighbouring visits of usual schedules (1, 7, 30, 90, 180, 365 days) never share a score.
SHARE_OF_DAY: Final = 0.3
MOST_DAYS: Final = 60
# Visits of the published trials, for scores that come on any day.
USUAL_VISITS: Final = (1, 7, 30, 90, 180, 365, 730)
_GRID_PATIENTS = (
    0.1  # share of patients with a score on a day that makes it a visit of the schedule
)
_GRID_SCORES = 0.9  # share of the scores that must lie on such days
_MOST_VISITS = 12
_FEWEST_TOGETHER = 2  # patients seen at both of two visits, for their covariance


def window_for(day: int) -> tuple[int, int]:
    """First and last day whose scores may stand for `day`: `window_for(30)` -> (21, 39)."""
    half = min(int(SHARE_OF_DAY * day), MOST_DAYS)
    return day - half, day + half


def nearest_in_window(
    row: Ints, day: Ints, value: Floats, *, n: int, target: int, window: tuple[int, int]
) -> Floats:
    """Per patient the value nearest to `target`, the earlier of two equally near; NaN if none."""
    inside = (day >= window[0]) & (day <= window[1])
    r, d, v = row[inside], day[inside], value[inside]
    order = np.lexsort((d, np.abs(d - target), r))
    r, v = r[order], v[order]
    first = np.append(True, r[1:] != r[:-1])[: len(r)]
    out = np.full(n, np.nan)
    out[r[first]] = v[first]
    return out


def last_before(row: Ints, day: Ints, value: Floats, *, n: int) -> Floats:
    """Per patient the last value on or before day 0; NaN if none."""
    return nearest_in_window(row, day, value, n=n, target=0, window=(int(day.min(initial=0)), 0))


def schedule(row: Ints, day: Ints, *, n: int, asked: int) -> dict[int, tuple[int, int]]:
    """Visits after day 0 with their windows; the day asked for is always one of them.

    The days of the schedule itself where nearly all scores lie on a few days, the usual visits of
    trials where they come on any day.
    """
    after = day > 0
    days, counts = np.unique(day[after], return_counts=True)
    frequent = days[counts >= _GRID_PATIENTS * n]
    on_grid = np.isin(day[after], frequent).mean() if after.any() else 0.0
    low, high = asked_window = window_for(asked)
    meant = frequent[(frequent >= low) & (frequent <= high)]
    if (
        on_grid >= _GRID_SCORES
        and (asked in frequent or len(meant) == 1)
        and len(frequent) <= _MOST_VISITS
        and _are_distinct_visits(row[after], day[after], frequent)
    ):  # asked for day 90, the visit of day 84 is meant, and the others stay visits as well
        own = asked if asked in frequent else int(meant[0])
        return {asked if d == own else int(d): (int(d), int(d)) for d in frequent}
    visits = {asked: asked_window}
    for usual in USUAL_VISITS:
        low, high = window_for(usual)
        if high < asked_window[0] or low > asked_window[1]:
            visits[usual] = (low, high)
    return dict(sorted(visits.items()))


def _are_distinct_visits(row: Ints, day: Ints, frequent: Ints) -> bool:
    """Days are visits of their own when patients come on several of them, not on one instead."""
    for first, second in pairwise(frequent):
        a, b = row[day == first], row[day == second]
        if len(np.intersect1d(a, b)) < 0.5 * min(len(a), len(b)):
            return False
    return True


def visit_matrix(
    row: Ints, day: Ints, value: Floats, *, n: int, visits: dict[int, tuple[int, int]]
) -> Floats:
    """Scores by patient and visit, NaN where there is none."""
    columns = [
        nearest_in_window(row, day, value, n=n, target=target, window=window)
        for target, window in visits.items()
    ]
    return np.column_stack(columns)


def usable_visits(y: Floats, treated: Bools, *, keep: int, fewest: int) -> Ints:
    """Visits with `fewest` scores in each arm and two patients in common with every other visit.

    The one asked for stays in any case; of two visits without common patients the rarer leaves.
    """
    seen = (~np.isnan(y)).astype(float)
    enough = (seen[treated].sum(axis=0) >= fewest) & (seen[~treated].sum(axis=0) >= fewest)
    enough[keep] = True
    good = np.flatnonzero(enough)
    together = seen.T @ seen
    while len(good) > 1 and together[np.ix_(good, good)].min() < _FEWEST_TOGETHER:
        pairs = together[np.ix_(good, good)] < _FEWEST_TOGETHER
        apart = [j for j in good[pairs.any(axis=1)] if j != keep]
        if not apart:
            break
        rarest = min(apart, key=lambda j: together[j, j])
        good = good[good != rarest]
    return good.astype(np.int64)
