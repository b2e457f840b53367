"""Vertebral levels from T1 to L5: their spellings, their order, and how far apart they lie."""

import re
import unicodedata
from typing import Final

from vertebro_outcomes.errors import InputError, Problem

LEVELS: Final[tuple[str, ...]] = (
    *(f"T{number}" for number in range(1, 13)),
    *(f"L{number}" for number in range(1, 6)),
)
POSITION: Final[dict[str, int]] = {level: place for place, level in enumerate(LEVELS)}

_REGIONS: Final[dict[str, str]] = {
    "C": r"cervical|cervicale?|halswirbel(?:koerper|korper)?|hwk|hw|c",
    "T": r"thoracic|thoracal|thorakal|thoracique|dorsal(?:e)?|brustwirbel(?:koerper|korper)?"
    r"|bwk|bw|th|t|d",
    "L": r"lumbar|lumbal|lombaire|lombar|lendenwirbel(?:koerper|korper)?|lwk|lw|l",
    "S": r"sacral|sacrum|sakral|s",
}
_OUTSIDE: Final[dict[str, str]] = {"C": "cervical", "S": "sacral"}
_COUNTS: Final[dict[str, int]] = {"C": 7, "T": 12, "L": 5, "S": 5}
_WORDS: Final = (
    *("first", "second", "third", "fourth", "fifth", "sixth"),
    *("seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth"),
)
_REGION = "|".join(f"(?P<{name}>{words})" for name, words in _REGIONS.items())
_NUMBER = r"0?(?P<number>[1-9]\d?)(?!\d)"
_LEVEL_TOKEN = re.compile(rf"(?:{_REGION})[\s.\-_]*{_NUMBER}")
_BARE_TOKEN = re.compile(_NUMBER)
_NUMBER_FIRST = re.compile(r"\b(\d{1,2})(?:st|nd|rd|th|\.)?\s+([a-z]{2,})\b")
_DECORATION = re.compile(r"\b(?:vertebra[le]?|vertebrae|body|bodies|levels?|wk|spine)\b")
_RANGE = re.compile(r"\s*(?:-|(?:to|bis|through|thru|al?|till?|tot|t/m)\b)\s*")
_LIST = re.compile(r"[\s,;/+&|]*(?:\b(?:and|und|et|y|e|en|og|och)\b)?[\s,;/+&|]*")
_ALLOWED = "a level from T1 to L5, such as T12, Th12, D12, BWK12, L1, LWK1 or lumbar 1"


def parse_level(text: str) -> str:
    """The canonical name of one vertebral level.

    Parameters
    ----------
    text : str
        One level in any usual spelling: ``T12 Th12 TH12 D12 d-12 BWK12 L1 LWK1``, ``lumbar 1``,
        ``1st lumbar vertebra``, in any case.

    Returns
    -------
    str
        ``T1`` to ``T12`` or ``L1`` to ``L5``.

    Raises
    ------
    InputError
        If the text names no level, more than one, or one outside T1 to L5.

    Examples
    --------
    >>> parse_level("D12")
    'T12'
    """
    levels = _read("parse_level", text)
    if len(levels) != 1:
        raise _refusal("parse_level", f"{len(levels)} levels in {_shorten(text)}", "exactly one")
    return levels[0]


def parse_levels(text: str) -> list[str]:
    """All levels named by a list, a range or a pair.

    Parameters
    ----------
    text : str
        ``L1, L3`` (list), ``T11-L1`` or ``T11 to L1`` (range, both ends included), ``T12/L1``
        (pair). A bare number takes the region before it: ``L1-3`` is L1, L2, L3.

    Returns
    -------
    list of str
        Levels in the order written, each once; a range runs from head to foot.

    Raises
    ------
    InputError
        If any part is not a level from T1 to L5.

    Examples
    --------
    >>> parse_levels("Th11-L1")
    ['T11', 'T12', 'L1']
    """
    return _read("parse_levels", text)


def level_distance(level: str, other: str) -> int:
    """How many vertebrae apart two levels lie: 0 the same, 1 adjacent.

    Parameters
    ----------
    level, other : str
        One level each, in any spelling `parse_level` accepts.

    Returns
    -------
    int
        A count from 0 (the same level) to 16 (T1 and L5).

    Raises
    ------
    InputError
        If either is not a level from T1 to L5.

    Examples
    --------
    >>> level_distance("T12", "L2")
    2
    """
    return abs(POSITION[parse_level(level)] - POSITION[parse_level(other)])


def _read(function: str, text: object) -> list[str]:
    """Walk through the text: a level, what connects it to the next one, the next level."""
    if not isinstance(text, str) or not text.strip():
        raise _refusal(function, _shorten(text), _ALLOWED)
    plain = _plain(text)
    found: list[str] = []
    region, at, in_range = "", 0, False
    while at < len(plain):
        token = _LEVEL_TOKEN.match(plain, at) or (_BARE_TOKEN.match(plain, at) if region else None)
        if token is None:
            raise _refusal(function, _shorten(text), _ALLOWED)
        region = next((r for r in _REGIONS if token.groupdict().get(r)), region)
        level = _checked(function, region, int(token["number"]), text)
        found += _between(found.pop(), level) if in_range else [level]
        at, in_range = _connector(plain, token.end())
    if in_range:
        raise _refusal(function, _shorten(text), "a range with both ends, such as T11-L1")
    return list(dict.fromkeys(found))


def _plain(text: str) -> str:
    """Lower case without accents, typographic dashes and the words around a level."""
    folded = unicodedata.normalize("NFKD", text.strip().lower().replace("ß", "ss"))
    plain = "".join(letter for letter in folded if not unicodedata.combining(letter))
    plain = re.sub("[‐‑‒–—−]", "-", plain)
    plain = re.sub(r"[()\[\]\"']", " ", plain)
    for number, word in enumerate(_WORDS, start=1):
        plain = re.sub(rf"\b{word}\b", str(number), plain)
    plain = _DECORATION.sub(" ", plain)
    plain = _NUMBER_FIRST.sub(_turn_round, plain)
    return plain.strip(" .,;\n\t")


def _turn_round(match: re.Match[str]) -> str:
    """`12. bwk` -> `bwk 12`; anything that is no region stays as it is."""
    is_region = any(re.fullmatch(words, match[2]) for words in _REGIONS.values())
    return f"{match[2]} {match[1]}" if is_region else match[0]


def _connector(plain: str, at: int) -> tuple[int, bool]:
    """Where the next level starts, and whether a range leads to it."""
    leads_on = _RANGE.match(plain, at)
    if leads_on:
        return leads_on.end(), True
    listed = _LIST.match(plain, at)
    assert listed is not None
    return (listed.end() if listed.end() > at else _stuck(plain, at)), False


def _stuck(plain: str, at: int) -> int:
    """Letters glued to a number (`L1a`) belong to no level; let the next match refuse them."""
    return at if at < len(plain) else len(plain)


def _checked(function: str, region: str, number: int, text: str) -> str:
    level = f"{region}{number}"
    if level in POSITION:
        return level
    if region in _OUTSIDE and number <= _COUNTS[region]:
        found = f"the {_OUTSIDE[region]} level {level}"
    else:
        found = f"{level} in {_shorten(text)}, which is no vertebra"
    raise _refusal(function, found, f"{_ALLOWED}; augmentation is recorded from T1 to L5 only")


def _between(first: str, last: str) -> list[str]:
    low, high = sorted((POSITION[first], POSITION[last]))
    return list(LEVELS[low : high + 1])


def _shorten(text: object) -> str:
    shown = repr(text)
    return shown if len(shown) <= 30 else f"{shown[:26]}...'"


def _refusal(function: str, found: str, allowed: str) -> InputError:
    problem = Problem("argument text", found, allowed)
    return InputError(f"{function}()", [problem], "write the level in one of these spellings")
