"""The patients of a target trial from presentation on: what it reads of them, put together by the engine."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from vertebro_outcomes.comparisons.covariates import CONFOUNDERS
from vertebro_outcomes.comparisons.design import Design
from vertebro_outcomes.comparisons.driver_budget import MOST_ROWS
from vertebro_outcomes.comparisons.first_of_arms import first_of
from vertebro_outcomes.comparisons.narrow_population import (
    crossing_days,
    days_with,
    floats_of,
    picked_scores,
    scores_of,
)
from vertebro_outcomes.comparisons.population import (
    AtDay,
    Population,
    as_pandas,
    nobody,
    patients_of,
    types_of_columns,
    words_of,
)
from vertebro_outcomes.comparisons.windows import window_for
from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints
from vertebro_outcomes.tables.cohort import Cohort
from vertebro_outcomes.tables.engine import hand_back
from vertebro_outcomes.tables.event_types import FRACTURES
from vertebro_outcomes.tables.trial_coding import AS_CODED

if TYPE_CHECKING:
    import ibis.expr.types as ir

BASELINE_OF_EVENTS: Final = "pain_vas"  # the covariate "baseline" where the outcome is no score
_ALWAYS: Final = (
    "treatment", "day0", "treatment_day", "presentation_day", "followup_end_day", "death_day", "site",
)  # fmt: skip
_BASELINE, _SCORE, _CROSSED, _ZERO, _HAPPENED = (
    "_baseline", "_score", "_crossed", "_zero", "_happened",
)  # fmt: skip


@dataclass(frozen=True)
class TrialPatients:
    """One row per patient; days of scores and the age of the fracture count from presentation.

    `zero` is the day of presentation (NaN if not recorded), `happened` that of the first event of the
    outcome (NaN if none, or if the outcome is none); both, and `people.crossed`, count from day 0.
    """

    people: Population
    zero: Floats
    happened: Floats


def trial_patients(cohort: Cohort, design: Design, columns: Sequence[str]) -> TrialPatients:
    """The first episode of every patient with `columns` and what the trial itself reads.

    Raises
    ------
    InputError
        If nobody had the treatment, or there are more episodes than may be fetched.
    """
    types = types_of_columns(cohort)
    if any(name.endswith(AS_CODED) for name in types):  # a trial's own coding stands for others
        return whole_trial_patients(cohort, design)
    wanted = tuple(dict.fromkeys((*_ALWAYS, *CONFOUNDERS, *columns)))
    first, later = first_of(
        cohort, cohort.episodes, own=design.treatment, columns=wanted, function="compare",
        most=MOST_ROWS,
    )  # fmt: skip
    shown = [c for c in wanted if c in first.columns]
    first = first.mutate(**{_ZERO: _presented(first)})
    scores = _from_zero(scores_of(cohort, _instrument(cohort, design)), first)
    window = design.window_days or window_for(design.day)
    table = _together(cohort, design, first, picked_scores(scores, design.day, window), shown)
    hand_back(cohort.scores)
    frame = as_pandas(table, {c: types[c].to_pyarrow() for c in types if c in wanted})
    treated = frame["treatment"].isin(words_of(design.treatment)).to_numpy(dtype=bool)
    if not treated.any():
        raise nobody(cohort, design.treatment, "compare")
    empty: Ints = np.empty(0, dtype=np.int64)
    people = Population(
        frame=frame, treated=treated, row=empty, day=empty, value=np.empty(0), later_episodes=later,
        episodes_of=frozenset(cohort.episodes.columns), known=tuple(types),
        at_day=AtDay(
            design.day, window, floats_of(table, _BASELINE), floats_of(table, _SCORE),
            lambda: days_with(first, scores),
        ),
        crossed=floats_of(table, _CROSSED),
    )  # fmt: skip
    zero = presentation_days(frame)
    return TrialPatients(_aged(people, zero), zero, floats_of(table, _HAPPENED))


def whole_trial_patients(cohort: Cohort, design: Design) -> TrialPatients:
    """The same from every column and score of every patient.

    Raises
    ------
    InputError
        As `trial_patients`.
    """
    instrument = _instrument(cohort, design)
    people = patients_of(cohort, outcome=instrument, treatment=design.treatment)
    frame, happened = people.frame, np.full(people.n, np.nan)
    zero = presentation_days(frame)
    moved = np.where(np.isnan(zero), 0.0, zero).astype(np.int64)
    changes = cohort.events.filter(cohort.events.type == "crossover")
    crossed = _first_day(changes, frame, "patient_id")
    rows = _rows_of(cohort, design)
    if rows is not None:
        happened = _first_day(rows, frame, "episode_id")
    people = replace(people, day=people.day - moved[people.row], crossed=crossed)
    return TrialPatients(_aged(people, zero), zero, happened)


def _instrument(cohort: Cohort, design: Design) -> str:
    return design.outcome if design.outcome in cohort.known_instruments else BASELINE_OF_EVENTS


def _presented(first: "ir.Table") -> Any:
    """The day of presentation; 0 where none is recorded."""
    import ibis

    blank = ibis.null("int64")
    day = first.presentation_day if "presentation_day" in first.columns else blank
    return day.cast("int64").fill_null(0)


def _from_zero(scores: "ir.Table", first: "ir.Table") -> "ir.Table":
    """Scores of these episodes with days from presentation."""
    mine = scores.inner_join(first.select("episode_id", _ZERO), "episode_id")
    return mine.select("episode_id", "value", day=mine.day - mine[_ZERO])


def _together(
    cohort: Cohort, design: Design, first: "ir.Table", picked: "ir.Table", shown: list[str]
) -> Any:
    """One row per patient: columns, two scores, changes of treatment and events."""
    import ibis

    wide: Any = first.left_join(picked, first.episode_id == picked["_of"]).drop("_of")
    crossed = crossing_days(cohort)
    if crossed is None:
        wide = wide.mutate(**{_CROSSED: ibis.null("float64")})
    else:
        wide = wide.left_join(crossed, wide.patient_id == crossed["_who"]).drop("_who")
    rows = _rows_of(cohort, design)
    if rows is None:
        wide = wide.mutate(**{_HAPPENED: ibis.null("float64")})
    else:
        days = rows.group_by("episode_id").aggregate(**{_HAPPENED: rows.day.min()})
        days = days.select(_HAPPENED, _in=days.episode_id)
        wide = wide.left_join(days, wide.episode_id == days["_in"]).drop("_in")
    ordered = wide.order_by("patient_id")
    return ordered.select(*shown, _BASELINE, _SCORE, _CROSSED, _HAPPENED).to_pyarrow()


def _rows_of(cohort: Cohort, design: Design) -> "ir.Table | None":
    """The events of the outcome; None where it is a score, or death, which is no event."""
    if design.outcome in cohort.known_instruments or design.outcome == "death":
        return None
    if design.outcome not in FRACTURES:
        return cohort.events.filter(cohort.events.type == design.outcome)
    table = cohort.fractures
    if design.outcome in FRACTURES[1:]:
        flag: Any = table[design.outcome.removesuffix("_fracture")]
        table = table.filter(flag.fill_null(False))
    return table


def _first_day(rows: "ir.Table", frame: pd.DataFrame, key: str) -> Floats:
    days = rows.select(key, "day").to_pyarrow().to_pandas().groupby(key)["day"].min()
    return as_floats(frame[key].map(days))


def presentation_days(frame: pd.DataFrame) -> Floats:
    """From day 0; NaN where it is not recorded."""
    zero = numbers_in(frame, "presentation_day")
    return np.where(np.isnan(zero) & holds(frame, "day0", "presentation"), 0.0, zero)


def _aged(people: Population, zero: Floats) -> Population:
    """The age of the fracture counted from presentation."""
    frame = people.frame
    if "fracture_age_days" in frame:
        moved = np.where(np.isnan(zero), 0.0, zero)
        age = numbers_in(frame, "fracture_age_days") + moved
        frame = frame.assign(fracture_age_days=np.maximum(age, 0.0))
    return replace(people, frame=frame)


def holds(frame: pd.DataFrame, column: str, word: str) -> Bools:
    """Where a column, if there is one, holds a word."""
    if column not in frame:
        return np.zeros(len(frame), dtype=bool)
    return np.asarray((frame[column] == word).fillna(False), dtype=bool)


def numbers_in(frame: pd.DataFrame, column: str) -> Floats:
    """A column as numbers, NaN where blank or where there is no such column."""
    if column not in frame:
        return np.full(len(frame), np.nan)
    return as_floats(frame[column])


def as_floats(values: pd.Series) -> Floats:
    """Numbers, NaN where blank."""
    numbers = pd.to_numeric(values, errors="coerce").astype("Float64")
    return np.asarray(numbers.to_numpy(float, na_value=np.nan), dtype=np.float64)
