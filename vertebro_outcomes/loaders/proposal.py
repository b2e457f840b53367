"""A mapping proposed from headers, labels and values, with how sure it is of each line."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from vertebro_outcomes.loaders.cells import SEX, TRUTH
from vertebro_outcomes.loaders.format import STAGED
from vertebro_outcomes.loaders.level_cells import read_levels
from vertebro_outcomes.loaders.sources import Source
from vertebro_outcomes.loaders.value_shapes import (
    ColumnTexts,
    decimal_of,
    is_number,
    propose_dates,
    scale_of,
    share_of,
)
from vertebro_outcomes.loaders.words import (
    ABSENCE_WORDS,
    CODE_WORDS,
    EVENT_WORDS,
    HEADERS,
    INSTRUMENT_WORDS,
    VISIT_WORDS,
    fold,
    squeeze,
    timepoint_days,
    unit_of,
    word_for,
)
from vertebro_outcomes.tables.event_types import EVENT_ALIASES, EVENT_TYPES

MOSTLY_READ: Final = 0.85  # the codes that are not understood are rejected one by one
SURE: Final = 0.7  # lines below this are proposed but not used without a mapping file
_BY_HEADER: Final = {
    word: key for key, words in reversed(HEADERS.items()) for word in words.split()
}


@dataclass(frozen=True)
class Line:
    """One proposed column: `entry` is what the mapping file would say; `sure` from 0 to 1."""

    source: str
    table: str
    target: str
    column: str
    sure: float
    why: str
    entry: Mapping[str, Any] = field(default_factory=dict)
    day: int | None = None  # of a wide score column
    instrument: str = ""


def propose_lines(source: Source, *, record_column: bool = False) -> list[Line]:
    """What each column of a source seems to be; `record_column`: the first one is the patient."""
    texts = ColumnTexts(source)
    timed = any(_is_time(c) or _visit_line(source, c, texts) for c in source.columns)
    lines = [line for c in source.columns for line in _lines_of(source, c, texts, timed)]
    if record_column and source.columns:
        first = source.columns[0]
        lines = [x for x in lines if x.target != "patient_id" and x.column != first]
        said = {"column": first}
        lines = [Line(source.name, "patients", "patient_id", first, 0.99, "record", said), *lines]
    lines = _one_scale_per_instrument(lines)
    best: dict[tuple[Any, ...], Line] = {}
    for line in lines:  # two columns for one target: the surer, else the first
        key = (line.table, line.target, line.instrument, line.day)
        if key not in best or line.sure > best[key].sure:
            best[key] = line
    return [x for x in lines if best[x.table, x.target, x.instrument, x.day] is x]


def _one_scale_per_instrument(lines: Sequence[Line]) -> list[Line]:
    """If one column of an instrument is on 0-100, so are its others: low values alone say nothing."""
    scales = {x.instrument: x.entry["scale"] for x in lines if "scale" in x.entry}
    return [
        replace(x, entry={**x.entry, "scale": scales[x.instrument]})
        if x.instrument in scales
        else x
        for x in lines
    ]


def _lines_of(source: Source, column: str, texts: ColumnTexts, timed: bool) -> list[Line]:
    label = source.labels.get(column, "")
    visit = _visit_line(source, column, texts)
    if visit is not None:
        return [visit]
    score = _score_column(source, column, texts, timed)
    if score is not None:
        return [score]
    folded = fold(column)
    key = _BY_HEADER.get(folded) or _BY_HEADER.get(fold(label))
    if key is None:
        return []
    table, target = key
    table = _at_home(source, table, target)
    entry, fits, why = _entry(source, column, (table, target), texts.of(column))
    exact = folded == target
    sure = (0.95 if exact else 0.85) * fits
    return [Line(source.name, table, target, column, round(sure, 2), why, entry)]


def _is_time(column: str) -> bool:
    return _BY_HEADER.get(fold(column)) in (("scores", "date"), ("scores", "day"))


def _visit_line(source: Source, column: str, texts: ColumnTexts) -> Line | None:
    """A column of visits (`baseline`, `3 months`) gives the day where no date does."""
    values = texts.of(column) if fold(column) in VISIT_WORDS else []
    if not values:
        return None
    labels = source.codes.get(column, {})
    days = {v: timepoint_days(labels.get(v, v)) for v in values}
    known = {v: str(day) for v, day in days.items() if day is not None}
    if len(known) < 0.5 * len(values):
        return None
    entry = {"column": column, "codes": known}
    why = f"{len(known)} of {len(values)} visits name a time"
    sure = round(0.7 + 0.2 * len(known) / len(values), 2)
    return Line(source.name, "scores", "day", column, sure, why, entry)


def _at_home(source: Source, table: str, target: str) -> str:
    """`date` and `level` mean what the other columns of the file say they mean."""
    present = {_BY_HEADER.get(fold(column)) for column in source.columns}
    names = {key[1] for key in present if key}
    if target == "cement_ml" and ("levels", "level") in present and "treatment" not in names:
        return "levels"
    if target in ("date", "day", "symptomatic", "level", "detected_by") and table in (
        "scores",
        "events",
        "levels",
    ):
        if ("events", "type") in present and ("scores", "value") not in present:
            return "events"
        if target in ("symptomatic", "detected_by") or (
            target in ("level", "date", "day")
            and re.search("fracture|fraktur|refract|newfx", squeeze(source.name))
            and "treatment" not in names
        ):
            return "fractures"
    return table


def _score_column(source: Source, column: str, texts: ColumnTexts, timed: bool) -> Line | None:
    """`VAS_3m`: an instrument and a time in one header; `VAS` where the row says the time."""
    text = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", column)
    label = source.labels.get(column, "")
    name = instrument_in(text) or instrument_in(label)
    if name is None or _BY_HEADER.get(fold(column)):
        return None
    day = timepoint_days(text)
    day = timepoint_days(label) if day is None else day
    values = texts.of(column) if day is not None or timed else []
    absent = {v: why for v in values if (why := word_for(v, ABSENCE_WORDS))}
    fits = share_of([v for v in values if v not in absent], is_number)
    if (day is None and not timed) or fits < 0.5:
        return None
    entry: dict[str, Any] = {"column": column, **decimal_of(values)}
    if absent:
        entry["missing"] = absent
    scale = scale_of(name, column, values)
    if scale:
        entry["scale"] = scale
    when = f"at day {day}" if day is not None else "at the visit of the row"
    why = f"{name} {when}; {fits:.0%} of values are numbers"
    sure = round(0.9 * max(fits, 0.8), 2)
    return Line(source.name, "scores", "value", column, sure, why, entry, day, name)


def instrument_in(text: str) -> str | None:
    """The instrument a header or label names."""
    stem = fold(text)
    for pattern, name in INSTRUMENT_WORDS:
        if re.search(rf"(^|_)({pattern})(_|\d|$)", stem):
            return name
    return None


def _entry(
    source: Source, column: str, meant: tuple[str, str], values: Sequence[str]
) -> tuple[dict[str, Any], float, str]:
    """The mapping entry, the share of values it reads, and why."""
    table, target = meant
    declared = STAGED[table][target]
    entry: dict[str, Any] = {"column": column}
    if not values:
        return entry, 0.8, "the header; no values"
    if target == "level":
        labels = source.codes.get(column, {})
        codes = {v: labels[v] for v in values if read_levels(labels.get(v, ""))}
        entry |= {"codes": codes} if codes else {}
        said = [codes.get(v, v) for v in values]
        return entry, share_of(said, lambda v: bool(read_levels(v))), "header and levels"
    if target in CODE_WORDS or target == "type" or declared.codes:
        codes, fits = propose_codes(target, declared.codes, values, source.codes.get(column, {}))
        if codes:
            entry["codes"] = codes
        why = f"header; {fits:.0%} of the codes are understood"
        return entry, max(fits, MOSTLY_READ) if fits >= 0.5 else fits, why
    if declared.type == "bool":
        labels = source.codes.get(column, {})
        known = {v for v in values if v.lower() in TRUTH or labels.get(v, "").lower() in TRUTH}
        codes = {v: TRUTH[labels[v].lower()] for v in known if labels.get(v, "").lower() in TRUTH}
        if codes:
            entry["codes"] = codes
        return entry, len(known) / len(values), "header and yes/no values"
    if declared.type == "date":
        order, fits = propose_dates(values)
        entry |= {"dates": order} if order != "iso" else {}
        return entry, fits, f"header; dates read {order}"
    if declared.type in ("int", "float"):
        entry |= decimal_of(values)
        unit = unit_of(column)
        if (declared.unit, unit) in (("years", "months"), ("days", "weeks"), ("days", "months")):
            entry["unit"] = unit
        return entry, share_of(values, is_number), "header and numbers"
    return entry, 1.0, "header"


def propose_codes(
    target: str, allowed: Sequence[str], values: Sequence[str], labels: Mapping[str, str]
) -> tuple[dict[str, str], float]:
    """Codes of the file -> canonical words, from labels or from the codes themselves."""
    codes: dict[str, str] = {}
    understood = 0
    canonical = {code.lower(): code for code in allowed}
    for value in values:
        label = labels.get(value, value)
        plain = squeeze(label)
        word = canonical.get(plain) or canonical.get(label.lower()) or (
            SEX.get(label.lower()) if target == "sex" else None
        )  # fmt: skip
        if word is None and target == "type":
            word = EVENT_ALIASES.get(plain) or word_for(label, EVENT_WORDS, whole=False)
        elif word is None:
            word = word_for(label, CODE_WORDS.get(target, ()))
        if word is not None and (word in allowed or not allowed):
            understood += 1
            if word.lower() != value.lower():
                codes[value] = word
    return codes, understood / len(values) if values else 1.0


assert all(column in STAGED[table].names for table, column in HEADERS)
assert EVENT_TYPES.keys() >= set(EVENT_ALIASES.values())
