"""Delimited text in any dialect: encoding, separator, title rows, repeated headers, footers."""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final, Literal

from vertebro_outcomes.errors import LoadError, Problem
from vertebro_outcomes.loaders.headings import joined_titles, with_second_row, with_units
from vertebro_outcomes.loaders.limits import refuse_width
from vertebro_outcomes.loaders.missing_header import LOOKED_AT, is_record, numbered_titles
from vertebro_outcomes.loaders.physical_lines import physical_lines
from vertebro_outcomes.loaders.plain_words import csv_fault
from vertebro_outcomes.loaders.quoted_records import split_records
from vertebro_outcomes.loaders.sources import Source, source_from_rows

SEPARATORS: Final = (",", ";", "\t", "|")
SAMPLE_BYTES: Final = 400_000
LARGEST_CELL: Final = 16_000_000
MOST_TITLE_ROWS: Final = 20
WIDTH_WITH_FOOTERS: Final = 3


@dataclass(frozen=True)
class Dialect:
    """How a text file is written; `title_rows` are lines above the header."""

    encoding: str
    separator: str
    title_rows: int = 0
    quote: str = '"'  # empty where quotes are letters like others

    @property
    def quoting(self) -> Literal[0, 3]:
        """As the `csv` module calls it."""
        return csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE


def sniff(path: Path) -> Dialect:
    """The dialect of a file, from its first 400 kB."""
    with path.open("rb") as stream:
        head = stream.read(SAMPLE_BYTES)
    encoding = sniff_encoding(head)
    if encoding == "utf-8" and not physical_lines(path).is_utf8:  # such letters may stand far down
        encoding = "cp1252"
    text = head.decode(encoding, errors="replace")
    complete = text if len(head) < SAMPLE_BYTES else text[: text.rfind("\n") + 1]
    separator = _sniff_separator(complete)
    quote = "" if separator == "\t" and _has_bare_quotes(complete) else '"'
    return Dialect(encoding, separator, _title_rows(complete, separator), quote)


def _has_bare_quotes(text: str) -> bool:
    """Tabs alone part the cells, as in vocabularies: each line has its cells, some a lone quote."""
    lines = [line for line in text.splitlines() if line.strip()]
    if lines and "concept_name" in lines[0].lower():
        return True
    widths = {line.count("\t") for line in lines}
    return len(widths) == 1 and any(line.count('"') % 2 for line in lines)


def sniff_encoding(head: bytes) -> str:
    """UTF-8 (with or without mark), UTF-16 (with or without mark), else Windows Latin-1."""
    if head.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    zeros = head[:2000].count(0)
    if zeros > len(head[:2000]) // 4:
        return "utf-16-be" if head[:1] == b"\0" else "utf-16-le"
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        is_cut = error.start >= len(head) - 4 and len(head) >= SAMPLE_BYTES
        return "utf-8" if is_cut else "cp1252"
    return "utf-8"


def _sniff_separator(text: str) -> str:
    """The separator that gives the most cells in the most even rows."""
    best, best_score = ",", -1.0
    for separator in SEPARATORS:
        filled = (row for row in _rows(text, separator) if any(cell.strip() for cell in row))
        rows = list(islice(filled, 300))
        widths = Counter(len(row) for row in rows)
        if not widths:
            continue
        width, often = max(widths.items(), key=lambda item: (item[1] * (item[0] > 1), item[0]))
        score = (often / len(rows)) * min(width - 1, 5) + width / 10_000
        if width > 1 and score > best_score:
            best, best_score = separator, score
    return best


def _rows(text: str, separator: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    except csv.Error:
        return


def _title_rows(text: str, separator: str) -> int:
    """Rows above the header fill fewer cells than the rows below them."""
    rows = list(islice(_rows(text, separator), 200))
    filled = [sum(bool(cell.strip()) for cell in row) for row in rows]
    usual = sorted(len(row) for row in rows if any(cell.strip() for cell in row))
    if not usual or usual[len(usual) // 2] < 3:
        return 0
    enough = 0.5 * usual[len(usual) // 2]
    for place, count in enumerate(filled[:MOST_TITLE_ROWS]):
        if count >= max(2, enough) and not is_group_heading(rows, place):
            return place
    return 0


def is_group_heading(rows: Sequence[Sequence[str]], place: int) -> bool:
    """A row with gaps above a full row of words: merged cells that head groups of columns."""
    if place + 2 >= len(rows):
        return False
    here, below, data = rows[place : place + 3]
    cells = [cell.strip() for cell in below if cell.strip()]
    n_here = sum(bool(cell.strip()) for cell in here)
    words = all(not any(letter.isdigit() for letter in cell[:1]) for cell in cells)
    holds_numbers = any(cell.strip()[:1].isdigit() for cell in data)
    full = len(set(cells)) == len(cells) == len(below) > n_here
    return full and words and holds_numbers


def read_delimited(engine: Any, path: Path, *, name: str | None = None) -> Source:
    """A delimited file, cell by cell as text; nothing is dropped without being counted."""
    dialect = sniff(path)
    csv.field_size_limit(LARGEST_CELL)
    with path.open(encoding=dialect.encoding, newline="", errors="replace") as stream:
        lines = list(_without_nul(stream))
    try:
        numbered, refused = split_records(
            lines,
            separator=dialect.separator,
            quoting=dialect.quoting,
            title_rows=dialect.title_rows,
        )
    except csv.Error as error:
        problem = Problem(path.name, csv_fault(error), "delimited text")
        raise LoadError(path.name, [problem], "repair the quotes of its cells") from None
    return source_from_table(
        engine, name or path.name, numbered, title_rows=dialect.title_rows, refused=refused
    )


def _without_nul(stream: Iterator[str]) -> Iterator[str]:
    for line in stream:
        yield line.replace("\0", "")


def source_from_table(
    engine: Any,
    name: str,
    numbered: Sequence[tuple[int, Sequence[str]]],
    *,
    title_rows: int,
    refused: Sequence[tuple[int, str, str]] = (),
) -> Source:
    """Numbered rows -> a source: header found, blank rows, repeated headers and footers counted.

    A row may be short (its last cells are blank) but not longer than the header, unless what is
    over is blank. Lines are those of the last physical line of a row in a text file.
    """
    rows = list(numbered)[title_rows:]
    if not rows:
        return source_from_rows(engine, name, header=[], rows=[], lines=[], refused=list(refused))
    header = _header_of(rows, above=list(numbered)[title_rows - 1][1] if title_rows else ())
    refuse_width(name, width := len(header))
    if is_record(header, [row for _, row in rows[1 : LOOKED_AT + 1]]):
        rows.insert(0, (0, header := numbered_titles(width)))
    kept, lines, wide = [], [], []
    aside: Counter[str] = Counter()
    last = _last_record(rows, width)
    for place, (line, row) in enumerate(rows[1:], start=1):
        cells = [cell.strip() for cell in row]
        if not any(cells):
            aside["blank line"] += 1
        elif cells[:width] == header:
            aside["repeated header"] += 1
        elif place > last:
            aside["footer"] += 1
        elif any(cells[width:]):
            wide.append((line, f"{len(cells)} cells", f"more cells than the {width} headers"))
        else:
            kept.append([cell or None for cell in cells[:width]] + [None] * (width - len(cells)))
            lines.append(line)
    return source_from_rows(
        engine,
        name,
        header=header,
        rows=kept,
        lines=lines,
        set_aside=dict(aside),
        refused=sorted([*refused, *wide]),
    )


def _header_of(rows: list[tuple[int, Sequence[str]]], *, above: Sequence[str]) -> list[str]:
    """The titles; a second row of them, and one of units, leave `rows`; one above gives its groups."""
    header = [cell.strip().lstrip("\ufeff") for cell in rows[0][1]]
    if joined := with_second_row(header, [row for _, row in rows[1:3]]):
        header = joined
        del rows[1]
    elif above:
        header = joined_titles(above, header)
    if len(rows) > 1 and (titled := with_units(header, rows[1][1])):
        header = titled
        del rows[1]
    while header and not header[-1]:
        header.pop()
    return header


def _last_record(rows: Sequence[tuple[int, Sequence[str]]], width: int) -> int:
    """Footers: trailing rows with a single filled cell, where records fill more."""
    last = len(rows) - 1
    if width < WIDTH_WITH_FOOTERS:
        return last
    seen_footer = False
    while last > 0:
        row = rows[last][1]
        filled = [place for place, cell in enumerate(row) if cell.strip()]
        if filled and not ends_table(row[filled[0]], filled):
            break
        seen_footer = seen_footer or bool(filled)
        last -= 1
    return last if seen_footer else len(rows) - 1


def ends_table(cell: str, filled: Sequence[int]) -> bool:
    """Whether a row sums up the columns above it, or is a note below them; `cell` is its first."""
    return _is_totals(cell) or (len(filled) == 1 and _is_footer(cell, filled[0]))


def _is_footer(cell: str, place: int) -> bool:
    """A sentence or a label such as `Total: 12`; a lone identifier is a record."""
    return place == 0 and (" " in cell.strip() or ":" in cell or cell.strip().lower() in _ENDS)


def _is_totals(cell: str) -> bool:
    """The first word of a row that sums up the column above it."""
    return cell.strip().rstrip(":").lower() in _TOTALS


_TOTALS: Final = (
    "total", "totals", "grand total", "sum", "summe", "gesamt", "mean", "average", "mittelwert",
    "median", "sd",
)  # fmt: skip
_ENDS: Final = ("end", "ende", "eof", "end of file")
