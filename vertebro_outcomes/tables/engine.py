"""The engine that holds a cohort's tables: an embedded DuckDB, or the Ibis backend of the caller."""

import shutil
import tempfile
import warnings
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa


MEMORY: Final = "1GB"
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
    weakref.finalize(engine, shutil.rmtree, folder, ignore_errors=True)
    return engine


def store(engine: Any, name: str, data: "ir.Table | pa.Table") -> "ir.Table":
    """Compute `data` once and keep it on `engine` as a table whose name starts with `name`."""
    import ibis
    import ibis.expr.types as ir

    expression = data if isinstance(data, ir.Expr) else ibis.memtable(data)
    with quiet():
        return engine.create_table(ibis.util.gen_name(name), expression)


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


def hashed(engine: Any, first: Any, second: Any) -> Any:
    """One number for two texts: equal texts give equal numbers, and rarely others do."""
    kind = "uint64" if engine.name == "duckdb" else "int32"
    return function("hash", ("string", "string"), kind)(first, second)


def function(name: str, takes: tuple[str, ...], gives: str) -> Any:
    """A function of the engine itself, by its name, the types it takes and the type it gives."""
    import ibis

    def one(first: Any) -> Any: ...
    def two(first: Any, second: Any) -> Any: ...

    shape = one if len(takes) == 1 else two
    return ibis.udf.scalar.builtin(shape, name=name, signature=(takes, gives))


def open_parquet(engine: Any, path: Path) -> "ir.Table":
    """A Parquet file as a table of `engine`."""
    with quiet():
        return engine.read_parquet(str(path))


def count(table: "ir.Table") -> int:
    """The number of rows."""
    return int(table.count().to_pyarrow().as_py())


@contextmanager
def quiet() -> Iterator[None]:
    """Deprecations between two libraries are no message to the user."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield
