"""Complications and new fractures as one list: which kind, when, how found, on which unit."""

from typing import Any, Final, Literal, get_args

import pandas as pd

from vertebro_outcomes.errors import InputError, Problem, list_some, refuse_argument
from vertebro_outcomes.tables.cohort import Cohort, Unit
from vertebro_outcomes.tables.event_types import EVENT_TYPES

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


def refuse_no_units(treatment: str | None, unit: Unit, function: str) -> InputError:
    """Nobody had the treatment."""
    of = f" of {treatment}" if treatment else ""
    problem = Problem(f"{unit}{of}", "there are none to count", "at least one")
    return InputError(f"{function}()", [problem], "choose another treatment or unit")


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


def all_kinds(function: str, kind: Any) -> None:
    """A kind of `COMPLICATION_KINDS` or an event type that is a complication."""
    types = [name for name in EVENT_TYPES if name not in NOT_COMPLICATIONS]
    check_word(function, "kind", kind, [*COMPLICATION_KINDS, *types])
