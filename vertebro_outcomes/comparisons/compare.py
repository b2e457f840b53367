"""Two treatments compared on a score at one day."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from vertebro_outcomes.comparisons.covariates import Covariates
from vertebro_outcomes.comparisons.design import Design, immortal_time_note
from vertebro_outcomes.comparisons.fitting import fit_prepared
from vertebro_outcomes.comparisons.judgement import (
    balance_table,
    diagnostics_table,
    failure_sentence,
    imbalance_sentence,
)
from vertebro_outcomes.comparisons.population import Population, crossover_note, population
from vertebro_outcomes.comparisons.preparation import Prepared, prepare
from vertebro_outcomes.comparisons.requests import Request, checked_request
from vertebro_outcomes.comparisons.sample import without_constant_columns
from vertebro_outcomes.estimators.t_interval import t_quantile, t_tail
from vertebro_outcomes.estimators.two_arms import ContrastFit
from vertebro_outcomes.outcomes import OUTCOMES
from vertebro_outcomes.results.comparison import Comparison
from vertebro_outcomes.tables.cohort import Cohort
from vertebro_outcomes.tables.event_types import INSTRUMENTS

ResponseName = Literal["better_30pct", "better_50pct", "at_most_3", "worthwhile"]

MethodName = Literal[
    "unadjusted",
    "ancova",
    "mmrm",
    "clda",
    "overlap_weighting",
    "ate_weighting",
    "att_weighting",
    "matching",
    "aipw",
    "g_computation",
]


def compare(
    cohort: Cohort,
    *,
    outcome: str,
    treatment: str,
    comparator: str,
    day: int,
    method: MethodName,
    covariates: Sequence[str] | None = None,
    seed: int = 1,  # noqa: ARG001 -- every method here is deterministic
    variance: str | None = None,
    level: float = 0.95,
    window_days: tuple[int, int] | None = None,
    n_ratio: int = 1,
    response: ResponseName | None = None,
) -> Comparison:
    """Difference in a score, treatment minus comparator, at one day after day 0.

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
        A name of `METHODS` with kind "continuous".
    covariates : sequence of str, optional
        "baseline" (last score at or before day 0), columns of patients or episodes, or
        "rcs(age_years, 4)" for a restricted cubic spline with 3 to 7 knots. By default "baseline" for
        ancova and mmrm, and every declared confounder that is at least 80 % complete for the methods
        that use a propensity or g-computation.
    seed : int
        For methods with random parts; those here have none.
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
        is a risk difference (0 to 1). Not for mmrm and clda.

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
    request = checked_request(
        cohort=cohort, outcome=outcome, treatment=treatment, comparator=comparator, day=day,
        method=method, covariates=covariates, variance=variance, level=level,
        window_days=window_days, n_ratio=n_ratio, response=response,
    )  # fmt: skip
    people = population(cohort, outcome=outcome, treatment=treatment, comparator=comparator)
    prepared = prepare(people, request)
    fit = fit_prepared(prepared, request)
    return _result(cohort, prepared, fit, request)


def _result(cohort: Cohort, prepared: Prepared, fit: ContrastFit, request: Request) -> Comparison:
    kept, people = prepared.flow.kept, prepared.people
    treated = people.treated[kept]
    half = float(t_quantile(np.array(fit.df), level=request.level)) * fit.se
    limits = fit.estimate - half, fit.estimate + half
    shown = without_constant_columns(
        Covariates(prepared.shown.x[kept], prepared.shown.names, prepared.shown.source),
        np.ones(int(kept.sum()), dtype=bool),
    )
    weighted = fit.weights is not None and fit.propensity is not None
    terms = tuple(dict.fromkeys(prepared.used.source))
    balance = balance_table(shown, treated, fit.weights if weighted else None, terms)
    diagnostics = diagnostics_table(
        fit, balance, treated=treated, y=prepared.y[kept], limits=limits
    )
    design = Design(
        outcome=request.outcome, treatment=request.arms[0], comparator=request.arms[1],
        day=request.day, window_days=request.window, estimand=request.method.estimand,
        eligibility=tuple(cohort.attrition["step"].iloc[1:]), day0=_day0(people),
    )  # fmt: skip
    matched = fit.quantities.get("n_treated_matched")
    used = (
        np.ones(len(treated), dtype=bool)
        if matched is None or fit.weights is None
        else fit.weights > 0
    )
    instrument = INSTRUMENTS[request.outcome]
    unit = OUTCOMES[request.outcome].unit if request.outcome in OUTCOMES else "points"
    label = instrument.meaning
    if request.response is not None:
        unit, label = "", f"{label}, {request.response.label}"
    notes = _notes(cohort, prepared, fit, request, balance=balance, diagnostics=diagnostics)
    return Comparison(
        outcome=request.outcome, label=label, unit=unit,
        treatment=request.arms[0], comparator=request.arms[1], day=request.day,
        window_days=request.window, method=request.method.name, variance=request.variance,
        estimand=request.method.estimand, level=request.level,
        estimate=fit.estimate, se=fit.se, df=fit.df, ci_low=limits[0], ci_high=limits[1],
        p_value=_p_value(fit), n_t=int((treated & used).sum()), n_c=int((~treated & used).sum()),
        covariates=terms, balance=balance, diagnostics=diagnostics,
        attrition=prepared.flow.to_frame(), protocol=design.to_frame(),
        measure="MD" if request.response is None else "RD",
        by_visit=visit_table(prepared, fit, level=request.level),
        notes=notes,
    )  # fmt: skip


def _notes(
    cohort: Cohort,
    prepared: Prepared,
    fit: ContrastFit,
    request: Request,
    *,
    balance: pd.DataFrame,
    diagnostics: pd.DataFrame,
) -> tuple[str, ...]:
    """What a reader must not miss, the gravest first."""
    people, kept = prepared.people, prepared.flow.kept
    weighted = fit.weights is not None and fit.propensity is not None
    other = diagnostics[~diagnostics["diagnostic"].str.startswith("largest_smd")]
    said = (
        immortal_time_note(people, *request.arms),
        imbalance_sentence(balance, weighted=weighted, adjusts=request.method.adjusts),
        failure_sentence(other),
        *_remarks(prepared, fit, request),
        crossover_note(cohort, people, kept, day=request.day),
        "Synthetic data: nothing follows for patients." if cohort.synthetic else "",
    )
    return tuple(note for note in said if note)


def visit_table(prepared: Prepared, fit: ContrastFit, *, level: float) -> pd.DataFrame | None:
    """`day n_t n_c mean_t mean_c estimate se ci_low ci_high`, one line per visit of a model."""
    visits, found = prepared.visits, fit.by_visit
    if visits is None or found is None:
        return None
    seen = ~np.isnan(visits[prepared.flow.kept])
    treated = prepared.people.treated[prepared.flow.kept]
    half = t_quantile(found.df, level=level) * found.se
    return pd.DataFrame(
        {
            "day": list(prepared.visit_days),
            "n_t": seen[treated].sum(axis=0),
            "n_c": seen[~treated].sum(axis=0),
            "mean_t": found.mean_t,
            "mean_c": found.mean_c,
            "se_mean_t": found.se_mean_t,
            "se_mean_c": found.se_mean_c,
            "estimate": found.estimate,
            "se": found.se,
            "ci_low": found.estimate - half,
            "ci_high": found.estimate + half,
        }
    )


def _p_value(fit: ContrastFit) -> float:
    return float(2.0 * t_tail(np.array(fit.df), np.array(abs(fit.estimate / fit.se))))


def _day0(people: Population) -> tuple[str, ...]:
    found: Any = people.frame["day0"].dropna().unique() if "day0" in people.frame else ()
    return tuple(sorted(str(word) for word in found))


def _remarks(prepared: Prepared, fit: ContrastFit, request: Request) -> list[str]:
    """What else a reader should know."""
    notes = []
    if prepared.sparse and request.chosen is None and request.method.adjusts != "none":
        notes.append(f"Not adjusted for, too often blank: {', '.join(prepared.sparse)}.")
    if prepared.visit_days:
        notes.append(f"Visits in the model: day {', '.join(str(d) for d in prepared.visit_days)}.")
    partners = fit.quantities.get("n_comparators_used")
    if partners is not None and request.variance == "replacement":
        notes.append(
            f"Matched with replacement: {partners:.0f} patients of {request.arms[1]} serve "
            f"{fit.quantities['n_treated_matched']:.0f} of {request.arms[0]}."
        )
    left = fit.quantities.get("n_treated_unmatched", 0)
    if left:
        notes.append(
            f"{left:.0f} patients of {request.arms[0]} found no partner within the caliper."
        )
    return notes
