"""Every vertebra from T4 to L5 that can still break: how long, how far from the treated level."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from vertebro_outcomes.comparisons.spine_patterns import Levels, SpinePatterns, spine_patterns
from vertebro_outcomes.errors import InputError, Problem
from vertebro_outcomes.estimators.arrays import Bools, Floats, Wholes
from vertebro_outcomes.spine import LEVELS, POSITION

# Above T4 osteoporotic fractures are rare and lateral radiographs do not show the vertebra; T4 to
# L4 or L5 is the usual field of morphometry (Genant et al. 1993, doi:10.1002/jbmr.5650080915).
FIRST: Final = POSITION["T4"]
AT_RISK: Final = LEVELS[FIRST:]
FAR: Final = 4  # this many levels away and more count together


@dataclass(frozen=True)
class VertebraRows:
    """One entry per vertebra at risk, ordered by patient; patients who are alike stand there once.

    `people` has one row for each `patient`, who stands for `alike` patients.
    """

    people: pd.DataFrame
    alike: Floats
    patient: Wholes
    place: Wholes  # 0 is T4
    distance: Wholes  # levels to the nearest treated level
    time: Wholes  # days
    event: Bools
    of_level: dict[str, Floats]  # of the nearest treated level, per entry; NaN where not recorded
    notes: tuple[str, ...]

    def times(self, which: Bools | slice = slice(None)) -> Floats:
        """How many patients each of these entries stands for."""
        return np.asarray(self.alike[self.patient[which]])


def vertebra_rows(
    cohort: Any, *, event: str, columns: Sequence[str], of_level: Sequence[str], function: str
) -> VertebraRows:
    """The table of vertebrae at risk of the first episode of each patient.

    A vertebra leaves with its own new fracture, death or the end of follow-up; treated vertebrae and
    those fractured at the index date never enter. Distance is to the nearest treated level, in
    patients without one to the nearest fractured level. `columns` are those of patients and episodes
    that `people` has.
    """
    patterns = spine_patterns(
        cohort, event=event, columns=columns, of_level=of_level, function=function
    )
    notes, spine = list(patterns.notes), patterns.spine
    distance, closed, own, treated = _nearest(patterns.levels, int(spine.max()) + 1)
    untreated = patterns.alike @ ~treated[spine]
    if untreated:
        notes.append(
            f"{untreated:.0f} patients have no treated level: distance counts from the fractured one."
        )
    end = patterns.people["days"].to_numpy().astype(np.int32)
    time = np.repeat(end[:, None], len(AT_RISK), axis=1)
    closed = closed[spine]
    broken = _first_fractures(patterns, closed=closed, time=time, notes=notes, function=function)
    at_risk = ~closed
    row = np.arange(len(spine), dtype=np.int32)
    place = np.arange(len(AT_RISK), dtype=np.int8)
    return VertebraRows(
        patterns.people, patterns.alike, np.repeat(row, at_risk.sum(axis=1)),
        np.broadcast_to(place, at_risk.shape)[at_risk], distance[spine][at_risk], time[at_risk],
        broken[at_risk], {k: v[spine][at_risk] for k, v in own.items()}, tuple(notes),
    )  # fmt: skip


def _nearest(levels: Levels, n: int) -> tuple[Wholes, Bools, dict[str, Floats], Bools]:
    """Of each kind of spine: distance to the nearest reference level, vertebrae not at risk, values of
    that level, and whether any is treated.
    """
    row, place, treated = levels.spine, levels.place - FIRST, levels.treated
    any_treated = np.zeros(n, dtype=bool)
    any_treated[row[treated]] = True
    here = np.arange(len(AT_RISK), dtype=np.int8)
    closed = np.zeros((n, len(AT_RISK)), dtype=bool)
    inside = place >= 0
    closed[row[inside], place[inside]] = True
    counts = treated | ~any_treated[row]
    row, place = row[counts], place[counts].astype(np.int8)
    values = {name: column[counts] for name, column in levels.values.items()}
    distance = np.full((n, len(AT_RISK)), len(LEVELS), dtype=np.int8)
    own = {name: np.full((n, len(AT_RISK)), np.nan) for name in values}
    order = np.argsort(row, kind="stable")
    rank = pd.Series(row[order]).groupby(row[order]).cumcount().to_numpy()
    for turn in range(int(rank.max()) + 1):  # the first level of each spine, the second ...
        at = order[rank == turn]
        who, away = row[at], np.abs(here - place[at][:, None])
        closer, same = away < distance[who], away == distance[who]
        distance[who] = np.minimum(distance[who], away)
        for name, column in values.items():
            mine = column[at][:, None]
            kept = own[name][who]
            own[name][who] = np.where(closer, mine, np.where(same, np.fmax(kept, mine), kept))
    return distance, closed, own, any_treated


def _first_fractures(
    patterns: SpinePatterns, *, closed: Bools, time: Wholes, notes: list[str], function: str
) -> Bools:
    """Which vertebrae broke; their time becomes the day of the first fracture."""
    new, alike = patterns.fractures, patterns.alike
    who, place, day = new.who, new.place - FIRST, new.day
    early = alike[who] @ (day <= 0)
    if early:
        found = f"{early:.0f} new fractures on day 0 or before"
        problem = Problem("table fractures, column day", found, "1 or later: new after day 0")
        raise InputError(f"{function}()", [problem], "correct these days in the source")
    above, late = place < 0, day > time[who, 0]
    again = ~above & closed[who, np.maximum(place, 0)]
    for out, said in (
        (above, f"above {AT_RISK[0]}"),
        (again, "of a treated or already fractured vertebra"),
        (late & ~above & ~again, "after the end of follow-up"),
    ):
        if out.any():
            notes.append(f"{alike[who] @ out:.0f} fractures {said} do not count.")
    counted = ~(above | late | again)
    who, place, day = who[counted], place[counted], day[counted]
    broken = np.zeros(closed.shape, dtype=bool)
    broken[who, place] = True
    np.minimum.at(time, (who, place), day)
    return broken
