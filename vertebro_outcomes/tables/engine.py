"""The engine that holds a cohort's tables: an embedded DuckDB, or the Ibis backend of the caller."""

import shutil
import tempfile
import warnings
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa


MEMORY: Final = "1500MB"
MEMORY_TO_ANALYSE: Final = "4GB"  # joins of ten million patients; what does not fit lies on disk


def embedded_engine(**limits: str) -> Any:
    """A DuckDB of its own, in memory; `limits` are settings of DuckDB such as `memory_limit`."""
    import ibis

    with quiet():
        engine = ibis.duckdb.connect(":memory:", **limits)
    engine.vertebro_own = True  # what is made by another connection to it is found by this one
    return engine


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
    import ibis.expr.operations as ops
    import ibis.expr.types as ir

    called = ibis.util.gen_name(name)
    expression = data if isinstance(data, ir.Expr) else ibis.memtable(data)
    if engine.name != "duckdb" or expression.op().find(ops.InMemoryTable):
        with quiet():
            return engine.create_table(called, expression)
    engine.con.execute(making(engine, called, expression, declared_columns(engine, expression)))
    return made(engine, called, expression.schema())


def making(engine: Any, called: str, data: "ir.Table", columns: Mapping[str, str]) -> str:
    """The query that makes a table of DuckDB, of which the columns are spelled in SQL."""
    with quiet():
        query = engine.compile(data)
    chosen = ", ".join(columns[name] for name in data.columns)
    return f'CREATE TABLE "{called}" AS SELECT {chosen} FROM ({query})'  # noqa: S608 -- our own


def declared_columns(engine: Any, data: "ir.Table") -> dict[str, str]:
    """Columns in the type that Ibis takes them for: that of an engine may be another."""
    kinds = {c: engine.compiler.type_mapper.to_string(kind) for c, kind in data.schema().items()}
    return {c: f'CAST("{c}" AS {kind}) AS "{c}"' for c, kind in kinds.items()}


def made(engine: Any, called: str, schema: Any) -> "ir.Table":
    """The table of that name, whose columns are known."""
    import ibis.expr.operations as ops

    place = ops.Namespace(catalog=None, database=None)
    return ops.DatabaseTable(name=called, schema=schema, source=engine, namespace=place).to_expr()


def stacked(parts: Sequence["ir.Table"]) -> "ir.Table":
    """The rows of all parts in their order; halves of halves, as engines nest queries only so deep."""
    half = (len(parts) + 1) // 2
    return parts[0] if len(parts) == 1 else stacked(parts[:half]).union(stacked(parts[half:]))


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
