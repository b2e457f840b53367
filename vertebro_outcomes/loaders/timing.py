"""Episodes, their day 0, and the days of everything else counted from it."""

import functools
import operator
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from vertebro_outcomes.loaders.format import DATED
from vertebro_outcomes.loaders.ledger import Finding, Ledger
from vertebro_outcomes.loaders.records import NAMED, PSEUDO, in_file_order, merge, some_repeat
from vertebro_outcomes.loaders.same_episode import with_their_episode
from vertebro_outcomes.loaders.spans import (
    DAY0_DATE,
    KEY,
    NUMBER,
    SPAN,
    Spans,
    after_its_care,
    ends_early,
    place,
)
from vertebro_outcomes.tables.engine import store_told

if TYPE_CHECKING:
    import ibis.expr.types as ir

# Day 0 is the first of these dates that a record has, unless a mapped `day0` names another.
DAY0_ORDER: Final = ("treatment", "presentation", "enrolment", "fracture")


def keyed(engine: Any, rows: "ir.Table", *, single: bool, once: bool, ledger: Ledger) -> "ir.Table":
    """Rows of episodes with `KEY`: the number of the episode among the patient's, else its date."""
    import ibis

    by_date = ibis.coalesce(*(rows[f"{word}_date"] for word in DAY0_ORDER)).cast("string")
    given = rows.episode_id if not single else ibis.null("string")
    rows = rows.mutate({KEY: given.coalesce(by_date if not single else ibis.literal("1"), "")})
    again = not once and some_repeat(rows, ["patient_id"])
    return with_their_episode(engine, rows, ledger) if again and not single else rows, again


def episodes_of(
    engine: Any, rows: "ir.Table", *, again: bool, ledger: Ledger
) -> tuple["ir.Table", bool]:
    """One row per episode with `episode_id`, `day0` and the hidden date of day 0, from `keyed` rows.

    Beside them whether somebody has several episodes. `again` if somebody has two rows.
    """
    import ibis

    dates = [f"{word}_date" for word in DAY0_ORDER]
    several = again
    episodes = rows.drop("episode_id")
    if again:
        episodes = merge(engine, episodes, ["patient_id", KEY], name="episodes", ledger=ledger)
        several = some_repeat(episodes, ["patient_id"])
    if not several:
        episodes = episodes.drop(KEY)
    named = {word: episodes[f"{word}_date"] for word in DAY0_ORDER}
    named["given"] = episodes.enrolment_date
    stated = episodes.day0.cases(*named.items(), else_=ibis.null("date"))
    day0 = ibis.coalesce(stated, *(episodes[date] for date in dates))
    known = [(episodes[f"{word}_date"].notnull(), word) for word in DAY0_ORDER]
    number: Any = ibis.literal(1, "int32")
    if several:
        order = ibis.window(group_by="patient_id", order_by=[day0.asc(nulls_first=False), KEY])
        number = (ibis.row_number().over(order) + 1).cast("int32")
    episodes = episodes.mutate(
        **{
            DAY0_DATE: day0,
            NUMBER: number,
            "day0": episodes.day0.coalesce(ibis.cases(*known, else_="given")),
        }
    )
    days = {
        f"{word}_day": episodes[f"{word}_date"].delta(episodes[DAY0_DATE], unit="day").cast("int64")
        for word in ("treatment", "presentation", "fracture", "followup_end")
    }
    year = episodes[DAY0_DATE].year().cast("int64")
    episodes = episodes.mutate(
        episode_id=episodes[NUMBER],  # until pseudonyms replace numbers
        index_year=year.coalesce(episodes.index_year),
        **{name: episodes[name].coalesce(day) for name, day in days.items()},
    )
    if several:
        episodes = store_told(engine, "episodes", in_file_order(episodes))
    return episodes, several


def check_order(episodes: "ir.Table", spans: Spans, ledger: Ledger) -> Spans:
    """A fracture after its own treatment or presentation is a wrong date: it is set aside."""
    import ibis

    if not spans.misordered:
        return spans
    found = episodes.fracture_day
    wrong = after_its_care(episodes)
    ends = ends_early(episodes)
    findings = [
        Finding(
            wrong["treatment"],
            "treatment before the fracture; the fracture date is set aside",
            "fracture_date",
            found,
        ),
        Finding(
            wrong["presentation"] & ~wrong["treatment"],
            "presentation before the fracture; the fracture date is set aside",
            "fracture_date",
            found,
        ),
        Finding(
            ends, "follow-up ends before day 0", "followup_end_date", episodes.followup_end_day
        ),
    ]
    ledger.flag_cells(episodes, findings)
    table = spans.table
    any_wrong = functools.reduce(operator.or_, after_its_care(table).values())
    checked = table.mutate(
        fracture_day=ibis.ifelse(any_wrong, ibis.null("int64"), table.fracture_day),
        fracture_date=ibis.ifelse(any_wrong, ibis.null("date"), table.fracture_date),
        followup_end_day=ibis.ifelse(ends_early(table), ibis.null("int64"), table.followup_end_day),
    )
    return replace(spans, table=checked)


def attach(engine: Any, rows: "ir.Table", spans: Spans, *, name: str, ledger: Ledger) -> "ir.Table":
    """Rows with the episode they belong to, and days from its day 0."""
    placed = place(rows, spans)
    if name == "scores":  # they are many: put together once, at the end
        return _in_days(placed)
    placed = placed.drop(*(c for c in (PSEUDO, NAMED, SPAN) if c in placed.columns))
    placed = _in_days(placed) if DATED[name] else placed.drop(DAY0_DATE)
    stored = store_told(engine, name, in_file_order(placed))
    return refuse_undated(stored, ledger) if DATED[name] else stored


def _in_days(placed: "ir.Table") -> "ir.Table":
    days = placed.date.delta(placed[DAY0_DATE], unit="day").cast("int64")
    return placed.mutate(day=placed.day.coalesce(days)).drop(DAY0_DATE)


def is_undated(rows: "ir.Table") -> Any:
    """True where a date could not be counted from a day 0."""
    return rows.date.notnull() & rows.day.isnull()


def refuse_undated(rows: "ir.Table", ledger: Ledger) -> "ir.Table":
    """The rows whose dates, if any, became days."""
    lost = is_undated(rows)
    finding = Finding(lost, "no day 0 to count this date from", "date", rows.date)
    return rows.filter(~lost) if ledger.refuse_rows(rows, [finding]) else rows


def kept_dates(table: "ir.Table", *, keep: bool) -> "ir.Table":
    """Dates leave once days are known, unless the caller keeps them."""
    import ibis

    if keep:
        return table
    dates = [f"{word}_date" for word in ("treatment", "presentation", "fracture")]
    return table.mutate(**{name: ibis.null("date") for name in dates})
