"""Delimited files too large for memory: read by the engine, with the same account of every row."""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from vertebro_outcomes.errors import LoadError, Problem
from vertebro_outcomes.loaders.delimited import Dialect, read_delimited, sniff
from vertebro_outcomes.loaders.file_ends import footers_of, titles_of, usual_texts
from vertebro_outcomes.loaders.limits import refuse_width
from vertebro_outcomes.loaders.physical_lines import CHUNK_BYTES, physical_lines
from vertebro_outcomes.loaders.sources import LINE, InOrder, Source, unique_names
from vertebro_outcomes.loaders.typed_lines import TypedLines
from vertebro_outcomes.tables.engine import embedded_engine, open_parquet, quiet, store

LARGE_BYTES: Final = 4_000_000  # reading cell by cell takes as long as a load costs anyway
MOST_SHIFTS: Final = 200
MOST_IN_MEMORY: Final = 128_000_000
SWALLOWS: Final = ("unquoted value", "line size over maximum")  # with the lines below


def read_large(
    engine: Any,
    path: Path,
    *,
    name: str | None = None,
    presumes: bool = False,
    stays: bool = True,
) -> Source:
    """A large delimited file as text; repeated headers and rows of the wrong width are counted.

    The cells of a UTF-8 file that `stays` where it is are not copied: they are read from it whenever
    they are asked for. A reader that `presumes` takes each line for a row where no quotes stand in
    the file; who has read the rows compares, and asks for the settled source where it is not so.
    """
    dialect = sniff(path)
    own = engine if engine.name == "duckdb" else embedded_engine()
    is_streamed = stays and own is engine and dialect.encoding in ("utf-8", "utf-8-sig")
    with tempfile.TemporaryDirectory() as folder:
        readable = _utf8(path, dialect, Path(folder))
        titles, above = titles_of(readable, dialect)
        refuse_width(name or path.name, len(titles))
        if not titles:
            return read_delimited(engine, path, name=name)  # blank lines, or nothing at all
        header = unique_names(titles)
        usual = usual_texts(readable, dialect, header, above)
        scan = _Scan(own, readable, dialect, header, above, titles)
        lines = physical_lines(readable)
        trailing, footers = footers_of(readable, dialect, len(header))
        if not lines.is_even:
            return _in_memory(engine, path, name, "a line of more than 4 MiB")
        if presumes and is_streamed and lines.is_plain and not footers:
            settled = partial(read_large, engine, path, name=name)
            presumed = _presumed(scan, name or path.name, lines.n, settled)
            return replace(presumed, usual=usual)
        passed = _first_pass(scan)
        if passed is None:
            return _in_memory(engine, path, name, "its lines do not end as lines do")
        scan, n_records, aside, refused = passed
        is_lost = lines.n > n_records + len(refused) + above
        if is_lost and any(kind in SWALLOWS for _, _, kind in refused):
            said = f"a quote that is not closed, from about line {refused[0][0]}"
            return _in_memory(engine, path, name, said)
        data = _with_lines(
            scan, [line for line, _, _ in refused], n_records - trailing if trailing else -1
        )
        in_order = InOrder(scan.rows(), above + 1) if is_streamed else None
        aside |= {"footer": footers} if footers else {}
        if "repeated header" in aside:
            data = data.filter(~_is_header(data, scan))
        if "blank line" in aside:
            data = data.filter(~_is_blank(data, header))
        if not is_streamed:
            data = store(own, "source", data)
    if own is not engine:
        data = _handed_over(own, engine, data)
    exact = lines.n == n_records + len(refused) + above and len(refused) <= MOST_SHIFTS
    note = f"{path.name}: cells hold line breaks or lines are blank; lines count records"
    return Source(
        name or path.name,
        data,
        n_records - sum(aside.values()),
        set_aside=aside,
        refused=refused,
        notes=() if exact else (note,),
        usual=usual,
        is_streamed=is_streamed,
        in_order=None if refused or aside else in_order,
    )


def _in_memory(engine: Any, path: Path, name: str | None, found: str) -> Source:
    """Read line by line what the engine would leave out without a word."""
    if path.stat().st_size > MOST_IN_MEMORY:
        problem = Problem(path.name, found, "delimited text")
        raise LoadError(path.name, [problem], "repair that line")
    return read_delimited(engine, path, name=name)


def _presumed(scan: "_Scan", name: str, n_lines: int, settled: Callable[[], Source]) -> Source:
    plain = TypedLines(scan.path, scan.dialect.separator, tuple(scan.header), scan.above)
    return Source(
        name,
        _with_lines(scan, [], -1),
        n_lines - scan.above,
        is_streamed=True,
        in_order=InOrder(scan.rows(), scan.above + 1, plain if plain.is_told else None),
        settled=settled,
    )


@dataclass(frozen=True)
class _Scan:
    """A file and how the engine reads it; cells with line breaks need a single reader."""

    engine: Any
    path: Path
    dialect: Dialect
    header: list[str]
    above: int
    titles: list[str]  # as written, where `header` tells equal ones apart
    parallel: bool = True

    def rows(self, *, rejects: str = "") -> Any:
        """Every cell as text; nothing about the file is left to guessing."""
        kept = {"store_rejects": True, "rejects_table": rejects, "rejects_scan": f"{rejects}_scan"}
        with quiet():
            return self.engine.read_csv(
                str(self.path),
                auto_detect=False,
                columns=dict.fromkeys(self.header, "VARCHAR"),
                header=False,
                skip=self.above,
                delim=self.dialect.separator,
                quote=self.dialect.quote,
                escape=self.dialect.quote,
                null_padding=True,
                ignore_errors=True,
                parallel=self.parallel,
                **(kept if rejects else {}),
            )


def _first_pass(
    scan: _Scan,
) -> tuple[_Scan, int, dict[str, int], list[tuple[int, str, str]]] | None:
    """How many rows there are, those without a record, and those that could not be split."""
    import duckdb
    import ibis

    for parallel in (True, False):
        rejects = ibis.util.gen_name("rejects")
        scan = replace(scan, parallel=parallel)
        try:
            rows = scan.rows(rejects=rejects)
            again = _is_header(rows, scan).fill_null(False).sum()
            blank = _is_blank(rows, scan.header).sum()
            counts = rows.aggregate(n=rows.count(), again=again, blank=blank)
            found = counts.to_pyarrow().to_pylist()[0]
            aside = {"blank line": found["blank"], "repeated header": found["again"]}
            aside = {rule: n for rule, n in aside.items() if n}
            return scan, found["n"], aside, _refused(scan.engine, rejects)
        except duckdb.Error:  # its words may quote a cell
            continue
    return None


def _with_lines(scan: _Scan, refused: list[int], last: int) -> Any:
    """The records with their lines, up to the record with number `last` unless it is -1."""
    import ibis

    line = ibis.row_number().cast("int64") + scan.above + 1
    numbered = scan.rows().select(line.name(LINE), *scan.header)
    if last >= 0:
        numbered = numbered.filter(numbered[LINE] <= last + scan.above)
    return _past_refused(numbered, refused)


def _is_header(rows: Any, scan: _Scan) -> Any:
    import ibis

    again: Any = ibis.literal(True)
    for name, title in zip(scan.header, scan.titles, strict=True):
        again = again & (rows[name].fill_null("").strip() == title)
    first = rows[scan.header[0]]  # a word is sought faster than a cell is trimmed
    return ibis.cases((first.contains(scan.titles[0]).fill_null(False), again), else_=False)


def _is_blank(rows: Any, header: list[str]) -> Any:
    """Only separators; the other cells are looked at where the first is empty."""
    import ibis

    cells = [rows[title].fill_null("") for title in header]
    empty: Any = ibis.literal(True)
    for cell in cells[1:]:
        empty = empty & (cell.strip() == "")
    return ibis.cases((cells[0] < "!", (cells[0].strip() == "") & empty), else_=False)


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


def _handed_over(own: Any, engine: Any, data: Any) -> Any:
    """From the reading engine to the caller's, as Parquet in a folder of the session."""
    del own
    folder = Path(tempfile.mkdtemp(prefix="vertebro-"))
    data.to_parquet(folder / "source.parquet")
    return open_parquet(engine, folder / "source.parquet")
