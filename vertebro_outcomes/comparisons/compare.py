"""Two treatments compared on a score at one day."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

from vertebro_outcomes.comparisons.assembly import comparison_of
from vertebro_outcomes.comparisons.design import Design
from vertebro_outcomes.comparisons.emulate import emulate
from vertebro_outcomes.comparisons.fitting import fit_prepared
from vertebro_outcomes.comparisons.imputed import fit_imputed
from vertebro_outcomes.comparisons.missing_scores import Imputation, Missing
from vertebro_outcomes.comparisons.narrow_population import requested_population
from vertebro_outcomes.comparisons.preparation import prepare
from vertebro_outcomes.comparisons.requests import EACH_VISIT, Request, checked_request
from vertebro_outcomes.comparisons.stated import stated_question
from vertebro_outcomes.comparisons.stayed import fit_stayed
from vertebro_outcomes.comparisons.tuning import Continuous, Failed, Trim, Weights
from vertebro_outcomes.errors import refuse_argument
from vertebro_outcomes.estimators.emulation.adherence import TRUNCATED_AT
from vertebro_outcomes.results.comparison import Comparison
from vertebro_outcomes.tables.cohort import Cohort

ResponseName = Literal["better_30pct", "better_50pct", "at_most_3", "worthwhile"]

MethodName = Literal[
    "unadjusted",
    "ancova",
    "mmrm",
    "clda",
    "gee",
    "overlap_weighting",
    "ate_weighting",
    "att_weighting",
    "matching_weighting",
    "matching",
    "aipw",
    "g_computation",
    "clone_censor_weight",
    "landmark",
    "naive_from_procedure",
    "proportional_odds",
    "win_odds",
]


def compare(
    cohort: Cohort,
    *,
    outcome: str | None = None,
    treatment: str | None = None,
    comparator: str | None = None,
    day: int | None = None,
    method: MethodName | None = None,
    covariates: Sequence[str] | str | None = None,
    seed: int = 1,
    variance: str | None = None,
    level: float = 0.95,
    window_days: tuple[int, int] | None = None,
    n_ratio: int = 1,
    response: ResponseName | None = None,
    trim: Trim = "none",
    trim_at: float | None = None,
    caliper_sd: float | None = None,
    exact: Sequence[str] = (),
    continuous: Continuous | None = None,
    design: Design | None = None,
    grace_days: int | None = None,
    truncate: float = TRUNCATED_AT,
    failed: Failed = "withhold",
    missing: Missing = "observed",
    n_imputations: int | None = None,
    imputation: Imputation | None = None,
    predictors: Sequence[str] = (),
    delta: float | tuple[float, float] | None = None,
    by_visit: Sequence[str] = EACH_VISIT,
    weights: Weights = "none",
) -> Comparison:
    """Difference in a score, treatment minus comparator, at one day after day 0.

    With a design whose time zero is presentation: difference in risk, or in a score, between
    augmentation within a grace period and no procedure.

    Parameters
    ----------
    cohort : Cohort
    outcome : str
        An instrument of table scores, such as "pain_vas" or "odi".
    treatment, comparator : str
        Names of `TREATMENTS`; "VA" holds VP, KP and VAI.
    day : int
        Days from day 0, at least 1.
    method : str
        A name of `METHODS` with kind "continuous", or "target_trial" for outcomes from presentation
        on. With a design it may be left out: weighting for the estimand, or clone-censor-weight. Kind
        "ordinal" takes the order of the scores alone: "proportional_odds" and "win_odds" give the
        logarithm of an odds ratio, above 0 where the treatment does better.
    covariates : sequence of str, or a formula, optional
        "baseline" (last score at or before day 0), columns of patients or episodes, or
        "rcs(age_years, 4)" for a restricted cubic spline with 3 to 7 knots; or one formula such as
        "~ age_years + I(age_years**2) + C(sex):baseline". By default "baseline"
        for ancova and mmrm, and every declared confounder that is at least 80 % complete for the
        methods that use a propensity or g-computation.
    seed : int
        For variance="bootstrap" and for imputations; everything else is deterministic.
    variance : str, optional
        A word of `METHODS[method].variances`; its first is the default.
    level : float
        Of the interval, between 0 and 1.
    window_days : (int, int), optional
        First and last day whose score may stand for `day`; 30 % of it to both sides, at most 60 days,
        if not given.
    n_ratio : int
        Comparators per treated patient, for matching.
    response : {"better_30pct", "better_50pct", "at_most_3", "worthwhile"}, optional
        Compare the proportion of responders by this definition instead of mean scores; the estimate
        is a risk difference (0 to 1). Not for mmrm, clda and gee.
    trim : {"none", "symmetric", "crump", "percentile"}
        Leave out patients of extreme propensity, then fit it again: outside 0.1 to 0.9, outside the
        range of smallest variance (Crump), or below the 5th percentile of the treated and above the
        95th of the comparators (Sturmer).
    trim_at : float, optional
        Another limit than 0.1 or 0.05.
    caliper_sd : float, optional
        For matching, in standard deviations of the logit of the propensity; 0.2 if not given.
    exact : sequence of str
        For matching: columns in which partners must be equal.
    continuous : {"linear", "spline"}, optional
        How covariates with more than ten values enter: as they are, or as restricted cubic splines
        with 4 knots. If not given, linear where covariates are named; splines where they are left to
        a propensity method or g-computation and the smaller arm has fifty patients per coefficient.
    design : Design, optional
        The target trial; it says outcome, arms, day, window, eligibility and intercurrent events.
    grace_days : int, optional
        For methods of kind "target_trial" without a design: days from presentation, 42 if not given.
    truncate : float
        For the same, and for censoring_weights: quantile of the weights of each arm above which they
        are cut, 0.5 to 1.
    failed : {"withhold", "show"}
        Whether an estimate is shown although balance, overlap or weights fail their limits.
    missing : str
        "observed": analyse patients with a score for the day. "multiple_imputation": impute the score,
        the baseline and covariates of those who lived to the day by chained equations in each arm.
        "jump_to_reference", "copy_reference", "copy_increments": impute treated patients, after their
        last score, from a mixed model as if they went on like the comparator. Imputations are combined
        by Rubin's rules. "censoring_weights" (unadjusted, ancova, gee): who stayed is weighted by the
        inverse probability of staying. mmrm, clda and gee take all visits as they are.
    n_imputations : int, optional
        Completed data sets, at least 2; 50 if not given.
    imputation : {"normal", "pmm"}, optional
        Scores drawn from a normal distribution around their prediction (the default for means), or
        taken from patients with a close prediction (predictive mean matching; for responders).
    predictors : sequence of str
        Columns that help to predict what is missing, or who stays, besides the covariates and the
        scores of other visits.
    delta : float or (float, float), optional
        Added to the imputed scores of the treatment arm, or of both arms, in the unit of the score: how
        much worse or better they are than scores missing at random.
    by_visit : sequence of str
        For mmrm and gee: covariates with an effect of their own at every visit, all others having one
        for all visits. The baseline if not given; `()` for none.
    weights : {"none", "overlap", "ate", "att", "matching"}
        For gee: weight patients by their propensity, a logistic model of the same covariates, for this
        population. The robust variance takes the weights as known.

    Returns
    -------
    Comparison

    Raises
    ------
    InputError
        If an argument is unknown, an arm is empty, nobody has a score, a covariate has one value, or
        the arms do not overlap: a sentence, never a number.

    Examples
    --------
    >>> import pandas as pd
    >>> ids = [f"p{i}" for i in range(8)]
    >>> cohort = Cohort.from_frames(
    ...     patients=pd.DataFrame({"patient_id": ids}),
    ...     episodes=pd.DataFrame({"patient_id": ids, "treatment": ["KP", "VP"] * 4}),
    ...     scores=pd.DataFrame(
    ...         {"patient_id": ids * 2, "instrument": "pain_vas", "day": [0] * 8 + [30] * 8,
    ...          "value": [8, 7, 9, 8, 6, 7, 8, 6, 2, 3, 4, 3, 1, 4, 3, 2]}
    ...     ),
    ... )
    >>> found = compare(
    ...     cohort, outcome="pain_vas", treatment="KP", comparator="VP", day=30, method="ancova"
    ... )
    >>> round(found.estimate, 2)
    -1.11
    """
    asked = stated_question(
        design=design, method=method, grace_days=grace_days, outcome=outcome, treatment=treatment,
        comparator=comparator, day=day, window_days=window_days,
    )  # fmt: skip
    gaps = {
        "missing": missing, "n_imputations": n_imputations, "imputation": imputation,
        "predictors": predictors, "delta": delta, "seed": seed, "truncate": truncate,
    }  # fmt: skip
    if asked.trial is not None:
        _refuse_gaps(gaps)
        return emulate(
            cohort, asked.trial, method=asked.method, covariates=covariates, variance=variance,
            level=level, seed=seed, truncate=truncate, failed=failed,
        )  # fmt: skip
    request = checked_request(
        cohort=cohort, outcome=asked.outcome, treatment=asked.treatment,
        comparator=asked.comparator, day=asked.day, method=asked.method, covariates=covariates,
        variance=variance, level=level, window_days=asked.window_days, response=response,
        crossover="treatment_policy" if design is None else design.crossover,
        death="while_alive" if design is None else design.death,
        options={
            "n_ratio": n_ratio, "trim": trim, "trim_at": trim_at, "caliper_sd": caliper_sd,
            "exact": exact, "continuous": continuous, "failed": failed,
        },
        missing=gaps, by_visit=by_visit, weights=weights,
    )  # fmt: skip
    eligible = cohort if design is None else design.eligible(cohort)
    return _compared(eligible, request)


_GAPS = ("n_imputations", "imputation", "delta")


def _refuse_gaps(gaps: Mapping[str, Any]) -> None:
    """From presentation on, weights stand for those who leave; nothing is imputed."""
    usual = {**gaps, **dict.fromkeys(_GAPS), "missing": "observed", "predictors": ()}
    for name, value in gaps.items():
        if value != usual[name]:
            allowed = "nothing with this method, which follows patients until they leave"
            raise refuse_argument("compare", name, value, allowed)


def _compared(cohort: Cohort, request: Request) -> Comparison:
    people = requested_population(cohort, request)
    if request.missing.how != "observed":
        weighs = request.missing.how == "censoring_weights"
        found = (fit_stayed if weighs else fit_imputed)(people, request)
        request = replace(request, variance=found.variance or request.variance)
        return comparison_of(cohort, found.prepared, found.fit, request, said=found.notes)
    prepared = prepare(people, request)
    return comparison_of(cohort, prepared, fit_prepared(prepared, request), request)
