"""Scores in rows with a column of units: 7 cm and 70 mm are the same pain."""

from collections.abc import Mapping
from typing import Any, Final

from vertebro_outcomes.loaders.column_texts import ColumnTexts
from vertebro_outcomes.loaders.sources import Source
from vertebro_outcomes.loaders.words import fold

TITLES: Final = (
    "unit", "units", "einheit", "einheiten", "unite", "unites", "unidad", "unita", "unidade", "eenheid",
    "enhet", "enhed", "value_unit", "score_unit", "unit_of_measure", "unit_source_value", "avalu", "qsorresu",
)  # fmt: skip
_LENGTHS: Final[Mapping[str, list[float]]] = {"mm": [0.0, 100.0], "cm": [0.0, 10.0]}
_OF_LENGTH: Final = ("pain_vas", "leg_pain_vas")  # marks on a line


def by_unit(source: Source, feed: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The feed of scores once for each unit, where a column says mm or cm; as it is elsewhere.

    Of a mark on a line without a unit nothing is guessed: what is beyond 10 is off its scale.
    """
    column = next((c for c in source.columns if fold(c) in TITLES), None)
    texts = ColumnTexts(source).of(column) if column else []
    if column is None or not any(text.lower() in _LENGTHS for text in texts):
        return [dict(feed)]
    made = []
    for unit, scale in _LENGTHS.items():
        same = [text for text in texts if text.lower() == unit]
        scales = {**feed["scales"], **dict.fromkeys(_OF_LENGTH, scale)}
        if same:
            made.append({**feed, "where": {column: same}, "scales": scales})
    rest = [text for text in texts if text.lower() not in _LENGTHS]
    plain = {name: scale for name, scale in feed["scales"].items() if name not in _OF_LENGTH}
    return [*made, {**feed, "where": {column: [*rest, ""]}, "scales": plain}]
