"""Columns that hold known words as enumerations of DuckDB, and queries begun in another thread."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from vertebro_outcomes.tables.engine import quiet, store

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
    stored, query = _worded(engine, name, data, words)
    engine.con.execute(query)
    with quiet():
        return engine.table(stored)


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
        import ibis.expr.operations as ops

        called = ibis.util.gen_name(name)
        told = ops.DatabaseTable(
            name=called,
            schema=ibis.schema(schema),
            source=engine,
            namespace=ops.Namespace(catalog=None, database=None),
        )
        return cls(called, told.to_expr(), read)


def begin(
    engine: Any,
    name: str,
    data: "ir.Table",
    *,
    words: Mapping[str, Sequence[str]] | None = None,
    rows: Stream | None = None,
    beside: Executor | None = None,
) -> Callable[[], "ir.Table"]:
    """As `store_words`, but on DuckDB begun in another thread; the answer waits for it.

    `data` may be made of `rows`: what stops them stops the query, and is told by the answer.
    """
    if engine.name != "duckdb":
        table = store(engine, name, data)
        return lambda: table
    stored, query = _worded(engine, name, data, words or {})
    pool = beside or ThreadPoolExecutor(1)
    done = pool.submit(_run, engine.con.cursor(), query, rows)
    if beside is None:
        pool.shutdown(wait=False)

    def told() -> "ir.Table":
        done.result()
        with quiet():
            return engine.table(stored)

    return told


def _run(cursor: Any, query: str, rows: Stream | None) -> None:
    if rows is not None:
        cursor.register(rows.name, rows.read())
    try:
        cursor.execute(query)
    finally:
        if rows is not None:
            cursor.unregister(rows.name)
        cursor.close()


def _worded(
    engine: Any, name: str, data: "ir.Table", words: Mapping[str, Sequence[str]]
) -> tuple[str, str]:
    """The name of a table and the query that makes it."""
    import ibis

    stored = ibis.util.gen_name(name)
    with quiet():
        typed = _as_declared(engine, data) | _as_words(words)
        columns = ", ".join(typed[c] for c in data.columns)
        query = f"SELECT {columns} FROM ({engine.compile(data)})"  # noqa: S608 -- our own
    return stored, f'CREATE TABLE "{stored}" AS {query}'


def recast(words: Mapping[str, Sequence[str]]) -> str:
    """What stands behind the star of a query that gives these columns as enumerations."""
    casts = list(_as_words(words).values())
    return f"REPLACE ({', '.join(casts)})" if casts else ""


def _as_words(words: Mapping[str, Sequence[str]]) -> dict[str, str]:
    return {c: f'{_as_enumeration(c, some)} AS "{c}"' for c, some in words.items() if some}


def _as_declared(engine: Any, data: "ir.Table") -> dict[str, str]:
    """Columns in the type that Ibis takes them for: that of an engine may be another."""
    kinds = {c: engine.compiler.type_mapper.to_string(kind) for c, kind in data.schema().items()}
    return {c: f'CAST("{c}" AS {kind}) AS "{c}"' for c, kind in kinds.items()}


def _as_enumeration(name: str, words: Sequence[str]) -> str:
    """A column of words by their numbers; to compare the first few takes less than a search."""
    quoted = ["'" + word.replace("'", "''") + "'" for word in words]
    kind = f"ENUM({', '.join(sorted(quoted))})"
    each = " ".join(f"WHEN {word} THEN {word}::{kind}" for word in quoted[:MOST_COMPARED])
    return f'CASE "{name}" {each} ELSE "{name}"::{kind} END'
