"""Text cells -> typed values, as Ibis expressions that run on any engine; a misfit gets a rule."""

from dataclasses import dataclass
from typing import Any, Final

from vertebro_outcomes.loaders.format import BLANK, Cell
from vertebro_outcomes.loaders.sources import Setting
from vertebro_outcomes.tables.schema import Column

FIRST_YEAR, LAST_YEAR = 1900, 2199  # dates of de-identified exports are shifted to the 2100s
_YES = "1 true t yes y ja j oui si sí sim checked x wahr vrai 1.0 1,0"
_NO = "0 false f no n nein non não unchecked falsch faux 0.0 0,0"
_FEMALE = "f female w weiblich frau woman femme femelle mujer vrouw k kvinne"
_MALE = "m male männlich maennlich mann man homme hombre masculin"
TRUTH: Final[dict[str, str]] = {
    **dict.fromkeys(_YES.split(), "1"),
    **dict.fromkeys(_NO.split(), "0"),
}
SEX: Final[dict[str, str]] = {
    **dict.fromkeys(_FEMALE.split(), "female"),
    **dict.fromkeys(_MALE.split(), "male"),
    **dict.fromkeys(("other", "divers", "d", "diverse", "intersex"), "other"),
}
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_PARTS: Final[dict[str, tuple[str, int, int, int]]] = {  # pattern, group of year, month, day
    "iso": (r"^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ].*)?$", 1, 2, 3),
    "compact": (r"^(\d{4})(\d{2})(\d{2})(?:\.0)?$", 1, 2, 3),
    "day_first": (r"^(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4})(?:[T ].*)?$", 3, 2, 1),
    "month_first": (r"^(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4})(?:[T ].*)?$", 3, 1, 2),
}
ORDERS: Final = (*_PARTS, "excel")
_EXCEL_EPOCH = "1899-12-30"


@dataclass(frozen=True)
class Parsed:
    """`value` typed; `rule` names what is wrong (null if nothing); `why` the absence (or null)."""

    value: Any
    rule: Any
    why: Any


def parse(text: Any, column: Column, cell: Cell, setting: Setting) -> Parsed:
    """One cell expression read as `column` declares."""
    import ibis

    plain = text.strip()
    low = plain.lower()
    no_text = ibis.null("string")
    said = _look_up(low, {key.lower(): word for key, word in cell.absent.items()})
    why = no_text if said is None else said
    blank = plain.isnull() | (low.isin(BLANK) & ~low.isin([c.lower() for c in cell.codes]))
    absent = blank | why.notnull()
    value, rule = _typed(plain, low, column, cell, setting)
    rule = ibis.ifelse(absent, no_text, rule)
    bad = absent | rule.notnull()
    value = ibis.ifelse(bad, ibis.null(value.type()), value)
    return Parsed(value, rule, ibis.ifelse(plain.isnull(), no_text, why))


def _typed(plain: Any, low: Any, column: Column, cell: Cell, setting: Setting) -> tuple[Any, Any]:
    if cell.codes or column.codes or column.type == "bool":
        return _coded(low, column, cell)
    if column.type == "date":
        return parse_date(plain, cell.dates or setting.dates)
    if column.type in ("int", "float"):
        return _numeric(plain, column, cell, setting)
    import ibis

    return plain, ibis.null("string")


def _coded(low: Any, column: Column, cell: Cell) -> tuple[Any, Any]:
    import ibis

    words = {code.lower(): code for code in column.codes}
    if column.type == "bool":
        words = dict(TRUTH)
    elif column.name == "sex":
        words |= SEX
    words |= {code.strip().lower(): word for code, word in cell.codes.items()}
    found = _look_up(low, words)
    value = found if found is not None else ibis.null("string")
    if cell.codes and column.type == "text" and not column.codes:
        value = value.coalesce(low)  # open words: codes translate some of them
    allowed = list(column.codes) if column.codes else None
    unknown = value.isnull() if allowed is None else value.notin(allowed).fill_null(True)
    rule = ibis.ifelse(unknown, "not among the codes", ibis.null("string"))
    if column.type == "bool":
        value = value.lower().isin(("1", "true", "yes"))
    elif column.type in ("int", "float"):
        value = value.try_cast("int64" if column.type == "int" else "float64")
    return value, rule


def _numeric(plain: Any, column: Column, cell: Cell, setting: Setting) -> tuple[Any, Any]:
    import ibis

    number = parse_number(
        plain, cell.decimal or setting.decimal, cell.thousands or setting.thousands
    )
    unread = number.isnull()
    raw_low, raw_high = cell.scale or (None, None)
    off = _outside(number, raw_low, raw_high)
    value = number if cell.factor == 1.0 else number * cell.factor
    outside = _outside(value, column.low, column.high)
    rules = [(unread, "not a number"), (off, f"off the declared scale {raw_low} to {raw_high}")]
    rules.append((outside, _range_rule(column)))
    if column.type == "int":
        rules.append((value != value.floor(), "not a whole number"))
        value = value.round().try_cast("int64")
    return value, ibis.cases(*rules, else_=ibis.null("string"))


def parse_number(plain: Any, decimal: str, thousands: str) -> Any:
    """Text -> float64, null where it is no number; `decimal` may be ``either`` (comma or point)."""
    import ibis

    text = plain.replace("\N{MINUS SIGN}", "-").replace("\N{NO-BREAK SPACE}", "")
    for mark in thousands:
        grouped = text.re_search(rf"^[+-]?\d{{1,3}}(\{mark}\d{{3}})+(\D|$)")
        text = ibis.ifelse(grouped, text.replace(mark, ""), text)
    if decimal in (",", "either"):
        has_point = text.contains(".") if decimal == "," else False
        text = ibis.ifelse(has_point, text, text.replace(",", ".")) if decimal == "," else (
            text.replace(",", ".")
        )  # fmt: skip
    return ibis.ifelse(text.re_search(_NUMBER), text, ibis.null("string")).try_cast("float64")


def parse_date(plain: Any, order: str) -> tuple[Any, Any]:
    """Text -> date. A year or month alone is said to be a partial date, not rounded."""
    import ibis

    if order == "excel":
        serial = plain.re_search(r"^\d{4,5}(\.\d+)?$")
        days = ibis.ifelse(serial, plain.re_extract(r"^(\d+)", 1), None).try_cast("int64")
        value = ibis.literal(_EXCEL_EPOCH).cast("date") + days.as_interval("D")
        iso, _ = parse_date(plain, "iso")
        value = value.cast("date").coalesce(iso)
    else:
        value = _by_parts(plain, order)
        if order != "iso":
            value = value.coalesce(_by_parts(plain, "iso"))
    year = value.year()
    partial = plain.re_search(r"^\d{4}([-/.]\d{1,2})?$")
    known = [(value.isnull() & partial, "a partial date"), (value.isnull(), "no such date")]
    known.append(((year < FIRST_YEAR) | (year > LAST_YEAR), f"not in {FIRST_YEAR} to {LAST_YEAR}"))
    return value, ibis.cases(*known, else_=ibis.null("string"))


def _by_parts(plain: Any, order: str) -> Any:
    pattern, year, month, day = _PARTS[order]
    if order == "iso":  # the common case costs no regular expression
        import ibis

        whole = ibis.ifelse(plain.length() >= 8, plain.substr(0, 10), ibis.null("string"))
        return whole.try_cast("date")
    y, m, d = (plain.re_extract(pattern, group) for group in (year, month, day))
    return (y + "-" + m.lpad(2, "0") + "-" + d.lpad(2, "0")).try_cast("date")


def _outside(value: Any, low: float | None, high: float | None) -> Any:
    import ibis

    outside: Any = ibis.literal(False)
    if low is not None:
        outside = outside | (value < low)
    if high is not None:
        outside = outside | (value > high)
    return outside.fill_null(False)


def _range_rule(column: Column) -> str:
    unit = f" {column.unit}" if column.unit else ""
    low = "" if column.low is None else f"{column.low:g}"
    high = "" if column.high is None else f"{column.high:g}"
    return f"outside {low} to {high}{unit}"


def _look_up(low: Any, words: dict[str, str]) -> Any:
    """Text -> its word, null where there is none; None for an empty list."""
    import ibis

    if not words:
        return None
    if len(words) > 400:
        return low.substitute(words, else_=ibis.null("string"))
    return low.cases(*words.items(), else_=ibis.null("string"))
