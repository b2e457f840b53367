"""A number as somebody printed it: its value, what rounding leaves open, and a relation sign."""

import math
import re
from dataclasses import dataclass
from typing import Final

MINUS_SIGNS: Final = str.maketrans({"−": "-", "–": "-", "‒": "-", "﹣": "-", "－": "-", "·": "."})
LARGEST_EXPONENT: Final = (
    200  # beyond it, or with more digits, it is no measurement, and floats end
)
LONGEST: Final = 100
_NUMBER: Final = re.compile(
    r"\s*+([<>≤≥=]?)\s*+([+-]?(?:\d++\.?\d*+|\.\d++)(?:[eE][+-]?\d++)?)\s*+%?\s*+"
)


@dataclass(frozen=True)
class Printed:
    """`value` lies within `half_unit` of the number that was rounded; `relation` is '=', '<' or '>'."""

    text: str
    value: float
    half_unit: float
    relation: str = "="

    @property
    def low(self) -> float:
        """The smallest number that prints like this."""
        return self.value - self.half_unit

    @property
    def high(self) -> float:
        """The largest number that prints like this."""
        return self.value + self.half_unit

    def is_printed_from(self, value: float, *, slack: float = 1e-9) -> bool:
        """Whether `value` rounds to this text (either way at a tie)."""
        return self.low - slack <= value <= self.high + slack


def read_printed(text: object) -> Printed | None:
    """`read_printed('<0.01')`, `read_printed('-.50')`, `read_printed(7.2)`; None if there is no number.

    Examples
    --------
    >>> read_printed("7.20").half_unit
    0.005
    """
    if text is None or (isinstance(text, float) and math.isnan(text)):
        return None
    found = _NUMBER.fullmatch(str(text).translate(MINUS_SIGNS))
    if found is None:
        return None
    sign, digits = found.groups()
    mantissa, _, exponent = digits.lower().partition("e")
    if len(exponent) > 4 or abs(int(exponent or 0)) > LARGEST_EXPONENT or len(mantissa) > LONGEST:
        return None
    decimals = len(mantissa.partition(".")[2]) - int(exponent or 0)
    relation = {"": "=", "≤": "<", "≥": ">"}.get(sign, sign)
    return Printed(str(text), float(digits), 0.5 * 10.0**-decimals, relation)
