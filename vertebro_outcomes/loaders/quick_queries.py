"""Settings under which long queries are put into words in less time, for as long as a load lasts."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

SELDOM: Final = 100_000  # new objects after which lost ones are looked for


@contextmanager
def quick_queries(engine: Any) -> Iterator[None]:
    """Ibis merges each step of a query into the next at length, which DuckDB does in no time.

    It makes and forgets so many small objects that Python looks for lost ones all the time.
    """
    import ibis

    told, collected = ibis.options.sql, gc.get_threshold()
    before, told.fuse_selects = told.fuse_selects, told.fuse_selects and engine.name != "duckdb"
    gc.set_threshold(collected[0] and max(collected[0], SELDOM), *collected[1:])
    try:
        yield
    finally:
        told.fuse_selects = before
        gc.set_threshold(*collected)
