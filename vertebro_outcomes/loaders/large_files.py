"""Delimited files too large for memory: read by the engine, with the same account of every row."""

import csv
import shutil
import tempfile
from pathlib import Path
from typing import Any, Final

from vertebro_outcomes.errors import LoadError, Problem
from vertebro_outcomes.loaders.delimited import Dialect, sniff
from vertebro_outcomes.loaders.sources import LINE, Source, unique_names
from vertebro_outcomes.tables.engine import count, embedded_engine, open_parquet, quiet, store

LARGE_BYTES: Final = 16_000_000
CHUNK_BYTES: Final = 1 << 22
MOST_SHIFTS: Final = 200


def read_large(engine: Any, path: Path, *, name: str | None = None) -> Source:
    """A large delimited file as text; repeated headers and rows of the wrong width are counted."""
    import ibis

    dialect = sniff(path)
    own = engine if engine.name == "duckdb" else embedded_engine()
    with tempfile.TemporaryDirectory() as folder:
        readable = _utf8(path, dialect, Path(folder))
        rejects = ibis.util.gen_name("rejects")
        header, above = _header(readable, dialect)
        data = _stored(own, readable, dialect, header=header, above=above, rejects=rejects)
        refused = _refused(own, rejects)
        data = _past_refused(data, [line for line, _, _ in refused])
        n_lines = _physical_lines(readable)
    data, aside = _without_repeated_headers(own, data, header)
    if own is not engine:
        data = _handed_over(own, engine, data)
    n_records = count(data) + sum(aside.values()) + len(refused)
    exact = n_lines == n_records + above and len(refused) <= MOST_SHIFTS
    note = f"{path.name}: cells hold line breaks or lines are blank; lines count records"
    return Source(
        name or path.name,
        data,
        count(data),
        set_aside=aside,
        refused=refused,
        notes=() if exact else (note,),
    )


def _stored(engine: Any, path: Path, dialect: Dialect, **how: Any) -> Any:
    """All records with their lines; cells with line breaks need a single reader."""
    import duckdb
    import ibis

    said = ""
    for parallel in (True, False):
        try:
            raw = _scan(engine, path, dialect, parallel=parallel, **how)
            line = ibis.row_number().cast("int64") + how["above"] + 1
            return store(engine, "source", raw.select(line.name(LINE), *how["header"]))
        except duckdb.Error as error:
            said = str(error).splitlines()[0]
    raise LoadError(path.name, [Problem(path.name, said, "delimited text")], "repair that line")


def _scan(
    engine: Any,
    path: Path,
    dialect: Dialect,
    *,
    header: list[str],
    above: int,
    rejects: str,
    parallel: bool,
) -> Any:
    """Every cell as text; nothing about the file is left to guessing."""
    with quiet():
        return engine.read_csv(
            str(path),
            auto_detect=False,
            columns=dict.fromkeys(header, "VARCHAR"),
            header=False,
            skip=above,
            delim=dialect.separator,
            quote='"',
            escape='"',
            null_padding=True,
            ignore_errors=True,
            store_rejects=True,
            rejects_table=rejects,
            rejects_scan=f"{rejects}_scan",
            parallel=parallel,
        )


def _header(path: Path, dialect: Dialect) -> tuple[list[str], int]:
    """The headers, and how many lines stand above the first record."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(stream, delimiter=dialect.separator)
        for _ in range(dialect.title_rows):
            next(reader)
        titles = [title.strip() for title in next(reader)]
        while titles and not titles[-1]:
            titles.pop()
        return unique_names(titles), reader.line_num


def _without_repeated_headers(
    engine: Any, data: Any, header: list[str]
) -> tuple[Any, dict[str, int]]:
    import ibis

    again: Any = ibis.literal(True)
    for title in header:
        again = again & (data[title].strip() == title).fill_null(False)
    n = count(data.filter(again))
    if not n:
        return data, {}
    return store(engine, "source", data.filter(~again)), {"repeated header": n}


def _refused(engine: Any, table: str) -> list[tuple[int, str, str]]:
    """Rows the engine could not split; each once."""
    with quiet():
        rows = engine.table(table)
    kinds = rows.group_by("line").aggregate(kind=rows.error_type.cast("string").min())
    found = kinds.order_by("line").to_pyarrow().to_pylist()
    return [(int(row["line"]), "a row", str(row["kind"]).lower()) for row in found]


def _past_refused(data: Any, lines: list[int]) -> Any:
    """Records below a refused row stand one line further down than their number says."""
    import ibis

    if not lines or len(lines) > MOST_SHIFTS:
        return data
    starts = [line - place for place, line in enumerate(lines)]
    shift = sum(ibis.ifelse(data[LINE] >= start, 1, 0) for start in starts)
    return data.mutate(**{LINE: data[LINE] + shift})


def _utf8(path: Path, dialect: Dialect, folder: Path) -> Path:
    if dialect.encoding in ("utf-8", "utf-8-sig"):
        return path
    copy = folder / "utf8.csv"
    with (
        path.open(encoding=dialect.encoding, newline="", errors="replace") as source,
        copy.open("w", encoding="utf-8", newline="") as target,
    ):
        shutil.copyfileobj(source, target, CHUNK_BYTES)
    return copy


def _physical_lines(path: Path) -> int:
    lines, last = 0, b"\n"
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            lines += chunk.count(b"\n")
            last = chunk[-1:]
    return lines + (last != b"\n")


def _handed_over(own: Any, engine: Any, data: Any) -> Any:
    """From the reading engine to the caller's, as Parquet in a folder of the session."""
    del own
    folder = Path(tempfile.mkdtemp(prefix="vertebro-"))
    data.to_parquet(folder / "source.parquet")
    return open_parquet(engine, folder / "source.parquet")
