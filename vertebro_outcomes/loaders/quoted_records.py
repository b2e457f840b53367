"""Lines of delimited text as records; a quote that is never closed costs its own line, not those below."""

import csv
from collections.abc import Sequence
from typing import Final, Literal

MOST_STRAY: Final = 200  # each costs another pass over the lines below it
LEAST_SWALLOWED: Final = 3  # so many lines like records in one cell are no text
STRAY: Final = "a quote that is not closed"

Numbered = list[tuple[int, list[str]]]  # with the last physical line of each record
Refused = list[tuple[int, str, str]]


def split_records(
    lines: Sequence[str], *, separator: str, quoting: Literal[0, 3], title_rows: int = 0
) -> tuple[Numbered, Refused]:
    """The records of a text, and the lines that could not be split.

    Raises
    ------
    csv.Error
        A cell beyond all reason, or too many stray quotes.
    """
    numbered: Numbered = []
    refused: Refused = []
    at = 0
    while at < len(lines):
        reader = csv.reader(lines[at:], delimiter=separator, quoting=quoting)
        start, first = at, at
        at = len(lines)
        for row in reader:
            after = start + reader.line_num
            width = len(numbered[title_rows][1]) if len(numbered) > title_rows else 0
            end = _end_of_stray(lines[first:after], after == len(lines), separator, width)
            if end:
                refused.append((first + 1, "a row", STRAY))
                at = first + end
                break
            numbered.append((after, row))
            first = after
        if len(refused) > MOST_STRAY:
            raise csv.Error("end of data")
    return numbered, refused


def _end_of_stray(record: Sequence[str], is_last: bool, separator: str, width: int) -> int:
    """How many lines of a record a stray quote holds together; 0 where all is well."""
    if len(record) == 1 and not is_last:
        return 0
    is_closed = _is_well_quoted(record, separator)
    if len(record) == 1:
        return 0 if is_closed or record[0].count('"') % 2 == 0 else 1
    like = [
        place for place, line in enumerate(record) if place and _cells(line, separator) == width
    ]
    if is_closed:
        all_like = len(like) >= max(LEAST_SWALLOWED, len(record) - 2)
        return like[0] if width > 2 and all_like else 0
    if width > 2 and like:
        return like[0]
    return len(record) if is_last else 0


def _is_well_quoted(record: Sequence[str], separator: str) -> bool:
    try:
        list(csv.reader(record, delimiter=separator, strict=True))
    except csv.Error:
        return False
    return True


def _cells(line: str, separator: str) -> int:
    try:
        return len(next(csv.reader([line], delimiter=separator), []))
    except csv.Error:
        return 0
