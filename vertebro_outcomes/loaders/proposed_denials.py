"""Days of deaths and new fractures in rows that say that there was none: times of follow-up.

Tables for survival analysis give everybody a time, and beside it whether it ended with the event.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from vertebro_outcomes.loaders.cells import TRUTH
from vertebro_outcomes.loaders.column_texts import ColumnTexts
from vertebro_outcomes.loaders.headers import meaning_of
from vertebro_outcomes.loaders.proposal import DEATH_WORDS
from vertebro_outcomes.loaders.proposed_tables import SURELY_NEW
from vertebro_outcomes.loaders.sources import Source
from vertebro_outcomes.loaders.words import fold

Feeds = Sequence[Mapping[str, Any]]
_TIMES: Final = {"patients": ("death_day", "death_date"), "fractures": ("day", "date")}
# What may stand beside the words for a new fracture where a column asks whether there was one: another
# word asks what it was like (`newfx_adjacent`).
_ASKS: Final = re.compile(
    r"(y|n|j|s|o|yes|no|ja|nein|nee|oui|non|si|any|0|1|occurred|happened|status|event|vertebr\w*|wirbel\w*"
    r"|spin\w*|during|at|follow|up|fu|wahrend|im|verlauf|s)"
)
DENIED: Final = "{time!r} has a value also where {flag!r} says no: it is read where that says yes"


def where_it_happened(source: Source, feeds: Feeds) -> tuple[list[Mapping[str, Any]], list[str]]:
    """The feeds of a source, times of events only from rows that do not deny them; what was changed."""
    made: list[Mapping[str, Any]] = []
    remarks = []
    for feed in feeds:
        parts = [feed]
        for target in _TIMES.get(feed["table"], ()):
            column = feed["columns"].get(target, {}).get("column")
            for flag, yes in _flags(source, feed["table"]) if column else ():
                if column != flag and _is_denied(source, column, flag):
                    parts = _apart(feed, target, {flag: yes})
                    remarks.append(DENIED.format(time=column, flag=flag))
        made += parts
    return made, remarks


def _apart(
    feed: Mapping[str, Any], target: str, where: Mapping[str, Sequence[str]]
) -> list[Mapping[str, Any]]:
    """All of a fracture is told where it happened; of a patient the rest is told in any case."""
    if feed["table"] == "fractures":
        return [{**feed, "where": {**feed.get("where", {}), **where}}]
    columns = feed["columns"]
    rest = {name: cell for name, cell in columns.items() if name != target}
    own = {name: columns[name] for name in ("patient_id", target)}
    return [{**feed, "columns": rest}, {**feed, "columns": own, "where": where}]


def _flags(source: Source, table: str) -> Iterator[tuple[str, list[str]]]:
    """Columns of yes and no that ask whether it happened, each with its words for yes."""
    texts = ColumnTexts(source)
    for column in source.columns:
        asks = fold(column) in DEATH_WORDS if table == "patients" else _asks_of_fracture(column)
        values = texts.of(column) if asks else []
        labels = source.codes.get(column, {})
        said = {value: TRUTH.get(labels.get(value, value).lower()) for value in values}
        if set(said.values()) == {"0", "1"}:
            yield column, [value for value, truth in said.items() if truth == "1"]


def _asks_of_fracture(column: str) -> bool:
    """`New fracture (y/n)` and not `new fracture adjacent`."""
    name = fold(column)
    if meaning_of(column) is not None or not SURELY_NEW.search(name) or "adjacent" in name:
        return False
    beside = SURELY_NEW.sub(" ", name)
    rest = (
        re.sub(r"(?<= )([ck]tur)?(es?|en|er|s|as?|i)?(?=_|$)", "", beside)
        .replace(" ", "_")
        .split("_")
    )
    return all(_ASKS.fullmatch(word) for word in rest if word)


def _is_denied(source: Source, column: str, flag: str) -> bool:
    labels = source.codes.get(flag, {})
    no = [v for v in ColumnTexts(source).of(flag) if TRUTH.get(labels.get(v, v).lower()) == "0"]
    data = source.cells
    told = data[column].strip().nullif("").notnull() & data[flag].strip().isin(no)
    return bool(told.any().to_pyarrow().as_py())
