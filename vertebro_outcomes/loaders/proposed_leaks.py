"""Leaks told beside vertebrae in columns side by side: each is kept, whatever else of it is blank."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from vertebro_outcomes.loaders.event_days import RowDates, time_of
from vertebro_outcomes.loaders.proposed_entries import agreeing
from vertebro_outcomes.loaders.sources import Source
from vertebro_outcomes.loaders.value_shapes import ColumnTexts

KIND: Final = "cement_leakage"
_OF_LEAK: Final = ("leakage", "leakage_detected_by")
Feeds = Sequence[Mapping[str, Any]]


def leak_feeds(source: Source, levels: Feeds, dates: RowDates) -> list[dict[str, Any]]:
    """Feeds of the leaks that `levels`, feeds of vertebrae, tell beside other columns.

    A leak to a place makes a record of its vertebra, also where its cement is blank; where its
    level is blank too the row is refused. A plain yes is a complication.
    """
    texts = ColumnTexts(source)
    made = []
    for feed in levels:
        cells = feed["columns"]
        leak, level = cells.get("leakage"), cells["level"]
        if leak is None:
            continue
        values = texts.of(leak["column"])
        keys = {name: cells[name] for name in ("patient_id", "episode_id") if name in cells}
        somewhere = [value for value in values if _place(value, leak) not in (None, "none")]
        if somewhere and feed.get("needs") != ["leakage"]:
            told = {name: cells[name] for name in _OF_LEAK if name in cells}
            columns = {**keys, "level": level, **told}
            made.append(_feed(source, "levels", columns, leak, somewhere) | {"needs": []})
        labels = source.codes.get(leak["column"], {})
        yes = agreeing({value: labels.get(value, value) for value in values})
        if yes:
            when = time_of(source, (leak["column"], yes), KIND, dates=dates)
            columns = {**keys, "type": {"constant": KIND}, "level": level, **when}
            made.append(_feed(source, "events", columns, leak, yes))
    return made


def _place(value: str, leak: Mapping[str, Any]) -> str | None:
    """Where the cement went by a value of this column; None where it says no place."""
    if value in leak.get("missing", {}):
        return None
    return str(leak.get("codes", {}).get(value, value.lower()))


def _feed(
    source: Source,
    table: str,
    columns: Mapping[str, Any],
    leak: Mapping[str, Any],
    values: Sequence[str],
) -> dict[str, Any]:
    where = {leak["column"]: list(values)}
    return {"source": source.name, "table": table, "columns": dict(columns), "where": where}
