"""Leaks asked twice, whether there was one and where to: the place is read, and what it does not say.

A yes without a place is a complication, a no without one says that there was none. A cell that lists
places is a complication of each; the vertebra itself has room for one place.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from vertebro_outcomes.loaders.column_texts import ColumnTexts
from vertebro_outcomes.loaders.event_days import RowDates, time_of
from vertebro_outcomes.loaders.proposal_line import SURE, Line
from vertebro_outcomes.loaders.proposed_entries import agreeing, denying
from vertebro_outcomes.loaders.sources import Source
from vertebro_outcomes.loaders.words import ABSENCE_WORDS, LEAKAGE_WORDS, word_for

_LISTED: Final = re.compile(r"[,;/+&|\n]|\b(?:and|und|et|y|e|en|og|och|sowie)\b", re.IGNORECASE)
_BLANK: Final = ""
_LEAKAGE: Final = ("levels", "leakage")
Feed = dict[str, Any]


@dataclass(frozen=True)
class AskedTwice:
    """The column that says whether there was a leak beside the one that says where to."""

    flag: str
    yes: Sequence[str]
    no: Sequence[str]
    site: str
    unplaced: Sequence[str]  # texts of `site` that name no place


def sites_before_flags(source: Source, lines: Sequence[Line], texts: ColumnTexts) -> list[Line]:
    """Of columns of leakage those with yes and no alone give way to the one that names places."""
    leaks = [x for x in _leaks_of(source, lines) if x.sure >= SURE]
    flags = [x for x in leaks if not _names_places(source, x.column, texts)]
    places = [x for x in leaks if x not in flags]
    if not flags or not places:
        return list(lines)
    why = f"{places[0].column!r} is read as levels.leakage"
    return [replace(x, sure=0.0, why=why) if x in flags else x for x in lines]


def asked_twice(source: Source, lines: Sequence[Line]) -> AskedTwice | None:
    """What both columns say, where a file has both."""
    own = [
        x for x in lines if x.source == source.name and (x.table, x.target) == ("levels", "leakage")
    ]
    site = next((x.column for x in own if x.sure >= SURE), None)
    texts = ColumnTexts(source)
    flag = next((x.column for x in own if x.sure < SURE and _asks(source, x.column, texts)), None)
    if site is None or flag is None or not _names_places(source, site, texts):
        return None
    said = _said(source, flag, texts)
    labels = source.codes.get(site, {})
    placed = {value: labels.get(value, value) for value in texts.stated(site)}
    unplaced = [
        v for v, label in placed.items() if not _places(label) and _one(label) in (None, "none")
    ]
    return AskedTwice(flag, agreeing(said), denying(said), site, [_BLANK, *unplaced])


def leak_place_feeds(
    source: Source,
    levels: Sequence[Mapping[str, Any]],
    lines: Sequence[Line],
    keys: Mapping[str, Any],
    dates: RowDates,
) -> list[Feed]:
    """Feeds of vertebrae of which a no says that none leaked, and of leaks that no vertebra can tell.

    These are leaks to several places, and any place where `levels`, feeds of vertebrae, tell no leak.
    """
    telling = [feed for feed in levels if "column" in feed["columns"].get("leakage", {})]
    twice = asked_twice(source, lines)
    made: list[Feed] = []
    for feed in telling:
        cells = feed["columns"]
        if twice and twice.site == cells["leakage"]["column"] and twice.no:
            own = {name: cells[name] for name in (*keys, "level")}
            columns = {**own, "leakage": {"constant": "none"}}
            where = {twice.flag: list(twice.no), twice.site: [_BLANK]}
            made.append(
                {"source": source.name, "table": "levels", "columns": columns, "where": where}
            )
    site = next((x.column for x in _leaks_of(source, lines) if x.sure >= SURE), None)
    if site is None:
        return made
    own = {**keys, **({"level": dates.level} if dates.level else {})}
    for kind, values in _by_kind(source, site, single=not telling).items():
        when = time_of(source, (site, values), kind, dates=dates)
        columns = {**own, "type": {"constant": kind}, **when}
        where = {site: values}
        made.append({"source": source.name, "table": "events", "columns": columns, "where": where})
    return made


def _leaks_of(source: Source, lines: Sequence[Line]) -> list[Line]:
    return [x for x in lines if x.source == source.name and (x.table, x.target) == _LEAKAGE]


def _by_kind(source: Source, site: str, *, single: bool) -> dict[str, list[str]]:
    """The texts that tell each kind of leak; those of one place alone if `single`."""
    told: dict[str, list[str]] = {}
    for value, label in _said(source, site, ColumnTexts(source)).items():
        one = _one(label)
        alone = (one,) if single and one not in (None, "none") else ()
        for place in _places(label) or alone:
            told.setdefault(f"cement_leakage_{place}", []).append(value)
    return told


def _said(source: Source, column: str, texts: ColumnTexts) -> dict[str, str]:
    labels = source.codes.get(column, {})
    return {value: labels.get(value, value) for value in texts.of(column)}


def _asks(source: Source, column: str, texts: ColumnTexts) -> bool:
    """Whether a column says yes somewhere, and no place anywhere."""
    return bool(agreeing(_said(source, column, texts))) and not _names_places(source, column, texts)


def _names_places(source: Source, column: str, texts: ColumnTexts) -> bool:
    said = _said(source, column, texts).values()
    return any(_places(label) or _one(label) not in (None, "none") for label in said)


def _one(label: str) -> str | None:
    return None if word_for(label, ABSENCE_WORDS) else word_for(label, LEAKAGE_WORDS)


def _places(label: str) -> tuple[str, ...]:
    """The places that a cell lists, if it lists several and nothing else."""
    found = tuple(dict.fromkeys(_one(part.strip()) for part in _LISTED.split(label)))
    return tuple(map(str, found)) if len(found) > 1 and not {None, "none"} & set(found) else ()
