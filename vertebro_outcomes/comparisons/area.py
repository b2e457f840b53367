"""Two treatments compared on a score over all days up to one: the area under the curve."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
import pandas as pd

from vertebro_outcomes.comparisons.assembly import visit_table
from vertebro_outcomes.comparisons.covariates import columns_of
from vertebro_outcomes.comparisons.fitting import fit_prepared
from vertebro_outcomes.comparisons.intercurrent import crossover_note
from vertebro_outcomes.comparisons.narrow_population import requested_population
from vertebro_outcomes.comparisons.preparation import Prepared, prepare
from vertebro_outcomes.comparisons.requests import checked_request
from vertebro_outcomes.comparisons.sample import died_without_score
from vertebro_outcomes.errors import refuse_argument
from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.contrasts.mmrm import combine_visits
from vertebro_outcomes.estimators.t_interval import t_quantile, t_tail
from vertebro_outcomes.estimators.two_arms import ContrastFit, TwoArms
from vertebro_outcomes.results.area import AreaUnderCurve
from vertebro_outcomes.tables.cohort import Cohort


def area_under_curve(
    cohort: Cohort,
    *,
    outcome: str,
    treatment: str,
    comparator: str,
    day: int,
    method: Literal["mmrm"] = "mmrm",
    covariates: Sequence[str] | str | None = None,
    variance: str | None = None,
    level: float = 0.95,
    window_days: tuple[int, int] | None = None,
) -> AreaUnderCurve:
    """Difference in a score from day 0 to `day`, averaged over the days by the trapezoid rule.

    The differences at the visits of a mixed model are added up with the weights of the trapezoid
    rule and their joint covariance; at day 0 the difference is zero, as patients are compared at
    equal baseline.

    Parameters
    ----------
    cohort : Cohort
    outcome : str
        An instrument of table scores, such as "pain_vas".
    treatment, comparator : str
        Names of `TREATMENTS`.
    day : int
        Last day of the area, at least 1.
    method : {"mmrm"}
        The model of the visits.
    covariates : sequence of str, or a formula, optional
        As in `compare`; the score at baseline if not given. It must be among them.
    variance : str, optional
        A word of `METHODS["mmrm"].variances`.
    level : float
        Of the interval, between 0 and 1.
    window_days : (int, int), optional
        First and last day whose score may stand for `day`.

    Returns
    -------
    AreaUnderCurve

    Raises
    ------
    InputError
        If an argument is unknown or the data do not determine the model.

    Reference
    ---------
    Matthews et al. (1990), BMJ 300:230-235, doi:10.1136/bmj.300.6719.230 (area as a summary);
    Kenward & Roger (1997), Biometrics 53:983-997, doi:10.2307/2533558 (degrees of freedom).

    Examples
    --------
    >>> from vertebro_outcomes import simulate_registry
    >>> cohort, _ = simulate_registry(n_patients=200, seed=1, scenario="randomised")
    >>> found = area_under_curve(
    ...     cohort, outcome="pain_vas", treatment="KP", comparator="NSM", day=90
    ... )
    >>> found.ci_low < found.estimate < found.ci_high
    True
    """
    wanted: object = method
    if wanted != "mmrm":
        raise refuse_argument("area_under_curve", "method", method, "mmrm")
    request = checked_request(
        cohort=cohort, outcome=outcome, treatment=treatment, comparator=comparator, day=day,
        method=method, covariates=covariates, variance=variance, level=level,
        window_days=window_days,
    )  # fmt: skip
    people = requested_population(cohort, request)
    prepared = prepare(people, request)
    if "baseline" not in columns_of(prepared.used.source):
        found, allowed = "no baseline", "baseline among them: the area starts at equal scores"
        raise refuse_argument("area_under_curve", "covariates", found, allowed)
    weights = trapezoid_weights(prepared.visit_days, day)

    def fit_area(data: TwoArms, *, variance: str) -> ContrastFit:
        return combine_visits(data, weights, variance=variance)

    fit = fit_prepared(prepared, replace(request, method=replace(request.method, fit=fit_area)))
    kept = prepared.flow.kept
    visits = visit_table(prepared, fit, level=level)
    assert visits is not None
    half = float(t_quantile(np.array(fit.df), level=level)) * fit.se
    notes = (
        f"Visits in the area: day {', '.join(str(d) for d in prepared.visit_days if d <= day)}.",
        crossover_note(cohort, people, kept, day=day),
        "Synthetic data: nothing follows for patients." if cohort.synthetic else "",
    )
    return AreaUnderCurve(
        outcome=outcome, label=request.instrument.label, unit=request.instrument.unit,
        treatment=treatment, comparator=comparator, day=int(day), method=method,
        variance=request.variance, level=level, estimate=fit.estimate, se=fit.se, df=fit.df,
        ci_low=fit.estimate - half, ci_high=fit.estimate + half,
        p_value=float(2 * t_tail(np.array(fit.df), np.array(abs(fit.estimate / fit.se)))),
        n_t=int((people.treated & kept).sum()), n_c=int((~people.treated & kept).sum()),
        visits=_weighted(visits, weights, day), attrition=prepared.flow.to_frame(),
        notes=tuple(note for note in notes if note), synthetic=cohort.synthetic,
        unseen=_unseen(prepared, weights, arms=(treatment, comparator)),
    )  # fmt: skip


def trapezoid_weights(days: Sequence[int], day: int) -> Floats:
    """Weight of each visit in the mean from day 0 to `day`; zero for later visits.

    Examples
    --------
    >>> trapezoid_weights((10, 30, 90), 30).tolist()
    [0.5, 0.3333333333333333, 0.0]
    """
    t = np.array([d for d in days if d <= day], dtype=float)
    steps = np.diff(np.r_[0.0, t])
    weights = np.zeros(len(days))
    weights[: len(t)] = (steps + np.r_[steps[1:], 0.0]) / 2.0 / day
    return weights


def _unseen(prepared: Prepared, weights: Floats, *, arms: tuple[str, str]) -> pd.DataFrame:
    """`arm n_unseen share_unseen share_se`: the weight of scores that living patients lack."""
    assert prepared.visits is not None
    people, kept = prepared.people, prepared.flow.kept
    gone = np.isnan(prepared.visits)
    for j, day in enumerate(prepared.visit_days):
        gone[:, j] &= ~died_without_score(people, ~gone[:, j], last_day=day)
    rows = []
    for arm, mine in zip(arms, (people.treated & kept, ~people.treated & kept), strict=True):
        own = gone[mine] @ weights
        rows.append(
            {
                "arm": arm,
                "n_unseen": int((own > 0).sum()),
                "share_unseen": float(own.mean()),
                "share_se": float(own.std() / np.sqrt(len(own))),
            }
        )
    return pd.DataFrame(rows)


def _weighted(visits: pd.DataFrame, weights: Floats, day: int) -> pd.DataFrame:
    shown = visits.assign(weight=weights)
    shown = shown.loc[shown["day"] <= day].reset_index(drop=True)
    return shown[["day", "weight", "n_t", "n_c", "estimate", "se", "ci_low", "ci_high"]]
