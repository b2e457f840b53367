"""Headers in several rows: `VAS` above `before`, with `mm` below it, is read as `VAS before (mm)`."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from vertebro_outcomes.loaders.headers import meaning_of
from vertebro_outcomes.loaders.instrument_words import instrument_in
from vertebro_outcomes.loaders.named_times import timepoint_days

LEAST_GROUPS = 2
_UNIT: Final = re.compile(
    r"mm|cm|ml|cc|%|years?|yrs?|jahre?|ans|años|anni|months?|monate?|mois|weeks?|wochen?|days?|tage?|"
    r"jours|kg|kg/m[2²]|°|deg(rees)?|grad|mg|0 ?[-–] ?\d{1,3}",
    re.IGNORECASE,
)
_HEADS: Final = ("", "unit", "units", "einheit", "einheiten", "unité", "unités", "unidad", "unità")
_NO_UNIT: Final = re.compile(  # what may stand beside units
    r"-|–|n/?a|none|text|code|date|datum|[ymdtj]{1,4}([-./][ymdtj]{1,4}){2}|score|points?|punkte|pts|"
    r"yes/no|y/n|ja/nein|j/n|0/1|1/0|[mfw]/[mfw]",
    re.IGNORECASE,
)


def joined_titles(above: Sequence[str], header: Sequence[str]) -> list[str]:
    """Titles with the heading of their group, where they need it or mean something else by it."""
    groups = _spread(above, len(header))
    if len({group for group in groups if group}) < LEAST_GROUPS or not _are_words(above):
        return list(header)
    often = Counter(header)
    return [
        f"{group} {title}".strip() if group and _needs(group, title, often[title]) else title
        for group, title in zip(groups, header, strict=True)
    ]


def _needs(group: str, title: str, often: int) -> bool:
    whole = f"{group} {title}"
    scored = instrument_in(whole) is not None and timepoint_days(whole) is not None
    if scored and (instrument_in(title) is None or timepoint_days(title) is None):
        return True
    meant = meaning_of(whole)
    return (often > 1 or not title or meant is not None) and meant != meaning_of(title)


def with_second_row(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str] | None:
    """The header joined with the row below it, if that row holds nothing but headings.

    Where the first row has a title of its own the second is blank, and words elsewhere.
    """
    if len(rows) < 2:
        return None
    width = max(len(header), *(len(row) for row in rows[:2]))
    top, below = ([*cells, *[""] * (width - len(cells))] for cells in (header, rows[0]))
    groups = _spread(top, width)
    often = Counter(groups)
    own = [place for place in range(width) if groups[place] and often[groups[place]] == 1]
    shared = [place for place in range(width) if groups[place] and often[groups[place]] > 1]
    blank_above_own = all(not below[place].strip() for place in own)
    named = all(below[place].strip() for place in shared)
    if not (shared and blank_above_own and named and _are_words(below)):
        return None
    if not own:  # groups alone: the row of data below must look otherwise
        numbers = any(cell.strip().isdigit() for cell in rows[1])
        return joined_titles(header, below) if numbers else None
    return [f"{group} {title}".strip() for group, title in zip(groups, below, strict=True)]


def with_units(header: Sequence[str], below: Sequence[str]) -> list[str] | None:
    """The header with the units that the row below it tells, if that row holds nothing else.

    Its first cell is blank or says so: that of a record would tell whose it is.
    """
    first, *told = [cell.strip().strip("()[]").strip() for cell in below] or [""]
    units = [bool(_UNIT.fullmatch(cell)) for cell in told]
    others = [cell for cell, unit in zip(told, units, strict=True) if cell and not unit]
    if first.lower() not in _HEADS or not any(units) or not all(map(_NO_UNIT.fullmatch, others)):
        return None
    joined = list(header)
    for place, (cell, unit) in enumerate(zip(told, units, strict=True), start=1):
        if unit and place < len(header) and "(" not in header[place]:
            joined[place] = f"{header[place]} ({cell})"
    return joined


def _spread(cells: Sequence[str], width: int) -> list[str]:
    """Each heading over the blank cells to its right, as merged cells are written."""
    said, last = [], ""
    for place in range(width):
        last = (cells[place].strip() if place < len(cells) else "") or last
        said.append(last)
    return said


def _are_words(cells: Sequence[str]) -> bool:
    return all(any(letter.isalpha() for letter in cell) for cell in cells if cell.strip())
