"""Pain of which only some sites write more than ten: cm beside mm, which one scale cannot read."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from vertebro_outcomes.loaders.headers import meaning_of
from vertebro_outcomes.loaders.sources import Source
from vertebro_outcomes.loaders.words import fold, unit_of
from vertebro_outcomes.tables.event_types import INSTRUMENTS

LEAST_OF_SITE: Final = 6  # so few marks in mm, some before treatment, are not all up to ten
MIXED: Final = (
    "{name} is not read: values of some sites in {site!r} never exceed ten and those of others do, so that "
    "cm and mm may be mixed; give each unit a feed of its own in a mapping file, by where and scales"
)
Feeds = Sequence[Mapping[str, Any]]
Column = tuple[str, Mapping[str, Sequence[str]]]  # of values, and which rows are meant


def of_one_scale(source: Source, feeds: Feeds) -> tuple[list[Mapping[str, Any]], list[str]]:
    """The feeds without instruments that sites write on two scales; which those are."""
    site = next((c for c in source.columns if meaning_of(c) == ("patients", "site")), None)
    if site is None:
        return list(feeds), []
    columns: dict[str, list[Column]] = {}
    for feed in (feed for feed in feeds if feed["table"] == "scores"):
        for name, texts in _guessed(feed).items():
            where = {feed["columns"]["instrument"]["column"]: texts} if texts else {}
            columns.setdefault(name, []).append((feed["columns"]["value"]["column"], where))
    mixed = [name for name, told in columns.items() if _differ(source, site, told)]
    made = [part for feed in feeds if (part := _without(source, feed, mixed))]
    return made, [MIXED.format(name=name, site=site) for name in mixed]


def _guessed(feed: Mapping[str, Any]) -> dict[str, list[str]]:
    """Instruments of ten taken as 0-100 by their values alone, with their texts in a long table."""
    cell, instrument = feed["columns"]["value"], feed["columns"]["instrument"]
    if "constant" in instrument:
        name = instrument["constant"]
        by_values = cell.get("scale") == [0, 100] and unit_of(cell["column"]) != "mm"
        return {name: []} if by_values and INSTRUMENTS[name].high == 10 else {}
    wide = [n for n, scale in feed.get("scales", {}).items() if scale == [0, 100]]
    return {
        name: [*(t for t, word in instrument.get("codes", {}).items() if word == name), name]
        for name in wide
        if INSTRUMENTS[name].high == 10
    }


def _differ(source: Source, site: str, columns: Sequence[Column]) -> bool:
    """Whether some site never writes more than ten, and another does."""
    counts: dict[str, int] = {}
    highest: dict[str, float] = {}
    for column, where in columns:
        rows = source.cells
        for title, texts in where.items():
            rows = rows.filter(rows[title].strip().isin(list(texts)))
        number = rows[column].strip().replace(",", ".").try_cast("float64")
        found = rows.group_by(at=rows[site].strip()).aggregate(n=number.count(), top=number.max())
        for row in found.to_pyarrow().to_pylist():
            if row["at"] and row["n"]:
                counts[row["at"]] = counts.get(row["at"], 0) + row["n"]
                highest[row["at"]] = max(highest.get(row["at"], 0.0), row["top"])
    low = [at for at, top in highest.items() if top <= 10 and counts[at] >= LEAST_OF_SITE]
    return bool(low) and max(highest.values()) > 10


def _without(
    source: Source, feed: Mapping[str, Any], mixed: Sequence[str]
) -> Mapping[str, Any] | None:
    """A feed of scores without some instruments; none if nothing is left."""
    if feed["table"] != "scores":
        return feed
    instrument = feed["columns"]["instrument"]
    if "constant" in instrument:
        return None if instrument["constant"] in mixed else feed
    if not set(mixed) & set(feed.get("scales", {})):
        return feed
    codes, title = instrument.get("codes", {}), instrument["column"]
    texts = (
        source.cells.select(v=source.cells[title].strip()).distinct().to_pyarrow()["v"].to_pylist()
    )
    kept = sorted(t for t in texts if t and codes.get(t, fold(t)) not in mixed)
    scales = {name: scale for name, scale in feed["scales"].items() if name not in mixed}
    return (
        {**feed, "scales": scales, "where": {**feed.get("where", {}), title: kept}}
        if kept
        else None
    )
