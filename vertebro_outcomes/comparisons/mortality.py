"""Survival after treatment and comparator: curves, hazard ratio, mean days alive to a horizon."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
import pandas as pd

from vertebro_outcomes.comparisons.arm_weights import Adjust, check_adjust, with_weights
from vertebro_outcomes.comparisons.comparable import refuse_apart
from vertebro_outcomes.comparisons.follow_up import Followed, follow
from vertebro_outcomes.comparisons.hazard_models import (
    alike_of,
    all_known,
    check_arms,
    check_numbers,
    clusters_of,
    coefficient_rows,
    counted,
    covariate_columns,
    of_arms,
    refuse_unfitted,
)
from vertebro_outcomes.comparisons.population import Population
from vertebro_outcomes.comparisons.time_zero import immortal_time_note
from vertebro_outcomes.errors import InputError, Problem, refuse_argument
from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints
from vertebro_outcomes.estimators.survival.counting import count
from vertebro_outcomes.estimators.survival.cox import fit_cox
from vertebro_outcomes.estimators.survival.kaplan_meier import fit_kaplan_meier
from vertebro_outcomes.estimators.survival.rmst import RestrictedMean, fit_rmst, fit_rmtl
from vertebro_outcomes.results.mortality import Mortality

_NAME: Final = "mortality"
HORIZON_DAYS: Final = 365.0
# One early and one late cut: deaths within three months are often peri-procedural or due to the
# illness that led to treatment, those after a year are not (assumed; `periods_days` changes them).
PERIODS_DAYS: Final = (90.0, 365.0)
CLOCK: Final = ("day0", "treatment_day")  # what the note on immortal time looks at


def mortality(
    cohort: Any,
    *,
    treatment: str,
    comparator: str,
    covariates: Sequence[str] | None = None,
    adjust: Adjust = "none",
    cluster: str | None = None,
    horizon_days: float = HORIZON_DAYS,
    periods_days: Sequence[float] = PERIODS_DAYS,
    level: float = 0.95,
) -> Mortality:
    """Death from any cause: Kaplan-Meier, Cox and restricted mean survival time.

    When the hazard ratio is not constant (Grambsch and Therneau's test of the treatment, P < 0.05)
    the sentence of the result leads with the difference of mean days alive and the hazard ratios by
    period instead of the single hazard ratio.

    Parameters
    ----------
    cohort : Cohort
        With `death_day` and `followup_end_day`.
    treatment, comparator : str
        Two arms; effects are treatment over (or minus) comparator.
    covariates : sequence of str, optional
        Columns of patients or episodes: in the Cox models, or in the propensity of `adjust`.
    adjust : {"none", "overlap_weighting", "ate_weighting", "att_weighting"}
        Propensity weights from `covariates`, for curves, hazards and means alike.
    cluster : str, optional
        A column such as `site`: sandwich variance of the hazard ratios by it.
    horizon_days : float
        Of the restricted means, above 0 and within the follow-up of both arms.
    periods_days : sequence of float
        Days at which the hazard ratio may change; a period without a death in an arm joins its
        neighbour.
    level : float
        Of the intervals, between 0 and 1.

    Returns
    -------
    Mortality
        `.estimate` is the log hazard ratio; `.rmst` the means, `.periods` the ratios by period,
        `.proportional_hazards` the tests, `.immortal_time` a warning or empty.

    Raises
    ------
    InputError
        If an arm is empty or without death, or days contradict each other.

    Reference
    ---------
    Cox 1972, doi:10.1111/j.2517-6161.1972.tb00899.x; Grambsch and Therneau 1994,
    doi:10.1093/biomet/81.3.515; Royston and Parmar 2013, doi:10.1186/1471-2288-13-152.

    Examples
    --------
    >>> import vertebro_outcomes as vo
    >>> cohort, _ = vo.simulate_registry(n_patients=600, seed=1)
    >>> res = vo.mortality(cohort, treatment="KP", comparator="NSM", covariates=["age_years"])
    >>> res.rmst.columns[:2].tolist()
    ['measure', 'estimate']
    """
    check_arms(_NAME, treatment, comparator)
    check_numbers(_NAME, level=level, horizon=horizon_days, terms=covariates)
    check_adjust(_NAME, adjust, covariates)
    cuts = _cuts(periods_days)
    given = tuple(covariates or ())
    followed = follow(cohort, event="death", function=_NAME)
    people, notes = counted(_with_clock(followed, given), given, also=CLOCK, cluster=cluster)
    people = of_arms(people, treatment=treatment, comparator=comparator, function=_NAME)
    people, w = with_weights(
        people, covariates=given, adjust=adjust, function=_NAME, notes=notes,
        arm=(people["treatment"] == treatment).to_numpy(float),
    )  # fmt: skip
    z, terms = covariate_columns(people, given if adjust == "none" else (), _NAME)
    whole = all_known(people, z, notes)
    people = people.loc[whole].reset_index(drop=True)
    treated = (people["treatment"] == treatment).to_numpy(bool)
    refuse_apart(z[whole], terms, treated, _NAME)
    x = np.column_stack([treated.astype(float), z[whole]])
    time, died = people["days"].to_numpy(float), people["cause"].to_numpy() == 1
    alike = alike_of(people)
    _refuse_without_deaths(died, treated, (treatment, comparator))
    rows, periods, tests = _hazards(
        time, died, x=x, terms=(treatment, *terms), weight=w, level=level, cuts=cuts,
        cluster=clusters_of(people, cluster, _NAME), alike=alike,
    )  # fmt: skip
    means = _means(
        time, died, treated=treated, weight=w, horizon=horizon_days, level=level, alike=alike
    )
    note = _immortal(people, treated, treatment, comparator)
    first = rows.iloc[0]
    return Mortality(
        treatment=treatment, comparator=comparator, estimate=float(first["estimate"]),
        se=float(first["se"]), ci_low=float(first["ci_low"]), ci_high=float(first["ci_high"]),
        p_value=float(first["p_value"]), level=level, n_t=int(alike[treated].sum()),
        n_c=int(alike[~treated].sum()), deaths_t=int(alike[died & treated].sum()),
        deaths_c=int(alike[died & ~treated].sum()), covariates=given, adjust=adjust, coefficients=rows,
        proportional_hazards=tests, periods=periods, rmst=means, horizon_days=float(horizon_days),
        curves=_curves(time, died, treated=treated, weight=w, alike=alike,
                       arms=(treatment, comparator)),
        immortal_time=note, notes=(*notes, *([note] if note else [])),
        synthetic=cohort.synthetic,
    )  # fmt: skip


def _with_clock(followed: Followed, given: tuple[str, ...]) -> Followed:
    """Of the day of treatment only whether it lies after day 0, which leaves few patterns."""
    if "treatment_day" in given:
        return followed
    later = (followed.table.treatment_day > 0).cast("int64")
    return replace(followed, table=followed.table.mutate(treatment_day=later))


def _cuts(days: Sequence[float]) -> Floats:
    try:
        cuts = np.asarray(list(days), dtype=float)
    except (TypeError, ValueError):
        raise refuse_argument(_NAME, "periods_days", days, "increasing days above 0") from None
    if cuts.ndim != 1 or not np.all(np.diff(np.r_[0.0, cuts]) > 0) or not np.all(cuts < np.inf):
        raise refuse_argument(_NAME, "periods_days", days, "increasing days above 0")
    return cuts


def _refuse_without_deaths(died: Bools, treated: Bools, arms: tuple[str, str]) -> None:
    for arm, mine in zip(arms, (treated, ~treated), strict=True):
        if not mine.any():
            problem = Problem(f"arm {arm}", "no patient with every covariate", "at least one")
            raise InputError(f"{_NAME}()", [problem], "leave out the covariate that is blank")
        if not (died & mine).any():
            problem = Problem("death", f"none in arm {arm}", "at least one in each arm")
            step = "a hazard ratio has no finite value; use cumulative_incidence(event='death')"
            raise InputError(f"{_NAME}()", [problem], step)


def _hazards(
    time: Floats, died: Bools, *, x: Floats, terms: tuple[str, ...], weight: Floats | None,
    level: float, cuts: Floats, cluster: Ints | None, alike: Floats,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:  # fmt: skip
    plain = weight is None and cluster is None
    fit = fit_cox(
        time, died, x=x, weight=weight, cluster=cluster, test_proportional=True, alike=alike
    )
    refuse_unfitted(fit, terms, _NAME)
    rows = coefficient_rows(
        terms, fit.beta, np.sqrt(np.diag(fit.covariance if plain else fit.robust)), level
    )
    test = fit.proportional
    assert test is not None
    tests = pd.DataFrame(
        {"term": [*terms, "all"], "chi2": [*test.chi2, test.chi2_global],
         "df": [*[1] * len(terms), test.df], "p_value": [*test.p_value, test.p_global]}
    )  # fmt: skip
    cuts = _usable_cuts(time[died], x[died, 0] == 1, cuts)
    starts, k = np.r_[0.0, cuts], cuts.size + 1
    last = np.searchsorted(cuts, time, side="left")  # a day on the cut belongs to the period before
    patient = np.repeat(np.arange(time.size), last + 1)
    period = np.arange(patient.size) - np.repeat(np.r_[0, np.cumsum(last + 1)[:-1]], last + 1)
    final = period == last[patient]
    stop = np.where(final, time[patient], np.r_[cuts, np.inf][period])
    own = np.zeros((patient.size, k))
    own[np.arange(patient.size), period] = x[patient, 0]
    split = fit_cox(
        stop, died[patient] & final, x=np.column_stack([own, x[patient, 1:]]), entry=starts[period],
        weight=None if weight is None else weight[patient], alike=alike[patient], person=patient,
        cluster=None if cluster is None else cluster[patient],
    )  # fmt: skip
    se = np.sqrt(np.diag(split.covariance if plain else split.robust))[:k]
    names = [f"{a:g} to {b:g}" for a, b in zip(starts, np.r_[cuts, np.nan], strict=True)]
    names[-1] = f"after {starts[-1]:g}"
    periods = coefficient_rows(names, split.beta[:k], se, level).rename(columns={"term": "days"})
    return rows, periods, tests


def _usable_cuts(day: Floats, treated: Bools, cuts: Floats) -> Floats:
    """Cuts that leave deaths of both arms in every period."""
    kept: list[float] = []
    for cut in cuts:
        begin = kept[-1] if kept else 0.0
        inside, after = (day > begin) & (day <= cut), day > cut
        if all((inside & arm).any() and (after & arm).any() for arm in (treated, ~treated)):
            kept.append(float(cut))
    return np.array(kept)


def _means(
    time: Floats, died: Bools, *, treated: Bools, weight: Floats | None, horizon: float,
    level: float, alike: Floats,
) -> pd.DataFrame:  # fmt: skip
    reached = min(time[treated].max(), time[~treated].max())
    if horizon > reached:
        raise refuse_argument(_NAME, "horizon_days", horizon, f"at most {reached:g} days here")
    found = []
    for mine in (treated, ~treated):
        if weight is None:
            found.append(fit_rmst(time[mine], died[mine], horizon=horizon, alike=alike[mine]))
            continue
        lost = fit_rmtl(
            time[mine],
            died[mine].astype(np.int64),
            horizon=horizon,
            weight=weight[mine],
            alike=alike[mine],
        )
        found.append(RestrictedMean(horizon - lost.estimate, lost.se))
    t, c = found
    estimate = [t.estimate, c.estimate, t.estimate - c.estimate, np.log(t.estimate / c.estimate)]
    se = [t.se, c.se, np.hypot(t.se, c.se), np.hypot(t.se / t.estimate, c.se / c.estimate)]
    names = ("treatment", "comparator", "difference", "log ratio")
    rows = coefficient_rows(names, np.array(estimate), np.array(se), level)
    rows.loc[:1, "p_value"] = np.nan
    return rows.rename(columns={"term": "measure"})


def _curves(
    time: Floats, died: Bools, *, treated: Bools, weight: Floats | None, alike: Floats,
    arms: tuple[str, str],
) -> dict[str, Any]:  # fmt: skip
    how: Any = {} if weight is None else {"variance": "infinitesimal_jackknife"}
    found = {}
    for arm, mine in zip(arms, (treated, ~treated), strict=True):
        w = None if weight is None else weight[mine]
        curve = fit_kaplan_meier(time[mine], died[mine], weight=w, alike=alike[mine], **how)
        n = count(time[mine], died[mine].astype(np.int64), of=1, weight=alike[mine]).n_at_risk
        found[arm] = replace(curve, n_at_risk=n)
    return found


def _immortal(people: pd.DataFrame, treated: Bools, treatment: str, comparator: str) -> str:
    nothing = np.empty(0)
    as_population = Population(
        people, treated, nothing.astype(np.int64), nothing.astype(np.int64), nothing, (0, 0),
        frozenset(people.columns),
    )  # fmt: skip
    return immortal_time_note(as_population, treatment, comparator)
