"""Units and first events counted by the engine that holds the tables.

What reaches Python has one row per group, type of event and size of a patient's share: enough for
proportions with a variance by patient, and for rates per year.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from vertebro_outcomes.errors import InputError, Problem, list_some, refuse_argument
from vertebro_outcomes.tables.cohort import Cohort
from vertebro_outcomes.tables.cohort_tables import EPISODES, EVENTS, PATIENTS
from vertebro_outcomes.tables.typed_frames import to_pandas

if TYPE_CHECKING:
    import ibis.expr.types as ir

NAME: Final = "complication_rates"
NOT_COMPLICATIONS: Final = ("death", "crossover")
KEYS: Final = {
    "patients": ("patient_id",), "episodes": ("episode_id",), "levels": ("episode_id", "level")
}  # fmt: skip
# Columns of an event: they split the events, the units of each treatment stay the denominator.
OF_EVENTS: Final = ("severity", "detected_by")
NOT_RECORDED: Final = "not recorded"
ANY: Final = "any"
ENDS: Final = ("followup_end_day", "death_day")


@dataclass(frozen=True)
class Counted:
    """Units at risk and their events, as tables of the engine.

    `units` has the group, the keys of a unit, patient, episode and (for rates) `end`, the last day at
    risk; `seen` the events of these units.
    """

    units: "ir.Table"
    seen: "ir.Table"
    group: str
    keys: tuple[str, ...]
    split: str | None
    notes: list[str] = field(default_factory=list)

    def shares(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """`units alike` by group, and `units had alike` by group, split and type.

        Each row stands for `alike` patients with so many units, of which so many had the event.
        """
        if self.keys == ("patient_id",):
            return self._of_patients()
        own = [self.group, "patient_id"]
        each = self.units.select(*dict.fromkeys([*own, *self.keys])).distinct()
        each = each.group_by(own).aggregate(units=each.count())
        sizes = each.group_by([self.group, "units"]).aggregate(alike=each.count())
        marks = [*([self.split] if self.split else []), "type"]
        parts = []
        for seen in (self.seen.mutate(type=_word(ANY)), self.seen):
            hit = seen.select(*dict.fromkeys([self.group, *marks, *self.keys])).distinct()
            at = dict.fromkeys([self.group, *self.keys, "patient_id"])
            known = self.units.select(*at).distinct()
            hit = hit.inner_join(known, [self.group, *self.keys])
            mine = hit.group_by([*marks, *own]).aggregate(had=hit.count())
            mine = mine.inner_join(each, own)
            by = [*marks, self.group, "units", "had"]
            parts.append(_frame(mine.group_by(by).aggregate(alike=mine.count())))
        return _frame(sizes), pd.concat(parts, ignore_index=True)

    def _of_patients(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """A patient is one unit: distinct patients are all there is to count."""
        of_group = self.units.group_by(self.group)
        sizes = of_group.aggregate(alike=self.units.patient_id.nunique())
        by = [*([self.split] if self.split else []), "type", self.group]
        parts = []
        for seen in (self.seen.mutate(type=_word(ANY)), self.seen):
            counted = seen.group_by(by).aggregate(alike=seen.patient_id.nunique())
            parts.append(_frame(counted))
        cells = pd.concat(parts, ignore_index=True).assign(units=1, had=1)
        return _frame(sizes).assign(units=1), cells

    def exposures(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """`n days` by group, and `had cut` by group, split and type: units with a first event while at
        risk, and the days that come after it.
        """
        units = self.units
        totals = units.group_by(self.group).aggregate(n=units.count(), days=units.end.sum())
        marks = [*([self.split] if self.split else []), "type"]
        unit = [self.group, *self.keys]
        parts = []
        for seen in (self.seen.mutate(type=_word(ANY)), self.seen):
            first = seen.group_by([*marks, *unit]).aggregate(first=seen.day.min())
            both = first.inner_join(units.select(*unit, "end"), unit)
            both = both.filter(both["first"] <= both.end)
            cut = (both.end - both["first"]).sum()
            parts.append(
                _frame(both.group_by([*marks, self.group]).aggregate(had=both.count(), cut=cut))
            )
        return _frame(totals), pd.concat(parts, ignore_index=True)

    def types(self) -> list[str]:
        """Types of event that happened, in the order of the alphabet."""
        return sorted(self.seen.select("type").distinct().to_pyarrow()["type"].to_pylist())

    def splits(self) -> list[str]:
        """Values of the column that splits the events; one empty word without such a column."""
        if self.split is None:
            return [""]
        found = self.seen.select(self.split).distinct().to_pyarrow()[self.split]
        return sorted(found.to_pylist())


def count_events(
    cohort: Cohort, *, group: str, unit: str, split: str | None, within_days: float | None, timed: bool
) -> Counted:  # fmt: skip
    """The units of each group and their complications.

    Raises
    ------
    InputError
        If there is no such column, no unit or no event, or an event lies before day 0.
    """
    keys, notes = KEYS[unit], list[str]()
    units = _units(cohort, group, unit, notes)
    if timed:
        units = _followed(cohort, units, keys=(group, *keys), within_days=within_days, notes=notes)
    events = _events(cohort, within_days, keys, notes, dated=timed)
    if split is not None:
        events = events.mutate(**{split: events[split].fill_null(NOT_RECORDED)})
    mine = units.select("episode_id", group).distinct()
    own = [c for c in events.columns if c != group]
    seen = events.select(*own).inner_join(mine, "episode_id").select(*own, group)
    return replace(Counted(units, seen, group, keys, split), notes=notes)


def _units(cohort: Cohort, by: str, unit: str, notes: list[str]) -> "ir.Table":
    patients, episodes = cohort.patients, cohort.episodes
    extra = [c for c in patients.columns if c == "patient_id" or c not in episodes.columns]
    allowed = [c for c in (*episodes.columns, *extra[1:]) if c not in ("patient_id", "episode_id")]
    if by not in allowed:
        raise refuse_argument(NAME, "by", by, list_some([*allowed, *OF_EVENTS], most=40))
    people = episodes.inner_join(patients.select(*extra), "patient_id")
    people = people.select("patient_id", "episode_id", by)
    blank = _number(people.filter(people[by].isnull()).count())  # noqa: PD003
    if blank:
        notes.append(f"{blank} episodes without {by} are left out.")
    people = people.filter(people[by].notnull())  # noqa: PD004
    if unit == "levels":
        levels = cohort.levels.filter(cohort.levels.treated.fill_null(True))
        people = people.inner_join(levels.select(*KEYS[unit]).distinct(), "episode_id")
        people = people.select("patient_id", "episode_id", by, "level")
        notes.append("Intervals are cluster-robust by patient where patients have several levels.")
    if not _number(people.limit(1).count()):
        problem = Problem(unit, "there are none to count", f"at least one with {by}")
        raise InputError(f"{NAME}()", [problem], "fill the table or choose another unit")
    return people


def _followed(
    cohort: Cohort, units: "ir.Table", *, keys: tuple[str, ...], within_days: float | None,
    notes: list[str],
) -> "ir.Table":  # fmt: skip
    """Units with `end`, the last day at risk; one episode each."""
    import ibis

    episodes, patients = cohort.episodes, cohort.patients
    own = [c for c in ENDS if c in episodes.columns]
    more = [c for c in ENDS if c in patients.columns and c not in own]
    ends = episodes.select("patient_id", "episode_id", *own)
    ends = ends.inner_join(patients.select("patient_id", *more), "patient_id")
    first, second = ends[ENDS[0]], ends[ENDS[1]]
    end = ibis.coalesce(ibis.ifelse(second < first, second, first), first, second)
    if within_days is not None:
        end = ibis.ifelse(end > within_days, within_days, end)
    units = units.inner_join(ends.select("episode_id", end=end.cast("float64")), "episode_id")
    unknown = _number(units.filter(~(units.end >= 0).fill_null(False)).count())
    if unknown:
        notes.append(f"{unknown} episodes whose follow-up time is unknown are left out.")
    units = units.filter((units.end >= 0).fill_null(False))
    place = ibis.row_number().over(
        group_by=list(keys), order_by=[units.end.desc(), units.episode_id]
    )
    n = _number(units.count())
    if not n:
        problem = Problem("follow-up", "nobody's time at risk is known", " or ".join(ENDS))
        raise InputError(f"{NAME}()", [problem], "fill the end of follow-up, or use per='unit'")
    again = n - _number(units.select(*keys).distinct().count())
    if not again:
        return units
    notes.append(f"{again} further episodes of a patient do not count.")
    ranked = units.mutate(_place=place)
    return ranked.filter(ranked["_place"] == 0).drop("_place")


def _events(
    cohort: Cohort, within_days: float | None, keys: Sequence[str], notes: list[str], *, dated: bool
) -> "ir.Table":
    events = cohort.events
    events = events.filter(events.type.notin(NOT_COMPLICATIONS))
    found = events.aggregate(
        n=events.count(), dated=events.day.count(), early=(events.day < 0).fill_null(False).sum()
    ).to_pyarrow()
    n, n_dated, early = (found[name][0].as_py() or 0 for name in ("n", "dated", "early"))
    if not n:
        problem = Problem("table events", "no complication was recorded", "at least one event")
        step = "load the events; an empty table does not show that there were none"
        raise InputError(f"{NAME}()", [problem], step)
    if early:
        problem = Problem("table events, column day", f"{early} before day 0", "0 or later")
        raise InputError(f"{NAME}()", [problem], "correct these days in the source")
    if within_days is not None or dated:
        if n_dated < n:
            notes.append(f"{n - n_dated} events without a day are not counted.")
        events = events.filter(events.day.notnull())  # noqa: PD004
        if within_days is not None:
            events = events.filter(events.day <= within_days)
    if "level" not in keys:
        return events.select("patient_id", "episode_id", "type", "day", *OF_EVENTS)
    told = events.aggregate(n=events.count(), placed=events.level.count()).to_pyarrow()
    n, placed = told["n"][0].as_py(), told["placed"][0].as_py()
    if not placed:
        problem = Problem("table events, column level", "no event carries a level", "T1 to L5")
        raise InputError(f"{NAME}()", [problem], "count patients or episodes")
    if placed < n:
        notes.append(f"{n - placed} events without a level are not counted.")
    events = events.filter(events.level.notnull())  # noqa: PD004
    return events.select("patient_id", "episode_id", "level", "type", "day", *OF_EVENTS)


def _frame(table: "ir.Table") -> pd.DataFrame:
    return to_pandas(table.to_pyarrow(), PATIENTS, EPISODES, EVENTS)


def _word(word: str) -> Any:
    import ibis

    return ibis.literal(word)


def _number(expression: Any) -> int:
    return int(expression.to_pyarrow().as_py() or 0)
