"""From a cohort to patients followed up: arm, days, and how follow-up ended.

The engine that holds the tables joins and counts. What reaches Python is one row per pattern of
the columns asked for, day and ending (`count_patients`), or one row per patient (`follow_patients`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from vertebro_outcomes.comparisons.driver_budget import MOST_ROWS, refuse_beyond
from vertebro_outcomes.errors import InputError, Problem, list_some, refuse_argument
from vertebro_outcomes.tables.cohort import Cohort
from vertebro_outcomes.tables.cohort_tables import EPISODES, PATIENTS
from vertebro_outcomes.tables.engine import count, hand_back
from vertebro_outcomes.tables.event_types import EVENT_TYPES
from vertebro_outcomes.tables.typed_frames import to_pandas

if TYPE_CHECKING:
    import ibis.expr.types as ir

FRACTURES: Final = ("fracture", "adjacent_fracture", "symptomatic_fracture")
CENSORED, EVENT, COMPETING = 0, 1, 2
NEXT: Final = "correct these days in the source, or leave the patients out with cohort.keep"
ALIKE: Final = "n_alike"  # patients that a row stands for
_EARLY_DEATH, _EARLY_END, _EARLY_EVENT, _DAY0_EVENT, _UNKNOWN, _UNFOLLOWED = 1, 2, 4, 8, 16, 32
_STATE: Final = "_state"


@dataclass(frozen=True)
class Followed:
    """Patients with their first episode as a table of the engine, `days` and `cause` added.

    `cause` is 0 censored, 1 event, 2 death; `columns` are those of patients and episodes.
    """

    table: "ir.Table"
    columns: tuple[str, ...]
    event: str
    function: str
    notes: tuple[str, ...]

    def counted(self, names: Sequence[str]) -> tuple[pd.DataFrame, list[str]]:
        """One row per pattern of `names`, days and cause, `n_alike` patients each; and notes."""
        keys = [*dict.fromkeys(names), "days", "cause", _STATE]
        grouped = self.table.group_by(keys).aggregate(**{ALIKE: self.table.count()})
        frame = self._checked(grouped.order_by(keys).limit(MOST_ROWS + 1))
        if len(frame) > MOST_ROWS:
            told = ", ".join(name.lstrip("_") for name in names)
            found = f"more than {MOST_ROWS:,} patterns of {told} and days"
            problem = Problem("argument covariates", found, "columns with few different values")
            step = "round measurements in the source (age in years), or name fewer columns"
            raise InputError(f"{self.function}()", [problem], step)
        return self._known(frame)

    def rows(self, names: Sequence[str] | None = None) -> tuple[pd.DataFrame, list[str]]:
        """One row per patient in the order of patient_id, with `names` or every column; and notes."""
        n = count(self.table)
        refuse_beyond(n, MOST_ROWS, where="cohort", what="patients", function=self.function)
        table = self.table.order_by("patient_id")
        if names is not None:
            table = table.select(*dict.fromkeys(names), "days", "cause", _STATE)
        frame = self._checked(table)
        found, notes = self._known(frame.assign(**{ALIKE: 1.0}))
        return found.drop(columns=ALIKE), notes

    def _checked(self, table: "ir.Table") -> pd.DataFrame:
        found = table.to_pyarrow()
        hand_back(self.table)
        frame = to_pandas(found, PATIENTS, EPISODES)
        return frame.assign(days=_number(frame["days"]), cause=frame["cause"].to_numpy(np.int64))

    def _known(self, frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
        """Without those whose end is unknown; impossible days are refused."""
        state, n = frame[_STATE].to_numpy(np.int64), frame[ALIKE].to_numpy(float)

        def patients(flag: int) -> int:
            return int(n[state & flag > 0].sum())

        _refuse_impossible({flag: patients(flag) for flag in (1, 2, 4, 8)}, self)
        notes, unknown = list(self.notes), patients(_UNKNOWN)
        if unknown == n.sum():
            found = "neither followup_end_day nor death_day is known for any patient"
            problem = Problem("cohort", found, "the end of follow-up of each patient")
            raise InputError(f"{self.function}()", [problem], "fill episodes.followup_end_day")
        if unknown:
            notes.append(f"{unknown} patients without known end of follow-up are left out.")
        if unknown + patients(_UNFOLLOWED) == n.sum():
            found = "nobody was followed beyond day 0"
            problem = Problem("episodes.followup_end_day", found, "a day after day 0")
            raise InputError(f"{self.function}()", [problem], NEXT)
        if patients(_UNFOLLOWED):
            notes.append(
                f"{patients(_UNFOLLOWED)} patients were not followed beyond day 0; they add no time."
            )
        kept = frame.loc[state & _UNKNOWN == 0].drop(columns=_STATE).reset_index(drop=True)
        return kept.astype({ALIKE: float}), notes


def follow(cohort: Any, *, event: str, function: str) -> Followed:
    """Day 0 is day 0 of the first episode. Follow-up ends with the first event, death, or
    `followup_end_day`; an event on the day of death or of the end counts as an event.
    """
    if not isinstance(cohort, Cohort):
        raise refuse_argument(function, "cohort", type(cohort).__name__, "a Cohort (vo.load)")
    allowed = (*FRACTURES, *EVENT_TYPES)
    if event not in allowed:
        raise refuse_argument(function, "event", event, list_some(allowed, most=60))
    people, notes = first_episodes(cohort)
    columns = tuple(people.columns)
    rows, said = _happened(cohort, event, function)
    first = rows.group_by("episode_id").aggregate(_event_day=rows.day.min())
    joined = people.left_join(first, "episode_id", rname="{name}_event")
    table = _with_endings(joined.select(*columns, "_event_day"), event)
    return Followed(table, columns, event, function, (*notes, *said))


def follow_patients(cohort: Any, *, event: str, function: str) -> tuple[pd.DataFrame, list[str]]:
    """One row per patient with `days` and `cause` (0 censored, 1 event, 2 death), and notes."""
    return follow(cohort, event=event, function=function).rows()


def first_episodes(cohort: Cohort) -> tuple["ir.Table", list[str]]:
    """Patients joined to their first episode (by its identifier), and notes."""
    import ibis

    patients, episodes, notes = cohort.patients, cohort.episodes, list[str]()
    counted = episodes.aggregate(n=episodes.count(), own=episodes.patient_id.nunique()).to_pyarrow()
    n, own = counted["n"][0].as_py(), counted["own"][0].as_py()
    if own < n:
        notes.append(f"Of several episodes of a patient the first is used ({own} patients).")
        place = ibis.row_number().over(group_by="patient_id", order_by="episode_id")
        ranked = episodes.mutate(_place=place)
        episodes = ranked.filter(ranked["_place"] == 0).drop("_place")
    extra = [c for c in episodes.columns if c not in patients.columns]
    joined = patients.inner_join(episodes.select("patient_id", *extra), "patient_id")
    return joined.select(*patients.columns, *extra), notes


def fractures_of(cohort: Cohort, event: str, function: str) -> tuple["ir.Table", list[str]]:
    """New fractures of a kind of `FRACTURES`, and notes on those not known to be of it.

    Raises
    ------
    InputError
        If no fracture says whether it is of this kind.
    """
    rows, notes = cohort.fractures, list[str]()
    if event in FRACTURES[1:]:
        column = event.removesuffix("_fracture")
        counted = rows.aggregate(n=rows.count(), told=rows[column].count()).to_pyarrow()
        n, blank = counted["n"][0].as_py(), counted["n"][0].as_py() - counted["told"][0].as_py()
        if n and blank == n:
            found = f"no fracture says whether it is {column}"
            problem = Problem("table fractures", found, f"true or false in column {column}")
            raise InputError(f"{function}()", [problem], f"fill {column}, or levels of treatment")
        if blank:
            notes.append(f"{blank} fractures not known to be {column} do not count as such.")
        rows = rows.filter(rows[column].fill_null(False))
    return rows, notes


def _happened(cohort: Cohort, event: str, function: str) -> tuple["ir.Table", list[str]]:
    """Rows of the event with a day, and notes on the others."""
    if event in FRACTURES:
        rows, notes = fractures_of(cohort, event, function)
    else:
        rows, notes = cohort.events.filter(cohort.events.type == event), []
    undated = int(rows.filter(rows.day.isnull()).count().to_pyarrow().as_py())  # noqa: PD003
    if undated and event != "death":
        notes.append(f"{undated} events without a day are left out.")
    return rows.filter(rows.day.notnull()), notes  # noqa: PD004


def _with_endings(table: "ir.Table", event: str) -> "ir.Table":
    """`days`, `cause`, and what is wrong with a patient as the sum of flags."""
    import ibis

    end, death, happened = table.followup_end_day, table.death_day, table["_event_day"]
    last = ibis.coalesce(ibis.ifelse(death < end, death, end), end, death)
    early = happened < 0
    flags = {
        _EARLY_DEATH: death < 0, _EARLY_END: end < 0, _EARLY_EVENT: early,
        _DAY0_EVENT: happened == 0, _UNKNOWN: last.isnull(), _UNFOLLOWED: last <= 0,  # noqa: PD003
    }  # fmt: skip
    if event not in FRACTURES:
        del flags[_DAY0_EVENT]
    state = sum(
        (ibis.ifelse(what.fill_null(False), flag, 0) for flag, what in flags.items()),
        start=ibis.literal(0),
    )
    dies = death <= last
    if event == "death":
        happened, dies = death, ibis.literal(False)
    seen = (happened <= last).fill_null(False)
    ending = ibis.ifelse(dies.fill_null(False), COMPETING, CENSORED)
    return table.mutate(
        days=ibis.ifelse(seen, happened, last),
        cause=ibis.ifelse(seen, EVENT, ending),
        **{_STATE: state},
    ).drop("_event_day")


def _refuse_impossible(n: dict[int, int], followed: Followed) -> None:
    problems = []
    for flag, where, allowed in (
        (_EARLY_DEATH, "patients.death_day", "0 or later: nobody is treated after death"),
        (_EARLY_END, "episodes.followup_end_day", "0 or later, and after day 0 in some patients"),
        (_EARLY_EVENT, f"day of {followed.event}", "0 or later"),
        (_DAY0_EVENT, f"day of {followed.event}", "1 or later: new after day 0"),
    ):
        if n[flag]:
            problems.append(Problem(where, f"before that in {n[flag]} patients", allowed))
    if problems:
        raise InputError(f"{followed.function}()", problems, NEXT)


def _number(column: pd.Series) -> Any:
    return pd.to_numeric(column, errors="coerce").astype("Float64").to_numpy(float, na_value=np.nan)
