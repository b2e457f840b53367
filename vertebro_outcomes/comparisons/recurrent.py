"""All new fractures of a patient, not only the first: mean number and ratio of rates."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd

from vertebro_outcomes.comparisons.arm_weights import Adjust, check_adjust, with_weights
from vertebro_outcomes.comparisons.comparable import refuse_apart
from vertebro_outcomes.comparisons.driver_budget import MOST_ROWS, refuse_beyond
from vertebro_outcomes.comparisons.follow_up import FRACTURES, follow
from vertebro_outcomes.comparisons.hazard_models import (
    all_known,
    check_arms,
    check_columns,
    check_numbers,
    clusters_of,
    coefficient_rows,
    covariate_columns,
    of_arms,
    refuse_unfitted,
)
from vertebro_outcomes.errors import InputError, Problem, refuse_argument
from vertebro_outcomes.estimators.arrays import Floats, Ints
from vertebro_outcomes.estimators.survival.recurrent import fit_mean_count, fit_rate_ratio
from vertebro_outcomes.results.recurrent_fractures import RecurrentFractures
from vertebro_outcomes.tables.engine import count, hand_back

_NAME: Final = "recurrent_fractures"


def recurrent_fractures(
    cohort: Any,
    *,
    treatment: str,
    comparator: str,
    covariates: Sequence[str] | None = None,
    adjust: Adjust = "none",
    cluster: str | None = None,
    event: str = "fracture",
    level: float = 0.95,
) -> RecurrentFractures:
    """All new fractures: mean cumulative count with death as the end, and ratio of rates (LWYY).

    Parameters
    ----------
    cohort : Cohort
        With `fractures`, `death_day` and `followup_end_day`; fractures of one day are one event.
    treatment, comparator : str
        Two arms; the estimate is the log ratio of rates, treatment over comparator.
    covariates : sequence of str, optional
        Columns of patients or episodes: in the model of the rates, or in the propensity of `adjust`.
    adjust : {"none", "overlap_weighting", "ate_weighting", "att_weighting"}
        Propensity weights from `covariates`.
    cluster : str, optional
        A column such as `site`; without it variances are by patient.
    event : {"fracture", "adjacent_fracture", "symptomatic_fracture"}
        Which new fractures count.
    level : float
        Of the intervals, between 0 and 1.

    Returns
    -------
    RecurrentFractures
        `.at([365])` has the mean number per patient by arm.

    Raises
    ------
    InputError
        If an arm is empty or without fracture, or days contradict each other.

    Reference
    ---------
    Ghosh and Lin 2000, doi:10.1111/j.0006-341X.2000.00554.x; Lin, Wei, Yang and Ying 2000,
    doi:10.1111/1467-9868.00259.

    Examples
    --------
    >>> import vertebro_outcomes as vo
    >>> cohort, _ = vo.simulate_registry(n_patients=800, seed=1)
    >>> res = vo.recurrent_fractures(cohort, treatment="KP", comparator="NSM")
    >>> res.at([365]).columns.tolist()[:3]
    ['treatment', 'day', 'estimate']
    """
    check_arms(_NAME, treatment, comparator)
    check_numbers(_NAME, level=level, terms=covariates)
    check_adjust(_NAME, adjust, covariates)
    if event not in FRACTURES:
        raise refuse_argument(_NAME, "event", event, ", ".join(FRACTURES))
    follow(cohort, event=event, function=_NAME).counted(())  # refuses impossible days of the event
    followed, given = follow(cohort, event="death", function=_NAME), tuple(covariates or ())
    check_columns(followed, given, cluster)
    own = (*given, *(() if cluster is None else (cluster,)))
    people, notes = followed.rows(("treatment", "episode_id", *own))
    people = of_arms(people, treatment=treatment, comparator=comparator, function=_NAME)
    people, w = with_weights(
        people, covariates=given, adjust=adjust, function=_NAME, notes=notes,
        arm=(people["treatment"] == treatment).to_numpy(float),
    )  # fmt: skip
    z, terms = covariate_columns(people, given if adjust == "none" else (), _NAME)
    whole = all_known(people, z, notes)
    people = people.loc[whole].reset_index(drop=True)
    treated = (people["treatment"] == treatment).to_numpy(bool)
    who, day = _events(cohort, people, event, notes)
    for arm, mine in ((treatment, treated), (comparator, ~treated)):
        if not mine[who].any():
            problem = Problem(
                event.replace("_", " "), f"none in arm {arm}", "at least one in each arm"
            )
            raise InputError(f"{_NAME}()", [problem], "count another event")
    end, by = people["days"].to_numpy(float), clusters_of(people, cluster, _NAME)
    refuse_apart(z[whole], terms, treated, _NAME)
    x = np.column_stack([treated.astype(float), z[whole]])
    names = (treatment, *terms)
    fit = fit_rate_ratio(end, event_patient=who, event_day=day, x=x, weight=w, cluster=by)
    refuse_unfitted(fit, names, _NAME)
    rows = coefficient_rows(names, fit.beta, np.sqrt(np.diag(fit.robust)), level)
    died = (people["cause"] == 1).to_numpy(bool)
    curves = {}
    for arm, mine in ((treatment, treated), (comparator, ~treated)):
        inside = mine[who]
        number = np.cumsum(mine) - 1
        curves[arm] = fit_mean_count(
            end[mine], died[mine], event_patient=number[who[inside]], event_day=day[inside],
            weight=None if w is None else w[mine], cluster=None if by is None else by[mine],
        )  # fmt: skip
    first = rows.iloc[0]
    return RecurrentFractures(
        treatment=treatment, comparator=comparator, event=event, estimate=float(first["estimate"]),
        se=float(first["se"]), ci_low=float(first["ci_low"]), ci_high=float(first["ci_high"]),
        p_value=float(first["p_value"]), level=level, n_t=int(treated.sum()),
        n_c=int((~treated).sum()), events_t=int(treated[who].sum()),
        events_c=int((~treated[who]).sum()), covariates=given, adjust=adjust, coefficients=rows,
        curves=curves, notes=tuple(notes), synthetic=cohort.synthetic,
    )  # fmt: skip


def _events(
    cohort: Any, people: pd.DataFrame, event: str, notes: list[str]
) -> tuple[Ints, Floats]:  # fmt: skip
    """Patient and day of every event within follow-up, several of one day as one."""
    rows = cohort.fractures
    if event in FRACTURES[1:]:
        rows = rows.filter(rows[event.removesuffix("_fracture")].fill_null(False))
    rows = rows.filter(rows.day.notnull())  # noqa: PD004
    by_day = rows.group_by(["episode_id", "day"]).aggregate(n=rows.count())
    n = count(by_day)
    refuse_beyond(n, MOST_ROWS, where="table fractures", what="rows", function=_NAME)
    found = by_day.order_by(["episode_id", "day"]).to_pyarrow()
    hand_back(cohort.fractures)
    who = pd.Index(people["episode_id"]).get_indexer(found["episode_id"].to_pandas())
    ours = who >= 0
    who, day = who[ours].astype(np.int64), found["day"].to_numpy()[ours].astype(float)
    further = int((found["n"].to_numpy()[ours] - 1).sum())
    if further:
        notes.append(f"{further} further fractures of one day count with the first.")
    inside = day <= people["days"].to_numpy(float)[who]
    return who[inside], day[inside]
