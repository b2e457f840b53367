"""Cumulative incidence of fractures, complications and death, by arm."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, get_args

import numpy as np
import pandas as pd

from vertebro_outcomes.comparisons.arm_weights import Adjust, check_adjust, with_weights
from vertebro_outcomes.comparisons.follow_up import EVENT, Followed, follow
from vertebro_outcomes.comparisons.hazard_models import (
    alike_of,
    check_numbers,
    clusters_of,
    counted,
)
from vertebro_outcomes.errors import InputError, Problem, refuse_argument
from vertebro_outcomes.estimators.arrays import Floats, Ints
from vertebro_outcomes.estimators.survival.aalen_johansen import (
    IncidenceVariance,
    Transform,
    fit_aalen_johansen,
)
from vertebro_outcomes.estimators.survival.counting import count
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
    covariates: Sequence[str] | None = None,
    adjust: Adjust = "none",
    cluster: str | None = None,
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
    covariates : sequence of str, optional
        What the weights of `adjust` balance.
    adjust : {"none", "overlap_weighting", "ate_weighting", "att_weighting"}
        Propensity weights with sandwich variances; overlap and ATE for any number of arms, ATT for
        two (the later word of the alphabet counts as treated; of VP, KP and VAI against NSM it is
        never NSM).
    cluster : str, optional
        A column such as `site`: variances allow for dependence within it.

    Returns
    -------
    CumulativeIncidence
        `.at([30, 365])` is a DataFrame; `.differences("KP", "NSM")` the risk differences.

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
    for name, value, words in (
        ("variance", variance, get_args(IncidenceVariance)),
        ("transform", transform, get_args(Transform)),
    ):
        if value not in words:
            raise refuse_argument(_NAME, name, value, ", ".join(words))
    check_numbers(_NAME, level=level, terms=covariates)
    check_adjust(_NAME, adjust, covariates)
    followed = follow(cohort, event=event, function=_NAME)
    _check_arm(followed, by)
    people, notes = counted(followed, tuple(covariates or ()), also=(by,), cluster=cluster)
    people = _with_arm(people, by, notes)
    if not (people["cause"] == EVENT).any():
        problem = Problem(f"event {event}", "no patient had it", "at least one event")
        raise InputError(f"{_NAME}()", [problem], "choose an event that happened in this cohort")
    people, w = with_weights(
        people, covariates=tuple(covariates or ()), adjust=adjust, function=_NAME, notes=notes,
        arm=_numbered(people[by]),
    )  # fmt: skip
    by_cluster = clusters_of(people, cluster, _NAME)
    if by_cluster is not None:
        notes.append("Differences between arms count the arms as independent of each other.")
    if variance == "aalen" and (w is not None or by_cluster is not None):
        allowed = "infinitesimal_jackknife with weights or clusters"
        raise refuse_argument(_NAME, "variance", variance, allowed)
    return incidence_of(
        people, event=event, by=by, variance=variance, transform=transform, level=level,
        notes=notes, weight=w, cluster=by_cluster, synthetic=cohort.synthetic,
    )  # fmt: skip


def _numbered(arm: pd.Series) -> Floats:
    """Arms from 0; NSM and SHAM come first, so that they are the untreated."""
    names = sorted(arm.unique(), key=lambda name: (name not in ("NSM", "SHAM"), name))
    return np.asarray(arm.map({name: place for place, name in enumerate(names)}), dtype=float)


def incidence_of(
    people: pd.DataFrame,
    *,
    event: str,
    by: str,
    variance: IncidenceVariance = "infinitesimal_jackknife",
    transform: Transform = "log",
    level: float = 0.95,
    notes: Sequence[str] = (),
    weight: Floats | None = None,
    cluster: Ints | None = None,
    synthetic: bool = False,
) -> CumulativeIncidence:
    """Curves of patients already followed (`days`, `cause`), one per value of `by`."""
    curves = {}
    for arm, rows in people.groupby(by, sort=True).indices.items():
        time = people["days"].to_numpy(float)[rows]
        cause = people["cause"].to_numpy(np.int64)[rows]
        alike = alike_of(people)[rows]
        w = None if weight is None else weight[rows]
        curve = fit_aalen_johansen(
            time, cause, weight=w, variance=variance,
            cluster=None if cluster is None else cluster[rows], alike=alike,
        )  # fmt: skip
        curves[str(arm)] = replace(
            curve, n_at_risk=count(time, cause, of=1, weight=alike).n_at_risk
        )
    p = _gray(people, by) if weight is None else float("nan")
    return CumulativeIncidence(
        event, by, curves, _endings(people, by), level, transform, p, tuple(notes),
        weighted=weight is not None, synthetic=synthetic,
    )  # fmt: skip


def _check_arm(followed: Followed, by: str) -> None:
    if by not in followed.columns or by in ("patient_id", "episode_id", "days", "cause"):
        allowed = "treatment, site, sex or another column of patients or episodes"
        raise refuse_argument(_NAME, "by", by, allowed)


def _with_arm(people: pd.DataFrame, by: str, notes: list[str]) -> pd.DataFrame:
    blank = people[by].isna()
    if blank.any():
        n = alike_of(people)[blank.to_numpy(bool)].sum()
        notes.append(f"{n:.0f} patients without {by} are left out.")
    return people.loc[~blank].assign(**{by: people[by].astype(str)})


def _endings(people: pd.DataFrame, by: str) -> pd.DataFrame:
    n = pd.Series(alike_of(people), index=people.index)
    table = n.groupby([people[by], people["cause"]]).sum().unstack(fill_value=0.0)
    table = table.reindex(columns=[1, 2, 0], fill_value=0.0).astype(np.int64)
    table.columns = pd.Index(["events", "competing_deaths", "censored"])
    return table.assign(n=table.sum(axis=1)).reset_index()


def _gray(people: pd.DataFrame, by: str) -> float:
    if people[by].nunique() < 2:
        return float("nan")
    arm = pd.factorize(people[by], sort=True)[0]
    test = gray_test(
        people["days"].to_numpy(float), people["cause"].to_numpy(np.int64), arm=arm,
        alike=alike_of(people),
    )  # fmt: skip
    return test.p_value
