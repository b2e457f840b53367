"""Cells merged over several rows of a sheet: what they say is said of each of these rows."""

import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vertebro_outcomes.loaders.headers import meaning_of, names_a_person

Rows = Sequence[tuple[int, list[str]]]
_RANGE: Final = re.compile(
    rb'<(?:\w+:)?mergeCell\s+ref="([A-Z]{1,3})(\d{1,7}):[A-Z]{1,3}(\d{1,7})"'
)
_PIECE: Final = 1 << 20  # bytes read at once
_LONGEST: Final = 100  # bytes of one element
_KEYS: Final = (("patients", "patient_id"), ("episodes", "episode_id"))


@dataclass(frozen=True)
class Merged:
    """A cell that spans rows: its column (from 0), its first and its last line."""

    column: int
    first: int
    last: int


def merged_down(path: Path, part: str) -> list[Merged]:
    """The cells of a sheet, a `part` of the workbook, that span several rows."""
    if not part:
        return []
    with zipfile.ZipFile(path) as book:
        found = [Merged(_place(c), int(a), int(b)) for c, a, b in _ranges(book, part.lstrip("/"))]
    return [cell for cell in found if cell.last > cell.first]


def _ranges(book: zipfile.ZipFile, part: str) -> Iterator[tuple[bytes, bytes, bytes]]:
    """The ranges stand behind all cells; a large sheet is looked through piece by piece."""
    rest = b""
    with book.open(part) as stream:
        while piece := stream.read(_PIECE):
            whole, end = rest + piece, 0
            for found in _RANGE.finditer(whole):
                column, first, last = found.groups()
                yield column, first, last
                end = found.end()
            rest = whole[max(end, len(whole) - _LONGEST) :]


def _place(letters: bytes) -> int:
    """`A` -> 0, `AA` -> 26."""
    place = 0
    for letter in letters:
        place = 26 * place + letter - 64
    return place - 1


def fill_down(rows: Rows, merged: Sequence[Merged], *, top: int) -> dict[int, str]:
    """Merged cells below the header `rows[top]` written into each of their rows.

    Names, words and dates are; an amount is not, which may be that of all these rows together.
    Gives column -> what was done with it.
    """
    header_line, header = rows[top]
    at, end = dict(rows), rows[-1][0]  # a range may be said to go on for millions of rows
    done: dict[int, str] = {}
    for cell in merged:
        text = _text(at.get(cell.first, []), cell.column)
        if cell.first <= header_line or not text:
            continue
        lines = [line for line in range(cell.first + 1, min(cell.last, end) + 1) if any(at[line])]
        if cell.column and _is_amount(text) and not _is_key(_text(header, cell.column)):
            done[cell.column] = "counts once, in the first of its rows"
            continue
        for line in lines:
            at[line] += [""] * (cell.column + 1 - len(at[line]))
            at[line][cell.column] = text
        done.setdefault(cell.column, "is read in each of its rows")
    return done


def _text(cells: Sequence[str], column: int) -> str:
    return cells[column].strip() if column < len(cells) else ""


def _is_key(title: str) -> bool:
    return meaning_of(title) in _KEYS or names_a_person(title)


def _is_amount(text: str) -> bool:
    return bool(re.fullmatch(r"[+-]?[\d.,]+\s*%?", text))
