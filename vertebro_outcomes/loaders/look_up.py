"""Texts looked up in closed lists, as Ibis expressions that keep the order of rows."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

_SIGNS: Final = re.compile(r"[\\.^$|?*+()\[\]{}]")  # of patterns


def look_up(low: Any, words: Mapping[str, str]) -> Any:
    """Text -> its word, null where there is none; None for an empty list."""
    import ibis

    if not words:
        return None
    same = [text for text, word in words.items() if text == word]
    spelled: dict[str, list[str]] = {}
    for text, word in words.items():
        if text != word:
            spelled.setdefault(word, []).append(text)
    branches = [(is_among(low, texts), word) for word, texts in spelled.items()]
    branches += [(is_among(low, same), low)] if same else []
    return ibis.cases(*branches, else_=ibis.null("string"))


def is_among(low: Any, texts: Sequence[str]) -> Any:
    """A pattern, since engines turn a list into a join that sees every row and loses their order."""
    if len(texts) == 1:
        return low == texts[0]
    escaped = (_SIGNS.sub(r"\\\g<0>", text) for text in texts)
    return low.re_search(rf"\A(?:{'|'.join(escaped)})\z")
