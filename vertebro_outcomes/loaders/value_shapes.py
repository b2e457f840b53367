"""What the texts of one column look like: the order of dates, the scale of scores, commas."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from vertebro_outcomes.loaders.date_texts import PARTIAL, names_a_month
from vertebro_outcomes.loaders.sources import Source
from vertebro_outcomes.loaders.words import fold, unit_of
from vertebro_outcomes.tables.event_types import INSTRUMENTS

MIXED_DATES: Final = 0.9
_NARROW: Final = "\N{NARROW NO-BREAK SPACE}"
PLAIN: Final = r"[+-]?(\d+([.,]\d+)?|[.,]\d+)"  # a number without groups of thousands
LEAST_PARTS: Final = 3  # different values between 0 and 1, such as 0.44, that show parts of one
UNSURE_ORDER: Final = 0.6  # 03/04/2019 may be either
_TEXT_DATE: Final = re.compile(r"^(\d{1,2})([-/. ]) *(\d{1,2})[-/. ] *(\d{4}|\d{2})(?!\d)")


def propose_dates(values: Sequence[str]) -> tuple[str, float]:
    """The order in which dates are written, and how sure that is.

    A year or month alone is understood, though it is no date; it says nothing of the order.
    """
    whole = [v for v in values if not re.fullmatch(PARTIAL, v)]
    if not values:
        return "iso", 0.5
    if not whole:
        return "iso", 1.0
    serial = share_of(whole, lambda v: bool(re.fullmatch(r"\d{5}(\.\d+)?", v)))
    iso = share_of(whole, lambda v: bool(re.match(r"\d{4}-\d{1,2}-\d{1,2}([T ].*)?$", v)))
    parts = [found for v in whole if (found := _TEXT_DATE.match(v))]
    if serial and serial + iso + sum(p[2] == "." for p in parts) / len(whole) > MIXED_DATES:
        return "excel", 0.85  # a sheet where some dates lost their format; all are read
    if iso > MIXED_DATES or (iso and not parts):
        return "iso", iso
    if share_of(whole, lambda v: bool(re.fullmatch(r"(19|20|21)\d{6}(\.0)?", v))) > 0.5:
        return "compact", 0.95
    if share_of(whole, lambda v: bool(re.fullmatch(r"\d{4,5}(\.\d+)?", v))) > 0.5:
        return "excel", 0.85
    named = share_of(whole, names_a_month)
    if named > 0.5:
        return "named_month", named
    return _order_of(parts, len(parts) / len(whole) + iso)


def _order_of(parts: Sequence[re.Match[str]], share: float) -> tuple[str, float]:
    """Day or month first: a number above twelve is a day; where there is none, points say so."""
    if not parts:
        return "iso", 0.0
    if any(int(p[1]) > 12 for p in parts):
        return "day_first", 0.0 if any(int(p[3]) > 12 for p in parts) else share
    if any(int(p[3]) > 12 for p in parts):
        return "month_first", share
    dotted = parts[0][2] == "."
    return "day_first", share * (0.95 if dotted else UNSURE_ORDER)


def scale_of(name: str, column: str, values: Sequence[str]) -> list[float] | None:
    """The recorded scale; None for the canonical one.

    A header says it (`mm`, `0-50`, `/50`), values of a 0-10 instrument go far beyond ten, or those of
    a 0-100 instrument are all parts of one.
    """
    instrument = INSTRUMENTS[name]
    unit = unit_of(column)
    said = re.fullmatch(r"(?:(\d+)\s*(?:-|to|bis|a|\u2013)\s*|/\s*)(\d+)", unit)
    if said:
        found = [float(said[1] or 0), float(said[2])]
        return found if found != [instrument.low, instrument.high] and found[0] < found[1] else None
    numbers = [float(v.replace(",", ".")) for v in values if re.fullmatch(PLAIN, v.strip())]
    if instrument.high == 10 and (unit == "mm" or (numbers and _mostly_above(numbers, 10))):
        return [0.0, 100.0]
    parts = sum(not number.is_integer() for number in numbers)
    if (instrument.low, instrument.high) == (0, 100) and parts >= LEAST_PARTS:
        return [0.0, 1.0] if min(numbers) >= 0 and max(numbers) <= 1 else None
    return None


def _mostly_above(numbers: Sequence[float], limit: float) -> bool:
    above = sum(number > limit for number in numbers)
    return above >= 3 and above > 0.3 * len(numbers) and max(numbers) <= 100


def long_scales(
    source: Source, instrument: str, value: str, codes: Mapping[str, str]
) -> dict[str, Any]:
    """Recorded scales of a long table, per instrument, from its values."""
    cells = source.cells
    rows = cells.select(i=cells[instrument].strip(), v=cells[value].strip())
    rows = rows.filter(rows.v.notnull()).limit(200_000)
    number = rows.v.replace(",", ".").try_cast("float64")
    rows = rows.mutate(x=number)
    facts = rows.group_by("i").aggregate(
        n=rows.x.count(), above=(rows.x > 10).sum(), top=rows.x.max(), least=rows.x.min(),
        parts=rows.x.nunique(where=rows.x != rows.x.floor()),
    )  # fmt: skip
    scales = {}
    for fact in facts.to_pyarrow().to_pylist():
        name = codes.get(fact["i"], fold(fact["i"] or ""))
        known = INSTRUMENTS.get(name)
        mostly = fact["n"] and (fact["above"] or 0) > 0.3 * fact["n"] and (fact["top"] or 0) <= 100
        if known and known.high == 10 and mostly:
            scales[name] = [0, 100]
        in_parts = fact["parts"] >= LEAST_PARTS and fact["least"] >= 0 and fact["top"] <= 1
        if known and (known.low, known.high) == (0, 100) and in_parts:
            scales[name] = [0, 1]
    return scales


def decimal_of(values: Sequence[str]) -> dict[str, str]:
    """The mapping entry for decimal commas and groups of thousands; empty where there are none.

    1.234 alone may be either: it is read as written, with a point.
    """
    for mark, decimal in ((".", ","), (",", "."), (" ", ","), ("'", ".")):
        grouped = rf"[+-]?\d{{1,3}}(\{mark}\d{{3}})+\{decimal}\d+"
        twice = rf"[+-]?\d{{1,3}}(\{mark}\d{{3}}){{2,}}"
        if any(re.fullmatch(f"{grouped}|{twice}", v.replace(_NARROW, " ")) for v in values):
            said = {"thousands": mark}
            return said if decimal == "." else {"decimal": decimal, **said}
    return {"decimal": ","} if any(re.fullmatch(r"[+-]?\d+,\d+", v) for v in values) else {}


def is_number(text: str) -> bool:
    """Digits with a point or a comma, perhaps in groups of three."""
    plain = text.strip().replace(_NARROW, " ")
    grouped = r"\d{1,3}([., ']\d{3})+([.,]\d+)?"
    return bool(re.fullmatch(rf"{PLAIN}|[+-]?{grouped}", plain))


def written_scale(values: Sequence[str]) -> list[float] | None:
    """The scale that the cells themselves say: `7/10`, `35 %`; None where they do not agree."""
    found = [re.fullmatch(r"[\d.,]+\s*(?:/ ?(\d+)|%)", value) for value in values]
    tops = {float(match[1] or 100) for match in found if match}
    whole = sum(match is not None for match in found) > 0.5 * len(values)
    return [0.0, tops.pop()] if whole and len(tops) == 1 and 0 not in tops else None


def share_of(values: Sequence[str], test: Callable[[str], bool]) -> float:
    """The share of values that pass; 1 where there are none."""
    return sum(bool(test(value)) for value in values) / len(values) if values else 1.0
