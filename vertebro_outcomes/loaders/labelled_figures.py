"""Codes with labels in a column of numbers: the label says which number is meant, or that none is."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from vertebro_outcomes.loaders.words import ABSENCE_WORDS, TIME_UNITS, squeeze, word_for

NO_FIGURES: Final = "its codes stand for words or ranges: give each one number with codes"
# What makes a range of a number, or leaves it open: `3 or more`, `< 2`.
_OPEN: Final = re.compile(
    r"[<>\u2264\u2265+]|\d\s*[-\u2013]\s*\d|\b(more|less|over|under|above|below|than|at least|mehr|weniger"
    r"|\u00fcber|unter|mind|mindestens|plus|moins|m\u00e1s|mas|menos|meer|minder|pi\u00f9|meno|to|bis|or|oder|ou|of)\b",
    re.I,
)
_NUMBER_WORDS: Final[dict[str, str]] = {
    word: str(number)
    for number, words in enumerate(
        (
            "zero none null keine keiner aucun aucune ninguno ninguna geen nessuno nessuna",
            "one single ein eine eins un une uno una een",
            "two zwei deux dos twee due",
            "three drei trois tres drie tre",
            "four vier quatre cuatro quattro",
            "five funf cinq cinco vijf cinque",
            "six sechs seis zes sei",
        )
    )
    for word in words.split()
}


def figures_of(
    labels: Mapping[str, str], values: Sequence[str], *, unit: str = ""
) -> dict[str, str] | None:
    """Values -> the numbers that their labels name; None where the values are themselves the numbers.

    A code alone is no number: `1, under 50 | 2, 50-59`. The ends of a scale may be labelled in words
    (`1, no pain | 2, 1 | 3, 2 | ...`): where most labels are numbers, each as far from its code, these
    tell what the ends are.
    """
    told = [v for v in values if v in labels and word_for(labels[v], ABSENCE_WORDS) is None]
    if not told:
        return None
    said = {**{v: v for v in values}, **labels}
    named = {
        v: numeral(label, unit=unit)
        for v, label in said.items()
        if word_for(label, ABSENCE_WORDS) is None
    }
    read = {v: number for v, number in named.items() if number is not None}
    shifts = {float(number) - int(v) for v, number in read.items() if re.fullmatch(r"-?\d+", v)}
    if len(shifts) == 1 and len(read) > 0.5 * len(named):
        shift = shifts.pop()
        wordy = [v for v in named if v not in read and re.fullmatch(r"-?\d+", v)]
        wordy = [v for v in wordy if not re.search(r"\d", said[v]) and not _OPEN.search(said[v])]
        read |= {v: f"{int(v) + shift:g}" for v in wordy}
    if len(told) < len(
        values
    ):  # what has no label is a number: a label that names another misleads
        return None if all(_same(v, read[v]) for v in told if v in read) else {}
    if all(v in read and _same(v, read[v]) for v in told):
        return None
    return {v: read[v] for v in told if v in read}


def numeral(label: str, *, unit: str = "") -> str | None:
    """The one number that a label names; None for a range, and for another unit of time.

    >>> [numeral(label) for label in ("2", "0 (no pain)", "one level", "3 or more", "50-59")]
    ['2', '0', '1', None, None]
    """
    plain = label.strip()
    words = squeeze(plain).split("_")
    if _OPEN.search(plain) or {TIME_UNITS[w] for w in words if w in TIME_UNITS} - {unit}:
        return None
    found = re.fullmatch(r"(-?\d+(?:[.,]\d+)?)(?:\s*[(=:,\u2013-]\D*|\s\D*)?", plain)
    if found:
        return found[1].replace(",", ".")
    number = _NUMBER_WORDS.get(words[0])
    return number if len(words) == 1 or (len(words) == 2 and number != "0") else None


def _same(value: str, number: str) -> bool:
    return bool(re.fullmatch(r"-?\d+([.,]\d+)?", value)) and float(
        value.replace(",", ".")
    ) == float(number)
