"""The engine that holds a cohort's tables: an embedded DuckDB, or the Ibis backend of the caller."""

import shutil
import tempfile
import warnings
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from vertebro_outcomes.tables.parquet_parts import join_parts
from vertebro_outcomes.tables.parquet_rows import ROWS, Coded, write_rows

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa


MEMORY: Final = "1500MB"
MEMORY_TO_ANALYSE: Final = "4GB"  # joins of ten million patients; what does not fit lies on disk


def embedded_engine(**limits: str) -> Any:
    """A DuckDB of its own, in memory; `limits` are settings of DuckDB such as `memory_limit`."""
    import ibis

    with quiet():
        return ibis.duckdb.connect(":memory:", **limits)


def working_engine() -> Any:
    """A DuckDB with bounded memory; what does not fit lies in a folder that leaves with it."""
    folder = Path(tempfile.mkdtemp(prefix="vertebro-"))
    engine = embedded_engine(memory_limit=MEMORY, temp_directory=str(folder / "spilled"))
    engine.vertebro_folder = folder
    weakref.finalize(engine, shutil.rmtree, folder, ignore_errors=True)
    return engine


def analysing_engine() -> Any:
    """A DuckDB for tables that are already canonical; joins that do not fit lie in a folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix="vertebro-"))
    engine = embedded_engine(memory_limit=MEMORY_TO_ANALYSE, temp_directory=str(folder))
    engine.vertebro_memory = MEMORY_TO_ANALYSE
    weakref.finalize(engine, shutil.rmtree, folder, ignore_errors=True)
    return engine


def hand_back(table: "ir.Table") -> None:
    """What an embedded engine of ours has freed returns to the system before arrays are built.

    DuckDB keeps it for its next query, up to gigabytes, until its limit is set; it may be the same.
    """
    import ibis

    try:
        engine = table.get_backend()
    except ibis.common.exceptions.IbisError:  # an Arrow table, or tables of several engines
        return
    limit = getattr(engine, "vertebro_memory", None)
    if limit is not None:
        engine.con.execute(f"SET memory_limit = '{limit}'")


def store(engine: Any, name: str, data: "ir.Table | pa.Table") -> "ir.Table":
    """Compute `data` once and keep it on `engine` as a table whose name starts with `name`."""
    import ibis
    import ibis.expr.types as ir

    expression = data if isinstance(data, ir.Expr) else ibis.memtable(data)
    with quiet():
        return engine.create_table(ibis.util.gen_name(name), expression)


def stacked(parts: Sequence["ir.Table"]) -> "ir.Table":
    """The rows of all parts in their order; halves of halves, as engines nest queries only so deep."""
    half = (len(parts) + 1) // 2
    return parts[0] if len(parts) == 1 else stacked(parts[:half]).union(stacked(parts[half:]))


def store_words(
    engine: Any, name: str, data: "ir.Table", words: Mapping[str, Sequence[str]]
) -> "ir.Table":
    """As `store` on DuckDB, where columns that hold only these words, likely ones first, are numbers.

    They stay texts to whoever asks for them, and are counted and compared faster.
    """
    import ibis

    stored = ibis.util.gen_name(name)
    with quiet():
        typed = _as_declared(engine, data) | _as_words(words)
        query = f"SELECT {', '.join(typed[c] for c in data.columns)} FROM ({engine.compile(data)})"  # noqa: S608 -- our own
        engine.con.execute(f'CREATE TABLE "{stored}" AS {query}')
        return engine.table(stored)


@contextmanager
def streamed(engine: Any, name: str, rows: "pa.RecordBatchReader") -> Iterator["ir.Table"]:
    """Rows that DuckDB may go through once, in their order; what stops them stops its query."""
    import ibis

    called = ibis.util.gen_name(name)
    engine.con.register(called, rows)
    try:
        with quiet():
            yield engine.table(called)
    finally:
        engine.con.unregister(called)


def store_told(engine: Any, name: str, data: "ir.Table", *, place: str = "") -> "ir.Table":
    """As `store`, but columns that are blank by definition take no room: they are said again.

    On DuckDB a column named `place` tells the place of each row in the order they were stored.
    """
    import ibis

    blank = {c: data[c] for c in data.columns if is_blank(data.op(), c)}
    told = store(engine, name, data.drop(*blank) if blank else data)
    places = {place: told.rowid().cast("int32")} if place else {}
    if not blank:
        return told.mutate(**places) if place else told
    blanks = {c: ibis.null(column.type()) for c, column in blank.items()}
    return told.mutate(**blanks, **places).select([*data.columns, *places])


def is_blank(relation: Any, name: str) -> bool:
    """Whether a column of a relation was spelled out as blank, and only handed on since then."""
    import ibis.expr.operations as ops

    while True:
        if isinstance(relation, ops.Project | ops.JoinChain):
            value = relation.values[name]
            if isinstance(value, ops.Literal):
                return value.value is None
            if not isinstance(value, ops.Field):
                return False
            relation, name = value.rel, value.name
        elif isinstance(relation, ops.Filter | ops.DropColumns | ops.JoinReference | ops.Sort):
            relation = relation.parent
        else:
            return False


def keep(engine: Any, name: str, data: "ir.Table") -> "ir.Table":
    """As `store`; an engine that works in a folder of its own keeps the table as Parquet there."""
    import ibis

    folder = working_folder(engine)
    if folder is None:
        return store(engine, name, data)
    path = folder / f"{ibis.util.gen_name(name)}.parquet"
    with quiet():
        data.to_parquet(path)
        return engine.read_parquet(str(path), table_name=path.stem)


@dataclass(frozen=True)
class Cut:
    """Rows below `at` in a column, and the rest, are written side by side; the column is not kept."""

    column: str
    at: int


def keep_all(
    engine: Any,
    tables: Mapping[str, "ir.Table"],
    words: Mapping[str, Sequence[str]],
    cuts: Mapping[str, Cut],
    coded: Mapping[str, Callable[[], Coded]],
) -> dict[str, "ir.Table"]:
    """As `keep` for several tables; an engine with a folder writes two at a time, or parts of one.

    Each is written by one thread, and no join is turned round: the rows of a file come in the same
    order wherever it is written, without being sorted. `words` are all that columns of these names
    hold: numbered words are packed faster, and read back as the text they are. What tables have
    `coded` is looked up as they are written.
    """
    import ibis

    folder = working_folder(engine)
    if folder is None:
        return {name: store(engine, name, data) for name, data in tables.items()}
    paths = {name: folder / f"{ibis.util.gen_name(name)}.parquet" for name in tables}
    connection = engine.con
    threads = connection.execute("SELECT current_setting('threads')").fetchall()[0][0]
    connection.execute("SET threads = 1")
    connection.execute("SET disabled_optimizers = 'join_order,build_side_probe_side'")
    try:
        with ThreadPoolExecutor(2) as pool:
            begun: dict[str, list[Future[Path]]] = {name: [] for name in tables}
            for name, data in tables.items():  # the next query is put into words meanwhile
                texts = coded[name]() if name in coded else None
                for place, query in enumerate(_queries(engine, data, words, cuts.get(name))):
                    path = paths[name].with_suffix(f".{place}")
                    task = (connection.cursor(), query, path, texts)
                    begun[name].append(pool.submit(_write, *task))
            for name, parts in begun.items():
                join_parts([part.result() for part in parts], paths[name])
    finally:
        connection.execute("RESET disabled_optimizers")
        connection.execute(f"SET threads = {threads}")
    with quiet():
        return {
            name: engine.read_parquet(str(path), table_name=path.stem)
            for name, path in paths.items()
        }


def _write(cursor: Any, query: str, path: Path, coded: Coded | None) -> Path:
    found = cursor.sql(query)
    # The second is what versions before 1.4 call it.
    read = getattr(found, "to_arrow_reader", None) or found.fetch_arrow_reader
    write_rows(read(ROWS), path, coded)
    return path


def _queries(
    engine: Any, data: "ir.Table", words: Mapping[str, Sequence[str]], cut: Cut | None
) -> list[str]:
    """The queries of the parts of a table on DuckDB, columns of known words as enumerations."""
    with quiet():
        query = str(engine.compile(data))
    left_out = f'EXCLUDE ("{cut.column}")' if cut else ""
    recast = _recast({name: words[name] for name in words if name in data.columns})
    whole = f"SELECT * {left_out} {recast} FROM ({query})"  # noqa: S608 -- our own query
    if cut is None:
        return [whole]
    return [f'{whole} WHERE "{cut.column}" {which} {cut.at}' for which in ("<", ">=")]


def _recast(words: Mapping[str, Sequence[str]]) -> str:
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
    """A column of words by their numbers; each is compared, which for the first takes less than a search."""
    quoted = ["'" + word.replace("'", "''") + "'" for word in words]
    kind = f"ENUM({', '.join(sorted(quoted))})"
    each = " ".join(f"WHEN {word} THEN {word}::{kind}" for word in quoted)
    return f'CASE "{name}" {each} ELSE "{name}"::{kind} END'


def kept_file(table: "ir.Table") -> Path | None:
    """The Parquet file that holds exactly this table, if `keep` made one."""
    import ibis.expr.operations as ops

    operation = table.op()
    if not isinstance(operation, ops.DatabaseTable):
        return None
    folder = working_folder(table.get_backend())
    path = None if folder is None else folder / f"{operation.name}.parquet"
    return path if path is not None and path.is_file() else None


def working_folder(engine: Any) -> Path | None:
    """The folder that a `working_engine` made for itself."""
    folder: Path | None = getattr(engine, "vertebro_folder", None)
    return folder


def open_parquet(engine: Any, path: Path) -> "ir.Table":
    """A Parquet file as a table of `engine`."""
    with quiet():
        return engine.read_parquet(str(path))


def count(table: "ir.Table") -> int:
    """The number of rows."""
    return int(table.count().to_pyarrow().as_py())


def total(column: Any) -> int:
    """The sum of a column of whole numbers."""
    return int(column.sum().to_pyarrow().as_py() or 0)


@contextmanager
def quiet() -> Iterator[None]:
    """Deprecations between two libraries are no message to the user."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield
