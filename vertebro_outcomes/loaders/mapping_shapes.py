"""What kind of value stands behind each key of a mapping file: a text where a table is meant, and so on."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from vertebro_outcomes.errors import Problem

_TABLE, _TEXT, _TEXTS = '{ key = "value" }', 'a text in "quotes"', 'a list of texts: ["a", "b"]'
_NUMBER, _LIMITS, _TRUTH = "a number", "[lowest, highest]", "true or false"
_SCALAR: Final = "a text or a number"
_TOP: Final = {
    "name": _TEXT, "synthetic": _TRUTH, "decimal": _TEXT, "thousands": _TEXT, "missing": _TABLE,
    "codes": _TABLE, "instruments": _TABLE, "notes": _TEXTS,
}  # fmt: skip
_FEED: Final = {
    "source": _TEXT, "table": _TEXT, "columns": _TABLE, "where": _TABLE, "needs": _TEXTS,
    "scales": _TABLE,
}  # fmt: skip
_CELL: Final = {
    "column": _TEXT, "constant": _SCALAR, "codes": _TABLE, "missing": _TABLE, "decimal": _TEXT,
    "thousands": _TEXT, "factor": _NUMBER, "unit": _TEXT, "scale": _LIMITS,
}  # fmt: skip


def shape_problems(content: Mapping[str, Any], file: str) -> list[Problem]:
    """Every value of another kind than its key needs; what the words may be is checked elsewhere."""
    problems = list(_misfits(content, _TOP, f"{file}, "))
    feeds = content.get("feed", [])
    if not isinstance(feeds, list | tuple):
        return [*problems, Problem(f"{file}, feed", "not a list", "[[feed]] sections")]
    for place, feed in enumerate(feeds, start=1):
        where = f"{file}, feed {place}"
        if not isinstance(feed, Mapping):
            problems.append(Problem(where, _shown(feed), "a [[feed]] section"))
            continue
        problems += _misfits(feed, _FEED, f"{where}, ")
        columns, where_rows = feed.get("columns"), feed.get("where")
        for name, cell in columns.items() if isinstance(columns, Mapping) else ():
            if isinstance(cell, Mapping):
                problems += _misfits(cell, _CELL, f"{where}, columns.{name}.")
        for name, texts in where_rows.items() if isinstance(where_rows, Mapping) else ():
            if not (isinstance(texts, str) or _fits(texts, _TEXTS)):
                allowed = f"{_TEXT}, or {_TEXTS}"
                problems.append(Problem(f"{where}, where.{name}", _shown(texts), allowed))
    return problems


def _misfits(entry: Mapping[str, Any], kinds: Mapping[str, str], where: str) -> Iterator[Problem]:
    for key, kind in kinds.items():
        if entry.get(key) is not None and not _fits(entry[key], kind):
            yield Problem(f"{where}{key}", _shown(entry[key]), kind)


def _fits(value: Any, kind: str) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    listed = isinstance(value, Sequence) and not isinstance(value, str)
    if kind == _TABLE:
        return isinstance(value, Mapping)
    if kind == _TEXTS:
        return listed and all(isinstance(item, str) for item in value)
    if kind == _LIMITS:
        two = listed and len(value) == 2
        return two and all(_fits(limit, _NUMBER) for limit in value) and value[0] < value[1]
    if kind == _SCALAR:
        return isinstance(value, str | int | float)
    if kind == _TRUTH:
        return isinstance(value, bool)
    return number if kind == _NUMBER else isinstance(value, str)


def _shown(value: Any) -> str:
    return repr(value)[:40]
