"""Scores after leaving, imputed from the mixed model as if the patient went on like the comparator."""

from typing import Final

import numpy as np

from vertebro_outcomes.comparisons.completion import (
    Completion,
    refuse_blank_predictors,
    refuse_unseen,
    standing,
    with_scores,
)
from vertebro_outcomes.comparisons.covariates import Covariates, as_numbers, check_names, columns_of
from vertebro_outcomes.comparisons.covariates import usual_covariates as usual
from vertebro_outcomes.comparisons.population import Population
from vertebro_outcomes.comparisons.preparation import visits_of
from vertebro_outcomes.comparisons.requests import Request
from vertebro_outcomes.comparisons.windows import last_before, nearest_in_window
from vertebro_outcomes.errors import InputError, Problem
from vertebro_outcomes.estimators.imputation.reference_based import (
    AfterLeaving,
    Visits,
    impute_visits,
)
from vertebro_outcomes.estimators.unanswerable import UnanswerableError

GOES_ON: Final[dict[str, str]] = {
    "jump_to_reference": "had the mean of {c} from then on, what they had gained being lost at once",
    "copy_reference": "had been like {c} all along",
    "copy_increments": "changed as {c} from then on, keeping what they had gained",
}
_HOW: Final[dict[str, AfterLeaving]] = {
    "jump_to_reference": "jump_to_reference",
    "copy_reference": "copy_reference",
    "copy_increments": "copy_increments",
}


def reference_estimand(how: str, arms: tuple[str, str]) -> str:
    """What a difference means when those who left are imputed by the other arm."""
    t, c = arms
    return f"as if patients of {t} whose scores ended {GOES_ON[how].format(c=c)}"


def reference_scores(people: Population, request: Request) -> Completion:
    """Every imputation of the scores.

    Raises
    ------
    InputError
        If the mixed model of the visits is not determined.
    """
    plan = request.missing
    y = nearest_in_window(
        people.row, people.day, people.value, n=people.n, target=request.day, window=request.window
    )
    stands = standing(people, y, last_day=request.window[1])
    refuse_unseen(y, people.treated, request)
    n, of = stands.counts(people.treated)
    if not sum(n):
        return Completion(())
    x = _covariates(people, request)
    rows = np.flatnonzero(~stands.dead & ~np.isnan(x.x).any(axis=1))
    matrix, at, days = visits_of(people, y, request)
    matrix[:, at] = y
    data = Visits(matrix[rows], people.treated[rows], x.x[rows])
    rng = np.random.default_rng(plan.seed)
    try:
        copies = impute_visits(data, how=_HOW[plan.how], m=plan.n_imputations, rng=rng)
    except UnanswerableError as reason:
        problem = Problem("model of the visits", str(reason), "scores that determine it")
        step = "name fewer covariates, or use missing='multiple_imputation'"
        raise InputError("compare()", [problem], step) from None
    place = np.flatnonzero(stands.unseen[rows])
    gone = rows[place]
    shift = np.where(people.treated[gone], *plan.delta)
    filled = (with_scores(people, (gone, request.day, z[place, at] + shift)) for z in copies)
    imputed = int(people.treated[gone].sum()), int((~people.treated[gone]).sum())
    left = int((data.treated & (data.last <= at)).sum())
    said = _said(request, days, x, left=left, without=sum(n) - len(gone))
    return Completion(filled, imputed, of, int(stands.dead.sum()), said)


def _covariates(people: Population, request: Request) -> Covariates:
    """Those of the analysis and the predictors, with the baseline where it is known at all."""
    baseline = last_before(people.row, people.day, people.value, n=people.n)
    known = not np.isnan(baseline).all()
    terms = request.terms(usual(people, baseline)[0], has_baseline=known)
    check_names(people, terms)
    check_names(people, request.missing.predictors)
    refuse_blank_predictors(people, request)
    own = columns_of(terms)
    more = (("baseline",) if known else ()) + request.missing.predictors
    every = dict.fromkeys([*terms, *(term for term in more if term not in own)])
    x = as_numbers(people, baseline, tuple(every))
    varies = np.array([len(np.unique(c[~np.isnan(c)])) > 1 for c in x.x.T], dtype=bool)
    kept = np.flatnonzero(varies)
    return Covariates(
        x.x[:, kept], tuple(x.names[j] for j in kept), tuple(x.source[j] for j in kept)
    )


def _said(
    request: Request, days: tuple[int, ...], x: Covariates, *, left: int, without: int
) -> tuple[str, ...]:
    t, c = request.arms
    said = [
        f"Scores imputed {request.missing.n_imputations} times from a mixed model of day "
        f"{', '.join(map(str, days))} on {', '.join(dict.fromkeys(x.source)) or 'the arm'}: "
        f"{left} patients of {t} whose scores ended before are imputed as if they "
        f"{GOES_ON[request.missing.how].format(c=c)}; gaps before that, and all of {c}, are missing at "
        "random. Rubin's variance keeps the information that missing at random would have."
    ]
    if without:
        said.append(f"{without} patients without the score lack a covariate and are not imputed.")
    return tuple(said)
