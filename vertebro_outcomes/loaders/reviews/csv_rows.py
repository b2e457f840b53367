"""CSV text of review software -> rows by header, in one spelling of the headers."""

import csv
import io
from collections.abc import Mapping
from typing import Final

from vertebro_outcomes.errors import LoadError, Problem
from vertebro_outcomes.printed import Printed, read_printed

Row = Mapping[str, str]
LARGEST_CELL: Final = 2**20
MOST_ROWS: Final = 500_000
_NOT_GIVEN: Final = frozenset({"", "#n/a", "n/a", "na", "nan", "null", "none", "-"})


def read_rows(content: bytes, *, source: str) -> tuple[list[str], list[dict[str, str]]]:
    """Headers (`heading`) and rows; a cell that is missing or `#N/A` is "".

    Raises
    ------
    LoadError
        Empty, a cell or number of rows beyond all reason, no text.
    """
    if not content.strip():
        raise _refuse(source, "it is empty", "a table with a header line")
    if content[:4096].count(0) and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _refuse(source, "no text", "a table with a header line")
    text = decoded(content)
    first = text.partition("\n")[0]
    separator = max(",;\t", key=first.count)
    csv.field_size_limit(LARGEST_CELL)
    rows: list[dict[str, str]] = []
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        headers = [heading(cell) for cell in next(reader, [])]
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append({h: given(c) for h, c in zip(headers, cells, strict=False)})
            if len(rows) > MOST_ROWS:
                raise _refuse(source, f"more than {MOST_ROWS:,} rows", "the rows of one review")
    except csv.Error as error:
        raise _refuse(source, f"no table ({error})", "a table with a header line") from None
    return headers, rows


def decoded(content: bytes) -> str:
    """UTF-8 with or without mark, UTF-16 with mark, else Windows Latin-1."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def heading(cell: str) -> str:
    """`' Heterogeneity Tau² '` -> `'heterogeneity tau2'`."""
    plain = cell.replace("²", "2").replace("τ", "tau").replace("\ufeff", "")
    return " ".join(plain.strip().strip('"').lower().split())


def given(cell: str) -> str:
    """The cell without blanks around it; "" for the ways of saying that there is nothing."""
    text = cell.strip()
    return "" if text.lower() in _NOT_GIVEN else text


def printed(row: Row, *names: str) -> Printed | None:
    """The number in the first of these columns that holds one."""
    for name in names:
        if (found := read_printed(row.get(name, ""))) is not None:
            return found
    return None


def number(row: Row, *names: str) -> float:
    """The same as a float, NaN where there is none."""
    found = printed(row, *names)
    return float("nan") if found is None else found.value


def _refuse(source: str, found: str, allowed: str) -> LoadError:
    return LoadError(source, [Problem("the file", found, allowed)], "export it again")
