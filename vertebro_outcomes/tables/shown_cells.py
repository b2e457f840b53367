"""What a message may show of a refused cell: its shape, unless the cell cannot be about a person.

Shown as written are a number below a thousand with at most two decimals, a vertebral level, and a
word that the column itself declares. Of all else only the shape is shown: `9` for a digit, `X` and
`x` for letters. So a name, a date (in any order, with any year) or a record number that slipped
into a wrong column never comes out, however short it is.
"""

import re
from collections.abc import Iterable
from typing import Any, Final

import pandas as pd

LONGEST_SHAPE: Final = 12
_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,3}([.,][0-9]{1,2})?")
_LEVEL: Final = re.compile(r"(C|T|Th|D|L|S|BWK|LWK) ?[0-9]{1,2}", re.IGNORECASE)
_SIGNS: Final = " .,;:/-+_'\"()%<>=#*&|"


def shown_cell(value: Any, *, words: Iterable[str] = ()) -> str:
    """A number, a level, one of the `words` of the column (in any case), or the shape of the text.

    Examples
    --------
    >>> [shown_cell(text) for text in ("250", "17.03.31", "Lind", "th13")]
    ['250', '99.99.99', 'Xxxx', 'th13']
    >>> shown_cell("Quackenbush Zebulon")
    'text of 19 characters'
    """
    text = "" if pd.isna(value) else " ".join(str(value).split())
    if not text:
        return "blank"
    plain = text.removesuffix(".0")  # how engines write whole numbers
    if _NUMBER.fullmatch(plain) or _LEVEL.fullmatch(plain):
        return plain
    if text.casefold() in {word.casefold() for word in words}:
        return text
    if len(text) > LONGEST_SHAPE:
        return f"text of {len(text)} characters"
    return "".join(map(_shape, text))


def _shape(letter: str) -> str:
    if letter.isdecimal():
        return "9"
    if letter.isalpha():
        return "X" if letter.isupper() else "x"
    return letter if letter in _SIGNS else "?"
