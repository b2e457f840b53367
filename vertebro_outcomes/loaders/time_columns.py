"""Columns that count weeks or months instead of days, and times of a visit without a unit."""

import re
from collections.abc import Sequence
from typing import Final

from vertebro_outcomes.loaders.words import TIME_UNITS, VISIT_WORDS, fold, squeeze

_DAYS: Final = {"days": 1.0, "weeks": 7.0, "months": 30.4375, "years": 365.25}
# Words beside a unit that leave it a time: `months_since_surgery`, `FU (weeks)`.
_FILLING: Final = (
    *(
        "fu",
        "follow",
        "up",
        "followup",
        "visit",
        "visita",
        "visite",
        "besuch",
        "besok",
        "time",
        "point",
    ),
    *(
        "timepoint",
        "zeitpunkt",
        "since",
        "after",
        "post",
        "postop",
        "op",
        "nach",
        "seit",
        "from",
        "of",
    ),
    *(
        "treatment",
        "surgery",
        "procedure",
        "operation",
        "baseline",
        "index",
        "nr",
        "no",
        "number",
        "n",
    ),
    *("suivi", "apres", "depuis", "delai", "assessment", "in", "at", "study", "elapsed"),
)
_VISITS: Final = (
    *("visit", "visite", "visita", "besuch", "besok", "timepoint", "zeitpunkt", "assessment"),
)
MOST_YEARS: Final = 30
NO_UNIT: Final = "numbers without a unit: days, weeks or months? say it with codes, as { 6 = 183 }"


def numbered_times(column: str, values: Sequence[str]) -> dict[str, str]:
    """Value -> day, where a header names the unit of its numbers; empty where it does not.

    A column of months without a zero may be months of the calendar, or lengths of follow-up.
    """
    unit = _unit_in(column)
    numbers = {v: float(v.replace(",", ".")) for v in values if re.fullmatch(r"\d+([.,]\d+)?", v)}
    if not counts_time(column) or not numbers or len(numbers) < len(values):
        return {}
    says_visit = any(word in _VISITS for word in squeeze(column).split("_"))
    longest = max(numbers.values()) * _DAYS[unit] / _DAYS["years"]
    if longest > MOST_YEARS or not (0 in numbers.values() or says_visit):
        return {}
    return {v: str(round(number * _DAYS[unit])) for v, number in numbers.items()}


def counts_time(column: str) -> bool:
    """Whether a header is a unit of time longer than days, and nothing else but filling."""
    return _unit_in(column) not in ("", "days")


def is_bare_time(column: str, values: Sequence[str]) -> bool:
    """Whether a column of visits holds numbers that may be days, weeks or months."""
    numbers = [v for v in values if re.fullmatch(r"\d{1,3}([.,]\d+)?", v)]
    return fold(column) in VISIT_WORDS and len(numbers) == len(values) > 0


def _unit_in(column: str) -> str:
    """The unit of time that a header is about, beside words that leave it a time."""
    words = squeeze(column).split("_")
    units = [TIME_UNITS[word] for word in words if word in TIME_UNITS]
    rest = [word for word in words if word not in TIME_UNITS and word not in _FILLING]
    return units[0] if len(units) == 1 and not rest else ""
