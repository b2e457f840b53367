"""How often complications happen, per patient, procedure or treated level."""

from typing import Any, Final, Literal, get_args

import numpy as np
import pandas as pd

from vertebro_outcomes.errors import InputError, Problem, list_some, refuse_argument
from vertebro_outcomes.estimators.rates.one_proportion import (
    clopper_pearson,
    clustered_proportion,
    exact_rate,
    jeffreys,
    rule_of_three,
    wilson,
)
from vertebro_outcomes.results.complication_rates import ComplicationRates, Per
from vertebro_outcomes.tables.cohort import Cohort, Unit

RateInterval = Literal["wilson", "clopper_pearson", "jeffreys"]
INTERVALS: Final = {"wilson": wilson, "clopper_pearson": clopper_pearson, "jeffreys": jeffreys}
NOT_COMPLICATIONS: Final = ("death", "crossover")
_KEYS: Final = {
    "patients": ["patient_id"], "episodes": ["episode_id"], "levels": ["episode_id", "level"]
}  # fmt: skip
_NAME: Final = "complication_rates"
# Columns of an event: they split the events, the units of each treatment stay the denominator.
OF_EVENTS: Final = ("severity", "detected_by")
NOT_RECORDED: Final = "not recorded"
DAYS_PER_YEAR: Final = 365.25
_ENDS: Final = ("followup_end_day", "death_day")


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
    keys, split = _KEYS[unit], by if by in OF_EVENTS else None
    group = "treatment" if split else by
    notes: list[str] = []
    units = _units(cohort, group, keys, unit, notes)
    if per == "person_years":
        units = _followed(cohort, units, keys=[group, *keys], within_days=within_days, notes=notes)
    events = _events(cohort, within_days, keys, notes, dated=per == "person_years")
    seen = events.merge(units[["episode_id", group]].drop_duplicates(), on="episode_id")
    units = units.drop_duplicates([group, *keys])
    rows = []
    for value, mine in _split(seen, split):
        own = {} if split is None else {split: value}
        for kind in ["any", *sorted(seen["type"].unique())]:
            flagged = _flagged(units, mine, kind, keys=[group, *keys])
            for name, part in flagged.groupby(group, sort=True):
                found = _rate(part, ci, level) if per == "unit" else _incidence(part, level)
                rows.append({group: name, **own, "type": kind, **found})
    return ComplicationRates(
        by, unit, ci, level, pd.DataFrame(rows), tuple(notes), per=per,
        synthetic=cohort.synthetic,
    )  # fmt: skip


def _split(seen: pd.DataFrame, split: str | None) -> list[tuple[str, pd.DataFrame]]:
    """The events of each value of a column of events; blanks are a group of their own."""
    if split is None:
        return [("", seen)]
    value = seen[split].astype(object).where(seen[split].notna(), NOT_RECORDED)
    return [(str(name), part) for name, part in seen.groupby(value, sort=True)]


def _flagged(units: pd.DataFrame, seen: pd.DataFrame, kind: str, *, keys: list[str]) -> Any:
    """Every unit, with the day of its first event of this kind."""
    mine = seen if kind == "any" else seen.loc[seen["type"] == kind]
    first = mine.sort_values("day").drop_duplicates(keys)[[*keys, "day"]].assign(had=1.0)
    return units.merge(first, on=keys, how="left")


def _incidence(part: pd.DataFrame, level: float) -> dict[str, Any]:
    """First events per year at risk."""
    had, day = part["had"].fillna(0.0).to_numpy(float), part["day"].to_numpy(float)
    end = part["end"].to_numpy(float)
    had = np.where(had * (day <= end) > 0, 1.0, 0.0)
    years = float(np.where(had > 0, day, end).sum()) / DAYS_PER_YEAR
    x = float(had.sum())
    if years == 0:
        low, high = np.nan, np.nan
    else:
        limits = exact_rate(np.array([x]), np.array([years]), level=level)
        low, high = float(limits[0][0]), float(limits[1][0])
    return {
        "n_events": int(x), "n": len(part), "person_years": years,
        "rate": x / years if years else np.nan, "ci_low": low, "ci_high": high,
        "upper_rule_of_three": 3 / years if x == 0 and years else np.nan,
    }  # fmt: skip


def _followed(
    cohort: Cohort, units: pd.DataFrame, *, keys: list[str], within_days: float | None,
    notes: list[str],
) -> pd.DataFrame:  # fmt: skip
    """Units with `end`, the last day at risk; one episode each."""
    episodes, patients = cohort.frame("episodes"), cohort.frame("patients")
    ends = episodes[["patient_id", "episode_id"]].merge(
        patients[["patient_id", *[c for c in _ENDS if c not in episodes and c in patients]]]
    ).merge(episodes[["episode_id", *[c for c in _ENDS if c in episodes]]])  # fmt: skip
    known = ends[[c for c in _ENDS if c in ends]].astype(float).min(axis=1)
    if within_days is not None:
        known = known.where(known.isna(), np.minimum(known, within_days))
    units = units.merge(ends[["episode_id"]].assign(end=known), on="episode_id")
    unknown = ~(units["end"] >= 0)
    if unknown.any():
        notes.append(f"{unknown.sum()} episodes whose follow-up time is unknown are left out.")
    units = units.loc[~unknown]
    if units.empty:
        problem = Problem("follow-up", "nobody's time at risk is known", " or ".join(_ENDS))
        raise InputError(f"{_NAME}()", [problem], "fill the end of follow-up, or use per='unit'")
    longest = units.sort_values("end", ascending=False, kind="stable").drop_duplicates(keys)
    if len(longest) < len(units):
        notes.append(f"{len(units) - len(longest)} further episodes of a patient do not count.")
    return longest


def _rate(part: pd.DataFrame, ci: RateInterval, level: float) -> dict[str, Any]:
    had = part["had"].fillna(0.0).to_numpy(float)
    x, n = had.sum(), float(had.size)
    patient = pd.factorize(part["patient_id"])[0]
    if patient.max() + 1 < had.size:
        fit = clustered_proportion(had, patient, level=level)
        low, high = fit.ci_low, fit.ci_high
    else:
        limits = INTERVALS[ci](np.array([x]), np.array([n]), level=level)
        low, high = float(limits[0][0]), float(limits[1][0])
    three = float(rule_of_three(np.array([patient.max() + 1.0]))[0]) if x == 0 else np.nan
    return {
        "n_events": int(x), "n": int(n), "rate": float(x / n), "ci_low": low, "ci_high": high,
        "upper_rule_of_three": three,
    }  # fmt: skip


def _check(cohort: Any, unit: Any, ci: Any, within_days: Any, level: Any) -> None:
    if not isinstance(cohort, Cohort):
        raise refuse_argument(_NAME, "cohort", type(cohort).__name__, "a Cohort (vo.load)")
    if unit not in _KEYS:
        raise refuse_argument(_NAME, "unit", unit, ", ".join(_KEYS))
    if ci not in INTERVALS:
        raise refuse_argument(_NAME, "ci", ci, ", ".join(get_args(RateInterval)))
    if within_days is not None and not (isinstance(within_days, int | float) and within_days >= 0):
        raise refuse_argument(_NAME, "within_days", within_days, "a number of days, 0 or later")
    if not isinstance(level, float) or not 0 < level < 1:
        raise refuse_argument(_NAME, "level", level, "a number between 0 and 1, such as 0.95")


def _units(cohort: Cohort, by: str, keys: list[str], unit: str, notes: list[str]) -> pd.DataFrame:
    patients, episodes = cohort.frame("patients"), cohort.frame("episodes")
    extra = [c for c in patients.columns if c == "patient_id" or c not in episodes.columns]
    people = episodes.merge(patients[extra], on="patient_id")
    allowed = [c for c in people.columns if c not in ("patient_id", "episode_id")]
    if by not in allowed:
        raise refuse_argument(_NAME, "by", by, list_some([*allowed, *OF_EVENTS], most=40))
    blank = people[by].isna()
    if blank.any():
        notes.append(f"{blank.sum()} episodes without {by} are left out.")
    people = people.loc[~blank, ["patient_id", "episode_id", by]]
    if unit == "levels":
        levels = cohort.frame("levels")
        levels = levels.loc[levels["treated"].fillna(True).astype(bool)]
        people = people.merge(levels[keys].drop_duplicates(), on="episode_id")
        notes.append("Intervals are cluster-robust by patient where patients have several levels.")
    if people.empty:
        problem = Problem(unit, "there are none to count", f"at least one with {by}")
        raise InputError(f"{_NAME}()", [problem], "fill the table or choose another unit")
    return people


def _events(
    cohort: Cohort, within_days: float | None, keys: list[str], notes: list[str], *, dated: bool
) -> pd.DataFrame:
    events = cohort.frame("events")
    events = events.loc[~events["type"].isin(NOT_COMPLICATIONS)]
    if events.empty:
        problem = Problem("table events", "no complication was recorded", "at least one event")
        step = "load the events; an empty table does not show that there were none"
        raise InputError(f"{_NAME}()", [problem], step)
    early = (events["day"] < 0).fillna(False)
    if early.any():
        problem = Problem("table events, column day", f"{early.sum()} before day 0", "0 or later")
        raise InputError(f"{_NAME}()", [problem], "correct these days in the source")
    if within_days is not None or dated:
        undated = events["day"].isna()
        if undated.any():
            notes.append(f"{undated.sum()} events without a day are not counted.")
        last = np.inf if within_days is None else within_days
        events = events.loc[(events["day"] <= last).fillna(False)]
    if "level" not in keys:
        return events[["patient_id", "episode_id", "type", "day", *OF_EVENTS]]
    placed = events["level"].notna()
    if not placed.any():
        problem = Problem("table events, column level", "no event carries a level", "T1 to L5")
        raise InputError(f"{_NAME}()", [problem], "count patients or episodes")
    if not placed.all():
        notes.append(f"{(~placed).sum()} events without a level are not counted.")
    return events.loc[placed, ["patient_id", "episode_id", "level", "type", "day", *OF_EVENTS]]
