"""Time to relief that lasts, in two arms: death competes, and visits are when relief can be seen."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, Literal, get_args

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from vertebro_outcomes.comparisons.compare import ResponseName
from vertebro_outcomes.comparisons.design import METHOD_FOR, Design
from vertebro_outcomes.comparisons.intercurrent import crossover_note
from vertebro_outcomes.comparisons.narrow_population import narrow_population, needs_of
from vertebro_outcomes.comparisons.population import Population
from vertebro_outcomes.comparisons.relief_course import CENSORED, DIED, RELIEF, ReliefCourse, course
from vertebro_outcomes.comparisons.relief_weights import Weighted, weighted
from vertebro_outcomes.comparisons.requests import Request, checked_request
from vertebro_outcomes.comparisons.responses import RESPONSES
from vertebro_outcomes.comparisons.time_zero import immortal_time_note
from vertebro_outcomes.comparisons.tuning import Failed, is_number, is_whole
from vertebro_outcomes.errors import InputError, Problem, refuse_argument
from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints
from vertebro_outcomes.estimators.survival.aalen_johansen import (
    IncidenceCurve,
    fit_aalen_johansen,
)
from vertebro_outcomes.estimators.survival.group_tests import gray_test
from vertebro_outcomes.estimators.survival.rmst import RestrictedMean, fit_rmtl
from vertebro_outcomes.results.sustained_relief import SustainedRelief
from vertebro_outcomes.tables.cohort import Cohort

ReliefMethod = Literal[
    "unadjusted", "overlap_weighting", "ate_weighting", "att_weighting", "matching_weighting"
]
_NAME: Final = "sustained_relief"
_METHODS: Final = get_args(ReliefMethod)


def sustained_relief(
    cohort: Cohort,
    *,
    outcome: str | None = None,
    treatment: str | None = None,
    comparator: str | None = None,
    day: int | None = None,
    response: ResponseName = "better_30pct",
    days: Sequence[float] | None = None,
    method: ReliefMethod | None = None,
    covariates: Sequence[str] | str | None = None,
    later_visits: int = 0,
    level: float = 0.95,
    design: Design | None = None,
    failed: Failed = "withhold",
) -> SustainedRelief:
    """Time to the first visit from which relief holds at every later visit.

    Follow-up starts at day 0. Death before lasting relief is a competing event, not missing data: of
    a patient who died, no later relief can come. Who neither had lasting relief nor died is censored
    at the last visit with a score; so is who died after missing a visit of the schedule.

    Parameters
    ----------
    cohort : Cohort
    outcome : str
        An instrument of table scores, such as "pain_vas".
    treatment, comparator : str
        Names of `TREATMENTS`.
    day : int
        Horizon in days from day 0: of the main difference and of the mean days.
    response : {"better_30pct", "better_50pct", "at_most_3", "worthwhile"}
        What counts as relief, as in `compare`.
    days : sequence of numbers, optional
        Days of the differences; the visits of the schedule up to `day` if not given.
    method : {"unadjusted", "overlap_weighting", "ate_weighting", "att_weighting", "matching_weighting"}
        Propensity weights; unadjusted if not given, with a design the weights of its estimand.
    covariates : sequence of str, or a formula, optional
        For the propensity, as in `compare`.
    later_visits : int
        Visits after the first in relief that must confirm it; 0 or more. With 0, relief seen first
        at a patient's last visit counts.
    level : float
        Of the intervals, between 0 and 1.
    design : Design, optional
        The target trial, from day 0 on: outcome, arms, day, eligibility, estimand.
    failed : {"withhold", "show"}
        Whether estimates are shown although balance or weights fail their limits.

    Returns
    -------
    SustainedRelief

    Raises
    ------
    InputError
        If an argument is unknown, an arm is empty or not followed to `day`, nobody had relief, or the
        arms do not overlap.

    Reference
    ---------
    Aalen & Johansen (1978), Scand J Stat 5:141-150 (incidence with death competing); Andersen (2013),
    Stat Med 32:5278-5285, doi:10.1002/sim.5903 (mean days).

    Examples
    --------
    >>> from vertebro_outcomes import simulate_registry
    >>> cohort, _ = simulate_registry(n_patients=300, seed=1, scenario="randomised")
    >>> found = sustained_relief(
    ...     cohort, outcome="pain_vas", treatment="KP", comparator="NSM", day=90
    ... )
    >>> found.ci_low < found.estimate < found.ci_high
    True
    """
    asked = _asked(design, outcome=outcome, treatment=treatment, comparator=comparator, day=day)
    by_design = "unadjusted" if design is None else METHOD_FOR[design.estimand]
    how = by_design if method is None else method
    request = checked_request(
        cohort=cohort, **asked, method=how, covariates=covariates, variance=None, level=level,
        window_days=None, response=response, options={"failed": failed},
    )  # fmt: skip
    if how not in _METHODS:
        raise refuse_argument(_NAME, "method", how, ", ".join(_METHODS))
    if not is_whole(later_visits) or later_visits < 0:
        raise refuse_argument(_NAME, "later_visits", later_visits, "a whole number from 0")
    eligible = cohort if design is None else design.eligible(cohort)
    t, c = request.arms
    stop = design is not None and design.crossover == "hypothetical"
    needs = replace(needs_of(request), window=None, until_crossover=stop)
    people = narrow_population(eligible, outcome=request.outcome, arms=(t, c), needs=needs)
    followed = course(people, request, RESPONSES[response], later_visits=later_visits)
    use = weighted(people, followed, request)
    kept = followed.flow.kept
    time, cause = followed.time[kept], followed.cause[kept]
    treated = people.treated[kept]
    _refuse_short(time, treated, request.arms, request.day)
    at = _days(days, followed.visits, request.day)
    curves = {
        arm: _curve(time[rows], cause[rows], _part(use.w, rows))
        for arm, rows in ((t, treated), (c, ~treated))
    }
    contrasts = pd.concat(
        [
            _differences(curves[t], curves[c], at=at, level=level),
            _means(time, cause, treated, use.w, horizon=request.day, level=level),
        ],
        ignore_index=True,
    )
    if use.withheld:
        hidden = ["value_t", "value_c", "estimate", "se", "ci_low", "ci_high", "p_value"]
        contrasts[hidden] = np.nan
        curves = {}
    test = gray_test(time, cause, arm=treated.astype(np.int64)) if use.w is None else None
    return SustainedRelief(
        outcome=request.outcome, label=request.instrument.label, treatment=t, comparator=c,
        day=request.day, response=response, relief=RESPONSES[response].label, method=how,
        estimand=request.method.estimand, level=level, n_t=int(treated.sum()),
        n_c=int((~treated).sum()), covariates=use.terms, contrasts=contrasts, curves=curves,
        arms=_endings(followed, kept, treated, request.arms),
        gray_p_value=np.nan if test is None else test.p_value, balance=use.balance,
        diagnostics=use.diagnostics, attrition=followed.flow.to_frame(), withheld=use.withheld,
        notes=_notes(cohort, people, followed, use, request), synthetic=cohort.synthetic,
    )  # fmt: skip


def _asked(design: Design | None, **given: Any) -> dict[str, Any]:
    """Outcome, arms and day from the arguments or from the design, never from both."""
    if design is None:
        return given
    if not isinstance(design, Design):
        raise refuse_argument(_NAME, "design", type(design).__name__, "a vo.Design")
    if design.time_zero == "presentation":
        allowed = "a design from day 0; with presentation use compare(method='clone_censor_weight')"
        raise refuse_argument(_NAME, "design", "time_zero='presentation'", allowed)
    twice = [name for name, value in given.items() if value is not None]
    if twice:
        allowed = "nothing: the design says it"
        raise refuse_argument(_NAME, twice[0], given[twice[0]], allowed)
    return {name: getattr(design, name) for name in given}


def _days(days: Sequence[float] | None, visits: tuple[int, ...], last: int) -> Floats:
    if days is None:
        return np.array([*(d for d in visits if d < last), last], dtype=float)
    good = isinstance(days, list | tuple) and len(days) > 0 and all(is_number(d) for d in days)
    if not good or not all(0 < d <= last for d in days):
        raise refuse_argument(_NAME, "days", days, f"days above 0 and up to {last}")
    return np.array(sorted({*map(float, days), float(last)}))


def _refuse_short(time: Floats, treated: Bools, arms: tuple[str, str], day: int) -> None:
    problems = []
    for arm, mine in zip(arms, (treated, ~treated), strict=True):
        last = float(time[mine].max())
        if last < day:
            found = f"nobody is followed beyond day {last:g}"
            problems.append(Problem(f"arm {arm}", found, f"some patients followed to day {day}"))
    if problems:
        raise InputError(f"{_NAME}()", problems, "choose an earlier day")


def _curve(time: Floats, cause: Ints, w: Floats | None) -> IncidenceCurve:
    """Weighted or not, the numbers at risk are patients."""
    curve = fit_aalen_johansen(time, cause, weight=w)
    left = np.searchsorted(np.sort(time), curve.time, side="left")
    return replace(curve, n_at_risk=time.size - left.astype(float))


def _part(w: Floats | None, rows: Bools) -> Floats | None:
    return None if w is None else w[rows]


def _row(measure: str, day: float, t: Any, c: Any, *, level: float) -> dict[str, Any]:
    """`t` and `c` are (value, standard error) of the arms."""
    z = float(ndtri((1 + level) / 2))
    estimate, se = float(t[0] - c[0]), float(np.hypot(t[1], c[1]))
    if not se > 0:
        se = np.nan
    return {
        "measure": measure, "day": day, "value_t": float(t[0]), "value_c": float(c[0]),
        "estimate": estimate, "se": se, "ci_low": estimate - z * se, "ci_high": estimate + z * se,
        "p_value": float(2 * ndtr(-abs(estimate / se))),
    }  # fmt: skip


def _differences(t: IncidenceCurve, c: IncidenceCurve, *, at: Floats, level: float) -> pd.DataFrame:
    own = [np.column_stack(curve.at(at)[:2]) for curve in (t, c)]
    rows = [
        _row("incidence", day, own[0][j], own[1][j], level=level) for j, day in enumerate(at)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def _means(
    time: Floats, cause: Ints, treated: Bools, w: Floats | None, *, horizon: int, level: float
) -> pd.DataFrame:
    """Mean days in lasting relief, and mean days until it or death, up to the horizon."""

    def area(events: Ints, rows: Bools) -> RestrictedMean:
        return fit_rmtl(time[rows], events[rows], horizon=horizon, weight=_part(w, rows))

    either = (cause > CENSORED).astype(np.int64)
    relief = [area(cause, rows) for rows in (treated, ~treated)]
    lost = [area(either, rows) for rows in (treated, ~treated)]
    first = [(mean.estimate, mean.se) for mean in relief]
    second = [(horizon - mean.estimate, mean.se) for mean in lost]
    return pd.DataFrame(
        [
            _row("days_in_relief", horizon, *first, level=level),
            _row("days_without_relief", horizon, *second, level=level),
        ]
    )


def _endings(
    followed: ReliefCourse, kept: Bools, treated: Bools, arms: tuple[str, str]
) -> pd.DataFrame:
    cause, later = followed.cause[kept], followed.later[kept]
    gap, ever = followed.gap[kept], followed.ever[kept]
    rows = []
    for arm, mine in zip(arms, (treated, ~treated), strict=True):
        relief = mine & (cause == RELIEF)
        rows.append(
            {
                "arm": arm, "n": int(mine.sum()), "relief": int(relief.sum()),
                "confirmed_later": int((relief & (later > 0)).sum()),
                "relief_lost_again": int((mine & ever & (cause != RELIEF)).sum()),
                "died_without": int((mine & (cause == DIED)).sum()),
                "censored": int((mine & (cause == CENSORED)).sum()),
                "median_gap_days": float(np.median(gap[relief])) if relief.any() else np.nan,
            }
        )  # fmt: skip
    return pd.DataFrame(rows)


def _notes(
    cohort: Cohort, people: Population, followed: ReliefCourse, use: Weighted, request: Request
) -> tuple[str, ...]:
    kept = followed.flow.kept
    relief = followed.cause[kept] == RELIEF
    gap = float(np.median(followed.gap[kept][relief]))
    unconfirmed = int((followed.later[kept][relief] == 0).sum())
    said = (
        immortal_time_note(people, *request.arms),
        "Relief is seen at visits only: it began between the visit shown and the one before "
        f"(median {gap:.0f} days apart).",
        "Death before lasting relief is a competing event; nobody counts as censored by death, except "
        "after a missed visit.",
        f"{unconfirmed} of {int(relief.sum())} onsets are at a patient's last visit, so no later visit "
        "could confirm them."
        if unconfirmed
        else "",
        *use.notes,
        crossover_note(cohort, people, kept, day=request.day),
        "Synthetic data: nothing follows for patients." if cohort.synthetic else "",
    )
    return tuple(note for note in said if note)
