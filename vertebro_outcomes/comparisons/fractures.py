"""New fractures after treatment and comparator, with death as competing event."""

from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from vertebro_outcomes.comparisons.arm_weights import Adjust, check_adjust, with_weights
from vertebro_outcomes.comparisons.comparable import refuse_apart
from vertebro_outcomes.comparisons.follow_up import EVENT, FRACTURES, follow
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
from vertebro_outcomes.comparisons.incidence import incidence_of
from vertebro_outcomes.errors import InputError, Problem, refuse_argument
from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints
from vertebro_outcomes.estimators.survival.cox import fit_cox
from vertebro_outcomes.estimators.survival.fine_gray import fit_fine_gray
from vertebro_outcomes.estimators.survival.group_tests import gray_test
from vertebro_outcomes.estimators.survival.rmst import fit_rmtl
from vertebro_outcomes.results.fracture_risk import FractureRisk

FractureMethod = Literal["fine_gray", "cox", "gray", "rmtl"]
FractureEvent = Literal["adjacent_fracture", "fracture", "symptomatic_fracture"]
MEASURE = {"fine_gray": "SHR", "cox": "HR", "gray": "", "rmtl": "RMTL"}
HORIZON_DAYS = 365.0
_NAME = "adjacent_fractures"


def adjacent_fractures(
    cohort: Any,
    *,
    treatment: str,
    comparator: str,
    method: FractureMethod = "fine_gray",
    covariates: Sequence[str] | None = None,
    adjust: Adjust = "none",
    cluster: str | None = None,
    event: FractureEvent = "adjacent_fracture",
    horizon_days: float = HORIZON_DAYS,
    level: float = 0.95,
) -> FractureRisk:
    """First new fracture next to a treated level: treatment against comparator, death competing.

    Parameters
    ----------
    cohort : Cohort
        With `fractures`, `death_day` and `followup_end_day`.
    treatment, comparator : str
        Two arms; the estimate is treatment over (or minus) comparator.
    method : {"fine_gray", "cox", "gray", "rmtl"}
        Subdistribution hazards with Fine and Gray's variance (as `cmprsk::crr`), cause-specific Cox
        with Efron ties (as `survival::coxph`), Gray's test, or difference of restricted mean time
        lost to the fracture.
    covariates : sequence of str, optional
        Columns of patients or episodes to adjust for: in the model (fine_gray and cox), or in the
        propensity of `adjust`. Patients with a blank are left out and counted in the notes.
    adjust : {"none", "overlap_weighting", "ate_weighting", "att_weighting"}
        Propensity weights from `covariates`, with sandwich variances; Gray's test becomes the
        robust test of the weighted Fine-Gray model of the arms.
    cluster : str, optional
        A column such as `site`: variances allow for dependence within it (not for Gray's test).
    event : {"adjacent_fracture", "fracture", "symptomatic_fracture"}
        Which new fractures count.
    horizon_days : float
        For rmtl, above 0 and within the follow-up of both arms.
    level : float
        Of the interval, between 0 and 1.

    Returns
    -------
    FractureRisk
        `.estimate` is the log hazard ratio (days for rmtl).

    Raises
    ------
    InputError
        If an arm is empty or without fracture where a hazard ratio has no finite value, or days
        contradict each other.

    Reference
    ---------
    Fine and Gray 1999, doi:10.1080/01621459.1999.10474144; Cox 1972,
    doi:10.1111/j.2517-6161.1972.tb00899.x; Gray 1988, doi:10.1214/aos/1176350951; Conner and
    Trinquart 2021, doi:10.1002/sim.8896.

    Examples
    --------
    >>> import pandas as pd, vertebro_outcomes as vo
    >>> ids = [f"p{i}" for i in range(8)]
    >>> cohort = vo.Cohort.from_frames(
    ...     patients=pd.DataFrame({"patient_id": ids}),
    ...     episodes=pd.DataFrame(
    ...         {"patient_id": ids, "treatment": ["KP", "VP"] * 4, "followup_end_day": 365}
    ...     ),
    ...     fractures=pd.DataFrame(
    ...         {"patient_id": ["p0", "p1", "p3"], "day": [90, 40, 60], "adjacent": True}
    ...     ),
    ... )
    >>> bool(vo.adjacent_fractures(cohort, treatment="KP", comparator="VP").estimate < 0)
    True
    """
    _check(method=method, event=event, covariates=covariates, adjust=adjust, cluster=cluster)
    check_arms(_NAME, treatment, comparator)
    check_numbers(_NAME, level=level, horizon=horizon_days, terms=covariates)
    given = tuple(covariates or ())
    followed = follow(cohort, event=event, function=_NAME)
    people, notes = counted(followed, given, cluster=cluster)
    people = of_arms(people, treatment=treatment, comparator=comparator, function=_NAME)
    people, w = with_weights(
        people, covariates=given, adjust=adjust, function=_NAME, notes=notes,
        arm=(people["treatment"] == treatment).to_numpy(float),
    )  # fmt: skip
    z, terms = covariate_columns(people, given if adjust == "none" else (), _NAME)
    whole = all_known(people, z, notes)
    people, z = people.loc[whole].reset_index(drop=True), z[whole]
    treated = (people["treatment"] == treatment).to_numpy(bool)
    n, events = alike_of(people), alike_of(people) * (people["cause"] == EVENT).to_numpy()
    counts = [int(events[treated].sum()), int(events[~treated].sum())]
    _refuse_without_events(counts, (treatment, comparator), event, method)
    refuse_apart(z, terms, treated, _NAME)
    x = np.column_stack([treated.astype(float), z])
    by = clusters_of(people, cluster, _NAME)
    rows, ph = _estimates(
        people, x, terms=(treatment, *terms), method=method, horizon=horizon_days, level=level,
        weight=w, cluster=by,
    )  # fmt: skip
    first = rows.iloc[0]
    incidence = incidence_of(
        people, event=event, by="treatment", level=level, weight=w, cluster=by,
        synthetic=cohort.synthetic,
    )  # fmt: skip
    return FractureRisk(
        treatment=treatment, comparator=comparator, event=event, method=method,
        measure=MEASURE[method], estimate=float(first["estimate"]), se=float(first["se"]),
        ci_low=float(first["ci_low"]), ci_high=float(first["ci_high"]),
        p_value=float(first["p_value"]), level=level, n_t=int(n[treated].sum()),
        n_c=int(n[~treated].sum()), events_t=counts[0], events_c=counts[1],
        covariates=given, coefficients=rows, incidence=incidence, adjust=adjust,
        proportional_hazards_p_value=ph, notes=tuple(notes), synthetic=cohort.synthetic,
    )  # fmt: skip


def _check(*, method: Any, event: Any, covariates: Any, adjust: Any, cluster: Any) -> None:
    if method not in MEASURE:
        raise refuse_argument(_NAME, "method", method, ", ".join(get_args(FractureMethod)))
    if event not in FRACTURES:
        raise refuse_argument(_NAME, "event", event, ", ".join(FRACTURES))
    check_adjust(_NAME, adjust, covariates)
    if covariates and adjust == "none" and method in ("gray", "rmtl"):
        allowed = f"none with method {method!r}, unless adjust names weights"
        raise refuse_argument(_NAME, "covariates", list(covariates), allowed)
    if cluster is not None and method == "gray" and adjust == "none":
        raise refuse_argument(_NAME, "cluster", cluster, "none with method 'gray'")


def _refuse_without_events(
    counts: list[int], arms: tuple[str, str], event: str, method: str
) -> None:
    words = event.replace("_", " ")
    if sum(counts) == 0:
        problem = Problem(words, "no patient of these arms had one", "at least one in each arm")
        raise InputError(
            f"{_NAME}()", [problem], "count another event, or report the rule of three"
        )
    if 0 in counts and method in ("fine_gray", "cox"):
        arm = arms[counts.index(0)]
        problem = Problem(words, f"none in arm {arm}", "at least one in each arm")
        step = "a hazard ratio has no finite value here; use method='gray' or 'rmtl'"
        raise InputError(f"{_NAME}()", [problem], step)


def _estimates(
    people: pd.DataFrame, x: Floats, *, terms: tuple[str, ...], method: str, horizon: float,
    level: float, weight: Floats | None, cluster: Ints | None,
) -> tuple[pd.DataFrame, float]:  # fmt: skip
    time = people["days"].to_numpy(float)
    cause = people["cause"].to_numpy(np.int64)
    alike = alike_of(people)
    treated = x[:, 0] == 1
    nan = float("nan")
    if method == "gray" and weight is None:
        p = gray_test(time, cause, arm=treated.astype(np.int64), alike=alike).p_value
        undefined = np.array([nan])
        return coefficient_rows(terms[:1], undefined, undefined, level).assign(p_value=p), nan
    if method == "rmtl":
        lost = _days_lost(
            time,
            cause,
            treated=treated,
            horizon=horizon,
            weight=weight,
            cluster=cluster,
            alike=alike,
        )
        return coefficient_rows(terms[:1], np.array(lost[:1]), np.array(lost[1:]), level), nan
    if method == "cox":
        fit = fit_cox(time, cause == EVENT, x=x, weight=weight, cluster=cluster,
                      test_proportional=True, alike=alike)  # fmt: skip
        plain = weight is None and cluster is None
        covariance = fit.covariance if plain else fit.robust
    else:
        fit = fit_fine_gray(time, cause, x=x, weight=weight, cluster=cluster, alike=alike)
        covariance = fit.robust
    refuse_unfitted(fit, terms, _NAME)
    ph = nan if fit.proportional is None else float(fit.proportional.p_value[0])
    rows = coefficient_rows(terms, fit.beta, np.sqrt(np.diag(covariance)), level)
    if method == "gray":
        rows.loc[:, ["estimate", "se", "ci_low", "ci_high"]] = nan
    return rows, ph


def _days_lost(
    time: Floats, cause: Ints, *, treated: Bools, horizon: float, weight: Floats | None,
    cluster: Ints | None, alike: Floats,
) -> list[float]:  # fmt: skip
    """Difference of mean days lost, and its standard error."""
    reached = min(time[treated].max(), time[~treated].max())
    if horizon > reached:
        raise refuse_argument(_NAME, "horizon_days", horizon, f"at most {reached:g} days here")
    found = [
        fit_rmtl(
            time[mine], cause[mine], horizon=horizon, weight=None if weight is None else weight[mine],
            cluster=None if cluster is None else cluster[mine], alike=alike[mine],
        )
        for mine in (treated, ~treated)
    ]  # fmt: skip
    return [found[0].estimate - found[1].estimate, float(np.hypot(found[0].se, found[1].se))]
