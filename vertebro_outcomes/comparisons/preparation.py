"""From the patients of both arms to the arrays a method takes."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from vertebro_outcomes.comparisons.covariates import (
    Covariates,
    as_numbers,
    check_names,
    usual_covariates,
)
from vertebro_outcomes.comparisons.intercurrent import with_worst_score_of_the_dead
from vertebro_outcomes.comparisons.population import Population
from vertebro_outcomes.comparisons.requests import BY_DEFAULT, REPEATED, Request
from vertebro_outcomes.comparisons.responses import as_response
from vertebro_outcomes.comparisons.sample import (
    FEWEST,
    FlowChart,
    analysed,
    days_with_scores,
    drop_without_counterpart,
    refuse_empty_arms,
    refuse_one_value,
    varying_terms,
    without_constant_columns,
)
from vertebro_outcomes.comparisons.trimmed import trim
from vertebro_outcomes.comparisons.windows import (
    schedule,
    usable_visits,
    visit_matrix,
)
from vertebro_outcomes.errors import InputError, Problem
from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints

# Of the smaller arm, for each coefficient of a model of treatment; with fewer, straight lines. Ten to
# twenty are usual for prediction (Harrell 2015, section 4.4, doi:10.1007/978-3-319-19425-7), but curves
# in few patients give extreme propensities in the tails, and inverse weights suffer from them (assumed).
PATIENTS_PER_COLUMN: Final = 50


@dataclass(frozen=True)
class Prepared:
    """What a method gets, and what is said about it."""

    people: Population
    flow: FlowChart
    used: Covariates
    shown: Covariates
    baseline: Floats
    y: Floats  # at the day asked for, NaN where not seen
    visits: Floats | None
    visit: int
    visit_days: tuple[int, ...]
    sparse: tuple[str, ...]


def prepare(people: Population, request: Request) -> Prepared:
    """Covariates, scores and the patients who stay.

    Raises
    ------
    InputError
        If an arm is empty, nobody has a score for the day, or a covariate has one value.
    """
    baseline = people.baseline()
    usual, sparse = usual_covariates(people, baseline)
    terms = request.terms(usual, has_baseline=not np.isnan(baseline).all())
    check_names(people, terms)
    shown_terms = tuple(dict.fromkeys((*terms, *usual, *sparse)))
    shown = as_numbers(people, baseline, shown_terms)
    adjusts = request.method.adjusts != "none"
    used = shown.of(terms) if adjusts else shown.of(())
    if adjusts and request.wants_splines:
        curved = as_numbers(people, baseline, terms, splines=True)
        chosen = request.tuning.continuous is not None
        used = curved if chosen or _enough_for(curved, people) else used
    y = people.score_at(request.day, request.window)
    if request.death == "composite":
        y = with_worst_score_of_the_dead(
            people,
            y,
            outcome=request.outcome,
            instrument=request.instrument,
            last_day=request.window[1],
        )
    visits, visit, days = _visits(people, y, request)
    if visits is not None:
        _refuse_unseen_day(people, y, np.ones(people.n, dtype=bool), request=request)
    scores = y[:, None] if visits is None else visits
    seen: Bools = np.asarray((~np.isnan(scores)).any(axis=1), dtype=bool)
    last_day = request.window[1] if visits is None else max(*days, request.day)
    if request.response is not None:
        y = as_response(
            y, baseline, outcome=request.outcome, instrument=request.instrument,
            response=request.response,
        )  # fmt: skip
    flow = analysed(
        people, seen=seen, day=request.day, last_day=last_day, covariates=used,
        any_visit=visits is not None,
        undefined=np.isnan(y) if request.response is not None else None,
    )  # fmt: skip
    left_to_us = request.chosen is None and request.method.name not in BY_DEFAULT
    if left_to_us and adjusts:
        drop_without_counterpart(flow, people, terms)
    _refuse_empty(flow, people, request)
    _refuse_unseen_day(people, y, flow.kept, request=request)
    if left_to_us and varying_terms(used, flow.kept):
        used = used.of(varying_terms(used, flow.kept))
    refuse_one_value(used, flow.kept)
    used = without_constant_columns(used, flow.kept)
    if request.tuning.trim is not None:
        trim(flow, used, tuning=request.tuning)
        _refuse_empty(flow, people, request)
        used = without_constant_columns(used, flow.kept)
    return Prepared(people, flow, used, shown, baseline, y, visits, visit, days, tuple(sparse))


def _enough_for(covariates: Covariates, people: Population) -> bool:
    """Whether the smaller arm has enough patients for every column."""
    smaller = min(int(people.treated.sum()), int((~people.treated).sum()))
    return smaller >= PATIENTS_PER_COLUMN * len(covariates.names)


def _visits(
    people: Population, y: Floats, request: Request
) -> tuple[Floats | None, int, tuple[int, ...]]:
    return visits_of(people, y, request) if request.method.name in REPEATED else (None, 0, ())


def visits_of(
    people: Population, y: Floats, request: Request
) -> tuple[Floats, int, tuple[int, ...]]:
    """Scores by patient and visit, the place of the day asked for (scores `y`), the days."""
    windows = schedule(people.row, people.day, n=people.n, asked=request.day)
    days = list(windows)
    at = days.index(request.day)
    matrix = visit_matrix(people.row, people.day, people.value, n=people.n, visits=windows)
    if request.own_window:
        matrix[:, at] = y
    few = max(FEWEST + 1, int(0.01 * people.n / 2))
    good: Ints = usable_visits(matrix, people.treated, keep=at, fewest=few)
    return matrix[:, good], int(np.flatnonzero(good == at)[0]), tuple(days[j] for j in good)


def _refuse_empty(flow: FlowChart, people: Population, request: Request) -> None:
    refuse_empty_arms(flow, people, arms=request.arms, outcome=request.outcome, day=request.day)


def _refuse_unseen_day(people: Population, y: Floats, kept: Bools, *, request: Request) -> None:
    for arm, mine in zip(request.arms, (people.treated, ~people.treated), strict=True):
        n = int((~np.isnan(y[mine & kept])).sum())
        if n < FEWEST:
            low, high = request.window
            found = f"{n} patients have {request.outcome} from day {low} to {high}"
            problem = Problem(f"arm {arm}, day {request.day}", found, f"at least {FEWEST}")
            recorded = days_with_scores(people, request.outcome)
            step = f"choose another day ({recorded}), or wider window_days"
            raise InputError("compare()", [problem], step)
