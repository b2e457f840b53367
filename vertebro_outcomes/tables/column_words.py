"""Canonical columns as a reader says them: 'age at day 0 (years)', not `age_years`."""

import re
from typing import Final

from vertebro_outcomes.tables.cohort_tables import TABLES
from vertebro_outcomes.tables.schema import Column

_COLUMNS: Final[dict[str, Column]] = {
    column.name: column
    for table in ("episodes", "patients")  # covariates stand in these
    for column in TABLES[table].columns
    if column.name not in ("treatment", "day0")
}
_UNITS: Final = {"kg/m2": "kg/m²", "deg": "degrees"}
# Words that are no columns of a table but terms of a comparison.
_TERMS: Final = {"baseline": "score before treatment"}
_LONGEST_FIRST: Final = "|".join(sorted(map(re.escape, _COLUMNS), key=len, reverse=True))
# A name with an underscore is a name wherever it stands; another one only before a value.
_NAME: Final = re.compile(rf"\b(?:{_LONGEST_FIRST})\b")
_BEFORE_VALUE: Final = re.compile(r"\s(?:\(?[\d.]+|not recorded)")


def column_words(table: str, name: str) -> str:
    """The meaning of a canonical column: 'body mass index (kg/m²)'."""
    return _meaning(TABLES[table][name])


def term_words(term: str) -> str:
    """A covariate of a comparison: 'sex: male', 'age at day 0 (years)'."""
    name, colon, level = term.partition(": ")
    if name in _TERMS:
        return _TERMS[name]
    words = _meaning(_COLUMNS[name]) if name in _COLUMNS else name.replace("_", " ")
    return f"{words}{colon}{level.replace('_', ' ')}"


def in_words(text: str) -> str:
    """A sentence whose names of columns are said in words."""

    def said(found: re.Match[str]) -> str:
        name = found[0]
        bare = "_" not in name and not _BEFORE_VALUE.match(text, found.end())
        return name if bare else _plain(_COLUMNS[name])

    return _NAME.sub(said, text)


def _plain(column: Column) -> str:
    return column.meaning.partition(";")[0]


def _meaning(column: Column) -> str:
    words = _plain(column)
    unit = _UNITS.get(column.unit, column.unit)
    return words if not unit or unit in words else f"{words} ({unit})"
