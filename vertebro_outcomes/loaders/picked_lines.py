"""What feeds keep of files of which each line is one row, and how such a file is begun to be read."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from vertebro_outcomes.loaders.feed_columns import Columns, kinds_of, typed_columns
from vertebro_outcomes.loaders.format import Feed
from vertebro_outcomes.loaders.marks import WHO
from vertebro_outcomes.loaders.sources import Source
from vertebro_outcomes.loaders.typed_lines import is_written_as, schema_of
from vertebro_outcomes.tables.engine_functions import fingerprint
from vertebro_outcomes.tables.engine_words import Stream, begin

if TYPE_CHECKING:
    import ibis.expr.types as ir


@dataclass(frozen=True)
class Picked:
    """The columns that feeds keep of the rows of a source; what they share is kept once."""

    columns: "ir.Table"
    words: Mapping[str, Sequence[str]]
    read: Sequence[Columns]
    own: Sequence[Mapping[str, str]]  # for each feed: its column -> the name it is kept by
    titled: bool = True  # whether the header may stand among the rows again


@dataclass(frozen=True)
class Reading:
    """A plain file that is being read; `rows` waits for it."""

    picked: Picked
    rows: Callable[[], "ir.Table"]


def begin_reading(
    engine: Any, source: Source, feeds: Mapping[int, Feed], beside: Executor
) -> Reading | None:
    """Begins to read a file as dates and numbers, if all its lines seem to be written so."""
    plain = source.in_order and source.in_order.plain
    feeds = numbered_later(feeds, source)
    kinds = kinds_of(source, list(feeds.values())) if plain and engine.name == "duckdb" else {}
    if not plain or not kinds:
        return None
    decimal = "," if source.setting.decimal == "," else "."
    told = Stream.of(engine, "plain", schema_of(kinds), partial(plain.read, kinds, decimal=decimal))
    # A header that comes again ends the reading, unless each title could be a cell of its column.
    titled = all(is_written_as(title, kind) for title, kind in kinds.items())
    picked = pick(engine, source, feeds, told.table, titled=titled)
    how: dict[str, Any] = {"words": picked.words, "rows": told, "beside": beside}
    return Reading(picked, begin(engine, "staged", picked.columns, **how))


def pick(
    engine: Any, source: Source, feeds: Mapping[int, Feed], rows: "ir.Table", *, titled: bool = True
) -> Picked:
    """What feeds keep of rows of their source; `titled` if the header may stand among them again."""
    rows, read = typed_columns(rows, source, list(feeds.values()))
    kept: dict[Any, str] = {}  # what is kept -> its name
    for place, columns in zip(feeds, read, strict=True):
        for name, value in columns.values.items():
            kept.setdefault(value.op(), f"{place} {name}")
    picked = rows.select(value.to_expr().name(name) for value, name in kept.items())
    own = [{c: kept[v.op()] for c, v in columns.values.items()} for columns in read]
    ids = dict.fromkeys(columns["patient_id"] for columns in own)
    picked = picked.mutate(**{f"{WHO} {one}": number_of(engine, picked[one]) for one in ids})
    words = {
        kept[columns.values[c].op()]: known
        for columns in read
        for c, known in columns.words.items()
    }
    return Picked(picked, words, read, own, titled)


def number_of(engine: Any, identifier: Any) -> Any:
    """The number of a person, who is nobody without an identifier."""
    import ibis

    none = ibis.null("int64")
    return ibis.ifelse(identifier.isnull(), none, fingerprint(engine, identifier))


def wanted(feeds: Iterable[Feed]) -> list[str]:
    """The columns of a source that feeds look at."""
    cells = [cell.column for feed in feeds for cell in feed.cells.values() if cell.constant is None]
    return list(dict.fromkeys([*cells, *(title for feed in feeds for title in feed.where)]))


def repeats_lines(feed: Feed) -> bool:
    """Whether one row of the file may become several rows."""
    cell = feed.cells.get("level")
    return cell is not None and cell.constant is None


def numbered_later(feeds: Mapping[int, Feed], source: Source) -> dict[int, Feed]:
    """The feeds of which `is_numbered_later` holds."""
    return {n: feed for n, feed in feeds.items() if is_numbered_later(feed, source)}


def is_numbered_later(feed: Feed, source: Source) -> bool:
    """Where each line becomes one row, the place of the row tells the line: counting is not needed.

    An engine that numbers rows reads the file with one thread.
    """
    return source.in_order is not None and not feed.where and not repeats_lines(feed)
