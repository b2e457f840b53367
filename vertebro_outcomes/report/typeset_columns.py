"""How the columns of a typeset table share the line."""

import math
import re
from collections.abc import Sequence
from typing import Final

_NARROWEST, _WIDEST = 6.0, 320.0  # letters of a column that still change its share of the line
_LETTER_EM: Final = 0.5  # mean width of a letter
_INSET_PT: Final = 7.0  # left and right of a cell, as in page.typ
_LONGEST_WORD: Final = 14  # letters; longer words may be broken
_BREAKS: Final = re.compile(r"[\s\u200b/-]+")


def column_widths(
    columns: Sequence[Sequence[str]], heads: Sequence[str], *, line_pt: float, letter_pt: float
) -> list[float]:
    """Widths in points: long texts get more, not in proportion, and no column breaks its words.

    Parameters
    ----------
    columns : sequence of sequence of str
        Texts of each column.
    heads : sequence of str
        Their headings.
    line_pt : float
        Width of the line.
    letter_pt : float
        Size of the letters.

    Returns
    -------
    list of float
        They add up to the line.
    """
    wishes = [_wish(texts, head) for texts, head in zip(columns, heads, strict=True)]
    least = [
        _INSET_PT + _LETTER_EM * letter_pt * _longest_word([*texts, head])
        for texts, head in zip(columns, heads, strict=True)
    ]
    if sum(least) >= line_pt:
        return [line_pt * wish / sum(wishes) for wish in wishes]
    fixed: set[int] = set()
    while True:
        rest = line_pt - sum(least[i] for i in fixed)
        free = sum(wish for i, wish in enumerate(wishes) if i not in fixed)
        widths = [least[i] if i in fixed else rest * wish / free for i, wish in enumerate(wishes)]
        short = {i for i, width in enumerate(widths) if width < least[i] - 1e-9}
        if not short:
            return widths
        fixed |= short


def _wish(texts: Sequence[str], head: str) -> float:
    lengths = sorted(map(len, texts))[: max(1, math.ceil(0.9 * len(texts)))]
    longest = max([*lengths, len(head) - 4, 1])
    return math.sqrt(min(max(longest, _NARROWEST), _WIDEST))


def _longest_word(texts: Sequence[str]) -> int:
    words = (word for text in texts for word in _BREAKS.split(text))
    return min(_LONGEST_WORD, max(map(len, words), default=0))
