"""One CSV of a review as rows of text under loosely matched headers."""

import csv
import io
import math
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vertebro_outcomes.errors import LoadError, Problem, list_some
from vertebro_outcomes.loaders.delimited import sniff_encoding
from vertebro_outcomes.loaders.plain_words import csv_fault
from vertebro_outcomes.loaders.quoted_records import Numbered, split_records
from vertebro_outcomes.loaders.reviews.archives import LARGEST_MEMBER
from vertebro_outcomes.printed import Printed, read_printed

HEAD_BYTES: Final = 8_192
SEPARATORS: Final = (",", ";", "\t", "|")
NO_NUMBER: Final = frozenset({"", "#n/a", "n/a", "na", "nan", "null", "none", "-", "."})
LARGEST_CELL: Final = 1_000_000
MOST_ROWS: Final = 100_000
EXPORT_AGAIN: Final = "export the file again, or get it again from its source"

Row = dict[str, str]


@dataclass(frozen=True)
class ReviewSheet:
    """Rows of a CSV; keys are `plain` headers, `titles` the headers as written."""

    source: str
    titles: dict[str, str]
    rows: tuple[Row, ...]

    def require(self, *titles: str) -> None:
        """Say which needed columns are missing."""
        missing = [title for title in titles if plain(title) not in self.titles]
        if missing:
            found = f"columns {list_some(list(self.titles.values()), most=8)}"
            problems = [Problem(f"column {title}", "missing", found) for title in missing]
            raise LoadError(self.source, problems, f"export with the column {missing[0]!r}")


def plain(title: str) -> str:
    """A header without case, punctuation and accents: `Heterogeneity Tau²` -> `heterogeneitytau2`."""
    text = unicodedata.normalize("NFKC", title).casefold()
    return "".join(letter for letter in text if letter.isalnum())


def number(row: Row, *columns: str) -> float:
    """The first of the columns that holds a number; NaN if none does."""
    for column in columns:
        text = row.get(column, "")
        try:
            value = float(text)
        except ValueError:
            found = printed(row, column)
            if found is not None:
                return found.value
        else:
            if math.isfinite(value) and "_" not in text:
                return value
    return float("nan")


def printed(row: Row, *columns: str) -> Printed | None:
    """The same with its text."""
    for column in columns:
        text = row.get(column, "")
        if text and text.casefold() not in NO_NUMBER:
            found = read_printed(text)
            if found is not None:
                return found
    return None


def whole(row: Row, column: str) -> int | None:
    """A count or ordinal: `2`, `2.0`, and `1.2` as the second of group 1; None if there is none."""
    text = row.get(column, "").strip()
    if text.endswith(".0"):
        text = text[:-2]
    last = text.rpartition(".")[2]
    return int(last) if last.isdecimal() and len(last) < 9 else None


def read_sheet(data: bytes, *, source: str) -> ReviewSheet:
    """Read the bytes of a CSV.

    Raises
    ------
    LoadError
        Empty, binary, without a header row, cells beyond all reason.
    """
    if not data.strip():
        raise _refuse(source, "the file", "it is empty", "a table with a header row")
    encoding = sniff_encoding(data[:400_000])
    if not encoding.startswith("utf-16") and b"\0" in data:
        raise _refuse(source, "the file", "binary data", "a table as text")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")
    return _sheet(text, source)


def read_sheet_file(path: Path) -> ReviewSheet:
    """The same for a file, which has to be of bearable size."""
    try:
        size = path.stat().st_size
        if path.is_dir():
            raise _refuse(path.name, "the path", "a folder", "a CSV file")
        if size > LARGEST_MEMBER:
            allowed = f"at most {LARGEST_MEMBER // 2**20} MiB"
            raise _refuse(path.name, "the file", f"{size / 2**20:.0f} MiB", allowed)
        return read_sheet(path.read_bytes(), source=path.name)
    except OSError as error:
        found = error.strerror or "cannot be read"
        raise _refuse(path.name, "the file", found, "a readable file") from None


def headers_of(path: Path) -> frozenset[str]:
    """Plain headers of a text table from its first bytes; empty for anything else. Never raises."""
    try:
        if not path.is_file():
            return frozenset()
        with path.open("rb") as file:
            head = file.read(HEAD_BYTES)
        encoding = sniff_encoding(head)
        if not encoding.startswith("utf-16") and b"\0" in head:
            return frozenset()
        first = head.decode(encoding, errors="replace").lstrip("\ufeff\r\n ").splitlines()[0]
        rows = list(csv.reader([first], delimiter=_separator(first)))
    except (OSError, csv.Error, IndexError, UnicodeError):
        return frozenset()
    return frozenset(plain(cell) for cell in rows[0]) if rows else frozenset()


def _separator(header: str) -> str:
    return max(SEPARATORS, key=header.count)


def _sheet(text: str, source: str) -> ReviewSheet:
    text = text.lstrip("\ufeff\r\n ")
    separator = _separator(text[: text.find("\n") if "\n" in text else len(text)][:HEAD_BYTES])
    csv.field_size_limit(max(csv.field_size_limit(), LARGEST_CELL))
    allowed = "quotes that close, cells of usual size"
    try:
        records, stray = split_records(
            list(io.StringIO(text, newline="")), separator=separator, quoting=csv.QUOTE_MINIMAL
        )
    except csv.Error as error:
        raise _refuse(source, "the file", csv_fault(error), allowed) from None
    if stray:
        raise _refuse(source, f"line {stray[0][0]}", stray[0][2], allowed)
    header = records[0][1] if records else []
    keys = [plain(cell) for cell in header]
    rows = tuple(_rows(records[1:], keys, source))
    titles = {key: cell.strip() for key, cell in zip(keys, header, strict=True) if key}
    if len(titles) < 2:
        raise _refuse(source, "line 1", "no header row", "a table with a header row")
    return ReviewSheet(source, titles, rows)


def _rows(records: Numbered, keys: Sequence[str], source: str) -> list[Row]:
    rows: list[Row] = []
    shared: dict[str, str] = {}  # equal cells are kept once
    for line, cells in records:
        if not any(cells):
            continue
        if len(rows) == MOST_ROWS:
            found = f"more than {MOST_ROWS:,} rows"
            raise _refuse(source, f"line {line}", found, "the rows of one review")
        if any(len(cell) > LARGEST_CELL for cell in cells):
            found = f"a cell of more than {LARGEST_CELL:,} letters"
            raise _refuse(source, f"line {line}", found, "cells of usual size")
        row: Row = {}
        for key, cell in zip(keys, cells, strict=False):
            if key and not row.get(key):  # of two columns with one name the filled one counts
                text = cell.strip()
                row[key] = shared.setdefault(text, text)
        rows.append(row)
    return rows


def _refuse(source: str, where: str, found: str, allowed: str) -> LoadError:
    return LoadError(source, [Problem(where, found, allowed)], EXPORT_AGAIN)
