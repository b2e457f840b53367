"""A table computed once for several questions, and gone when they are answered."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from vertebro_outcomes.tables.engine import quiet, store

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa


@contextmanager
def held(engine: Any, data: "ir.Table | pa.Table") -> Iterator[Any]:
    """`data` as a table of the engine, until the block ends."""
    table = store(engine, "held", data)
    try:
        yield table
    finally:
        with quiet():
            engine.raw_sql(f"DROP TABLE IF EXISTS {table.op().name}")  # a name of letters we made
