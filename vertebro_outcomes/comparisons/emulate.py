"""Augmentation against no procedure from one time zero: clones with weights, or a landmark."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from vertebro_outcomes.comparisons.courses import Observed, observed_courses
from vertebro_outcomes.comparisons.covariates import (
    Covariates,
    as_numbers,
    check_names,
    columns_of,
    usual_covariates,
)
from vertebro_outcomes.comparisons.design import Design
from vertebro_outcomes.comparisons.emulated import EmulationRequest, emulated_trial
from vertebro_outcomes.comparisons.methods import METHODS
from vertebro_outcomes.comparisons.sample import (
    refuse_one_value,
    varying_terms,
    without_constant_columns,
)
from vertebro_outcomes.comparisons.tuning import Failed, check_word
from vertebro_outcomes.errors import InputError, Problem, refuse_argument
from vertebro_outcomes.estimators.arrays import Floats, Ints
from vertebro_outcomes.estimators.emulation.adherence import TRUNCATED_AT
from vertebro_outcomes.estimators.emulation.course import Course, EmulationFit
from vertebro_outcomes.estimators.propensity.influence import se_from_influence
from vertebro_outcomes.estimators.unanswerable import UnanswerableError
from vertebro_outcomes.results.emulated_trial import EmulatedTrial
from vertebro_outcomes.tables.cohort import Cohort
from vertebro_outcomes.tables.event_types import EVENT_TYPES, FRACTURES

TARGET_TRIAL: Final = "target_trial"
# Days from presentation within which augmentation must start where nobody says otherwise: six weeks, in
# which a fracture still counts as acute (assumed; state your own).
USUAL_GRACE_DAYS: Final = 42
BOOTSTRAPS: Final = 200  # enough for a standard error: Efron & Tibshirani (1993), section 6.4
MOST_FAILURES: Final = 0.05  # of the samples drawn again; more would choose among them


def emulate(
    cohort: Cohort,
    design: Design,
    *,
    method: str = "clone_censor_weight",
    covariates: Sequence[str] | str | None = None,
    variance: str | None = None,
    level: float = 0.95,
    seed: int = 1,
    truncate: float = TRUNCATED_AT,
    failed: Failed = "withhold",
) -> EmulatedTrial:
    """The effect of a treatment strategy that starts at presentation; see `compare` for the arguments."""
    known = {name: m for name, m in METHODS.items() if m.kind == TARGET_TRIAL}
    check_word("method", method, known)
    given: object = cohort
    if not isinstance(given, Cohort):
        raise refuse_argument("compare", "cohort", type(cohort).__name__, "a vo.Cohort")
    scores = cohort.known_instruments
    check_word("outcome", design.outcome, ("death", *FRACTURES, *scores, *EVENT_TYPES))
    check_word("failed", failed, ("withhold", "show"))
    variances = known[method].variances
    if variance is not None:
        check_word("variance", variance, variances)
    if design.time_zero != "presentation":
        raise refuse_argument("compare", "method", method, "a design with time_zero='presentation'")
    share: object = truncate
    if not isinstance(share, float) or not 0.5 < share <= 1:
        raise refuse_argument("compare", "truncate", truncate, "a quantile above 0.5, up to 1.0")
    cohort = design.eligible(cohort)
    named = _named(covariates)
    seen = observed_courses(cohort, design, columns_of(named or ()))
    seen, used, shown = _with_covariates(seen, named)
    _refuse_without_events(seen.course, design)
    request = EmulationRequest(
        design, known[method], variance or variances[0], float(level), failed
    )
    draw = _Draw(known[method].fit, truncate)
    try:
        fit = draw.fit(seen.course)
        se = _standard_error(seen.course, fit, draw, variance=request.variance, seed=seed)
    except UnanswerableError as reason:
        problem = Problem(f"method {method}", str(reason), "patients who keep to either strategy")
        step = "choose another grace period or day, or change covariates"
        raise InputError("compare()", [problem], step) from None
    return emulated_trial(cohort, seen, fit, request, se=se, used=used, shown=shown)


def _named(covariates: Sequence[str] | str | None) -> tuple[str, ...] | None:
    """Covariates, once each; None where they are left to us."""
    if covariates is None:
        return None
    if isinstance(covariates, str):
        if not covariates.lstrip().startswith("~"):
            raise refuse_argument(
                "compare", "covariates", covariates, "a list of names, or '~ ...'"
            )
        covariates = [covariates]
    return tuple(dict.fromkeys(covariates))


def _with_covariates(
    seen: Observed, covariates: tuple[str, ...] | None
) -> tuple[Observed, Covariates, Covariates]:
    """The course of those who stay, with their covariates; the covariates used, and all shown."""
    people, flow = seen.people, seen.flow
    baseline = people.baseline()
    usual, sparse = usual_covariates(people, baseline)
    terms = usual if covariates is None else covariates
    check_names(people, terms)
    shown = as_numbers(people, baseline, tuple(dict.fromkeys((*terms, *usual, *sparse))))
    used = shown.of(terms)
    for term in terms:
        blank = np.asarray(np.isnan(used.of((term,)).x).any(axis=1), dtype=bool)
        flow.drop(blank, f"{term} not recorded")
    if not flow.kept.any():
        rule = flow.to_frame()["step"].iloc[-1]
        found = f"no patient is left after the rule '{rule}'"
        problem = Problem("cohort", found, "patients with all that is needed")
        raise InputError("compare()", [problem], "look at the attrition of the cohort")
    if covariates is None:
        used = used.of(varying_terms(used, flow.kept))
    refuse_one_value(used, flow.kept)
    used = without_constant_columns(used, flow.kept)
    course = replace(seen.course.rows(flow.kept), x=used.x[flow.kept], cluster=_sites(seen))
    return replace(seen, course=course), used, shown


def _sites(seen: Observed) -> Ints | None:
    frame = seen.people.frame
    if "site" not in frame or frame["site"][seen.flow.kept].isna().any():
        return None
    names = frame["site"][seen.flow.kept].astype(str)
    return np.unique(names, return_inverse=True)[1].astype(np.int64)


def _refuse_without_events(course: Course, design: Design) -> None:
    if course.y is not None:
        if (~np.isnan(course.y)).sum() >= 2:
            return
        found = f"no score for day {design.day} from presentation"
    elif ((course.cause == 1) & (course.time <= course.day)).any():
        return
    else:
        found = f"nobody had {design.outcome} by day {design.day} from presentation"
    problem = Problem(f"outcome {design.outcome}", found, "patients with the outcome")
    raise InputError("compare()", [problem], "choose another day or outcome")


@dataclass(frozen=True)
class _Draw:
    method: Any
    truncate: float

    def fit(self, course: Course) -> EmulationFit:
        found: EmulationFit = self.method(course, truncate=self.truncate)
        return found


def _standard_error(
    course: Course, fit: EmulationFit, draw: _Draw, *, variance: str, seed: int
) -> float:
    if variance == "bootstrap":
        return _bootstrap(course, draw, seed=seed)
    psi: Floats = fit.influence_t - fit.influence_c
    if variance == "robust":
        return se_from_influence(psi)
    if course.cluster is None or len(np.unique(course.cluster)) < 2:
        raise UnanswerableError("the site is not recorded for everybody, or there is only one")
    return se_from_influence(psi, course.cluster)


def _bootstrap(course: Course, draw: _Draw, *, seed: int) -> float:
    """Patients drawn again with everything that follows, weights included."""
    rng = np.random.default_rng(seed)
    found, n = [], len(course.time)
    for _ in range(BOOTSTRAPS):
        try:
            found.append(draw.fit(course.rows(rng.integers(n, size=n))).estimate)
        except UnanswerableError:
            continue
    if len(found) < (1 - MOST_FAILURES) * BOOTSTRAPS:
        raise UnanswerableError("too few patients: samples drawn again often have no answer")
    return float(np.std(found, ddof=1))
