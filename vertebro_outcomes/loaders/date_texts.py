"""Dates as people write them, as Ibis expressions: parts in any order, months as words, serials."""

import re
from collections.abc import Callable
from typing import Any, Final

_TWO, _YEAR = r"(\d{1,2})", r"(\d{4}|\d{2})"
_PARTS: Final[dict[str, tuple[str, int, int, int]]] = {  # pattern, group of year, month, day
    "iso": (r"^(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ].*)?$", 1, 2, 3),
    "compact": (r"^(\d{4})(\d{2})(\d{2})(?:\.0)?$", 1, 2, 3),
    "day_first": (rf"^{_TWO}[-/. ]+{_TWO}[-/. ]+{_YEAR}(?:[T ].*)?$", 3, 2, 1),
    "month_first": (rf"^{_TWO}[-/. ]+{_TWO}[-/. ]+{_YEAR}(?:[T ].*)?$", 3, 1, 2),
}
ORDERS: Final = (*_PARTS, "excel", "named_month", "since_1960")
PARTIAL: Final = (
    r"^(\d{4}([-/.](\d{1,2}|[Xx]{2}|UN|UNK))?([-/.]([Xx]{2}|UN|UNK))?"
    r"|\d{1,2}[-/.]\d{4}|[A-Za-zäéû]{3,9}[-. /]*\d{4}|(UN|UNK|[Xx]{2}).+\d{4})$"
)
FIRST_YEAR, LAST_YEAR = 1900, 2199  # dates of de-identified exports are shifted to the 2100s
# What databases write where something has not ended.
OPEN_ENDS: Final = ("2099-01-01", "2099-12-31", "2100-01-01", "2199-12-31")
_EXCEL_EPOCH, _STATISTICAL_EPOCH = "1899-12-30", "1960-01-01"
# First letters of the month in English, German, Romance and Nordic languages; without accents.
_MONTH_WORDS = (
    *(
        "jan ene gen",
        "feb fev",
        "mar mrz maa mrt",
        "apr avr abr",
        "may mai mei maj mag",
        "jun juin giu",
        "jul juil lug",
    ),
    *("aug aou ago", "sep set", "oct okt out ott", "nov", "dec dez dic des"),
)
MONTHS: Final = {
    word: number for number, words in enumerate(_MONTH_WORDS, start=1) for word in words.split()
}
_END = r"(\d{4}|\d{2})(?:[ t:].*)?$"
DAY_THEN_MONTH: Final = rf"^(\d{{1,2}})[-. /]*([a-z]{{3,10}})[-. ,/]*{_END}"
MONTH_THEN_DAY: Final = rf"^([a-z]{{3,10}})[-. /]*(\d{{1,2}})(?:st|nd|rd|th)?[-. ,/]+{_END}"
_ACCENTS: Final = (("ä", "a"), ("é", "e"), ("û", "u"))


def names_a_month(text: str) -> bool:
    """Whether a text is a whole date with the month as a word."""
    plain = text.strip().lower()
    for accented, bare in _ACCENTS:
        plain = plain.replace(accented, bare)
    found = re.search(DAY_THEN_MONTH, plain)
    word = found[2] if found else ""
    if not found and (found := re.search(MONTH_THEN_DAY, plain)):
        word = found[1]
    return word[:4] in MONTHS or word[:3] in MONTHS


def month_by_name(plain: Any, whole_year: Callable[[Any], Any]) -> Any:
    """Text expression -> date, null where it is none; `whole_year` makes four digits of two."""
    text = plain.lower()
    for accented, bare in _ACCENTS:
        text = text.replace(accented, bare)
    day, month, year = (text.re_extract(DAY_THEN_MONTH, group) for group in (1, 2, 3))
    first = joined(whole_year(year), _number(month), day)
    month, day, year = (text.re_extract(MONTH_THEN_DAY, group) for group in (1, 2, 3))
    return first.coalesce(joined(whole_year(year), _number(month), day))


def _number(word: Any) -> Any:
    import ibis

    texts = [(name, str(number)) for name, number in MONTHS.items()]
    four = word.substr(0, 4).cases(*(x for x in texts if len(x[0]) == 4), else_=None)
    three = word.substr(0, 3).cases(*texts, else_=ibis.null("string"))
    return four.coalesce(three)


def joined(year: Any, month: Any, day: Any) -> Any:
    """Texts of year, month and day -> date, null where there is no such date."""
    return (year + "-" + month.lpad(2, "0") + "-" + day.lpad(2, "0")).try_cast("date")


def parse_date(plain: Any, order: str, *, born: bool = False) -> Any:
    """Text -> date; a year or month alone is no date and is not rounded.

    A year of two digits lies in 1930 to 2029, as in spreadsheets; that of a birth in 1900 to 1999.
    """
    import ibis

    if order == "named_month":
        return month_by_name(plain, _whole_year(born=born)).coalesce(_by_parts(plain, "iso"))
    if order not in ("excel", "since_1960"):
        value = _by_parts(plain, order, born=born)
        return value if order == "iso" else value.coalesce(_by_parts(plain, "iso"))
    serial = plain.re_search(r"^\d{4,5}(\.\d+)?$")
    days = ibis.ifelse(serial, plain.re_extract(r"^(\d+)", 1), None).try_cast("int32")
    epoch = _EXCEL_EPOCH if order == "excel" else _STATISTICAL_EPOCH
    value = ibis.literal(epoch).cast("date") + days.as_interval("D")
    dotted = ibis.ifelse(plain.contains("."), _by_parts(plain, "day_first", born=born), None)
    return value.cast("date").coalesce(_by_parts(plain, "iso"), dotted)


def _by_parts(plain: Any, order: str, *, born: bool = False) -> Any:
    pattern, year, month, day = _PARTS[order]
    if order == "iso":  # the common case costs no regular expression
        import ibis

        whole = ibis.ifelse(plain.length() >= 8, plain.substr(0, 10), ibis.null("string"))
        return whole.try_cast("date")
    y, m, d = (plain.re_extract(pattern, group) for group in (year, month, day))
    return joined(_whole_year(born=born)(y), m, d)


def _whole_year(*, born: bool) -> Callable[[Any], Any]:
    """`21` -> 2021, `41` -> 1941; of a birth `21` -> 1921."""
    import ibis

    def whole(year: Any) -> Any:
        century = ibis.ifelse((year < "30") & (not born), "20", "19")
        return ibis.ifelse(year.length() == 2, century + year, year)

    return whole


def judged_date(date: Any, plain: Any, *, ends: bool) -> tuple[Any, list[tuple[Any, str]]]:
    """Whether a date that was read from a text can be one, or that of an end; else what it breaks."""
    import ibis

    partial = plain.re_search(PARTIAL)
    rules = [
        (date.isnull() & partial, "a partial date"),
        (date.isnull(), "no such date"),
        (ibis.literal(True), f"not in {FIRST_YEAR} to {LAST_YEAR}"),
    ]
    first, last = (ibis.date(text) for text in (f"{FIRST_YEAR}-01-01", f"{LAST_YEAR}-12-31"))
    fits = (date >= first) & (date <= last)
    if ends:
        is_open = date.isin([ibis.date(text) for text in OPEN_ENDS])
        rules.insert(2, (is_open, "stands for an open end"))
        fits &= ~is_open
    return fits, rules
