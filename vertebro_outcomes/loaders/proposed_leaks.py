"""Leaks told with a plain yes beside vertebrae in columns side by side: each is a complication."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from vertebro_outcomes.loaders.column_texts import ColumnTexts
from vertebro_outcomes.loaders.event_days import RowDates, time_of
from vertebro_outcomes.loaders.proposed_entries import agreeing
from vertebro_outcomes.loaders.sources import Source

KIND: Final = "cement_leakage"
Feeds = Sequence[Mapping[str, Any]]


def leak_feeds(source: Source, levels: Feeds, dates: RowDates) -> list[dict[str, Any]]:
    """Feeds of the leaks of which `levels`, feeds of vertebrae, tell that they were, not where to."""
    texts = ColumnTexts(source)
    made = []
    for feed in levels:
        cells = feed["columns"]
        leak, level = cells.get("leakage"), cells["level"]
        if leak is None:
            continue
        values = texts.of(leak["column"])
        keys = {name: cells[name] for name in ("patient_id", "episode_id") if name in cells}
        labels = source.codes.get(leak["column"], {})
        yes = agreeing({value: labels.get(value, value) for value in values})
        if yes:
            when = time_of(source, (leak["column"], yes), KIND, dates=dates)
            columns = {**keys, "type": {"constant": KIND}, "level": level, **when}
            where = {leak["column"]: yes}
            made.append(
                {"source": source.name, "table": "events", "columns": columns, "where": where}
            )
    return made
