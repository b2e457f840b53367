"""Complications and new fractures as one list: which kind, when, how found, on which unit."""

from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

import pandas as pd

from vertebro_outcomes.comparisons.driver_budget import frame_within
from vertebro_outcomes.comparisons.population import words_of
from vertebro_outcomes.errors import InputError, Problem, list_some, refuse_argument
from vertebro_outcomes.tables.cohort import Cohort, Unit
from vertebro_outcomes.tables.event_types import EVENT_TYPES
from vertebro_outcomes.vocabulary import TREATMENTS

Kind = Literal[
    "any", "any_or_new_fracture", "with_symptoms", "severe", "leakage", "symptomatic_leakage",
    "pulmonary_cement_embolism", "new_fracture", "adjacent_fracture",
]  # fmt: skip
Detection = Literal["any", "without_ct", "ct"]
COMPLICATION_KINDS: Final[dict[str, str]] = {
    "any": "any complication in the table of events",
    "any_or_new_fracture": "any complication or new vertebral fracture",
    "with_symptoms": "any complication except leaks and cement emboli without known symptoms",
    "severe": "any severe or fatal complication",
    "leakage": "any cement leakage",
    "symptomatic_leakage": "cement leakage with symptoms",
    "pulmonary_cement_embolism": "cement in the pulmonary arteries",
    "new_fracture": "any new vertebral fracture",
    "adjacent_fracture": "new fracture next to a treated level",
}
DETECTIONS: Final = {
    "any": "found in any way",
    "without_ct": "found without CT or MRI",
    "ct": "found in any way, of those looked at with CT",
}
KEYS: Final = {
    "patients": ["patient_id"], "episodes": ["episode_id"], "levels": ["episode_id", "level"]
}  # fmt: skip
NOT_COMPLICATIONS: Final = ("death", "crossover")
SCANS: Final = ("CT", "MRI")
# Findings on pictures: complications in the sense of a clinic only with symptoms.
SILENT: Final = ("cement_leakage", "pulmonary_cement_embolism")
LEAKS: Final = ("cement_leakage", "symptomatic_leakage")
FRACTURE_TYPES: Final = ("new_vertebral_fracture", "adjacent_fracture")
_COLUMNS: Final = (
    "patient_id", "episode_id", "level", "type", "day", "severity", "symptomatic", "detected_by"
)  # fmt: skip


@dataclass(frozen=True)
class Counted:
    """Units of the treatment (one row each, `patient_id` and the keys) and what happened to them."""

    units: pd.DataFrame
    events: pd.DataFrame


def check_cohort(cohort: Any, function: str) -> Cohort:
    """The cohort, if it is one."""
    if not isinstance(cohort, Cohort):
        raise refuse_argument(function, "cohort", type(cohort).__name__, "a Cohort (vo.load)")
    return cohort


def check_word(function: str, argument: str, value: Any, allowed: Any) -> None:
    """One of a closed list of words."""
    words = get_args(allowed) or tuple(allowed)
    if value not in words:
        raise refuse_argument(function, argument, value, list_some(words, most=60))


def check_share(function: str, argument: str, value: Any, *, low: float, high: float) -> None:
    """A number between two bounds, both excluded."""
    whole = isinstance(value, int | float) and not isinstance(value, bool)
    if not (whole and low < value < high):
        raise refuse_argument(function, argument, value, f"a number between {low:g} and {high:g}")


def check_days(function: str, within_days: Any) -> None:
    """A number of days or none."""
    if within_days is not None and not (isinstance(within_days, int | float) and within_days >= 0):
        raise refuse_argument(function, "within_days", within_days, "a number of days, 0 or later")


def count_units(
    cohort: Cohort, *, treatment: str | None, unit: Unit, function: str, extra: tuple[str, ...] = ()
) -> pd.DataFrame:
    """One row per unit of the treatment, with the `extra` columns of patients or episodes."""
    if treatment is not None:
        check_word(function, "treatment", treatment, TREATMENTS)
    episodes, patients = (
        frame_within(cohort, "episodes", function=function),
        frame_within(cohort, "patients", function=function),
    )
    if treatment is not None:
        episodes = episodes.loc[episodes["treatment"].isin(words_of(treatment))]
    further = [c for c in patients.columns if c == "patient_id" or c not in episodes.columns]
    people = episodes.merge(patients[further], on="patient_id")
    for name in extra:
        allowed = [c for c in people.columns if c not in ("patient_id", "episode_id")]
        if name not in allowed:
            raise refuse_argument(function, "by", name, list_some(allowed, most=40))
    columns = ["patient_id", "episode_id", *extra]
    if unit == "levels":
        levels = frame_within(cohort, "levels", function=function)
        levels = levels.loc[levels["treated"].fillna(True).astype(bool)]
        people = people.merge(levels[KEYS[unit]].drop_duplicates(), on="episode_id")
        columns.append("level")
    if people.empty:
        raise refuse_no_units(treatment, unit, function)
    return people[columns].reset_index(drop=True)


def refuse_no_units(treatment: str | None, unit: Unit, function: str) -> InputError:
    """Nobody had the treatment."""
    of = f" of {treatment}" if treatment else ""
    problem = Problem(f"{unit}{of}", "there are none to count", "at least one")
    return InputError(f"{function}()", [problem], "choose another treatment or unit")


def occurrences(cohort: Cohort, function: str) -> pd.DataFrame:
    """Events and new fractures; a fracture of table fractures is an event of its type.

    Raises
    ------
    InputError
        If nothing was recorded or a day lies before day 0.
    """
    events = frame_within(cohort, "events", function=function)
    events = events.loc[~events["type"].isin(NOT_COMPLICATIONS)]
    fractures = frame_within(cohort, "fractures", function=function)
    next_to = fractures["adjacent"].astype("boolean").fillna(False).astype(bool)
    fractures = fractures.assign(
        type=next_to.map({True: "adjacent_fracture", False: "new_vertebral_fracture"}),
        severity=None,
    )
    tables = [t[list(_COLUMNS)].astype(object) for t in (events, fractures) if len(t)]
    if not tables:
        raise refuse_no_table(function)
    both = pd.concat(tables, ignore_index=True)
    both["symptomatic"] = both["symptomatic"].astype("boolean").fillna(False).astype(bool)
    both["day"] = pd.to_numeric(both["day"]).astype("Float64").astype(float)
    early = int((both["day"] < 0).sum())
    if early:
        raise refuse_early(early, function)
    return both


def refuse_no_table(function: str) -> InputError:
    """Nothing was recorded."""
    problem = Problem("tables events and fractures", "both are empty", "at least one event")
    step = "load the events; an empty table does not show that there were none"
    return InputError(f"{function}()", [problem], step)


def refuse_early(n: int, function: str) -> InputError:
    """Events before day 0."""
    problem = Problem("tables events and fractures, column day", f"{n} before day 0", "0 on")
    return InputError(f"{function}()", [problem], "correct these days in the source")


def of_kind(events: pd.DataFrame, kind: str) -> pd.Series:
    """Which occurrences belong to a kind of `COMPLICATION_KINDS` or are of one event type."""
    named = events["type"].astype(str)
    symptoms = events["symptomatic"]
    fracture = named.isin(FRACTURE_TYPES)
    leak = named.str.startswith(LEAKS)
    found = {
        "any": ~fracture,
        "any_or_new_fracture": pd.Series(True, index=events.index),
        "with_symptoms": ~fracture & (symptoms | ~named.str.startswith(SILENT)),
        "severe": ~fracture
        & (events["severity"].isin(["severe", "fatal"]) | (named == "serious_adverse_event")),
        "leakage": leak,
        "symptomatic_leakage": leak & (symptoms | (named == "symptomatic_leakage")),
        "pulmonary_cement_embolism": named.str.endswith("pulmonary_cement_embolism"),
        "new_fracture": fracture,
        "adjacent_fracture": named == "adjacent_fracture",
    }
    return found.get(kind, named == kind)


def found_by(events: pd.DataFrame, detection: str) -> pd.Series:
    """Which occurrences count; without a record they were not found by a scan."""
    if detection == "without_ct":
        return ~events["detected_by"].isin(SCANS)
    return pd.Series(True, index=events.index)


def looked_at_with_ct(cohort: Cohort, units: pd.DataFrame, unit: Unit) -> pd.Series:
    """Which units had leakage looked for with CT at a treated level."""
    levels = frame_within(cohort, "levels", function="complication_definitions")
    scanned = levels.loc[levels["leakage_detected_by"] == "CT"]
    keys = KEYS[unit]
    if unit == "patients":
        return units["patient_id"].isin(scanned["patient_id"])
    marked = units[keys].merge(scanned[keys].drop_duplicates(), on=keys, how="left", indicator=True)
    return pd.Series(marked["_merge"].eq("both").to_numpy(bool), index=units.index)


def all_kinds(function: str, kind: Any) -> None:
    """A kind of `COMPLICATION_KINDS` or an event type that is a complication."""
    types = [name for name in EVENT_TYPES if name not in NOT_COMPLICATIONS]
    check_word(function, "kind", kind, [*COMPLICATION_KINDS, *types])
