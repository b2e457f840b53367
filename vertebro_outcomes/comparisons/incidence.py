"""Cumulative incidence of fractures, complications and death, by arm."""

from collections.abc import Sequence
from typing import Any, get_args

import numpy as np
import pandas as pd

from vertebro_outcomes.comparisons.follow_up import EVENT, follow_patients
from vertebro_outcomes.errors import InputError, Problem, refuse_argument
from vertebro_outcomes.estimators.survival.aalen_johansen import (
    IncidenceVariance,
    Transform,
    fit_aalen_johansen,
)
from vertebro_outcomes.estimators.survival.group_tests import gray_test
from vertebro_outcomes.results.cumulative_incidence import CumulativeIncidence

_NAME = "cumulative_incidence"


def cumulative_incidence(
    cohort: Any,
    *,
    event: str = "fracture",
    by: str = "treatment",
    variance: IncidenceVariance = "infinitesimal_jackknife",
    transform: Transform = "log",
    level: float = 0.95,
) -> CumulativeIncidence:
    """Share of patients who had an event by each day, death competing (Aalen-Johansen).

    Parameters
    ----------
    cohort : Cohort
        Follow-up runs from day 0 to the first event, `patients.death_day` or
        `episodes.followup_end_day`.
    event : str
        `fracture`, `adjacent_fracture`, `symptomatic_fracture` (table fractures), or an event type
        such as `cement_leakage`; `death` has no competing event.
    by : str
        `treatment` or another column of patients or episodes.
    variance : {"infinitesimal_jackknife", "aalen"}
        As R's `survfit` with several states, or as `cmprsk::cuminc`.
    transform : {"log", "log-log", "plain"}
        Scale of the interval.
    level : float
        Of the interval, between 0 and 1.

    Returns
    -------
    CumulativeIncidence
        `.at([30, 365])` is a DataFrame.

    Raises
    ------
    InputError
        If nobody had the event, or days contradict each other.

    Reference
    ---------
    Aalen and Johansen 1978, Scand J Stat 5:141-150; Gray 1988, doi:10.1214/aos/1176350951.

    Examples
    --------
    >>> import pandas as pd, vertebro_outcomes as vo
    >>> ids = ["a", "b", "c", "d"]
    >>> cohort = vo.Cohort.from_frames(
    ...     patients=pd.DataFrame({"patient_id": ids}),
    ...     episodes=pd.DataFrame(
    ...         {"patient_id": ids, "treatment": "KP", "followup_end_day": [300, 365, 365, 365]}
    ...     ),
    ...     fractures=pd.DataFrame({"patient_id": ["b"], "day": [100]}),
    ... )
    >>> vo.cumulative_incidence(cohort).at([120]).estimate.tolist()
    [0.25]
    """
    for name, value, allowed in (
        ("variance", variance, get_args(IncidenceVariance)),
        ("transform", transform, get_args(Transform)),
    ):
        if value not in allowed:
            raise refuse_argument(_NAME, name, value, ", ".join(allowed))
    given: object = level
    if not isinstance(given, float) or not 0 < given < 1:
        raise refuse_argument(_NAME, "level", level, "a number between 0 and 1, such as 0.95")
    people, notes = follow_patients(cohort, event=event, function=_NAME)
    people = _with_arm(people, by, notes)
    if not (people["cause"] == EVENT).any():
        problem = Problem(f"event {event}", "no patient had it", "at least one event")
        raise InputError(f"{_NAME}()", [problem], "choose an event that happened in this cohort")
    return incidence_of(
        people, event=event, by=by, variance=variance, transform=transform, level=level, notes=notes
    )


def incidence_of(
    people: pd.DataFrame,
    *,
    event: str,
    by: str,
    variance: IncidenceVariance = "infinitesimal_jackknife",
    transform: Transform = "log",
    level: float = 0.95,
    notes: Sequence[str] = (),
) -> CumulativeIncidence:
    """Curves of patients already followed (`days`, `cause`), one per value of `by`."""
    curves = {}
    for arm, rows in people.groupby(by, sort=True):
        curves[str(arm)] = fit_aalen_johansen(
            rows["days"].to_numpy(float), rows["cause"].to_numpy(np.int64), variance=variance
        )
    return CumulativeIncidence(
        event, by, curves, _endings(people, by), level, transform, _gray(people, by), tuple(notes)
    )


def _with_arm(people: pd.DataFrame, by: str, notes: list[str]) -> pd.DataFrame:
    if by not in people.columns or by in ("patient_id", "episode_id", "days", "cause"):
        allowed = "treatment, site, sex or another column of patients or episodes"
        raise refuse_argument(_NAME, "by", by, allowed)
    blank = people[by].isna()
    if blank.any():
        notes.append(f"{blank.sum()} patients without {by} are left out.")
    return people.loc[~blank].assign(**{by: people[by].astype(str)})


def _endings(people: pd.DataFrame, by: str) -> pd.DataFrame:
    table = pd.crosstab(people[by], people["cause"]).reindex(columns=[1, 2, 0], fill_value=0)
    table.columns = pd.Index(["events", "competing_deaths", "censored"])
    return table.assign(n=table.sum(axis=1)).reset_index()


def _gray(people: pd.DataFrame, by: str) -> float:
    if people[by].nunique() < 2:
        return float("nan")
    arm = pd.factorize(people[by], sort=True)[0]
    test = gray_test(people["days"].to_numpy(float), people["cause"].to_numpy(np.int64), arm=arm)
    return test.p_value
