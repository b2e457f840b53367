"""Persons and their episodes as spans of time: every record falls into exactly one of them."""

import functools
import operator
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from vertebro_outcomes.loaders.pseudonyms import Names
from vertebro_outcomes.loaders.records import NAMED, PSEUDO, episode_name
from vertebro_outcomes.loaders.seen import FACTS, is_crowded, is_mixed, since_1970
from vertebro_outcomes.loaders.sources import LINE
from vertebro_outcomes.loaders.staging import FILE, ORDER
from vertebro_outcomes.tables.engine import is_blank, stacked, store, store_told, working_folder
from vertebro_outcomes.tables.selection import ARMS

if TYPE_CHECKING:
    import ibis.expr.types as ir

# A record up to a month before day 0 still belongs to that episode (baseline visit).
BASELINE_DAYS: Final = 30
DAY0_DATE, NUMBER, KEY = "_day0_date", "_number", "_key"
PERSON: Final = "_person"
SPAN: Final = "_span"  # its place among all, by which names are looked up as scores are written
_SINCE, _UNTIL, _AT, _CALLED, _ALONE = "_since", "_until", "_at", "_called", "_alone"
_EARLIEST, _LATEST = -(10**9), 10**9  # days since 1970


@dataclass(frozen=True)
class Spans:
    """One row per episode, and one for each person without any.

    `table`: `PERSON`, the columns of their episode (its `NUMBER` is null where there is none), the
    names `PSEUDO` and `NAMED` that replace numbers, and the facts of the person's scores. Where
    somebody has `several` episodes, also `KEY`, which records may name, the edges of the span, and
    whether it is the person's only one.
    """

    table: "ir.Table"
    several: bool
    per_arm: Mapping[str, int]  # persons with an episode of each arm
    crowded: bool = False  # whether two scores of somebody may be of one instrument and day
    undated: bool = False  # whether a score of somebody may have a date and no day 0
    misordered: bool = False  # whether an episode has dates that cannot follow each other so

    def crowds(self) -> "ir.Table":
        """`patient_id, mixed` of persons of whom two scores may be of one instrument and day."""
        crowd = self.table.filter(is_crowded(self.table))
        return crowd.select(patient_id=crowd[PERSON], mixed=is_mixed(crowd)).distinct()


def spans_of(
    engine: Any, names: Names, episodes: "ir.Table", facts: "ir.Table | None", *, several: bool
) -> Spans:
    """Everybody's spans, and in one look at them what there is to do about episodes and scores."""
    import ibis

    people = names.people.rename({PERSON: "number", PSEUDO: "pseudo"})
    table: Any = people.left_join(episodes, people[PERSON] == episodes.patient_id)
    table = table.mutate(_edges(table)) if several else table
    if facts is None:
        blanks = {name: ibis.null(kind) for name, kind in FACTS.items()}
        table = _stored(engine, table).mutate(blanks)
    else:
        told = table.left_join(facts, table[PERSON] == facts.number).drop("number")
        table = _stored(engine, told)
    wrong = functools.reduce(operator.or_, after_its_care(table).values(), ends_early(table))
    looks = {"misordered": wrong}
    if facts is not None:
        looks["crowded"] = is_crowded(table)
        looks["undated"] = table.last_date.notnull() & table[DAY0_DATE].isnull()
    counts = {}
    for arm in ARMS:
        own = (table.treatment == arm).fill_null(False)
        counts[arm] = table[PERSON].nunique(where=own) if several else own.sum()
    found = table.aggregate(**{name: look.any() for name, look in looks.items()}, **counts)
    said = found.to_pyarrow().to_pylist()[0]
    per_arm = {arm: int(said.pop(arm) or 0) for arm in ARMS}
    return Spans(table, several, per_arm, **{name: bool(any_) for name, any_ in said.items()})


def after_its_care(episodes: "ir.Table") -> dict[str, Any]:
    """Whether the fracture lies after its own `treatment`, or `presentation`; never null."""
    return {
        word: (episodes[f"{word}_day"] < episodes.fracture_day).fill_null(False)
        for word in ("treatment", "presentation")
    }


def ends_early(episodes: "ir.Table") -> Any:
    """True where follow-up ends before day 0; never null."""
    return (episodes.followup_end_day < 0).fill_null(False)


def _stored(engine: Any, table: "ir.Table") -> "ir.Table":
    """Episodes in the order of the files, then persons without any: the same order each time."""
    place = SPAN if working_folder(engine) is not None else ""
    table = table.drop(*(c for c in (FILE, LINE) if c in table.columns))
    stored = store_told(engine, "spans", table.order_by([ORDER, PERSON]), place=place)
    return stored.mutate({NAMED: episode_name(stored[PSEUDO], stored[NUMBER])})


def _edges(table: "ir.Table") -> dict[str, Any]:
    """A span begins a month before day 0 and ends where the next one begins; the first began always."""
    import ibis

    begins = since_1970(table[DAY0_DATE]) - BASELINE_DAYS
    in_turn = ibis.window(group_by=PERSON, order_by=NUMBER)
    first = table[NUMBER].isnull() | (table[NUMBER] == 1)
    return {
        _SINCE: ibis.ifelse(first, _EARLIEST, begins.fill_null(_LATEST)),
        _UNTIL: begins.lead().over(in_turn).fill_null(_LATEST),
        _ALONE: table.count().over(group_by=PERSON) == 1,
    }


def place(rows: "ir.Table", spans: Spans) -> "ir.Table":
    """Rows with the number of their episode, its day 0, and the names that replace numbers.

    It is the episode named by the row; else the last one that began before it; else the first.
    """
    import ibis

    names = [PERSON, NUMBER, DAY0_DATE, PSEUDO, NAMED]
    names += [SPAN] if SPAN in spans.table.columns else []
    if not spans.several:
        own = spans.table.select(*names)
        placed = rows.inner_join(own, rows.patient_id == own[PERSON])
        return placed.mutate(episode_id=placed[NUMBER]).drop(PERSON, NUMBER)
    own = spans.table.select(*names, _SINCE, _UNTIL)
    at = since_1970(rows.date).fill_null(_EARLIEST) if "date" in rows.columns else _EARLIEST
    rows = rows.mutate({_AT: at})
    here = [rows[_AT] >= own[_SINCE], rows[_AT] < own[_UNTIL]]
    if not is_blank(rows.op(), "episode_id"):
        keys = spans.table.select(KEY, of=spans.table[PERSON], **{_CALLED: spans.table[NUMBER]})
        same = [rows.patient_id == keys.of, rows.episode_id == keys[KEY]]
        rows = rows.left_join(keys, same).drop("of", KEY)
        within = (rows[_AT] >= own[_SINCE]) & (rows[_AT] < own[_UNTIL])
        here = [ibis.ifelse(rows[_CALLED].isnull(), within, own[NUMBER] == rows[_CALLED])]
    placed = rows.inner_join(own, [rows.patient_id == own[PERSON], *here])
    used = [c for c in (PERSON, NUMBER, _SINCE, _UNTIL, _AT, _CALLED) if c in placed.columns]
    return placed.mutate(episode_id=placed[NUMBER]).drop(*used)


def with_last_seen(engine: Any, spans: Spans, children: Mapping[str, "ir.Table"]) -> "ir.Table":
    """Spans with the last dated record from day 0 on (`last`), and the last sign of life (`alive`).

    `children` are the tables of dated records that a feed fills, their days counted. Of persons with
    one episode the facts tell when their last score was; of others each score is looked at.
    """
    import ibis

    table = spans.table
    last = _later(_from_day0(table.last_day), _from_day0(_days(table.last_date, table)))
    alive = _later(table.alive_day, _days(table.alive_date, table))
    looked_at = [_seen(name, rows) for name, rows in children.items() if name != "scores"]
    if spans.several:
        last, alive = (ibis.ifelse(table[_ALONE], day, None) for day in (last, alive))
        busy = table.filter(~table[_ALONE]).select(patient_id=PERSON).distinct()
        scores = [children[name] for name in children if name == "scores"]
        looked_at += [_seen("scores", rows.semi_join(busy, "patient_id")) for rows in scores]
    if not looked_at:
        return table.mutate(last=last, alive=alive)
    whole = stacked(looked_at)
    seen = whole.group_by(of="patient_id", at="episode_id")
    seen = seen.aggregate(seen_last=whole["last"].max(), seen_alive=whole.alive.max())
    seen = store(engine, "seen", seen.order_by(["of", "at"]))
    same = [table[PERSON] == seen.of, table[NUMBER].identical_to(seen["at"])]
    joined = table.mutate(last=last, alive=alive).left_join(seen, same)
    joined = joined.mutate(
        last=_later(joined["last"], joined.seen_last), alive=_later(joined.alive, joined.seen_alive)
    )
    return joined.drop("of", "at", "seen_last", "seen_alive")


def _seen(name: str, rows: "ir.Table") -> "ir.Table":
    import ibis

    none: Any = ibis.null("int64")
    alive = {"scores": lambda t: t.value.notnull(), "events": lambda t: t.type != "death"}
    said = alive[name](rows) if name in alive else ibis.literal(False)
    return rows.select(
        "patient_id",
        "episode_id",
        last=_from_day0(rows.day),
        alive=ibis.ifelse(said, rows.day, none),
    )


def _days(when: Any, table: "ir.Table") -> Any:
    return when.delta(table[DAY0_DATE], unit="day").cast("int64")


def _from_day0(day: Any) -> Any:
    import ibis

    return ibis.ifelse(day >= 0, day, ibis.null("int64"))


def _later(one: Any, other: Any) -> Any:
    """The later of two days, either of which may be missing."""
    import ibis

    return ibis.cases((one.isnull(), other), (other.isnull(), one), else_=ibis.greatest(one, other))
