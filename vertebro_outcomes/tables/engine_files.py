"""Tables of an engine that works in a folder of its own, kept there as Parquet."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vertebro_outcomes.tables.engine import made, quiet, store, working_folder
from vertebro_outcomes.tables.engine_words import recast
from vertebro_outcomes.tables.parquet_rows import ROWS, Coded, write_rows

if TYPE_CHECKING:
    import ibis.expr.types as ir


def keep(engine: Any, name: str, data: "ir.Table") -> "ir.Table":
    """As `store`; an engine that works in a folder of its own keeps the table as Parquet there."""
    import ibis
    import ibis.expr.operations as ops
    import pyarrow.parquet as pq

    folder = working_folder(engine)
    if folder is None:
        return store(engine, name, data)
    path = folder / f"{ibis.util.gen_name(name)}.parquet"
    with quiet():
        held = data.op()
        if isinstance(held, ops.InMemoryTable):
            pq.write_table(held.data.to_pyarrow(held.schema), path, store_schema=False)
        else:
            data.to_parquet(path)
    return _opened(engine, path)


def _opened(engine: Any, path: Path) -> "ir.Table":
    """A file that was kept as a table, whose columns need not be asked for."""
    import ibis
    import pyarrow.parquet as pq

    place = str(path).replace("'", "''")
    query = f"SELECT * FROM read_parquet('{place}')"  # noqa: S608 -- our own file
    engine.con.execute(f'CREATE TEMPORARY VIEW "{path.stem}" AS {query}')
    return made(engine, path.stem, ibis.schema(pq.read_schema(path)))


def keep_all(
    engine: Any,
    tables: Mapping[str, "ir.Table"],
    words: Mapping[str, Mapping[str, Sequence[str]]],
    coded: Mapping[str, Callable[[], Coded]],
) -> dict[str, "ir.Table"]:
    """As `keep` for several tables; an engine with a folder writes two at a time.

    The rows of each come by one thread, and no join is turned round: they have the same order
    wherever they are written, without being sorted. `words` are all that these columns of a table
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
            begun = []
            for name, data in tables.items():  # the next query is put into words meanwhile
                texts = coded[name]() if name in coded else None
                task = (connection.cursor(), _query(engine, data, words.get(name, {})))
                begun.append(pool.submit(_write, *task, paths[name], texts))
            for table in begun:
                table.result()
    finally:
        connection.execute("RESET disabled_optimizers")
        connection.execute(f"SET threads = {threads}")
    return {name: _opened(engine, path) for name, path in paths.items()}


def _write(cursor: Any, query: str, path: Path, coded: Coded | None) -> None:
    found = cursor.sql(query)
    # The second is what versions before 1.4 call it.
    read = getattr(found, "to_arrow_reader", None) or found.fetch_arrow_reader
    write_rows(read(ROWS), path, coded)


def _query(engine: Any, data: "ir.Table", words: Mapping[str, Sequence[str]]) -> str:
    """The query of a table on DuckDB, columns of known words as enumerations."""
    with quiet():
        query = str(engine.compile(data))
    return f"SELECT * {recast(words)} FROM ({query})"  # noqa: S608 -- our own query


def kept_file(table: "ir.Table") -> Path | None:
    """The Parquet file that holds exactly this table, if `keep` made one."""
    import ibis.expr.operations as ops

    operation = table.op()
    if not isinstance(operation, ops.DatabaseTable):
        return None
    folder = working_folder(table.get_backend())
    path = None if folder is None else folder / f"{operation.name}.parquet"
    return path if path is not None and path.is_file() else None
