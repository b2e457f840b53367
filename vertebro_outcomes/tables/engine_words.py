"""Columns that hold known words as enumerations of DuckDB, and queries begun in another thread."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from vertebro_outcomes.tables.engine import declared_columns, made, making, store

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

MOST_COMPARED: Final = 4  # words of a column, each of which makes a query longer by all of them


def store_words(
    engine: Any, name: str, data: "ir.Table", words: Mapping[str, Sequence[str]]
) -> "ir.Table":
    """As `store` on DuckDB, where columns that hold only these words, likely ones first, are numbers.

    They stay texts to whoever asks for them, and are counted and compared faster.
    """
    called, query = _worded(engine, name, data, words)
    engine.con.execute(query)
    return made(engine, called, data.schema())


@dataclass(frozen=True)
class Stream:
    """Rows that DuckDB may go through once, in their order; `table` stands for them in a query."""

    name: str
    table: "ir.Table"
    read: Callable[[], "pa.RecordBatchReader"]

    @classmethod
    def of(cls, engine: Any, name: str, schema: "pa.Schema", read: Callable[[], Any]) -> "Stream":
        """Rows of that schema, which `read` begins to read."""
        import ibis

        called = ibis.util.gen_name(name)
        return cls(called, made(engine, called, ibis.schema(schema)), read)


def begin(
    engine: Any,
    name: str,
    data: "ir.Table",
    *,
    words: Mapping[str, Sequence[str]] | None = None,
    rows: Stream | None = None,
    beside: Executor | None = None,
) -> Callable[[], "ir.Table"]:
    """As `store_words`, but begun in another thread if the engine is our own; the answer waits for it.

    `data` may be made of `rows`: what stops them stops the query, and is told by the answer.
    """
    if engine.name != "duckdb":
        table = store(engine, name, data)
        return lambda: table
    called, query = _worded(engine, name, data, words or {})
    if not getattr(engine, "vertebro_own", False):

        def told() -> "ir.Table":
            _run(engine.con, query, rows)
            return made(engine, called, data.schema())

        return told
    pool = beside or ThreadPoolExecutor(1)
    done = pool.submit(_run, engine.con.cursor(), query, rows)
    if beside is None:
        pool.shutdown(wait=False)

    def waited_for() -> "ir.Table":
        done.result()
        return made(engine, called, data.schema())

    return waited_for


def _run(connection: Any, query: str, rows: Stream | None) -> None:
    if rows is None:
        connection.execute(query)
        return
    connection.register(rows.name, rows.read())
    try:
        connection.execute(query)
    finally:
        connection.unregister(rows.name)


def _worded(
    engine: Any, name: str, data: "ir.Table", words: Mapping[str, Sequence[str]]
) -> tuple[str, str]:
    """The name of a table and the query that makes it."""
    import ibis

    called = ibis.util.gen_name(name)
    columns = declared_columns(engine, data) | _as_words(words)
    return called, making(engine, called, data, columns)


def recast(words: Mapping[str, Sequence[str]]) -> str:
    """What stands behind the star of a query that gives these columns as enumerations."""
    casts = list(_as_words(words).values())
    return f"REPLACE ({', '.join(casts)})" if casts else ""


def _as_words(words: Mapping[str, Sequence[str]]) -> dict[str, str]:
    return {c: f'{_as_enumeration(c, some)} AS "{c}"' for c, some in words.items() if some}


def _as_enumeration(name: str, words: Sequence[str]) -> str:
    """A column of words by their numbers; to compare the first few takes less than a search."""
    quoted = ["'" + word.replace("'", "''") + "'" for word in words]
    kind = f"ENUM({', '.join(sorted(quoted))})"
    each = " ".join(f"WHEN {word} THEN {word}::{kind}" for word in quoted[:MOST_COMPARED])
    return f'CASE "{name}" {each} ELSE "{name}"::{kind} END'
