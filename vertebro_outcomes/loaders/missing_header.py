"""A file without a header: its first record must not become names of columns that everybody reads."""

import re
from collections.abc import Sequence
from typing import Final

LOOKED_AT: Final = 20
LEAST_LIKE: Final = 2  # columns; a single one with a number above numbers may be a year
_NUMBER: Final = re.compile(r"[-+]?\d+([.,]\d+)?")
_DATE: Final = re.compile(r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}([ T].*)?")


def is_record(first: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    """Whether the first row is of the same kinds as the rows below it, column by column.

    Numbers above numbers alone may be days or years (`patient;0;30;365`); what tells is that there
    is no column of numbers, dates or codes whose first cell is anything else.
    """
    kinds = [_kind_of_column(place, below[:LOOKED_AT]) for place in range(len(first))]
    typed = [place for place, kind in enumerate(kinds) if kind]
    return len(typed) >= LEAST_LIKE and all(kinds[p] == _kind(first[p]) for p in typed)


def numbered_titles(n: int) -> list[str]:
    """`column 1`, `column 2` ..."""
    return [f"column {place}" for place in range(1, n + 1)]


def _kind_of_column(place: int, rows: Sequence[Sequence[str]]) -> str:
    """What all filled cells of a column are; empty for words, and where there are none."""
    kinds = {_kind(row[place]) for row in rows if place < len(row) and row[place].strip()}
    return kinds.pop() if len(kinds) == 1 else ""


def _kind(cell: str) -> str:
    text = cell.strip()
    if _NUMBER.fullmatch(text):
        return "number"
    if _DATE.fullmatch(text):
        return "date"
    return "code" if any(letter.isdigit() for letter in text) else ""
