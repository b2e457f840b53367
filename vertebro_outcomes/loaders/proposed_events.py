"""Columns that say yes or no to a complication: each yes is an event."""

import re
from collections.abc import Mapping
from typing import Any, Final

from vertebro_outcomes.loaders.cells import TRUTH
from vertebro_outcomes.loaders.column_texts import ColumnTexts
from vertebro_outcomes.loaders.event_days import RowDates, is_leak, time_of
from vertebro_outcomes.loaders.event_words import event_in, events_in
from vertebro_outcomes.loaders.proposed_entries import absences, agreeing
from vertebro_outcomes.loaders.proposed_leak_sites import AskedTwice
from vertebro_outcomes.loaders.proposed_tables import meant_by
from vertebro_outcomes.loaders.redcap_dictionary import is_box
from vertebro_outcomes.loaders.sources import Source
from vertebro_outcomes.loaders.words import squeeze, yes_letters
from vertebro_outcomes.tables.event_types import EVENT_TYPES

MOSTLY: Final = 0.8  # of the values are a plain yes or no
# A header that names a disease alone may be one the patient came with.
_AFTER_TREATMENT: Final = re.compile(
    r"leak|leck|austritt|extravas|fuite|fuga|cement_embol|zement_?embol|kompl|complic|post_?op"
    r"|(^|_)(ae|uaw)(_|$)|cross(ed)?_?over|re_?operat|(^|_)reop|re_?intervent|revisions?_?(op|surg|eing)"
)


def flag_feeds(
    source: Source,
    keys: Mapping[str, Any],
    taken: set[str],
    dates: RowDates,
    twice: AskedTwice | None = None,
) -> list[dict[str, Any]]:
    """Feeds of events from yes/no columns that no other table took, and from leaks without a site."""
    texts = ColumnTexts(source)
    feeds = []
    for column in source.columns:
        kind = _kind(source, column, taken)
        values = texts.of(column) if kind else []
        labels = source.codes.get(column, {})
        said = {value: labels.get(value, value) for value in values}
        for value in absences(said):
            said.pop(value)
        yes, letters = agreeing(said), yes_letters(said.values())
        of_level = meant_by(source, column) == ("levels", "leakage")
        n_plain = sum(v in letters or v.lower() in TRUTH for v in said.values())
        plain = of_level or n_plain > MOSTLY * len(said)
        if kind in EVENT_TYPES and yes and plain:
            when = time_of(source, (column, yes), kind, dates=dates)
            cells = {**keys, "type": {"constant": kind}, **when}
            if is_leak(kind) and dates.level:
                cells["level"] = dict(dates.level)
            where: dict[str, Any] = {column: yes}
            if twice and column == twice.flag:
                where[twice.site] = list(twice.unplaced)
            feeds.append(
                {"source": source.name, "table": "events", "columns": cells, "where": where}
            )
    return feeds


def further_feeds(source: Source, feed: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Feeds of the second and later complications that cells list; `feed` reads the first of each."""
    column = feed["columns"]["type"]["column"]
    labels = source.codes.get(column, {})
    told: dict[str, list[str]] = {}
    for value in ColumnTexts(source).of(column):
        for kind in events_in(labels.get(value, value))[1:]:
            told.setdefault(kind, []).append(value)
    return [
        {
            **feed,
            "columns": {**feed["columns"], "type": {"constant": kind}},
            "where": {column: values},
            "needs": [],
        }
        for kind, values in told.items()
    ]


def _kind(source: Source, column: str, taken: set[str]) -> str | None:
    """The event that a header or label names."""
    if is_box(column) and column not in source.labels:  # it may be that of `none`
        return None
    if meant_by(source, column) == ("levels", "leakage"):
        return "cement_leakage"
    for title in (column, source.labels.get(column, "")):
        if column not in taken and _AFTER_TREATMENT.search(squeeze(title)):
            return event_in(title)
    return None
