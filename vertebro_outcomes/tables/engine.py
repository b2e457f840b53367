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


def embedded_engine(file: Path | None = None, *, memory: str = "") -> Any:
    """A DuckDB of its own: in memory, or in `file` with at most `memory` (such as ``1GB``)."""
    import ibis

    with quiet():
        limits = {"memory_limit": memory} if memory else {}
        return ibis.duckdb.connect(file or ":memory:", **limits)


def working_engine() -> Any:
    """A DuckDB in a temporary file that is removed with the engine; memory is bounded."""
    folder = Path(tempfile.mkdtemp(prefix="vertebro-"))
    engine = embedded_engine(folder / "cohort.duckdb", memory=MEMORY)
    weakref.finalize(engine, shutil.rmtree, folder, ignore_errors=True)
    return engine


def store(engine: Any, name: str, data: "ir.Table | pa.Table") -> "ir.Table":
    """Compute `data` once and keep it on `engine` as a table whose name starts with `name`."""
    import ibis
    import ibis.expr.types as ir

    expression = data if isinstance(data, ir.Expr) else ibis.memtable(data)
    with quiet():
        return engine.create_table(ibis.util.gen_name(name), expression)


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
