"""Propensity weights of the patients followed to lasting relief, with balance and what failed."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from vertebro_outcomes.comparisons.arm_weights import FIXED
from vertebro_outcomes.comparisons.covariates import (
    as_numbers,
    check_names,
    usual_covariates,
)
from vertebro_outcomes.comparisons.judgement import (
    balance_table,
    failure_sentence,
    failure_words,
    imbalance_sentence,
    weighted_diagnostics,
)
from vertebro_outcomes.comparisons.population import Population
from vertebro_outcomes.comparisons.relief_course import ReliefCourse
from vertebro_outcomes.comparisons.requests import Request
from vertebro_outcomes.comparisons.sample import (
    refuse_one_value,
    separating,
    varying_terms,
    without_constant_columns,
)
from vertebro_outcomes.errors import InputError, Problem
from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.propensity.logistic import SEPARATED, fit_logistic
from vertebro_outcomes.estimators.propensity.weights import WeightKind, balancing_weights
from vertebro_outcomes.estimators.unanswerable import UnanswerableError

_CALL: Final = "sustained_relief"
KIND: Final[dict[str, WeightKind]] = {
    "overlap_weighting": "overlap", "ate_weighting": "ate", "att_weighting": "att",
    "matching_weighting": "matching",
}  # fmt: skip


@dataclass(frozen=True)
class Weighted:
    """`w` of the analysed patients, averaging one; None without weights."""

    w: Floats | None
    terms: tuple[str, ...]
    balance: pd.DataFrame
    diagnostics: pd.DataFrame
    withheld: str
    notes: tuple[str, ...]


def weighted(people: Population, followed: ReliefCourse, request: Request) -> Weighted:
    """Weights of the method; patients with a blank covariate leave.

    Raises
    ------
    InputError
        If the arms do not overlap, an arm is empty, or a covariate has one value.
    """
    flow, baseline = followed.flow, followed.baseline
    usual, sparse = usual_covariates(people, baseline)
    terms = request.terms(usual, has_baseline=not np.isnan(baseline).all())
    check_names(people, terms)
    shown = as_numbers(people, baseline, tuple(dict.fromkeys((*terms, *usual, *sparse))))
    w = None
    if request.method.name != "unadjusted":
        used = as_numbers(
            people, baseline, terms, splines=request.tuning.continuous == "spline"
        )  # fmt: skip
        for term in dict.fromkeys(used.source):
            blank = np.isnan(used.of((term,)).x).any(axis=1)
            flow.drop(np.asarray(blank, dtype=bool), f"{term} not recorded")
        _refuse_empty(followed, request)
        if request.chosen is None and varying_terms(used, flow.kept):
            used = used.of(varying_terms(used, flow.kept))
        refuse_one_value(used, flow.kept)
        used = without_constant_columns(used, flow.kept)
        terms = tuple(dict.fromkeys(used.source))
        treated = people.treated[flow.kept]
        try:
            e = fit_logistic(used.x[flow.kept], treated).probability
        except UnanswerableError as reason:
            named = separating(used, flow.kept, people.treated) if str(reason) == SEPARATED else []
            found = str(reason) + (f" (no overlap in {', '.join(named)})" if named else "")
            problem = Problem(f"method {request.method.name}", found, "arms that overlap")
            step = "restrict the cohort to patients who could have had either treatment"
            raise InputError(f"{_CALL}()", [problem], step) from None
        w = balancing_weights(e, treated, kind=KIND[request.method.name])
        w = w / w.mean()
    treated = people.treated[flow.kept]
    balance = balance_table(shown.rows(flow.kept), treated, w, terms)
    if w is None:
        diagnostics = pd.DataFrame(columns=["diagnostic", "value", "limit", "passed"])
    else:
        diagnostics = weighted_diagnostics(w, treated, balance)
    words = failure_words(diagnostics) if len(diagnostics) else ""
    withheld = words if request.tuning.failed == "withhold" else ""
    notes = (
        imbalance_sentence(balance, weighted=w is not None, adjusts=request.method.adjusts),
        failure_sentence(words, withheld=bool(withheld)),
        FIXED if w is not None else "",
    )
    return Weighted(w, terms, balance, diagnostics, withheld, tuple(n for n in notes if n))


def _refuse_empty(followed: ReliefCourse, request: Request) -> None:
    flow = followed.flow
    for arm, mine in zip(request.arms, (flow.treated, ~flow.treated), strict=True):
        if int((mine & flow.kept).sum()) < 2:
            found = "fewer than 2 patients with every covariate recorded"
            problem = Problem(f"arm {arm}", found, "at least 2")
            raise InputError(f"{_CALL}()", [problem], "leave out the covariate, or record it")
