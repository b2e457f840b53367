"""Every vertebra from T4 to L5 that can still break: how long, how far from the treated level."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from vertebro_outcomes.comparisons.driver_budget import frame_within
from vertebro_outcomes.comparisons.follow_up import FRACTURES, follow_patients
from vertebro_outcomes.errors import InputError, Problem
from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints
from vertebro_outcomes.spine import LEVELS, POSITION

# Above T4 osteoporotic fractures are rare and lateral radiographs do not show the vertebra; T4 to
# L4 or L5 is the usual field of morphometry (Genant et al. 1993, doi:10.1002/jbmr.5650080915).
FIRST: Final = POSITION["T4"]
AT_RISK: Final = LEVELS[FIRST:]
FAR: Final = 4  # this many levels away and more count together
OF_LEVEL: Final = ("disc_leakage", "cement_ml", "kyphosis_correction_deg")


@dataclass(frozen=True)
class VertebraRows:
    """One entry per vertebra at risk, ordered by patient; `people` has one row per patient."""

    people: pd.DataFrame
    patient: Ints
    place: Ints  # 0 is T4
    distance: Ints  # levels to the nearest treated level
    time: Floats
    event: Bools
    of_level: dict[str, Floats]  # of the nearest treated level, per entry; NaN where not recorded
    notes: tuple[str, ...]


def vertebra_rows(
    cohort: Any, *, event: str, of_level: Sequence[str], function: str
) -> VertebraRows:
    """The table of vertebrae at risk of the first episode of each patient.

    A vertebra leaves with its own new fracture, death or the end of follow-up; treated vertebrae and
    those fractured at the index date never enter. Distance is to the nearest treated level, in
    patients without one to the nearest fractured level.
    """
    people, notes = follow_patients(cohort, event="death", function=function)
    levels = frame_within(cohort, "levels", function=function)
    levels = levels.loc[levels["episode_id"].isin(people["episode_id"])]
    if levels.empty:
        found = "no treated or fractured level of these patients is recorded"
        problem = Problem("table levels", found, "one row per treated or fractured vertebra")
        raise InputError(f"{function}()", [problem], "fill the table levels")
    known = people["episode_id"].isin(levels["episode_id"])
    if not known.all():
        notes.append(f"{(~known).sum()} patients without a recorded level are left out.")
    people = people.loc[known].reset_index(drop=True)
    row = pd.Index(people["episode_id"]).get_indexer(levels["episode_id"])
    distance, closed, own = _nearest(levels, row, len(people), wanted=of_level, notes=notes)
    end = people["days"].to_numpy(float)
    time = np.repeat(end[:, None], len(AT_RISK), axis=1)
    broken = _first_fractures(
        cohort, people, event=event, closed=closed, time=time, notes=notes, function=function
    )
    patient, place = np.nonzero(~closed)
    return VertebraRows(
        people, patient, place, distance[patient, place], time[patient, place],
        broken[patient, place], {k: v[patient, place] for k, v in own.items()}, tuple(notes),
    )  # fmt: skip


def _nearest(
    levels: pd.DataFrame, row: Ints, n: int, *, wanted: Sequence[str], notes: list[str]
) -> tuple[Ints, Bools, dict[str, Floats]]:
    """Distance to the nearest reference level, vertebrae not at risk, values of that level."""
    place = levels["level"].map(POSITION).to_numpy(np.int64) - FIRST
    treated = levels["treated"].fillna(True).to_numpy(bool)
    any_treated = np.zeros(n, dtype=bool)
    any_treated[row[treated]] = True
    if not any_treated.all():
        notes.append(
            f"{(~any_treated).sum()} patients have no treated level: distance counts from the "
            "fractured one."
        )
    here = np.arange(len(AT_RISK))
    closed = np.zeros((n, len(AT_RISK)), dtype=bool)
    inside = place >= 0
    closed[row[inside], place[inside]] = True
    values = _values_of(levels)
    counts = treated | ~any_treated[row]
    row, place = row[counts], place[counts]
    values = {name: column[counts] for name, column in values.items() if name in wanted}
    distance = np.full((n, len(AT_RISK)), len(LEVELS))
    own = {name: np.full((n, len(AT_RISK)), np.nan) for name in values}
    order = np.argsort(row, kind="stable")
    rank = pd.Series(row[order]).groupby(row[order]).cumcount().to_numpy()
    for turn in range(int(rank.max()) + 1):  # the first level of each patient, the second ...
        at = order[rank == turn]
        who, away = row[at], np.abs(here - place[at][:, None])
        closer, same = away < distance[who], away == distance[who]
        distance[who] = np.minimum(distance[who], away)
        for name, column in values.items():
            mine = column[at][:, None]
            kept = own[name][who]
            own[name][who] = np.where(closer, mine, np.where(same, np.fmax(kept, mine), kept))
    return distance, closed, own


def _values_of(levels: pd.DataFrame) -> dict[str, Floats]:
    def numbers(name: str) -> Floats:
        return np.asarray(levels[name].astype("Float64").to_numpy(float, na_value=np.nan))

    leak = levels["leakage"]
    in_disc = np.where(leak.isna(), np.nan, (leak == "disc").fillna(False).astype(float))
    return {
        "disc_leakage": in_disc, "cement_ml": numbers("cement_ml"),
        "kyphosis_correction_deg": numbers("kyphosis_pre_deg") - numbers("kyphosis_post_deg"),
    }  # fmt: skip


def _first_fractures(
    cohort: Any, people: pd.DataFrame, *, event: str, closed: Bools, time: Floats,
    notes: list[str], function: str,
) -> Bools:  # fmt: skip
    """Which vertebrae broke; their time becomes the day of the first fracture."""
    rows = frame_within(cohort, "fractures", function=function)
    rows = rows.loc[rows["episode_id"].isin(people["episode_id"])]
    if event == FRACTURES[2]:
        rows = rows.loc[rows["symptomatic"].fillna(False).astype(bool)]
    blank = rows["level"].isna() | rows["day"].isna()
    if blank.any():
        notes.append(f"{blank.sum()} fractures without level or day are left out.")
    rows = rows.loc[~blank]
    day = rows["day"].to_numpy(float)
    if (day <= 0).any():
        found = f"{(day <= 0).sum()} new fractures on day 0 or before"
        problem = Problem("table fractures, column day", found, "1 or later: new after day 0")
        raise InputError(f"{function}()", [problem], "correct these days in the source")
    who = pd.Index(people["episode_id"]).get_indexer(rows["episode_id"])
    place = rows["level"].map(POSITION).to_numpy(np.int64) - FIRST
    above, late = place < 0, day > time[who, 0]
    again = ~above & closed[who, np.maximum(place, 0)]
    for out, said in (
        (above, f"above {AT_RISK[0]}"),
        (again, "of a treated or already fractured vertebra"),
        (late & ~above & ~again, "after the end of follow-up"),
    ):
        if out.any():
            notes.append(f"{out.sum()} fractures {said} do not count.")
    counted = ~(above | late | again)
    who, place, day = who[counted], place[counted], day[counted]
    broken = np.zeros(closed.shape, dtype=bool)
    broken[who, place] = True
    np.minimum.at(time, (who, place), day)
    return broken
