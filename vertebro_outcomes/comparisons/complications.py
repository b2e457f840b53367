"""How often complications happen, per patient, procedure or treated level."""

from typing import Any, Final, Literal, get_args

import numpy as np
import pandas as pd

from vertebro_outcomes.errors import InputError, Problem, list_some, refuse_argument
from vertebro_outcomes.estimators.rates.one_proportion import (
    clopper_pearson,
    clustered_proportion,
    jeffreys,
    rule_of_three,
    wilson,
)
from vertebro_outcomes.results.complication_rates import ComplicationRates
from vertebro_outcomes.tables.cohort import Cohort, Unit

RateInterval = Literal["wilson", "clopper_pearson", "jeffreys"]
INTERVALS: Final = {"wilson": wilson, "clopper_pearson": clopper_pearson, "jeffreys": jeffreys}
NOT_COMPLICATIONS: Final = ("death", "crossover")
_KEYS: Final = {
    "patients": ["patient_id"], "episodes": ["episode_id"], "levels": ["episode_id", "level"]
}  # fmt: skip
_NAME: Final = "complication_rates"


def complication_rates(
    cohort: Any,
    *,
    by: str = "treatment",
    unit: Unit = "patients",
    ci: RateInterval = "wilson",
    within_days: float | None = None,
    level: float = 0.95,
) -> ComplicationRates:
    """Share of patients (episodes, treated levels) with each complication, by group.

    Parameters
    ----------
    cohort : Cohort
        With table `events`; `death` and `crossover` are not counted as complications.
    by : str
        `treatment` or another column of patients or episodes.
    unit : {"patients", "episodes", "levels"}
        A unit with several events of a type counts once. Episodes and levels of one patient are
        correlated: with more units than patients the interval is cluster-robust by patient. Only
        events with a level count per level.
    ci : {"wilson", "clopper_pearson", "jeffreys"}
        Interval where units are independent.
    within_days : float, optional
        Count events from day 0 to this day; all, undated ones too, if not given.
    level : float
        Of the interval, between 0 and 1.

    Returns
    -------
    ComplicationRates
        `.to_frame()` has one row per group and type, `any` first.

    Raises
    ------
    InputError
        If an event lies before day 0, no event was recorded, or no level carries one.

    Reference
    ---------
    Wilson 1927, doi:10.1080/01621459.1927.10502953; Rao and Scott 1992, doi:10.2307/2532311;
    rule of three: Hanley and Lippman-Hand 1983, doi:10.1001/jama.1983.03330370053031.

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
    keys = _KEYS[unit]
    notes: list[str] = []
    units = _units(cohort, by, keys, unit, notes)
    events = _events(cohort, within_days, keys, notes)
    seen = events.merge(units[["episode_id"]].drop_duplicates(), on="episode_id")
    kinds = ["any", *sorted(seen["type"].unique())]
    episode_group = units[["episode_id", by]].drop_duplicates()
    seen = seen.merge(episode_group, on="episode_id")
    units = units.drop_duplicates([by, *keys])
    rows = []
    for kind in kinds:
        mine = seen if kind == "any" else seen.loc[seen["type"] == kind]
        flagged = units.merge(
            mine[[by, *keys]].drop_duplicates().assign(had=1.0), on=[by, *keys], how="left"
        )
        for group, part in flagged.groupby(by, sort=True):
            rows.append({by: group, "type": kind, **_rate(part, ci, level)})
    return ComplicationRates(by, unit, ci, level, pd.DataFrame(rows), tuple(notes))


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
        raise refuse_argument(_NAME, "by", by, list_some(allowed, most=40))
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
    cohort: Cohort, within_days: float | None, keys: list[str], notes: list[str]
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
    if within_days is not None:
        undated = events["day"].isna()
        if undated.any():
            notes.append(f"{undated.sum()} events without a day are not counted.")
        events = events.loc[(events["day"] <= within_days).fillna(False)]
    if "level" not in keys:
        return events[["patient_id", "episode_id", "type"]]
    placed = events["level"].notna()
    if not placed.any():
        problem = Problem("table events, column level", "no event carries a level", "T1 to L5")
        raise InputError(f"{_NAME}()", [problem], "count patients or episodes")
    if not placed.all():
        notes.append(f"{(~placed).sum()} events without a level are not counted.")
    return events.loc[placed, ["patient_id", "episode_id", "level", "type"]]
