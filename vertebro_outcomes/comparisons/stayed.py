"""Patients with the score weighted to stand for those who left before it."""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from vertebro_outcomes.comparisons.completion import Analysis, standing
from vertebro_outcomes.comparisons.covariates import as_numbers, check_names
from vertebro_outcomes.comparisons.fitting import (
    fit_prepared,
    refuse_incomparable,
    refuse_no_spread,
)
from vertebro_outcomes.comparisons.intercurrent import with_worst_score_of_the_dead
from vertebro_outcomes.comparisons.population import Population
from vertebro_outcomes.comparisons.preparation import Prepared, prepare, visits_of
from vertebro_outcomes.comparisons.requests import Request
from vertebro_outcomes.comparisons.sample import (
    died_without_score,
    refuse_empty_arms,
)
from vertebro_outcomes.comparisons.windows import nearest_in_window
from vertebro_outcomes.display.numbers import number
from vertebro_outcomes.errors import InputError, Problem
from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints
from vertebro_outcomes.estimators.censoring import Staying, StayingWeights, fit_censored
from vertebro_outcomes.estimators.two_arms import ContrastFit, VisitFits
from vertebro_outcomes.estimators.unanswerable import UnanswerableError

STACKED: Final = "stacked_sandwich"
# Not another working correlation: with weights that differ between the visits of a patient it can bias the
# coefficients, however right it is (Tchetgen Tchetgen et al. 2012, Epidemiology 23(4),
# doi:10.1097/EDE.0b013e31825727b5).
ALL_BY_VISIT: Final = (
    "Weighted estimating equations with working independence: every coefficient differs by visit, and every "
    "visit has the weights of staying to it."
)


def fit_stayed(people: Population, request: Request) -> Analysis:
    """The method asked for, among those who stayed, weighted.

    Raises
    ------
    InputError
        If what was known tells for certain who left, or the estimate is not determined.
    """
    prepared = prepare(people, request)
    y = nearest_in_window(
        people.row, people.day, people.value, n=people.n, target=request.day, window=request.window
    )
    stands = standing(people, y, last_day=request.window[1])
    if not stands.unseen.any():
        nothing = "No score was missing: nothing was weighted."
        return Analysis(prepared, fit_prepared(prepared, request), (nothing,))
    if request.death == "composite":
        y = with_worst_score_of_the_dead(
            people, y, outcome=request.outcome, instrument=request.instrument,
            last_day=request.window[1],
        )  # fmt: skip
    x = _known_before(prepared, request)
    blank: Bools = np.asarray(np.isnan(x).any(axis=1), dtype=bool)
    prepared.flow.drop(blank, "a predictor of staying not recorded")
    refuse_empty_arms(
        prepared.flow, people, arms=request.arms, outcome=request.outcome, day=request.day
    )
    refuse_incomparable(prepared, request)
    matrix, at, days = visits_of(people, y, request)
    matrix[:, at] = y
    seen = _Seen(prepared, x, matrix, days, np.flatnonzero(~(stands.dead & np.isnan(y)) & ~blank))
    try:
        fit, weights = _at_visit(seen, at, request)
    except UnanswerableError as reason:
        problem = Problem(f"method {request.method.name}", str(reason), "patients who could stay")
        step = "name fewer covariates and predictors, or use missing='multiple_imputation'"
        raise InputError("compare()", [problem], step) from None
    refuse_no_spread(fit, prepared.y, request)
    said = _said(request, weights, fit.weights, days[: at + 1], prepared)
    if prepared.visits is not None:
        fit = _at_every_visit(seen, fit, at, request)
        said = (*said, ALL_BY_VISIT)
    if stands.dead.any():
        done = "count with the worst score" if request.death == "composite" else "are left out"
        dead = f"{int(stands.dead.sum())} patients who died without the score {done}"
        said = (*said, f"{dead}: death is not missing data.")
    return Analysis(prepared, fit, said, STACKED)


@dataclass(frozen=True)
class _Seen:
    """Scores of everybody at every visit; `rows` are those who are not dead without the score."""

    prepared: Prepared
    x: Floats
    matrix: Floats
    days: tuple[int, ...]
    rows: Ints


def _at_visit(seen: _Seen, at: int, request: Request) -> tuple[ContrastFit, StayingWeights]:
    """Those who stayed to one visit stand for those who left before it."""
    prepared, y = seen.prepared, seen.matrix[:, at]
    single = prepared.visits is None
    response = prepared.y if single else y
    used = prepared.flow.kept & ~np.isnan(response)
    return fit_censored(
        response[seen.rows], prepared.used.x[seen.rows], _staying(seen, at),
        used=used[seen.rows], truncate=request.missing.truncate,
    )  # fmt: skip


def _at_every_visit(seen: _Seen, fit: ContrastFit, at: int, request: Request) -> ContrastFit:
    """The other visits of a model of all visits too, each with the weights of staying to it."""
    people, kept = seen.prepared.people, seen.prepared.flow.kept
    names = ("estimate", "se", "df", "mean_t", "mean_c", "se_mean_t", "se_mean_c")
    table = np.full((len(names), len(seen.days)), np.nan)
    for j, day in enumerate(seen.days):
        own = fit
        if j != at:
            y = seen.matrix[:, j]
            dead = died_without_score(people, ~np.isnan(y), last_day=day)
            blank = np.isnan(seen.x).any(axis=1)
            there = replace(seen, rows=np.flatnonzero(~dead & ~blank))
            try:
                own, _ = _at_visit(there, j, request)
            except UnanswerableError:
                continue
        table[:, j] = [own.estimate, own.se, own.df, *(own.quantities[n] for n in names[3:])]
    weights = np.zeros(people.n)
    used = np.zeros(people.n, dtype=bool)
    used[seen.rows] = True
    used &= kept & ~np.isnan(seen.matrix[:, at])
    assert fit.weights is not None
    weights[used] = fit.weights
    return replace(fit, weights=weights[kept], by_visit=VisitFits(*table))


def _known_before(prepared: Prepared, request: Request) -> Floats:
    """Covariates of the analysis and the predictors, as numbers."""
    check_names(prepared.people, request.missing.predictors)
    more = as_numbers(prepared.people, prepared.baseline, request.missing.predictors)
    return np.column_stack([prepared.used.x, more.x])


def _staying(of: _Seen, at: int) -> Staying:
    """Visits up to one; history: arm, covariates, the last score before, and both together."""
    people, baseline, rows = of.prepared.people, of.prepared.baseline, of.rows
    scores = of.matrix[rows, : at + 1]
    seen: Bools = ~np.isnan(scores)
    stayed = np.logical_or.accumulate(seen[:, ::-1], axis=1)[:, ::-1]
    known = baseline[~np.isnan(baseline)]
    last = np.where(np.isnan(baseline), known.mean() if len(known) else 0.0, baseline)[rows]
    arm = people.treated[rows].astype(float)
    history = []
    for j in range(at + 1):
        history.append(np.column_stack([arm, of.x[rows], last, arm * last]))
        last = np.where(seen[:, j], scores[:, j], last)
    return Staying(stayed, np.stack(history, axis=1), people.treated[rows])


def _said(
    request: Request,
    weights: StayingWeights,
    shown: Floats | None,
    days: tuple[int, ...],
    prepared: Prepared,
) -> tuple[str, ...]:
    assert shown is not None
    terms = dict.fromkeys([*prepared.used.source, *request.missing.predictors])
    used = ["arm", *terms, "the last score"]
    cut = f", {weights.n_cut} of them cut" if weights.n_cut else ""
    return (
        f"{weights.n_left} patients who left before day {request.day} are represented by those who "
        f"stayed: stabilised weights from {', '.join(used)} at the visits of day "
        f"{', '.join(map(str, days))}, {number(float(shown.min()), 2)} to "
        f"{number(float(shown.max()), 2)}, mean {number(float(shown.mean()), 2)}{cut}. The variance "
        "counts that they are estimated.",
    )
