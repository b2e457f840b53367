"""How often complications happen, per patient, procedure or treated level."""

from collections.abc import Iterator
from typing import Any, Final, Literal, get_args

import numpy as np
import pandas as pd

from vertebro_outcomes.comparisons.event_counts import (
    ANY,
    KEYS,
    NAME,
    OF_EVENTS,
    Counted,
    count_events,
)
from vertebro_outcomes.errors import refuse_argument
from vertebro_outcomes.estimators.rates.one_proportion import (
    clopper_pearson,
    exact_rate,
    jeffreys,
    proportion_of_totals,
    rule_of_three,
    wilson,
)
from vertebro_outcomes.results.complication_rates import ComplicationRates, Per
from vertebro_outcomes.tables.cohort import Cohort, Unit

RateInterval = Literal["wilson", "clopper_pearson", "jeffreys"]
INTERVALS: Final = {"wilson": wilson, "clopper_pearson": clopper_pearson, "jeffreys": jeffreys}
_NAME: Final = NAME
DAYS_PER_YEAR: Final = 365.25


def complication_rates(
    cohort: Any,
    *,
    by: str = "treatment",
    unit: Unit = "patients",
    ci: RateInterval = "wilson",
    within_days: float | None = None,
    per: Per = "unit",
    level: float = 0.95,
) -> ComplicationRates:
    """Share of patients (episodes, treated levels) with each complication, by group.

    Parameters
    ----------
    cohort : Cohort
        With table `events`; `death` and `crossover` are not counted as complications.
    by : str
        `treatment` or another column of patients or episodes, such as `site`. With `severity` or
        `detected_by` the events of each treatment are split by it; a unit counts once per severity
        and type, and the denominator stays all units of the treatment.
    unit : {"patients", "episodes", "levels"}
        A unit with several events of a type counts once. Episodes and levels of one patient are
        correlated: with more units than patients the interval is cluster-robust by patient. Only
        events with a level count per level.
    ci : {"wilson", "clopper_pearson", "jeffreys"}
        Interval where units are independent.
    within_days : float, optional
        Count events from day 0 to this day; all, undated ones too, if not given.
    per : {"unit", "person_years"}
        With "person_years" first events per year at risk, with exact Poisson limits (`ci` is not
        used): a unit is at risk from day 0 to its first event of the type, death, the end of
        follow-up or `within_days`. A patient with several episodes in a group counts with the one
        followed longest. Not for levels.
    level : float
        Of the interval, between 0 and 1.

    Returns
    -------
    ComplicationRates
        `.to_frame()` has one row per group and type, `any` first.

    Raises
    ------
    InputError
        If an event lies before day 0, no event was recorded, no level carries one, or nobody's
        follow-up time is known where rates are per year.

    Reference
    ---------
    Wilson 1927, doi:10.1080/01621459.1927.10502953; Rao and Scott 1992, doi:10.2307/2532311;
    rule of three: Hanley and Lippman-Hand 1983, doi:10.1001/jama.1983.03330370053031; rates:
    Garwood 1936, doi:10.1093/biomet/28.3-4.437.

    Examples
    --------
    >>> import pandas as pd, vertebro_outcomes as vo
    >>> ids = ["a", "b", "c", "d"]
    >>> cohort = vo.Cohort.from_frames(
    ...     patients=pd.DataFrame({"patient_id": ids}),
    ...     episodes=pd.DataFrame({"patient_id": ids, "treatment": ["VP", "VP", "KP", "KP"]}),
    ...     events=pd.DataFrame({"patient_id": ["a"], "type": ["cement_leakage"], "day": [0]}),
    ... )
    >>> vo.complication_rates(cohort).to_frame().rate.tolist()
    [0.0, 0.5, 0.0, 0.5]
    """
    _check(cohort, unit, ci, within_days, level)
    if per not in get_args(Per) or (per == "person_years" and unit == "levels"):
        raise refuse_argument(_NAME, "per", per, "unit; or person_years, of patients or episodes")
    split = by if by in OF_EVENTS else None
    counted = count_events(
        cohort, group="treatment" if split else by, unit=unit, split=split,
        within_days=within_days, timed=per == "person_years",
    )  # fmt: skip
    rows = _shares(counted, ci, level) if per == "unit" else _incidences(counted, level)
    return ComplicationRates(
        by, unit, ci, level, pd.DataFrame(rows), tuple(counted.notes), per=per,
        synthetic=cohort.synthetic,
    )  # fmt: skip


def _lines(counted: Counted) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """For each split and type: what its rows begin with, and what selects its events."""
    kinds = [ANY, *counted.types()]
    for value in counted.splits():
        own = {} if counted.split is None else {counted.split: value}
        for kind in kinds:
            yield own, {**own, "type": kind}


def _of(cells: pd.DataFrame, wanted: dict[str, Any]) -> pd.DataFrame:
    mine = np.ones(len(cells), dtype=bool)
    for column, value in wanted.items():
        mine &= (cells[column] == value).to_numpy(bool)
    return cells.loc[mine]


def _shares(counted: Counted, ci: RateInterval, level: float) -> list[dict[str, Any]]:
    sizes, cells = counted.shares()
    rows = []
    for own, wanted in _lines(counted):
        mine = _of(cells, wanted)
        for name, patients in sizes.groupby(counted.group, sort=True):
            had = mine.loc[mine[counted.group] == name]
            rows.append({counted.group: name, **own, "type": wanted["type"],
                         **_rate(patients, had, ci, level)})  # fmt: skip
    return rows


def _rate(patients: pd.DataFrame, had: pd.DataFrame, ci: RateInterval, level: float) -> Any:
    """Share of the units of `patients`; those not in `had` are without event."""
    hit = had.groupby("units")["alike"].sum()
    units, alike = patients["units"].to_numpy(float), patients["alike"].to_numpy(float)
    without = alike - patients["units"].map(hit).fillna(0).to_numpy(float)
    m = np.r_[had["units"].to_numpy(float), units]
    x = np.r_[had["had"].to_numpy(float), np.zeros(units.size)]
    k = np.r_[had["alike"].to_numpy(float), without]
    events, n, n_patients = float(x @ k), float(m @ k), float(k.sum())
    if n_patients < n:
        fit = proportion_of_totals(x, m, alike=k, level=level)
        low, high = fit.ci_low, fit.ci_high
    else:
        limits = INTERVALS[ci](np.array([events]), np.array([n]), level=level)
        low, high = float(limits[0][0]), float(limits[1][0])
    three = float(rule_of_three(np.array([n_patients]))[0]) if events == 0 else np.nan
    return {
        "n_events": int(events), "n": int(n), "rate": events / n, "ci_low": low, "ci_high": high,
        "upper_rule_of_three": three,
    }  # fmt: skip


def _incidences(counted: Counted, level: float) -> list[dict[str, Any]]:
    """First events per year at risk."""
    totals, cells = counted.exposures()
    totals = totals.sort_values(counted.group)
    rows = []
    for own, wanted in _lines(counted):
        mine = _of(cells, wanted)
        for name, n, days in totals[[counted.group, "n", "days"]].itertuples(index=False):
            had = mine.loc[mine[counted.group] == name]
            x, years = float(had["had"].sum()), (days - float(had["cut"].sum())) / DAYS_PER_YEAR
            low, high = np.nan, np.nan
            if years:
                limits = exact_rate(np.array([x]), np.array([years]), level=level)
                low, high = float(limits[0][0]), float(limits[1][0])
            rows.append({
                counted.group: name, **own, "type": wanted["type"], "n_events": int(x),
                "n": int(n), "person_years": years, "rate": x / years if years else np.nan,
                "ci_low": low, "ci_high": high,
                "upper_rule_of_three": 3 / years if x == 0 and years else np.nan,
            })  # fmt: skip
    return rows


def _check(cohort: Any, unit: Any, ci: Any, within_days: Any, level: Any) -> None:
    if not isinstance(cohort, Cohort):
        raise refuse_argument(_NAME, "cohort", type(cohort).__name__, "a Cohort (vo.load)")
    if unit not in KEYS:
        raise refuse_argument(_NAME, "unit", unit, ", ".join(KEYS))
    if ci not in INTERVALS:
        raise refuse_argument(_NAME, "ci", ci, ", ".join(get_args(RateInterval)))
    if within_days is not None and not (isinstance(within_days, int | float) and within_days >= 0):
        raise refuse_argument(_NAME, "within_days", within_days, "a number of days, 0 or later")
    if not isinstance(level, float) or not 0 < level < 1:
        raise refuse_argument(_NAME, "level", level, "a number between 0 and 1, such as 0.95")
