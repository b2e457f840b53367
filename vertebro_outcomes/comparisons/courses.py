"""From a cohort to what happened to every patient from presentation on, treated or not yet."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vertebro_outcomes.comparisons.design import Design
from vertebro_outcomes.comparisons.intercurrent import worst_score
from vertebro_outcomes.comparisons.population import Population
from vertebro_outcomes.comparisons.sample import FlowChart
from vertebro_outcomes.comparisons.trial_population import (
    holds,
    numbers_in,
    trial_patients,
)
from vertebro_outcomes.comparisons.windows import window_for
from vertebro_outcomes.errors import InputError, Problem
from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.emulation.course import COMPETING, EVENT, Course
from vertebro_outcomes.tables.cohort import Cohort
from vertebro_outcomes.tables.event_types import Instrument


@dataclass(frozen=True)
class Observed:
    """Patients from time zero on; `course` holds those of `flow.kept`, in their order."""

    people: Population
    flow: FlowChart
    course: Course


def observed_courses(cohort: Cohort, design: Design, columns: Sequence[str] = ()) -> Observed:
    """Days from presentation of treatment, event, death and end of follow-up; one row per patient.

    `columns` are those that covariates are made of, beside the usual ones.

    Raises
    ------
    InputError
        If presentation is not recorded for anybody, or nobody has the treatment.
    """
    is_score = design.outcome in cohort.known_instruments
    found = trial_patients(cohort, design, columns)
    people, zero, frame = found.people, found.zero, found.people.frame
    if np.isnan(zero).all():
        problem = Problem(
            "episodes.presentation_day",
            "blank for everybody",
            "the day of presentation, from day 0",
        )
        raise InputError("compare()", [problem], "map the date of presentation when loading")
    own, other = _starts(people, zero, design)
    flow = FlowChart(np.asarray(own <= float(design.grace_days or 0), dtype=bool))
    flow.start("first episode of the patient", people.later_episodes)
    flow.drop(np.isnan(zero), "day of presentation not recorded")
    flow.drop(np.isnan(own) | np.isnan(other), "day of treatment not recorded")
    flow.drop((own < 0) | (other < 0), "treated before presentation")
    death = numbers_in(frame, "death_day") - zero
    end = numbers_in(frame, "followup_end_day") - zero
    y = (
        _score(people, design, death, cohort.known_instruments[design.outcome])
        if is_score
        else None
    )
    if is_score:
        end = np.where(np.isnan(end) & np.isnan(death), float(design.day), end)
        end = np.where(np.isnan(y if y is not None else end), end, np.fmax(end, float(design.day)))
    happened = death if design.outcome == "death" or is_score else found.happened - zero
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


def _starts(people: Population, zero: Floats, design: Design) -> tuple[Floats, Floats]:
    """Days on which the treatment of interest, and another one, began; infinite if never."""
    frame, is_own = people.frame, people.treated
    day = numbers_in(frame, "treatment_day")
    day = np.where(np.isnan(day) & holds(frame, "day0", "treatment"), 0.0, day) - zero
    is_none = holds(frame, "treatment", "NSM")
    own = np.where(is_own, day, np.inf)
    other = np.where(~is_own & ~is_none, day, np.inf)
    assert people.crossed is not None
    changed = people.crossed - zero
    changed = np.where(is_none & ~np.isnan(changed), changed, np.inf)
    if design.treatment == "VA":  # any augmentation is the treatment of interest
        return np.minimum(own, changed), other
    return own, np.minimum(other, changed)


def _score(people: Population, design: Design, death: Floats, instrument: Instrument) -> Floats:
    window = design.window_days or window_for(design.day)
    y = people.score_at(design.day, window)
    if design.death == "composite":
        worst = worst_score(design.outcome, instrument)
        y = np.where(np.isnan(y) & (death <= window[1]), worst, y)
    return y
