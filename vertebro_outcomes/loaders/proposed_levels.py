"""Columns side by side for each vertebra: `cement_t12, cement_l1`, or `level_1, cement_1, level_2 ...`."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from vertebro_outcomes.loaders.column_texts import ColumnTexts
from vertebro_outcomes.loaders.format import STAGED, TOLD_OF_VERTEBRAE
from vertebro_outcomes.loaders.headers import meaning_of
from vertebro_outcomes.loaders.instrument_words import instrument_in
from vertebro_outcomes.loaders.level_cells import read_levels
from vertebro_outcomes.loaders.proposed_entries import entry_of
from vertebro_outcomes.loaders.proposed_treatments import numbered, of_treatments
from vertebro_outcomes.loaders.sources import Source
from vertebro_outcomes.loaders.value_shapes import propose_dates
from vertebro_outcomes.loaders.words import fold

_LEVEL: Final = re.compile(r"(^|_)((?:t|th|bwk)_?(?:[4-9]|1[0-2])|(?:l|lwk)_?[1-5])(_|$)")
_SLOT: Final = re.compile(r"_?([1-9])(?:st|nd|rd|th)?(?=_|$)")
_OF_SLOT: Final = re.compile(  # `cement of level 2`
    r"(^|_)((of|at|an|am|du|de|del|della|van)_)?(level|vertebra|segment|hohe|niveau|wirbel|nivel|livello)(?=_|$)"
)
LEAST_SURE: Final = 0.7
LEAST_LEVELS: Final = 2
# What makes a record of a slot.
_NEEDED: Final = {
    "levels": ("level",),
    "fractures": ("date", "day", "level"),
    "events": ("type",),
    "episodes": ("treatment",),
}
_BARE_DATE: Final = ("scores", "date")  # of a treatment, where one has the same number
Columns = Mapping[str, tuple[str, str]]  # column -> canonical table and column
Titles = Mapping[str, Sequence[str]]  # column -> its header and its label


def side_by_side(source: Source, keys: Mapping[str, Any], taken: set[str]) -> list[dict[str, Any]]:
    """Feeds of levels, treatments, new fractures and complications that have columns of their own each."""
    texts = ColumnTexts(source)
    free = [column for column in source.columns if column not in taken]
    named = {column: [column, source.labels.get(column, "")] for column in free}
    made = []
    for level, columns in _by_level(named).items():
        cells = {"level": {"constant": level}, **_cells(source, columns, texts, {})}
        if any(name in cells for name in TOLD_OF_VERTEBRAE):
            made.append(_feed(source, "levels", {**keys, **cells}))
    scored = any(_SLOT.search(fold(column)) and instrument_in(column) for column in free)
    found = of_treatments(_by_number(named), scored=scored)
    alike = _alike(found)
    slots = {key: _cells(source, columns, texts, alike) for key, columns in found.items()}
    for (table, _), cells in numbered(slots, keys).items():
        if any(name in cells for name in _NEEDED[table]):
            made.append(_feed(source, table, {**keys, **cells}))
    return made


def has_siblings(source: Source, column: str) -> bool:
    """Whether `cement` stands beside `cement_2`: it is then that of the first vertebra."""
    titles = {fold(title) for title in source.columns}
    titles |= {fold(label) for label in source.labels.values()}
    return f"{fold(column)}_2" in titles or f"{fold(column)}2" in titles


def _feed(source: Source, table: str, columns: Mapping[str, Any]) -> dict[str, Any]:
    return {"source": source.name, "table": table, "columns": dict(columns)}


def _alike(found: Mapping[tuple[str, str], Columns]) -> dict[tuple[str, str], list[str]]:
    """Columns of dates with the same meaning, which are written in the same order."""
    same: dict[tuple[str, str], list[str]] = {}
    for column, meant in (pair for columns in found.values() for pair in columns.items()):
        if STAGED[meant[0]][meant[1]].type == "date":
            same.setdefault(meant, []).append(column)
    return same


def _cells(
    source: Source,
    columns: Columns,
    texts: ColumnTexts,
    alike: Mapping[tuple[str, str], Sequence[str]],
) -> dict[str, Any]:
    cells: dict[str, Any] = {}
    for column, meant in columns.items():
        entry, fits, _ = entry_of(source, column, meant, texts)
        if fits < LEAST_SURE and meant in alike:  # 03/04/2019 alone may be either
            order, fits = propose_dates([text for c in alike[meant] for text in texts.of(c)])
            entry = {**entry, "dates": order}
        if fits >= LEAST_SURE and meant[1] not in cells:
            cells[meant[1]] = entry
    return cells


def _of_level(title: str) -> tuple[str, str] | None:
    """What a header means of one vertebra."""
    meant = meaning_of(title)
    if meant == ("episodes", "cement_ml"):
        return ("levels", "cement_ml")
    return meant if meant and meant[0] == "levels" else None


def _by_level(columns: Titles) -> dict[str, Columns]:
    """Level -> its columns, where several levels are named and one of them is lumbar.

    `kyphosis_t6` and `kyphosis_t12` alone may be months.
    """
    found: dict[str, dict[str, tuple[str, str]]] = {}
    for column, titles in columns.items():
        told = next((told for title in titles if (told := _at_level(title))), None)
        if told:
            found.setdefault(told[0], {})[column] = told[1]
    lumbar = any(level.startswith("L") for level in found)
    return dict(found) if len(found) >= LEAST_LEVELS and lumbar else {}


def _at_level(title: str) -> tuple[str, tuple[str, str]] | None:
    """The vertebra that a title names, and what it means of it."""
    plain = fold(title)
    place = _LEVEL.search(plain)
    if place is None:
        return None
    rest = f"{plain[: place.start()]}_{plain[place.end() :]}".strip("_")
    levels, meant = read_levels(place[2].replace("_", "")), _of_level(rest)
    return (levels[0], meant) if len(levels) == 1 and meant and meant[1] != "level" else None


def _by_number(columns: Titles) -> dict[tuple[str, str], Columns]:
    """(table, number) -> columns that differ from others in that number alone."""
    found: dict[tuple[str, str], dict[str, tuple[str, str]]] = {}
    for column, titles in columns.items():
        told = next((told for title in titles if (told := _numbered(title))), None)
        if told:
            found.setdefault((told[1][0], told[0]), {})[column] = told[1]
    several = {table for table, number in found if number != "1"}
    return {key: known for key, known in found.items() if key[0] in several}


def _numbered(title: str) -> tuple[str, tuple[str, str]] | None:
    """The one number in a title, and what the title means without it."""
    plain = fold(title)
    numbers = list(_SLOT.finditer(plain))
    if len(numbers) != 1:
        return None
    rest = _SLOT.sub("", plain).strip("_")
    bare = _OF_SLOT.sub("", rest).strip("_")
    meant = _of_level(rest) or meaning_of(rest) or (_of_level(bare) if bare else None)
    known = meant is not None and (meant[0] in _NEEDED or meant == _BARE_DATE)
    return (numbers[0][1], meant) if meant and known else None
