"""New fractures after treatment and comparator, with death as competing event."""

from collections.abc import Sequence
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from scipy.special import ndtr, ndtri

from vertebro_outcomes.comparisons.follow_up import EVENT, FRACTURES, follow_patients
from vertebro_outcomes.comparisons.incidence import incidence_of
from vertebro_outcomes.errors import InputError, Problem, list_some, refuse_argument
from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.survival.cox import HazardFit, fit_cox
from vertebro_outcomes.estimators.survival.fine_gray import fit_fine_gray
from vertebro_outcomes.estimators.survival.group_tests import gray_test
from vertebro_outcomes.estimators.survival.rmst import fit_rmtl
from vertebro_outcomes.results.fracture_risk import FractureRisk
from vertebro_outcomes.vocabulary import TREATMENTS

FractureMethod = Literal["fine_gray", "cox", "gray", "rmtl"]
FractureEvent = Literal["adjacent_fracture", "fracture", "symptomatic_fracture"]
MEASURE = {"fine_gray": "SHR", "cox": "HR", "gray": "", "rmtl": "RMTL"}
NOT_COVARIATES = ("patient_id", "episode_id", "treatment", "death_day", "followup_end_day")
HORIZON_DAYS = 365.0
_NAME = "adjacent_fractures"


def adjacent_fractures(
    cohort: Any,
    *,
    treatment: str,
    comparator: str,
    method: FractureMethod = "fine_gray",
    covariates: Sequence[str] | None = None,
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
        Columns of patients or episodes to adjust for (fine_gray and cox). Patients with a blank
        are left out and counted in the notes.
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
    _check(
        treatment=treatment, comparator=comparator, method=method, event=event,
        horizon=horizon_days, level=level, terms=covariates,
    )  # fmt: skip
    people, notes = follow_patients(cohort, event=event, function=_NAME)
    people = people.loc[people["treatment"].isin([treatment, comparator])].reset_index(drop=True)
    for arm in (treatment, comparator):
        if not (people["treatment"] == arm).any():
            seen = ", ".join(sorted(cohort.frame("episodes")["treatment"].dropna().unique()))
            raise refuse_argument(_NAME, "treatment or comparator", arm, seen or "no arm at all")
    z, terms = _columns(people, tuple(covariates or ()))
    whole = ~np.isnan(z).any(axis=1)
    if not whole.all():
        notes.append(f"{(~whole).sum()} patients with a blank covariate are left out.")
    people, z = people.loc[whole].reset_index(drop=True), z[whole]
    treated = (people["treatment"] == treatment).to_numpy()
    event_seen = (people["cause"] == EVENT).to_numpy()
    counts = [int((event_seen & treated).sum()), int((event_seen & ~treated).sum())]
    _refuse_without_events(counts, (treatment, comparator), event, method)
    x = np.column_stack([treated.astype(float), z])
    rows, ph = _estimates(
        people, x, terms=(treatment, *terms), method=method, horizon=horizon_days, level=level
    )
    first = rows.iloc[0]
    return FractureRisk(
        treatment=treatment, comparator=comparator, event=event, method=method,
        measure=MEASURE[method], estimate=float(first["estimate"]), se=float(first["se"]),
        ci_low=float(first["ci_low"]), ci_high=float(first["ci_high"]),
        p_value=float(first["p_value"]), level=level, n_t=int(treated.sum()),
        n_c=int((~treated).sum()), events_t=counts[0], events_c=counts[1],
        covariates=tuple(covariates or ()), coefficients=rows,
        incidence=incidence_of(people, event=event, by="treatment", level=level),
        proportional_hazards_p_value=ph, notes=tuple(notes),
    )  # fmt: skip


def _check(
    *, treatment: Any, comparator: Any, method: Any, event: Any, horizon: Any, level: Any, terms: Any
) -> None:  # fmt: skip
    arms = ", ".join(TREATMENTS)
    if treatment not in TREATMENTS:
        raise refuse_argument(_NAME, "treatment", treatment, arms)
    if comparator not in TREATMENTS or comparator == treatment:
        raise refuse_argument(_NAME, "comparator", comparator, f"another arm among {arms}")
    if method not in MEASURE:
        raise refuse_argument(_NAME, "method", method, ", ".join(get_args(FractureMethod)))
    if event not in FRACTURES:
        raise refuse_argument(_NAME, "event", event, ", ".join(FRACTURES))
    if not isinstance(horizon, int | float) or not 0 < horizon < np.inf:
        raise refuse_argument(_NAME, "horizon_days", horizon, "days above 0")
    if not isinstance(level, float) or not 0 < level < 1:
        raise refuse_argument(_NAME, "level", level, "a number between 0 and 1, such as 0.95")
    if isinstance(terms, str):
        raise refuse_argument(_NAME, "covariates", terms, f"a list such as [{terms!r}]")
    if terms and method in ("gray", "rmtl"):
        raise refuse_argument(_NAME, "covariates", list(terms), f"none with method {method!r}")


def _columns(people: pd.DataFrame, covariates: tuple[str, ...]) -> tuple[Floats, list[str]]:
    allowed = [c for c in people.columns if c not in (*NOT_COVARIATES, "days", "cause")]
    blocks, terms = [np.empty((len(people), 0))], []
    for name in covariates:
        if name not in allowed:
            raise refuse_argument(_NAME, "covariates", name, list_some(allowed, most=30))
        values = people[name]
        if pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
            blocks.append(values.astype("Float64").to_numpy(float, na_value=np.nan)[:, None])
            terms.append(name)
            continue
        for word in sorted(values.dropna().unique())[1:]:
            column = np.where(values.isna(), np.nan, (values == word).fillna(False).astype(float))
            blocks.append(column[:, None])
            terms.append(f"{name}: {word}")
    return np.column_stack(blocks), terms


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
    level: float,
) -> tuple[pd.DataFrame, float]:  # fmt: skip
    time = people["days"].to_numpy(float)
    cause = people["cause"].to_numpy(np.int64)
    treated = x[:, 0] == 1
    nan = float("nan")
    if method == "gray":
        p = gray_test(time, cause, arm=treated.astype(np.int64)).p_value
        return _rows(terms[:1], np.array([nan]), np.array([nan]), level).assign(p_value=p), nan
    if method == "rmtl":
        reached = min(time[treated].max(), time[~treated].max())
        if horizon > reached:
            raise refuse_argument(_NAME, "horizon_days", horizon, f"at most {reached:g} days here")
        t = fit_rmtl(time[treated], cause[treated], horizon=horizon)
        c = fit_rmtl(time[~treated], cause[~treated], horizon=horizon)
        difference = np.array([t.estimate - c.estimate])
        return _rows(terms[:1], difference, np.array([np.hypot(t.se, c.se)]), level), nan
    if method == "cox":
        fit = fit_cox(time, cause == EVENT, x=x, test_proportional=True)
        covariance = fit.covariance
    else:
        fit = fit_fine_gray(time, cause, x=x)
        covariance = fit.robust
    _refuse_unfitted(fit, terms)
    ph = nan if fit.proportional is None else float(fit.proportional.p_value[0])
    return _rows(terms, fit.beta, np.sqrt(np.diag(covariance)), level), ph


def _refuse_unfitted(fit: HazardFit, terms: tuple[str, ...]) -> None:
    if fit.converged:
        return
    found = f"the likelihood of {', '.join(terms)} has no finite maximum in these patients"
    problem = Problem("argument covariates", found, "covariates that vary and do not repeat others")
    raise InputError(f"{_NAME}()", [problem], "leave out a covariate or join rare categories")


def _rows(terms: Sequence[str], estimate: Floats, se: Floats, level: float) -> pd.DataFrame:
    z = float(ndtri((1 + level) / 2))
    return pd.DataFrame(
        {"term": list(terms), "estimate": estimate, "se": se, "ci_low": estimate - z * se,
         "ci_high": estimate + z * se, "p_value": 2 * ndtr(-np.abs(estimate / se))}
    )  # fmt: skip
