"""From scores at visits to days until lasting relief, death, or the end of what was seen."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from vertebro_outcomes.comparisons.population import Population
from vertebro_outcomes.comparisons.requests import Request
from vertebro_outcomes.comparisons.responses import Response, as_response
from vertebro_outcomes.comparisons.sample import FEWEST, FlowChart
from vertebro_outcomes.comparisons.windows import last_before, schedule
from vertebro_outcomes.errors import InputError, Problem
from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints
from vertebro_outcomes.estimators.survival.sustained import sustained_onset

CENSORED, RELIEF, DIED = 0, 1, 2
_CALL: Final = "sustained_relief"


@dataclass(frozen=True)
class ReliefCourse:
    """One value per patient; `gap` is the time from the visit before to the onset, in days."""

    flow: FlowChart
    time: Floats
    cause: Ints
    gap: Floats
    later: Ints
    ever: Bools
    baseline: Floats
    visits: tuple[int, ...]


def course(
    people: Population, request: Request, response: Response, *, later_visits: int
) -> ReliefCourse:
    """Days and how they ended.

    Raises
    ------
    InputError
        If an arm has fewer than two patients with a visit, or nobody had lasting relief.
    """
    n = people.n
    baseline = last_before(people.row, people.day, people.value, n=n)
    windows = schedule(people.row, people.day, n=n, asked=request.day)
    after = people.day > 0
    row, day = people.row[after], people.day[after]
    at_visit = as_response(
        people.value[after], baseline[row], outcome=request.outcome,
        instrument=request.instrument, response=response,
    )  # fmt: skip
    known = ~np.isnan(at_visit)
    found = sustained_onset(row[known], day[known], at_visit[known] == 1.0, n=n)
    onset = np.where(found.later >= later_visits, found.onset, np.nan)
    death = _death(people)
    flow = FlowChart(people.treated)
    flow.start("first episode of the patient", people.later_episodes)
    flow.drop(_relieved_before(baseline, request, response), "in relief at day 0 already")
    if response.needs_baseline:
        flow.drop(~(baseline > 0), f"no {request.outcome} at day 0, or none to relieve")
    unseen = np.isnan(found.last) & np.isnan(_told_death(found.last, death, windows))
    flow.drop(np.asarray(unseen, dtype=bool), "no score after day 0", always=True)
    death = _told_death(found.last, death, windows)
    relieved = ~np.isnan(onset)
    time = np.where(relieved, onset, np.fmax(found.last, death))
    died = ~relieved & ~np.isnan(death)
    time = np.where(died, death, time)
    cause = np.where(relieved, RELIEF, np.where(died, DIED, CENSORED)).astype(np.int64)
    _refuse_empty(flow, request)
    if not (cause[flow.kept] == RELIEF).any():
        problem = Problem(response.name, "nobody had lasting relief", "some patients with relief")
        raise InputError(f"{_CALL}()", [problem], "choose another response or later_visits")
    gap = onset - found.before
    return ReliefCourse(
        flow, time, cause, gap, found.later, found.ever, baseline, tuple(windows)
    )  # fmt: skip


def _death(people: Population) -> Floats:
    if "death_day" not in people.frame:
        return np.full(people.n, np.nan)
    death = pd.to_numeric(people.frame["death_day"], errors="coerce")
    return np.asarray(death.to_numpy(float, na_value=np.nan))


def _told_death(last: Floats, death: Floats, windows: dict[int, tuple[int, int]]) -> Floats:
    """Days of the deaths before which no visit of the schedule was missed; NaN for the others.

    A death on the day of the last visit, or recorded before it, ends nothing that was not seen.
    """
    since = np.where(np.isnan(last), 0.0, last)
    missed = np.zeros(len(last), dtype=bool)
    for low, high in windows.values():
        missed |= (low > since) & (high < death)
    return np.where(~missed & (death > 0) & (death >= since), death, np.nan)


def _relieved_before(baseline: Floats, request: Request, response: Response) -> Bools:
    """Nobody can be relieved of pain that is at most 3 at day 0."""
    if response.needs_baseline:
        return np.zeros(len(baseline), dtype=bool)
    before = as_response(
        baseline, baseline, outcome=request.outcome, instrument=request.instrument,
        response=response,
    )  # fmt: skip
    return np.asarray(before == 1.0, dtype=bool)


def _refuse_empty(flow: FlowChart, request: Request) -> None:
    for arm, mine in zip(request.arms, (flow.treated, ~flow.treated), strict=True):
        n = int((mine & flow.kept).sum())
        if n < FEWEST:
            found = f"{n} patients with {request.outcome} after day 0"
            problem = Problem(f"arm {arm}", found, f"at least {FEWEST}")
            raise InputError(f"{_CALL}()", [problem], "choose another outcome, response or arm")
