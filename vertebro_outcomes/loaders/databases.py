"""Tables of a database as text sources, through Ibis."""

from collections.abc import Sequence
from typing import Any

from vertebro_outcomes.loaders.sources import LINE, Source
from vertebro_outcomes.tables.engine import count, quiet, store


def is_database(path: Any) -> bool:
    """Whether a caller handed over an Ibis backend instead of a path."""
    return hasattr(path, "list_tables") and hasattr(path, "table")


def tables_of(backend: Any, wanted: Sequence[str]) -> list[tuple[str, str]]:
    """(wanted name, name in the database) of those tables that are there, in either case."""
    import ibis

    found = []
    for name in wanted:
        for spelled in (name, name.upper()):
            try:
                with quiet():
                    backend.table(spelled)
            except ibis.common.exceptions.TableNotFound:
                continue
            found.append((name, spelled))
            break
    return found


def read_database_table(engine: Any, backend: Any, name: str) -> Source:
    """One table as text; the row in the order of its first column stands for the line."""
    import ibis

    with quiet():
        table = backend.table(name)
    plain = {
        title: table[title].cast("string")
        for title in table.columns
        if not (table[title].type().is_nested() or table[title].type().is_binary())
    }
    order = ibis.row_number().over(order_by=table[table.columns[0]]).cast("int64") + 1
    text = table.select(**{LINE: order}, **plain)
    data = store(engine, "source", text if engine is backend else text.to_pyarrow())
    return Source(name, data, count(data))
