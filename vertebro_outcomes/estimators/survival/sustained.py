"""The first day from which something holds at every later visit."""

from dataclasses import dataclass

import numpy as np

from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints


@dataclass(frozen=True)
class Sustained:
    """One value per patient; NaN where it never holds to the end, or nothing was seen.

    `onset` is the first visit from which it holds at every later one, `before` the visit before that
    (0 if there is none), `last` the last visit; `later` counts the visits after the onset.
    """

    onset: Floats
    before: Floats
    last: Floats
    later: Ints
    ever: Bools


def sustained_onset(row: Ints, day: Ints, holds: Bools, *, n: int) -> Sustained:
    """First visit of each patient from which `holds` is true at every later visit.

    Parameters
    ----------
    row : array of int (m,)
        The patient (0 to n - 1) of each visit, in rising order.
    day : array of int (m,)
        Days above 0, rising within a patient.
    holds : array of bool (m,)
    n : int
        Patients.

    Returns
    -------
    Sustained
    """
    m = len(row)
    place = np.arange(m)
    end = np.full(n, -1, dtype=np.int64)
    end[row] = place  # the last visit of a patient overwrites the earlier ones
    start = np.full(n, m, dtype=np.int64)
    start[row[::-1]] = place[::-1]
    broken = np.full(n, -1, dtype=np.int64)
    broken[row[~holds]] = place[~holds]  # the last visit at which it does not hold
    seen = end >= 0
    first = np.where(broken >= 0, broken + 1, start)
    reached = seen & (first <= end)
    days = np.append(day.astype(float), np.nan)
    nan = np.full(n, np.nan)
    return Sustained(
        onset=np.where(reached, days[np.minimum(first, m)], nan),
        before=np.where(reached, np.where(broken >= 0, days[broken], 0.0), nan),
        last=np.where(seen, days[end], nan),
        later=np.where(reached, end - first, 0),
        ever=np.bincount(row[holds], minlength=n) > 0,
    )
