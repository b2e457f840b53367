"""From a cohort to one row per patient: arm, days followed, and how follow-up ended."""

from typing import Any, Final

import numpy as np
import pandas as pd

from vertebro_outcomes.errors import InputError, Problem, list_some, refuse_argument
from vertebro_outcomes.tables.cohort import Cohort
from vertebro_outcomes.tables.event_types import EVENT_TYPES

FRACTURES: Final = ("fracture", "adjacent_fracture", "symptomatic_fracture")
CENSORED, EVENT, COMPETING = 0, 1, 2
NEXT: Final = "correct these days in the source, or leave the patients out with cohort.keep"


def follow_patients(cohort: Any, *, event: str, function: str) -> tuple[pd.DataFrame, list[str]]:
    """One row per patient with `days` and `cause` (0 censored, 1 event, 2 death), and notes.

    Day 0 is day 0 of the first episode. Follow-up ends with the first event, death, or
    `followup_end_day`; an event on the day of death or of the end counts as an event.
    """
    if not isinstance(cohort, Cohort):
        raise refuse_argument(function, "cohort", type(cohort).__name__, "a Cohort (vo.load)")
    allowed = (*FRACTURES, *EVENT_TYPES)
    if event not in allowed:
        raise refuse_argument(function, "event", event, list_some(allowed, most=60))
    episodes = cohort.frame("episodes")
    first = episodes.drop_duplicates("patient_id")
    patients = cohort.frame("patients")
    extra = [c for c in first.columns if c not in patients.columns]
    people = patients.merge(first[["patient_id", *extra]], on="patient_id", how="inner")
    notes = []
    if len(first) < len(episodes):
        notes.append(f"Of several episodes of a patient the first is used ({len(first)} patients).")
    happened = _first_days(cohort, event, people, notes, function)
    end = _number(people["followup_end_day"])
    death = _number(people["death_day"])
    _refuse_impossible(end, death, happened, event, function)
    last = np.fmin(end, death)
    unknown = np.isnan(last)
    if unknown.all():
        found = "neither followup_end_day nor death_day is known for any patient"
        problem = Problem("cohort", found, "the end of follow-up of each patient")
        raise InputError(f"{function}()", [problem], "fill episodes.followup_end_day")
    if unknown.any():
        notes.append(f"{unknown.sum()} patients without known end of follow-up are left out.")
    if not (last > 0).any():
        found = "nobody was followed beyond day 0"
        problem = Problem("episodes.followup_end_day", found, "a day after day 0")
        raise InputError(f"{function}()", [problem], NEXT)
    if (last == 0).any():
        notes.append(
            f"{(last == 0).sum()} patients were not followed beyond day 0; they add no time."
        )
    if event == "death":
        happened, death = death, np.full(death.size, np.nan)
    seen = happened <= last
    people["days"] = np.where(seen, happened, last)
    people["cause"] = np.where(seen, EVENT, np.where(death <= last, COMPETING, CENSORED))
    return people.loc[~unknown].reset_index(drop=True), notes


def _first_days(
    cohort: Cohort, event: str, people: pd.DataFrame, notes: list[str], function: str
) -> Any:
    rows = cohort.frame("fractures" if event in FRACTURES else "events")
    if event in FRACTURES[1:]:
        column = event.removesuffix("_fracture")
        blank = rows[column].isna()
        if len(rows) and blank.all():
            found = f"no fracture says whether it is {column}"
            problem = Problem("table fractures", found, f"true or false in column {column}")
            raise InputError(f"{function}()", [problem], f"fill {column}, or levels of treatment")
        if blank.any():
            notes.append(f"{blank.sum()} fractures not known to be {column} do not count as such.")
        rows = rows.loc[rows[column].fillna(False).astype(bool)]
    elif event not in FRACTURES:
        rows = rows.loc[rows["type"] == event]
    undated = rows["day"].isna()
    if undated.any() and event != "death":
        notes.append(f"{undated.sum()} events without a day are left out.")
    rows = rows.loc[rows["episode_id"].isin(people["episode_id"])]
    first = rows.groupby("episode_id")["day"].min()
    return _number(people["episode_id"].map(first))


def _refuse_impossible(end: Any, death: Any, happened: Any, event: str, function: str) -> None:
    problems = []
    for bad, where, allowed in (
        (death < 0, "patients.death_day", "0 or later: nobody is treated after death"),
        (end < 0, "episodes.followup_end_day", "0 or later, and after day 0 in some patients"),
        (happened < 0, f"day of {event}", "0 or later"),
        ((happened == 0) & (event in FRACTURES), f"day of {event}", "1 or later: new after day 0"),
    ):
        if bad.any():
            problems.append(Problem(where, f"before that in {bad.sum()} patients", allowed))
    if problems:
        raise InputError(f"{function}()", problems, NEXT)


def _number(column: pd.Series) -> Any:
    return pd.to_numeric(column, errors="coerce").astype(float).to_numpy(na_value=np.nan)
