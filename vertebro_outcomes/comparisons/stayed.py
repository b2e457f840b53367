"""Patients with the score weighted to stand for those who left before it."""

from typing import Final

import numpy as np

from vertebro_outcomes.comparisons.completion import Analysis, standing
from vertebro_outcomes.comparisons.covariates import as_numbers, check_names
from vertebro_outcomes.comparisons.fitting import fit_prepared
from vertebro_outcomes.comparisons.intercurrent import with_worst_score_of_the_dead
from vertebro_outcomes.comparisons.population import Population
from vertebro_outcomes.comparisons.preparation import Prepared, prepare, visits_of
from vertebro_outcomes.comparisons.requests import Request
from vertebro_outcomes.comparisons.windows import nearest_in_window
from vertebro_outcomes.display.numbers import number
from vertebro_outcomes.errors import InputError, Problem
from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints
from vertebro_outcomes.estimators.censoring import Staying, StayingWeights, fit_censored
from vertebro_outcomes.estimators.unanswerable import UnanswerableError

STACKED: Final = "stacked_sandwich"


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
    rows = np.flatnonzero(~(stands.dead & np.isnan(y)) & ~blank)
    data, days = _staying(prepared, y, request, x=x, rows=rows)
    used = prepared.flow.kept[rows]
    try:
        fit, weights = fit_censored(
            prepared.y[rows], prepared.used.x[rows], data, used=used,
            truncate=request.missing.truncate,
        )  # fmt: skip
    except UnanswerableError as reason:
        problem = Problem(f"method {request.method.name}", str(reason), "patients who could stay")
        step = "name fewer covariates and predictors, or use missing='multiple_imputation'"
        raise InputError("compare()", [problem], step) from None
    said = _said(request, weights, fit.weights, days, prepared)
    if stands.dead.any():
        done = "count with the worst score" if request.death == "composite" else "are left out"
        dead = f"{int(stands.dead.sum())} patients who died without the score {done}"
        said = (*said, f"{dead}: death is not missing data.")
    return Analysis(prepared, fit, said, STACKED)


def _known_before(prepared: Prepared, request: Request) -> Floats:
    """Covariates of the analysis and the predictors, as numbers."""
    check_names(prepared.people, request.missing.predictors)
    more = as_numbers(prepared.people, prepared.baseline, request.missing.predictors)
    return np.column_stack([prepared.used.x, more.x])


def _staying(
    prepared: Prepared, y: Floats, request: Request, *, x: Floats, rows: Ints
) -> tuple[Staying, tuple[int, ...]]:
    """Visits up to the day; history: arm, covariates, the last score before, and both together."""
    people, baseline = prepared.people, prepared.baseline
    matrix, at, days = visits_of(people, y, request)
    matrix[:, at] = y
    scores = matrix[rows, : at + 1]
    seen: Bools = ~np.isnan(scores)
    stayed = np.logical_or.accumulate(seen[:, ::-1], axis=1)[:, ::-1]
    known = baseline[~np.isnan(baseline)]
    last = np.where(np.isnan(baseline), known.mean() if len(known) else 0.0, baseline)[rows]
    arm = people.treated[rows].astype(float)
    history = []
    for j in range(at + 1):
        history.append(np.column_stack([arm, x[rows], last, arm * last]))
        last = np.where(seen[:, j], scores[:, j], last)
    return Staying(stayed, np.stack(history, axis=1), people.treated[rows]), days[: at + 1]


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
