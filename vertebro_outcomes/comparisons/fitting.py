"""From prepared arrays to a fit, or to a sentence that says why there is none."""

from dataclasses import replace

import numpy as np
import pandas as pd

from vertebro_outcomes.comparisons.comparable import refuse_apart
from vertebro_outcomes.comparisons.covariates import check_names
from vertebro_outcomes.comparisons.population import Population
from vertebro_outcomes.comparisons.preparation import Prepared
from vertebro_outcomes.comparisons.requests import ORDINAL, Request
from vertebro_outcomes.comparisons.sample import FEWEST, separating
from vertebro_outcomes.errors import InputError, Problem, refuse_argument
from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints
from vertebro_outcomes.estimators.propensity.logistic import SEPARATED, fit_logistic
from vertebro_outcomes.estimators.propensity.weights import balancing_weights
from vertebro_outcomes.estimators.two_arms import ContrastFit, TwoArms
from vertebro_outcomes.estimators.unanswerable import UnanswerableError

NO_SPREAD = 1e-9  # a standard error below this share of the largest score is rounding


def fit_prepared(prepared: Prepared, request: Request) -> ContrastFit:
    """The fit of the method asked for.

    Raises
    ------
    InputError
        If the data do not determine the estimate; separated arms with the covariates that part them.
    """
    kept, people = prepared.flow.kept, prepared.people
    cluster = _sites(people, kept) if request.variance.endswith("_site") else None
    # the odds of an ordinal method are those of a better score
    turned = request.method.kind == ORDINAL and request.instrument.better == "lower"
    x = prepared.used.x
    data = TwoArms(
        y=-prepared.y[kept] if turned else prepared.y[kept],
        treated=people.treated[kept],
        x=x if kept.all() else x[kept],
        cluster=cluster,
        visits=None if prepared.visits is None else prepared.visits[kept],
        visit=prepared.visit,
        varies=prepared.used.made_of(request.by_visit),
        n_ratio=request.tuning.n_ratio,
        caliper_sd=request.tuning.caliper_sd,
        strata=_strata(people, kept, request),
        before=prepared.baseline[kept],
    )
    refuse_incomparable(prepared, request)
    try:
        fit = _fit(data, request)
    except UnanswerableError as reason:
        found = str(reason)
        if found == SEPARATED:
            named = separating(prepared.used, kept, people.treated)
            found += f" (no overlap in {', '.join(named)})" if named else " (no overlap)"
        problem = Problem(
            f"method {request.method.name}", found, "data that determine the estimate"
        )
        raise InputError(
            "compare()",
            [problem],
            "restrict the cohort to patients who could have had either treatment, or change covariates",
        ) from None
    refuse_no_spread(fit, data.y, request)
    return fit


def _fit(data: TwoArms, request: Request) -> ContrastFit:
    """The method on the patients as they are, or weighted by their propensity."""
    if request.weights == "none":
        fit: ContrastFit = request.method.fit(data, variance=request.variance)
        return fit
    e = fit_logistic(data.x, data.treated).probability
    w = balancing_weights(e, data.treated, kind=request.weights)
    fit = request.method.fit(replace(data, weight=w), variance=request.variance)
    return replace(fit, weights=w, propensity=e)


def refuse_incomparable(prepared: Prepared, request: Request) -> None:
    """Refuse scores that do not vary, and covariates that a model could only extrapolate from.

    Raises
    ------
    InputError
        With the scores, or the covariates whose ranges do not meet.
    """
    kept, treated = prepared.flow.kept, prepared.people.treated
    refuse_constant_arms(prepared.y[kept], treated[kept], request)
    if request.method.adjusts in ("outcome_model", "both"):
        refuse_apart(prepared.used.x[kept], prepared.used.names, treated[kept], "compare")


def refuse_no_spread(fit: ContrastFit, y: Floats, request: Request) -> None:
    """Refuse a standard error that is none.

    Raises
    ------
    InputError
        If it is nothing beside the scores.
    """
    if not (np.isfinite(fit.estimate) and fit.se > NO_SPREAD * np.abs(y[~np.isnan(y)]).max()):
        problem = Problem(
            f"method {request.method.name}",
            "the scores do not vary, so their spread says nothing",
            f"{request.outcome} values that differ within the arms",
        )
        raise InputError(
            "compare()", [problem], "look at the scores: a constant is often a default"
        )


def refuse_constant_arms(y: Floats, treated: Bools, request: Request) -> None:
    """Refuse scores of the day that do not vary in either arm: their spread says nothing."""
    known = ~np.isnan(y)
    own = [np.abs(y[known & arm]) for arm in (treated, ~treated)]
    if request.method.kind == ORDINAL:
        own = [np.concatenate(own)]  # arms that part are told by the method itself
    if all(np.ptp(values) == 0 for values in own):
        found = f"all scores at day {request.day} are {own[0][0]:g} and {own[-1][0]:g}"
        problem = Problem("the arms", found, "values that differ within the arms")
        step = "look at the scores: a constant is often a default"
        raise InputError("compare()", [problem], step)


def _strata(people: Population, kept: Bools, request: Request) -> Ints | None:
    """Patients with equal values of every exact column share a number; blanks share nothing."""
    if not request.tuning.exact:
        return None
    check_names(people, request.tuning.exact)
    code = np.zeros(int(kept.sum()), dtype=np.int64)
    for name in request.tuning.exact:
        if name not in people.frame:
            allowed = "columns of patients or episodes"
            raise refuse_argument("compare", "exact", name, allowed)
        values = people.frame[name][kept]
        blank = values.isna().to_numpy(dtype=bool)
        own = pd.factorize(values.astype(object), sort=False)[0].astype(np.int64)
        own[blank] = own.max(initial=0) + 1 + np.arange(int(blank.sum()))
        code = np.unique(code * (own.max(initial=0) + 1) + own, return_inverse=True)[1].astype(
            np.int64
        )
    return code


def _sites(people: Population, kept: Bools) -> Ints:
    """Sites numbered from 0; refused where they were not recorded for everybody."""
    site = people.frame["site"][kept]
    if site.isna().any() or site.nunique() < FEWEST:
        found = f"{int(site.isna().sum())} blanks, {site.nunique()} sites"
        problem = Problem(
            "column site of patients", found, "a site for everybody, at least two sites"
        )
        raise InputError("compare()", [problem], "use another variance, or record the sites")
    return np.unique(site.astype(str), return_inverse=True)[1].astype(np.int64)
