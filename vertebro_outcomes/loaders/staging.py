"""Feeds -> staged rows: typed canonical columns with file, line and the rule each misfit broke."""

# ruff: noqa: PD003, PD004 -- isnull and notnull are the names Ibis gives them

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from vertebro_outcomes.loaders.cells import stripped
from vertebro_outcomes.loaders.event_words import NO_EVENT
from vertebro_outcomes.loaders.feed_columns import Columns, is_plain, typed_columns
from vertebro_outcomes.loaders.format import STAGED, Export, Feed
from vertebro_outcomes.loaders.level_cells import NO_LEVEL, tells_of_vertebra, with_levels
from vertebro_outcomes.loaders.marks import FILE, ORDER, RECORD, REFUSED, RULE, WHO, WHY
from vertebro_outcomes.loaders.picked_lines import (
    Picked,
    Reading,
    begin_reading,
    is_numbered_later,
    number_of,
    numbered_later,
    pick,
    repeats_lines,
    wanted,
)
from vertebro_outcomes.loaders.sources import LINE, Source
from vertebro_outcomes.loaders.tallies import Tally, tally
from vertebro_outcomes.tables.engine import store
from vertebro_outcomes.tables.engine_words import store_words
from vertebro_outcomes.tables.schema import Column
from vertebro_outcomes.tables.shown_cells import shown_cell

if TYPE_CHECKING:
    import ibis.expr.types as ir

# A misfit in one of these refuses the row; elsewhere only the cell.
ROW_COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "patients": ("patient_id",),
    "episodes": ("patient_id",),
    "levels": ("patient_id", "level"),
    "scores": ("patient_id", "instrument", "value", "day", "date"),
    "events": ("patient_id", "type", "day", "date"),
    "fractures": ("patient_id", "day", "date"),
}
NO_PATIENT: Final = "no patient identifier; none is taken from a row above: write it in every row"
FEED_STEP: Final = 10**10  # `_order` is the line within a feed, feeds one after the other
MOST_SCANS: Final = 2  # a streamed source that feeds more tables than this is kept


@dataclass(frozen=True)
class Staged:
    """The rows of one feed on the engine; `_refused` is the rule that refuses the whole row.

    `rule COLUMN` holds the place of the broken rule in `rules`: numbers take less room than words.
    `read` are all rows that the feed looked at, `data` those of them that are a record.
    """

    feed: Feed
    source: Source
    data: "ir.Table"
    read: "ir.Table"
    tally: Tally
    place: int = 0
    rules: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # column -> what cells break
    finish: Callable[["ir.Table"], "ir.Table"] | None = None  # what is left to do with each row
    words: Mapping[str, Sequence[str]] = field(default_factory=dict)  # column -> all it can hold

    @property
    def titles(self) -> Mapping[str, str]:
        """Canonical column -> header in the file."""
        return {name: cell.column or name for name, cell in self.feed.cells.items()}

    @property
    def repeats_lines(self) -> bool:
        """As `repeats_lines` of its feed."""
        return repeats_lines(self.feed)


def stage(engine: Any, export: Export) -> tuple[Export, list[Staged]]:
    """Every feed of an export, computed on the engine; the export with its rows counted."""
    sources = [_counted(source, export) for source in export.sources]
    staged: dict[int, Staged] = {}
    with ThreadPoolExecutor(2) as beside:  # files are read side by side
        begun = {
            source.name: (source, feeds, begin_reading(engine, source, feeds, beside))
            for source in {source.name: source for source in sources}.values()
            for feeds in (_feeds_of(source, export),)
        }
        for name, (source, feeds, reading) in begun.items():
            made = _stage_source(engine, source, feeds, reading)
            if source.settled is not None and not any(_is_whole(item) for item in made):
                settled = source.settled()
                sources = [settled if old.name == name else old for old in sources]
                made = _stage_source(engine, settled, feeds)
            staged |= {item.place: item for item in made}
    whole = replace(export, sources=tuple(sources))
    return whole, [staged[place] for place in range(len(export.feeds))]


def _feeds_of(source: Source, export: Export) -> dict[int, Feed]:
    return {n: feed for n, feed in enumerate(export.feeds) if feed.source == source.name}


def _counted(source: Source, export: Export) -> Source:
    """A source whose rows nobody will count while they are staged is counted at once."""
    numbered = (is_numbered_later(f, source) for f in export.feeds if f.source == source.name)
    alone = sum(other.name == source.name for other in export.sources) == 1
    return source if source.settled is None or (alone and any(numbered)) else source.settled()


def _is_whole(item: Staged) -> bool:
    """Whether each line of a file became one row, none of them blank or the header once more."""
    counts = item.tally.counts
    return counts.get("named") == item.source.n_rows and not counts.get("again")


def _stage_source(
    engine: Any, source: Source, feeds: Mapping[int, Feed], reading: "Reading | None" = None
) -> list[Staged]:
    if source.is_streamed and len(feeds) > MOST_SCANS:
        source = replace(source, data=store(engine, "source", source.data), is_streamed=False)
    at_once = numbered_later(feeds, source)
    made = _stage_lines(engine, source, at_once, reading) if at_once else []
    rest = {n: feed for n, feed in feeds.items() if n not in at_once}
    return [*made, *(_stage_feed(engine, source, feed, place) for place, feed in rest.items())]


def _stage_lines(
    engine: Any, source: Source, feeds: Mapping[int, Feed], reading: Reading | None
) -> list[Staged]:
    """Feeds of which each row is a line of the file: it is read once."""
    import duckdb

    assert source.in_order is not None
    if reading is not None:
        with suppress(duckdb.Error):  # not all is plain
            return _told(source, feeds, reading.picked, reading.rows())
    rows = source.in_order.data.select(wanted(feeds.values()))
    picked = pick(engine, source, feeds, rows)
    rows = store_words(engine, "staged", picked.columns, picked.words)
    return _told(source, feeds, picked, rows)


def _told(
    source: Source, feeds: Mapping[int, Feed], picked: Picked, data: "ir.Table"
) -> list[Staged]:
    """The feeds over the rows that are kept of their source."""
    assert source.in_order is not None
    data = data.mutate(**{LINE: data.rowid() + source.in_order.first_line})
    made = []
    for (place, feed), columns, known in zip(feeds.items(), picked.read, picked.own, strict=True):
        names = {LINE: LINE, **known, WHO: f"{WHO} {known['patient_id']}"}
        mine = data.select(**{name: data[own_name] for name, own_name in names.items()})
        made.append(_judged(mine, source, feed, (place, columns), titled=picked.titled))
    return made


def _stage_feed(engine: Any, source: Source, feed: Feed, place: int) -> Staged:
    rows = source.data.select([LINE, *wanted([feed])])
    if feed.where:
        rows = rows.filter(meant(rows, feed))
    rows, (columns,) = typed_columns(with_levels(engine, rows, feed), source, [feed])
    picked = rows.select(rows[LINE], **columns.values)
    picked = picked.mutate(**{WHO: number_of(engine, picked.patient_id)})
    in_place = feed.table == "scores"  # scores, which are many, are never sorted again
    data = store(engine, f"staged_{feed.table}", picked if in_place else picked.order_by(LINE))
    return _judged(data, source, feed, (place, columns))


def _judged(
    data: "ir.Table",
    source: Source,
    feed: Feed,
    columns: tuple[int, Columns],
    *,
    titled: bool = True,
) -> Staged:
    """Rows with their trace, refused and counted; `columns` come with the place of their feed."""
    import ibis

    place, read_as = columns
    judged = {REFUSED: _refusal(data, feed), RECORD: _is_record(data, feed)}
    trace = {FILE: ibis.literal(source.name), ORDER: data[LINE] + place * FEED_STEP}
    read = data.mutate(**trace, **judged)
    some = feed.needs or WHY + "type" in data.columns
    kept = (read.filter(read[RECORD]) if some else read).drop(RECORD)
    who = feed.cells["patient_id"]
    whole = source.settled is not None and is_numbered_later(feed, source)
    plain = who.constant is None and is_plain(STAGED[feed.table]["patient_id"], who)
    counted = tally(
        read,
        scored=feed.table == "scores",
        repeats=repeats_lines(feed),
        named=whole and plain,
        title=who.column if titled else "",
    )
    return Staged(feed, source, kept, read, counted, place, read_as.rules)


def meant(rows: "ir.Table", feed: Feed) -> Any:
    """True on rows that a feed is about, by its `where` (an empty text: a blank); never null."""
    import ibis

    found: Any = ibis.literal(True)
    for title, allowed in feed.where.items():
        here = stripped(rows[title]).lower().isin([text.lower() for text in allowed])
        found = found & here.fill_null("" in allowed)
    return found


def ibis_type(column: Column) -> str:
    """The type of a canonical column on the engine."""
    return {"text": "string", "int": "int64", "float": "float64", "bool": "boolean"}.get(
        column.type, "date"
    )


def _is_record(data: "ir.Table", feed: Feed) -> Any:
    """A row of the file is a record of this table only if one needed column was filled in."""
    import ibis

    if feed.table == "levels" and feed.needs:
        return tells_of_vertebra(data, feed.needs)
    filled: Any = ibis.literal(not feed.needs)
    for name in feed.needs:
        for filling in (name, RULE + name, WHY + name):
            if filling in data.columns:
                filled = filled | data[filling].notnull()
    if WHY + "type" in data.columns:  # `no complications`
        filled = filled & (data[WHY + "type"] != NO_EVENT).fill_null(True)
    return filled


def _refusal(data: "ir.Table", feed: Feed) -> Any:
    """The first rule that makes the row useless."""
    import ibis

    rules = [(data[WHO].isnull(), NO_PATIENT)]
    for name in ROW_COLUMNS[feed.table]:
        if RULE + name in data.columns:
            rules.append((data[RULE + name].notnull(), "see cell"))
        if name in ("instrument", "type", "level") and name in data.columns:
            empty = data[name].isnull()
            if feed.table in ("scores", "events", "levels"):
                rules.append((empty, NO_LEVEL if name == "level" else f"no {name}"))
    return ibis.cases(*rules, else_=ibis.null("string"))


def cell_rejects(staged: Staged, name: str) -> pd.DataFrame:
    """`source_file line column found rule` for every cell of one column that broke a rule."""
    data = staged.data
    bad = data.filter(data[RULE + name].notnull()).select(LINE, rule=data[RULE + name])
    raw = staged.source.data
    raw = raw.select(raw_line=raw[LINE], found=raw[staged.feed.cells[name].column])
    bad = bad.inner_join(raw, bad[LINE] == raw.raw_line)
    frame = bad.select(line=bad[LINE], found=bad.found, rule=bad.rule).distinct()
    frame = frame.order_by("line").to_pyarrow().to_pandas()
    frame["rule"] = frame["rule"].map(dict(enumerate(staged.rules[name])))
    column = STAGED[staged.feed.table][name]
    shown = [shown_cell(text, words=column.codes) for text in frame["found"]]
    frame["found"] = "(not shown)" if column.private else shown
    return frame.assign(source_file=staged.source.name, column=staged.titles[name])


__all__ = [
    "FEED_STEP",
    "FILE",
    "ORDER",
    "RECORD",
    "REFUSED",
    "RULE",
    "WHO",
    "WHY",
    "Staged",
    "cell_rejects",
    "ibis_type",
    "meant",
    "stage",
]
