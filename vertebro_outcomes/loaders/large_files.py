"""Delimited files too large for memory: read by the engine, with the same account of every row."""

# ruff: noqa: PD003, PD004 -- isnull and notnull are the names Ibis gives them

import shutil
import tempfile
from pathlib import Path
from typing import Any, Final

from vertebro_outcomes.loaders.delimited import Dialect, sniff
from vertebro_outcomes.loaders.sources import LINE, Source, unique_names
from vertebro_outcomes.tables.engine import count, embedded_engine, open_parquet, quiet, store

LARGE_BYTES: Final = 16_000_000
CHUNK_BYTES: Final = 1 << 22


def read_large(engine: Any, path: Path, *, name: str | None = None) -> Source:
    """A large delimited file as text; repeated headers and rows of the wrong width are counted."""
    import ibis

    dialect = sniff(path)
    own = engine if engine.name == "duckdb" else embedded_engine()
    with tempfile.TemporaryDirectory() as folder:
        readable = _utf8(path, dialect, Path(folder))
        rejects = ibis.util.gen_name("rejects")
        raw = _scan(own, readable, dialect, rejects)
        header = _header(readable, dialect)
        raw = raw.rename(dict(zip(header, raw.columns[: len(header)], strict=True)))
        first = 2 + dialect.title_rows
        whole = raw.mutate(**{LINE: ibis.row_number().cast("int64") + first})
        data = store(own, "source", whole)
        refused = _refused(own, rejects)
        n_lines = _physical_lines(readable)
    extra = [c for c in data.columns if c not in header and c != LINE]
    data, aside, wide = _split(own, data, header, extra)
    if own is not engine:
        data = _handed_over(own, engine, data)
    n_records = count(data) + sum(aside.values()) + len(wide) + len(refused)
    exact = n_lines == n_records + 1 + dialect.title_rows
    note = f"{path.name}: cells hold line breaks or lines are blank; lines count records"
    return Source(
        name or path.name,
        data,
        count(data),
        set_aside=aside,
        refused=[*wide, *refused],
        notes=() if exact else (note,),
    )


def _scan(engine: Any, path: Path, dialect: Dialect, rejects: str) -> Any:
    with quiet():
        return engine.read_csv(
            str(path),
            all_varchar=True,
            header=True,
            skip=dialect.title_rows,
            delim=dialect.separator,
            quote='"',
            escape='"',
            null_padding=True,
            ignore_errors=True,
            store_rejects=True,
            rejects_table=rejects,
            rejects_scan=f"{rejects}_scan",
            parallel=True,
        )


def _header(path: Path, dialect: Dialect) -> list[str]:
    import csv

    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(stream, delimiter=dialect.separator)
        for _ in range(dialect.title_rows):
            next(reader)
        return unique_names(next(reader))


def _split(
    engine: Any, data: Any, header: list[str], extra: list[str]
) -> tuple[Any, dict[str, int], list[tuple[int, str, str]]]:
    """Rows with more cells than headers, and repeated headers, apart from the records."""
    import ibis

    too_wide: Any = ibis.literal(False)
    for column in extra:
        too_wide = too_wide | data[column].notnull()
    again: Any = ibis.literal(True)
    for title in header:
        again = again & (data[title].strip() == title).fill_null(False)
    odd = data.mutate(_wide=too_wide, _again=again).filter(lambda t: t["_wide"] | t["_again"])
    rows = odd.select(LINE, "_wide").order_by(LINE).to_pyarrow().to_pylist()
    rule = f"more cells than the {len(header)} headers"
    wide = [(row[LINE], f"over {len(header)} cells", rule) for row in rows if row["_wide"]]
    aside = {"repeated header": len(rows) - len(wide)} if len(rows) > len(wide) else {}
    records = data.select(LINE, *header)
    if rows:
        lost = [row[LINE] for row in rows]
        records = store(engine, "source", records.filter(records[LINE].notin(lost)))
    return records, aside, wide


def _refused(engine: Any, table: str) -> list[tuple[int, str, str]]:
    """Rows the engine could not split; each once."""
    found = engine.con.execute(f'SELECT line, min(error_type) FROM "{table}" GROUP BY line').fetchall()  # noqa: S608
    return [(int(line), "a row", str(kind).lower()) for line, kind in sorted(found)]


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
