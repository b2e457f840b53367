"""Units of a treatment and those with a kind of complication, counted by group where the tables live."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from vertebro_outcomes.comparisons.occurrences import (
    FRACTURE_TYPES,
    KEYS,
    LEAKS,
    NOT_COMPLICATIONS,
    SILENT,
    check_word,
    refuse_early,
    refuse_no_table,
    refuse_no_units,
)
from vertebro_outcomes.comparisons.population import types_of_columns, words_of
from vertebro_outcomes.errors import list_some, refuse_argument
from vertebro_outcomes.tables.cohort import Cohort, Unit
from vertebro_outcomes.tables.cohort_tables import EPISODES, PATIENTS
from vertebro_outcomes.tables.engine import count, total
from vertebro_outcomes.tables.typed_frames import to_pandas
from vertebro_outcomes.vocabulary import TREATMENTS

if TYPE_CHECKING:
    import ibis.expr.types as ir


def counts_by_group(
    cohort: Cohort, *, kind: str, treatment: str | None, by: str, unit: Unit,
    within_days: float | None, function: str, notes: list[str],
) -> pd.DataFrame:  # fmt: skip
    """`n_events n` of each value of `by`, in its order: units, and those of them with the event.

    Raises
    ------
    InputError
        If there is no such column, no unit, or nothing was recorded.
    """
    units = unit_table(cohort, treatment, columns=(by,), unit=unit, function=function)
    blank = total(units[by].isnull().cast("int64"))  # noqa: PD003
    if blank:
        notes.append(f"{blank} {unit} without {by} are left out.")
    units = units.filter(units[by].notnull())  # noqa: PD004
    events = occurrence_table(cohort, function)
    events = events.filter(of_kind_there(events, kind))
    if within_days is not None:
        events = events.filter((events.day <= within_days).fill_null(False))
    keys = KEYS[unit]
    events = events.select(*dict.fromkeys(("episode_id", *keys))).drop_null(keys)
    of_group = units.select("episode_id", by).distinct()
    had = events.inner_join(of_group, "episode_id").select(by, *keys).distinct()
    each = units.select(by, *keys).distinct()
    hit = had.inner_join(each, [by, *keys])
    sizes = _frame(each.group_by(by).aggregate(n=each.count()))
    hits = _frame(hit.group_by(by).aggregate(n_events=hit.count()))
    sites = sizes.merge(hits, on=by, how="left").sort_values(by, ignore_index=True)
    sites["n_events"] = sites["n_events"].fillna(0).to_numpy(np.int64)
    return sites.astype({"n": np.int64})[[by, "n_events", "n"]]


def unit_table(
    cohort: Cohort, treatment: str | None, *, unit: Unit, function: str, columns: Sequence[str] = ()
) -> "ir.Table":
    """One row per unit of the treatment, with some columns of patients or episodes.

    Raises
    ------
    InputError
        If there is no such column or treatment, or no unit.
    """
    if treatment is not None:
        check_word(function, "treatment", treatment, TREATMENTS)
    episodes, patients = cohort.episodes, cohort.patients
    if treatment is not None:
        episodes = episodes.filter(episodes.treatment.isin(words_of(treatment)))
    allowed = [c for c in types_of_columns(cohort) if c not in ("patient_id", "episode_id")]
    for name in columns:
        if name not in allowed:
            raise refuse_argument(function, "by", name, list_some(allowed, most=40))
    own = [c for c in columns if c in episodes.columns]
    more = [c for c in columns if c not in own]
    people = episodes.select("patient_id", "episode_id", *own)
    people = people.inner_join(patients.select("patient_id", *more), "patient_id")
    people = people.select("patient_id", "episode_id", *columns)
    if unit == "levels":
        levels = cohort.levels.filter(cohort.levels.treated.fill_null(True))
        people = people.inner_join(levels.select(*KEYS[unit]).distinct(), "episode_id")
        people = people.select("patient_id", "episode_id", *columns, "level")
    if not count(people.limit(1)):
        raise refuse_no_units(treatment, unit, function)
    return people


def occurrence_table(cohort: Cohort, function: str) -> "ir.Table":
    """Events and new fractures as one table; a fracture is an event of its type.

    Raises
    ------
    InputError
        If nothing was recorded or a day lies before day 0.
    """
    import ibis

    events, fractures = cohort.events, cohort.fractures
    events = events.filter(events.type.notin(NOT_COMPLICATIONS))
    next_to = fractures.adjacent.fill_null(False)
    both = events.select(
        "patient_id", "episode_id", "level", "type", "severity", "detected_by",
        day=events.day.cast("float64"), symptomatic=events.symptomatic.fill_null(False),
    ).union(
        fractures.select(
            "patient_id", "episode_id", "level", "detected_by",
            type=ibis.ifelse(next_to, "adjacent_fracture", "new_vertebral_fracture"),
            severity=ibis.null("string"),
            day=fractures.day.cast("float64"),
            symptomatic=fractures.symptomatic.fill_null(False),
        ).select(
            "patient_id", "episode_id", "level", "type", "severity", "detected_by", "day", "symptomatic"
        )
    )  # fmt: skip
    found = both.aggregate(
        n=both.count(), early=(both.day < 0).fill_null(False).cast("int64").sum()
    ).to_pyarrow()
    if not found["n"][0].as_py():
        raise refuse_no_table(function)
    if found["early"][0].as_py():
        raise refuse_early(found["early"][0].as_py(), function)
    return both


def of_kind_there(events: "ir.Table", kind: str) -> Any:
    """Which occurrences belong to a kind of `COMPLICATION_KINDS` or are of one event type."""
    import ibis

    named, symptoms = events.type, events.symptomatic

    def begins(words: tuple[str, ...]) -> Any:
        first, second = (named.startswith(word) for word in words)
        return first | second

    fracture: Any = named.isin(FRACTURE_TYPES)
    leak = begins(LEAKS)
    grave = events.severity.isin(["severe", "fatal"]).fill_null(False)
    found = {
        "any": ~fracture,
        "any_or_new_fracture": ibis.literal(True),
        "with_symptoms": ~fracture & (symptoms | ~begins(SILENT)),
        "severe": ~fracture & (grave | (named == "serious_adverse_event")),
        "leakage": leak,
        "symptomatic_leakage": leak & (symptoms | (named == "symptomatic_leakage")),
        "pulmonary_cement_embolism": named.endswith("pulmonary_cement_embolism"),
        "new_fracture": fracture,
        "adjacent_fracture": named == "adjacent_fracture",
    }
    return found.get(kind, named == kind)


def _frame(table: "ir.Table") -> pd.DataFrame:
    return to_pandas(table.to_pyarrow(), PATIENTS, EPISODES)
