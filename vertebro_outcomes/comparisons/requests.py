"""The arguments of a comparison, checked before any data are touched."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, get_args

from vertebro_outcomes.comparisons.covariates import columns_of
from vertebro_outcomes.comparisons.design import Crossover, Death
from vertebro_outcomes.comparisons.formula import is_formula
from vertebro_outcomes.comparisons.methods import METHODS
from vertebro_outcomes.comparisons.missing_scores import ALL_VISITS, MissingPlan, checked_missing
from vertebro_outcomes.comparisons.population import words_of
from vertebro_outcomes.comparisons.responses import RESPONSES, Response
from vertebro_outcomes.comparisons.tuning import (
    Tuning,
    Weights,
    check_word,
    checked_tuning,
    is_whole,
)
from vertebro_outcomes.comparisons.windows import window_for
from vertebro_outcomes.errors import InputError, Problem, refuse_argument
from vertebro_outcomes.estimators.method import Method
from vertebro_outcomes.tables.cohort import Cohort
from vertebro_outcomes.tables.event_types import Instrument
from vertebro_outcomes.vocabulary import TREATMENTS

KIND = "continuous"
ORDINAL = "ordinal"  # the order of the scores counts, not their distances
REPEATED: Final = ALL_VISITS
_CATEGORIES: Final = re.compile(r"C\(\s*\w+\s*\)")
# The baseline says less about later visits, so it has a coefficient at each: Mallinckrodt et al. (2008),
# Drug Inf J 42:303-319, doi:10.1177/009286150804200402.
EACH_VISIT: Final = ("baseline",)
BY_DEFAULT: Final = {
    "ancova": ("baseline",),
    "mmrm": ("baseline",),
    "gee": ("baseline",),
    "proportional_odds": ("baseline",),
    "clda": (),
}


@dataclass(frozen=True)
class Request:
    """What was asked for. `chosen` is None where the covariates were left to the method."""

    outcome: str
    instrument: Instrument
    arms: tuple[str, str]
    day: int
    window: tuple[int, int]
    own_window: bool
    method: Method
    chosen: tuple[str, ...] | None
    variance: str
    level: float
    response: Response | None = None
    tuning: Tuning = field(default_factory=Tuning)
    crossover: Crossover = "treatment_policy"
    death: Death = "while_alive"
    missing: MissingPlan = field(default_factory=MissingPlan)
    by_visit: tuple[str, ...] = EACH_VISIT
    weights: Weights = "none"

    @property
    def wants_splines(self) -> bool:
        """Whether measurements get a curve: asked for, or left to a method that models treatment."""
        by_us = self.chosen is None and self.method.name not in BY_DEFAULT
        return self.tuning.continuous == "spline" or (self.tuning.continuous is None and by_us)

    def terms(self, usual: tuple[str, ...], *, has_baseline: bool) -> tuple[str, ...]:
        """Covariates to use.

        Raises
        ------
        InputError
            If the method needs some and there are none.
        """
        if self.method.adjusts == "none":
            return self.chosen or ()
        by_default = BY_DEFAULT.get(self.method.name, usual)
        terms = by_default if self.chosen is None else self.chosen
        if self.method.name == "clda":  # the baseline is one of its outcomes
            terms = tuple(term for term in terms if term != "baseline")
            if "baseline" in columns_of(terms):
                allowed = "covariates without the baseline, which is an outcome of clda"
                raise refuse_argument("compare", "covariates", ", ".join(terms), allowed)
            return terms
        if "baseline" in columns_of(terms) and not has_baseline:
            found = f"no patient has {self.outcome} at or before day 0"
            problem = Problem("covariate baseline", found, "a score at or before day 0")
            raise InputError("compare()", [problem], "pass covariates without 'baseline'")
        if not terms and self.method.name not in BY_DEFAULT:
            found = "no covariate"
            problem = Problem("argument covariates", found, "at least one covariate that varies")
            raise InputError("compare()", [problem], "name covariates, or use method='unadjusted'")
        return terms


def checked_request(
    *,
    cohort: Any,
    outcome: Any,
    treatment: Any,
    comparator: Any,
    day: Any,
    method: Any,
    covariates: Sequence[str] | str | None,
    variance: Any,
    level: Any,
    window_days: Any,
    response: Any = None,
    crossover: Crossover = "treatment_policy",
    death: Death = "while_alive",
    options: Mapping[str, Any] = MappingProxyType({}),
    missing: Mapping[str, Any] = MappingProxyType({}),
    by_visit: Any = EACH_VISIT,
    weights: Any = "none",
) -> Request:
    """Every argument, or the first that cannot be meant.

    Raises
    ------
    InputError
        With what was found and what is allowed.
    """
    if not isinstance(cohort, Cohort):
        raise refuse_argument("compare", "cohort", type(cohort).__name__, "a vo.Cohort")
    known = {name: m for name, m in METHODS.items() if m.kind in (KIND, ORDINAL)}
    instruments = cohort.known_instruments
    check_word("outcome", outcome, instruments)
    check_word("method", method, known)
    _check_arms(treatment, comparator)
    _check_numbers(day, level)
    if response is not None:
        check_word("response", response, RESPONSES)
        if method in REPEATED or known[method].kind == ORDINAL:
            whole = {*REPEATED, *(name for name, m in known.items() if m.kind == ORDINAL)}
            allowed = ", ".join(name for name in known if name not in whole)
            raise refuse_argument("compare", "method", f"{method} with a response", allowed)
    if known[method].kind == ORDINAL and instruments[outcome].better not in ("lower", "higher"):
        allowed = "an outcome with a better direction"
        raise refuse_argument("compare", "outcome", f"{outcome} with {method}", allowed)
    if death == "composite" and method in REPEATED:
        allowed = "a method that takes the day alone; death is no visit of a model for all visits"
        raise refuse_argument("compare", "method", f"{method} with death='composite'", allowed)
    chosen = _checked_covariates(covariates)
    tuning = checked_tuning(adjusts=known[method].adjusts, method=method, **options)
    variances = known[method].variances
    if variance is not None:
        check_word("variance", variance, variances)
    return Request(
        outcome=outcome,
        instrument=instruments[outcome],
        arms=(treatment, comparator),
        day=int(day),
        window=_checked_window(window_days, int(day)),
        own_window=window_days is not None,
        method=known[method],
        chosen=chosen,
        variance=variance or variances[0],
        level=float(level),
        response=None if response is None else RESPONSES[response],
        tuning=tuning,
        crossover=crossover,
        death=death,
        missing=checked_missing(
            method=method, of_shares=response is not None, variance=variance, **missing
        ),
        by_visit=_checked_by_visit(by_visit, method, chosen),
        weights=_checked_weights(weights, method, missing),
    )


def _check_numbers(day: Any, level: Any) -> None:
    if not is_whole(day) or day < 1:
        raise refuse_argument("compare", "day", day, "a whole number of days after day 0, from 1")
    if not isinstance(level, float) or not 0 < level < 1:
        raise refuse_argument("compare", "level", level, "between 0 and 1, such as 0.95")


def _check_arms(treatment: Any, comparator: Any) -> None:
    for argument, arm in (("treatment", treatment), ("comparator", comparator)):
        check_word(argument, arm, TREATMENTS)
    if set(words_of(treatment)) & set(words_of(comparator)):
        raise refuse_argument("compare", "comparator", comparator, f"another arm than {treatment}")


def _checked_window(window: Any, day: int) -> tuple[int, int]:
    if window is None:
        return window_for(day)
    allowed = f"two whole days around {day}, after day 0, such as {window_for(day)}"
    if not isinstance(window, tuple | list) or len(window) != 2 or not all(map(is_whole, window)):
        raise refuse_argument("compare", "window_days", window, allowed)
    if not 0 < window[0] <= day <= window[1]:
        raise refuse_argument("compare", "window_days", window, allowed)
    return int(window[0]), int(window[1])


def _checked_covariates(covariates: Any) -> tuple[str, ...] | None:
    if covariates is None:
        return None
    if isinstance(covariates, str) and is_formula(covariates):
        return (covariates,)
    if not isinstance(covariates, list | tuple) or not all(
        isinstance(name, str) for name in covariates
    ):
        raise refuse_argument(
            "compare", "covariates", covariates, "a list of names, or a formula '~ ...'"
        )
    return tuple(dict.fromkeys(_as_term(name) for name in covariates))


def _checked_by_visit(
    by_visit: Any, method: str, chosen: tuple[str, ...] | None
) -> tuple[str, ...]:
    if not isinstance(by_visit, list | tuple) or not all(isinstance(c, str) for c in by_visit):
        raise refuse_argument("compare", "by_visit", by_visit, "a list of covariates")
    if tuple(by_visit) == EACH_VISIT:
        return EACH_VISIT
    if method not in ("mmrm", "gee"):
        allowed = "nothing with this method; mmrm and gee have effects by visit"
        raise refuse_argument("compare", "by_visit", by_visit, allowed)
    among = columns_of(BY_DEFAULT[method] if chosen is None else chosen)
    for name in by_visit:
        if name not in among:
            raise refuse_argument("compare", "by_visit", name, ", ".join(among) or "()")
    return tuple(by_visit)


def _checked_weights(weights: Any, method: str, missing: Mapping[str, Any]) -> Weights:
    check_word("weights", weights, get_args(Weights))
    if weights != "none" and method != "gee":
        allowed = "'none'; gee takes weights, overlap_weighting and its like bring their own"
        raise refuse_argument("compare", "weights", f"{weights} with {method}", allowed)
    if weights != "none" and missing.get("missing", "observed") != "observed":
        allowed = "'none', or missing='observed': two sets of weights are not multiplied"
        raise refuse_argument(
            "compare", "weights", f"{weights} with missing scores weighted", allowed
        )
    found: Weights = weights
    return found


def _as_term(name: str) -> str:
    """A column as categories, whatever it holds: `C(site)` is a formula of one term."""
    return f"~ {name.strip()}" if _CATEGORIES.fullmatch(name.strip()) else name
