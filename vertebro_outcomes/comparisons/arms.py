"""Three or more treatments compared at once, in one target population."""

from collections.abc import Sequence
from itertools import combinations
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from vertebro_outcomes.comparisons.covariates import (
    Covariates,
    as_numbers,
    check_names,
    usual_covariates,
)
from vertebro_outcomes.comparisons.fitting import NO_SPREAD
from vertebro_outcomes.comparisons.judgement import (
    LARGEST_EQUAL_SHARES,
    LARGEST_WEIGHT_SHARE,
    SMALLEST_EFFECTIVE_SHARE,
    WITHHELD_SMD,
    failure_sentence,
)
from vertebro_outcomes.comparisons.missing_scores import Missing, refuse_imputing
from vertebro_outcomes.comparisons.narrow_population import narrow_population, needs_of
from vertebro_outcomes.comparisons.population import Population, words_of
from vertebro_outcomes.comparisons.requests import checked_request
from vertebro_outcomes.comparisons.sample import refuse_one_value, without_constant_columns
from vertebro_outcomes.comparisons.tuning import Failed, check_word
from vertebro_outcomes.display.numbers import number
from vertebro_outcomes.errors import InputError, Problem, refuse_argument
from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints
from vertebro_outcomes.estimators.propensity.balance import covariate_balance, effective_n
from vertebro_outcomes.estimators.propensity.several_arms import ArmsFit, fit_weighted_arms
from vertebro_outcomes.estimators.propensity.weights import ArmsWeightKind
from vertebro_outcomes.estimators.t_interval import t_quantile, t_tail
from vertebro_outcomes.estimators.unanswerable import UnanswerableError
from vertebro_outcomes.results.arms_comparison import ArmsComparison
from vertebro_outcomes.tables.cohort import Cohort
from vertebro_outcomes.vocabulary import TREATMENTS

ArmsMethod = Literal["overlap_weighting", "ate_weighting", "matching_weighting"]
_KIND: dict[str, ArmsWeightKind] = {
    "overlap_weighting": "overlap", "ate_weighting": "ate", "matching_weighting": "matching",
}  # fmt: skip
_NAME = "compare_arms"


def compare_arms(
    cohort: Cohort,
    *,
    outcome: str,
    arms: Sequence[str],
    day: int,
    method: ArmsMethod = "overlap_weighting",
    covariates: Sequence[str] | str | None = None,
    variance: str | None = None,
    level: float = 0.95,
    window_days: tuple[int, int] | None = None,
    failed: Failed = "withhold",
    missing: Missing = "observed",
) -> ArmsComparison:
    """Every difference between three or more treatments in a score at one day.

    Parameters
    ----------
    cohort : Cohort
    outcome : str
        An instrument of table scores.
    arms : sequence of str
        Two or more names of `TREATMENTS`.
    day : int
        Days from day 0, at least 1.
    method : {"overlap_weighting", "ate_weighting", "matching_weighting"}
        Weights from a multinomial model: generalised overlap, inverse probability, matching.
    covariates, variance, level, window_days
        As in `compare`.
    failed : {"withhold", "show"}
        Whether estimates are shown although weights or balance fail their limits.
    missing : {"observed"}
        Patients with a score for the day are analysed. Nothing is imputed here: `compare` does it for
        two arms at a time, and its "mmrm" takes the scores of all visits.

    Returns
    -------
    ArmsComparison
        `.contrasts` has one row per pair.

    Raises
    ------
    InputError
        As `compare`.

    Reference
    ---------
    Li & Li (2019), Ann Appl Stat 13:2389-2415, doi:10.1214/19-AOAS1282.

    Examples
    --------
    >>> import vertebro_outcomes as vo
    >>> cohort, truth = vo.simulate_registry(n_patients=800, seed=1, scenario="randomised")
    >>> found = vo.compare_arms(cohort, outcome="pain_vas", arms=["KP", "VP", "NSM"], day=30)
    >>> found.contrasts[["treatment", "comparator"]].to_numpy().tolist()
    [['KP', 'VP'], ['KP', 'NSM'], ['VP', 'NSM']]
    """
    names = _checked_arms(arms)
    check_word("failed", failed, get_args(Failed))
    refuse_imputing(_NAME, missing, "vo.compare(missing=...) imputes for two arms at a time")
    if method not in _KIND:
        raise refuse_argument(_NAME, "method", method, ", ".join(_KIND))
    request = checked_request(
        cohort=cohort, outcome=outcome, treatment=names[0], comparator=names[1], day=day,
        method=method, covariates=covariates, variance=variance, level=level, window_days=window_days,
    )  # fmt: skip
    people = narrow_population(
        cohort, outcome=outcome, arms=names, needs=needs_of(request), function=_NAME
    )
    of = {word: place for place, name in enumerate(names) for word in words_of(name)}
    arm: Ints = people.frame["treatment"].map(of).to_numpy(dtype=np.int64)
    y, baseline = people.score_at(request.day, request.window), people.baseline()
    usual, _ = usual_covariates(people, baseline)
    terms = request.terms(usual, has_baseline=not np.isnan(baseline).all())
    check_names(people, terms)
    used = as_numbers(people, baseline, terms)
    kept: Bools = np.asarray(~np.isnan(y) & ~np.isnan(used.x).any(axis=1), dtype=bool)
    _refuse_few(arm[kept], names, day)
    refuse_one_value(used, kept)
    used = without_constant_columns(used, kept)
    try:
        fixed = request.variance == "fixed_propensity"
        fit = fit_weighted_arms(y[kept], arm[kept], used.x[kept], kind=_KIND[method], fixed=fixed)
    except UnanswerableError as reason:
        problem = Problem(f"method {method}", str(reason), "arms whose patients overlap")
        raise InputError(f"{_NAME}()", [problem], "leave out an arm or a covariate") from None
    _refuse_constant(y[kept], arm[kept], names)
    cluster = _sites(people, kept) if request.variance == "sandwich_site" else None
    balance = _balance(used, kept, arm[kept], fit.weights)
    words = _failures(fit.weights, arm[kept], names, balance)
    withheld = words if failed == "withhold" else ""
    contrasts, mean = _contrasts(fit, names, request.level, cluster), tuple(map(float, fit.mean))
    if not (contrasts["se"] > NO_SPREAD * np.abs(y[kept]).max()).all():
        found = "a standard error is zero: too few patients for so many covariates"
        problem = Problem(f"method {method}", found, "more patients than coefficients in each arm")
        raise InputError(f"{_NAME}()", [problem], "leave out covariates")
    if withheld:
        contrasts[["estimate", "se", "ci_low", "ci_high", "p_value"]] = np.nan
        mean = tuple(np.nan for _ in mean)
    said = failure_sentence(words, withheld=bool(withheld))
    return ArmsComparison(
        outcome=outcome, day=request.day, arms=names, method=method, level=request.level,
        estimand=request.method.estimand.replace("either treatment", "any of the treatments"),
        n=tuple(int(n) for n in np.bincount(arm[kept], minlength=len(names))),
        effective_n=tuple(effective_n(fit.weights[arm[kept] == k]) for k in range(len(names))),
        mean=mean, contrasts=contrasts, balance=balance, notes=_notes(cohort, names, said),
        covariates=terms, withheld=withheld, synthetic=cohort.synthetic,
    )  # fmt: skip


def _checked_arms(arms: Any) -> tuple[str, ...]:
    good = (
        isinstance(arms, list | tuple) and len(arms) >= 2 and all(isinstance(a, str) for a in arms)
    )
    words = [word for arm in arms for word in words_of(arm)] if good else []
    if not good or len(set(words)) < len(words):
        allowed = "two or more different names of TREATMENTS, such as ['KP', 'VP', 'NSM']"
        raise refuse_argument(_NAME, "arms", arms, allowed)
    for arm in arms:
        if arm not in TREATMENTS:
            raise refuse_argument(_NAME, "arms", arm, ", ".join(TREATMENTS))
    return tuple(arms)


def _refuse_few(arm: Ints, names: tuple[str, ...], day: int) -> None:
    for place, name in enumerate(names):
        n = int((arm == place).sum())
        if n < 2:
            found = f"{n} patients with a score at day {day} and all covariates"
            problem = Problem(f"arm {name}", found, "at least 2")
            raise InputError(f"{_NAME}()", [problem], "choose another day, window or covariates")


def _refuse_constant(y: Floats, arm: Ints, names: tuple[str, ...]) -> None:
    """Refuse an arm in which all have the same score: its spread says nothing."""
    for place, name in enumerate(names):
        own = y[arm == place]
        if np.ptp(own) == 0:
            found = f"all {len(own)} scores are {own[0]:g}"
            problem = Problem(f"arm {name}", found, "scores that differ within the arm")
            step = "look at the scores: a constant is often a default"
            raise InputError(f"{_NAME}()", [problem], step)


def _contrasts(
    fit: ArmsFit, names: tuple[str, ...], level: float, cluster: Ints | None
) -> pd.DataFrame:
    z = float(t_quantile(np.array(np.inf), level=level))
    rows = []
    for t, c in combinations(range(len(names)), 2):
        estimate, se = fit.contrast(t, c, cluster=cluster)
        p = (
            2.0 * float(t_tail(np.array(np.inf), np.array(abs(estimate) / se)))
            if se > 0
            else np.nan
        )
        rows.append(
            {"treatment": names[t], "comparator": names[c], "estimate": estimate, "se": se,
             "ci_low": estimate - z * se, "ci_high": estimate + z * se, "p_value": p}
        )  # fmt: skip
    return pd.DataFrame(rows)


def _balance(used: Covariates, kept: Bools, arm: Ints, w: Floats) -> pd.DataFrame:
    """The largest standardised mean difference between two arms, per covariate."""
    x = used.x[kept]
    largest = np.zeros((2, x.shape[1]))
    for t, c in combinations(range(int(arm.max()) + 1), 2):
        two = (arm == t) | (arm == c)
        for row, weights in enumerate((None, w[two])):
            smd = covariate_balance(x[two], arm[two] == t, weights).smd
            largest[row] = np.fmax(largest[row], np.abs(smd))
    return pd.DataFrame(
        {"covariate": used.names, "smd_before": largest[0], "smd_after": largest[1]}
    )


def _failures(w: Floats, arm: Ints, names: tuple[str, ...], balance: pd.DataFrame) -> str:
    """Weights that rest on few patients, and imbalance that they leave; empty if there is neither."""
    found, n_effective = [], []
    for place, name in enumerate(names):
        own = w[arm == place]
        n_effective.append(effective_n(own))
        share, largest = n_effective[-1] / len(own), float(own.max() / own.sum())
        most = max(LARGEST_WEIGHT_SHARE, LARGEST_EQUAL_SHARES / len(own))
        if share < SMALLEST_EFFECTIVE_SHARE:
            limit = number(SMALLEST_EFFECTIVE_SHARE, 2)
            found.append(f"effective share of {name} {number(share, 2)} (limit {limit})")
        if largest > most:
            found.append(
                f"one patient of {name} with {number(largest, 2)} of its weight "
                f"(limit {number(most, 2)})"
            )
    apart = float(balance["smd_after"].max()) if len(balance) else 0.0
    two = sorted(n_effective)[:2]
    limit_smd = max(WITHHELD_SMD, 1.96 * float(np.sqrt(1.0 / two[0] + 1.0 / two[1])))
    if apart > limit_smd:
        found.append(f"imbalance {number(apart, 2)} (limit {number(limit_smd, 2)})")
    return ", ".join(found)


def _notes(cohort: Cohort, names: tuple[str, ...], failure: str) -> tuple[str, ...]:
    said = [failure] if failure else []
    if {"NSM"} & set(names):
        said.append(
            "NSM has no procedure: where day 0 is the procedure, the clocks of the arms differ "
            "(immortal time)."
        )
    if cohort.synthetic:
        said.append("Synthetic data: nothing follows for patients.")
    return tuple(said)


def _sites(people: Population, kept: Bools) -> Ints:
    site = people.frame["site"][kept]
    if site.isna().any() or site.nunique() < 2:
        problem = Problem("column site of patients", "blanks, or one site", "a site for everybody")
        raise InputError(f"{_NAME}()", [problem], "use another variance, or record the sites")
    return np.unique(site.astype(str), return_inverse=True)[1].astype(np.int64)
