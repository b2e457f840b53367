"""From a cohort to what happened to every patient from presentation on, treated or not yet."""

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd

from vertebro_outcomes.comparisons.design import Design
from vertebro_outcomes.comparisons.intercurrent import worst_score
from vertebro_outcomes.comparisons.population import Population, patients_of, words_of
from vertebro_outcomes.comparisons.sample import FlowChart
from vertebro_outcomes.comparisons.windows import nearest_in_window, window_for
from vertebro_outcomes.errors import InputError, Problem
from vertebro_outcomes.estimators.arrays import Bools, Floats
from vertebro_outcomes.estimators.emulation.course import COMPETING, EVENT, Course
from vertebro_outcomes.tables.cohort import Cohort
from vertebro_outcomes.tables.event_types import FRACTURES, Instrument

BASELINE_OF_EVENTS: Final = "pain_vas"  # the covariate "baseline" where the outcome is no score


@dataclass(frozen=True)
class Observed:
    """Patients from time zero on; `course` holds those of `flow.kept`, in their order."""

    people: Population
    flow: FlowChart
    course: Course


def observed_courses(cohort: Cohort, design: Design) -> Observed:
    """Days from presentation of treatment, event, death and end of follow-up; one row per patient.

    Raises
    ------
    InputError
        If presentation is not recorded for anybody, or nobody has the treatment.
    """
    is_score = design.outcome in cohort.known_instruments
    instrument = design.outcome if is_score else BASELINE_OF_EVENTS
    people = patients_of(cohort, outcome=instrument, treatment=design.treatment)
    frame = people.frame
    zero = _number(frame, "presentation_day")
    zero = np.where(np.isnan(zero) & _is(frame, "day0", "presentation"), 0.0, zero)
    if np.isnan(zero).all():
        found = "blank for everybody"
        problem = Problem("episodes.presentation_day", found, "the day of presentation, from day 0")
        raise InputError("compare()", [problem], "map the date of presentation when loading")
    own, other = _starts(cohort, frame, zero, design)
    flow = FlowChart(np.asarray(own <= float(design.grace_days or 0), dtype=bool))
    flow.start("first episode of the patient", people.later_episodes)
    flow.drop(np.isnan(zero), "day of presentation not recorded")
    flow.drop(np.isnan(own) | np.isnan(other), "day of treatment not recorded")
    flow.drop((own < 0) | (other < 0), "treated before presentation")
    people = _from_presentation(people, zero)
    death = _number(frame, "death_day") - zero
    end = _number(frame, "followup_end_day") - zero
    y = (
        _score(people, design, death, cohort.known_instruments[design.outcome])
        if is_score
        else None
    )
    if is_score:
        end = np.where(np.isnan(end) & np.isnan(death), float(design.day), end)
        end = np.where(np.isnan(y if y is not None else end), end, np.fmax(end, float(design.day)))
    happened = (
        death
        if design.outcome == "death" or is_score
        else _event_days(cohort, frame, design) - zero
    )
    last = np.fmin(end, death)
    flow.drop(np.isnan(last), "end of follow-up not known")
    flow.drop(np.asarray(last < 0), "follow-up ended before presentation")
    if not is_score and design.outcome != "death":
        flow.drop(np.asarray(happened <= 0), "event before follow-up began")
    seen = happened <= last
    time = np.where(seen, happened, last)
    cause = np.where(seen, EVENT, np.where(death <= last, COMPETING, 0))
    course = Course(
        time=time, cause=cause.astype(np.int64), own=own, other=other, x=np.empty((people.n, 0)),
        grace=int(design.grace_days or 0), day=design.day, y=y,
        never=design.crossover == "hypothetical",
    )  # fmt: skip
    return Observed(people, flow, course)


def _starts(
    cohort: Cohort, frame: pd.DataFrame, zero: Floats, design: Design
) -> tuple[Floats, Floats]:
    """Days on which the treatment of interest, and another one, began; infinite if never."""
    day = _number(frame, "treatment_day")
    day = np.where(np.isnan(day) & _is(frame, "day0", "treatment"), 0.0, day) - zero
    is_own = frame["treatment"].isin(words_of(design.treatment)).to_numpy(dtype=bool)
    is_none = _is(frame, "treatment", "NSM")
    own = np.where(is_own, day, np.inf)
    other = np.where(~is_own & ~is_none, day, np.inf)
    events = cohort.events.filter(cohort.events.type == "crossover").select("patient_id", "day")
    crossed = events.to_pyarrow().to_pandas().groupby("patient_id")["day"].min()
    changed = _column(frame["patient_id"].map(crossed)) - zero
    changed = np.where(is_none & ~np.isnan(changed), changed, np.inf)
    if design.treatment == "VA":  # any augmentation is the treatment of interest
        return np.minimum(own, changed), other
    return own, np.minimum(other, changed)


def _score(people: Population, design: Design, death: Floats, instrument: Instrument) -> Floats:
    window = design.window_days or window_for(design.day)
    y = nearest_in_window(
        people.row, people.day, people.value, n=people.n, target=design.day, window=window
    )
    if design.death == "composite":
        worst = worst_score(design.outcome, instrument)
        y = np.where(np.isnan(y) & (death <= window[1]), worst, y)
    return y


def _event_days(cohort: Cohort, frame: pd.DataFrame, design: Design) -> Floats:
    table = cohort.fractures if design.outcome in FRACTURES else cohort.events
    if design.outcome in FRACTURES[1:]:
        flag: Any = table[design.outcome.removesuffix("_fracture")]
        table = table.filter(flag.fill_null(False))
    elif design.outcome not in FRACTURES:
        table = table.filter(table.type == design.outcome)
    rows = table.select("episode_id", "day").to_pyarrow().to_pandas()
    return _column(frame["episode_id"].map(rows.groupby("episode_id")["day"].min()))


def _from_presentation(people: Population, zero: Floats) -> Population:
    """Days of scores, and the age of the fracture, counted from presentation."""
    moved = np.where(np.isnan(zero), 0.0, zero).astype(np.int64)
    frame = people.frame
    if "fracture_age_days" in frame:
        age = _number(frame, "fracture_age_days") + moved
        frame = frame.assign(fracture_age_days=np.maximum(age, 0.0))
    return replace(people, frame=frame, day=people.day - moved[people.row])


def _is(frame: pd.DataFrame, column: str, word: str) -> Bools:
    if column not in frame:
        return np.zeros(len(frame), dtype=bool)
    return np.asarray((frame[column] == word).fillna(False), dtype=bool)


def _number(frame: pd.DataFrame, column: str) -> Floats:
    if column not in frame:
        return np.full(len(frame), np.nan)
    return _column(frame[column])


def _column(values: pd.Series) -> Floats:
    numbers = pd.to_numeric(values, errors="coerce").astype("Float64")
    return np.asarray(numbers.to_numpy(float, na_value=np.nan), dtype=np.float64)
