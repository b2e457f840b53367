"""Text cells -> typed values, as Ibis expressions that run on any engine; a misfit gets a rule."""

import functools
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from vertebro_outcomes.loaders.date_texts import judged_date, parse_date
from vertebro_outcomes.loaders.format import BLANK, Cell
from vertebro_outcomes.loaders.look_up import is_among, look_up
from vertebro_outcomes.loaders.sources import Setting
from vertebro_outcomes.tables.schema import Column

ENDS: Final = ("followup_end_date", "death_date")
_YES = "1 true t yes y ja j oui si sí sì sim checked x wahr vrai 1.0 1,0"
_NO = "0 false f no n nein non não nee nej nei unchecked falsch faux 0.0 0,0"
_FEMALE = "f female w weiblich frau woman femme femelle mujer vrouw donna k kvinne"
_MALE = "m male männlich maennlich mann man homme hombre uomo masculin"
TRUTH: Final[dict[str, str]] = {
    **dict.fromkeys(_YES.split(), "1"),
    **dict.fromkeys(_NO.split(), "0"),
}
SEX: Final[dict[str, str]] = {
    **dict.fromkeys(_FEMALE.split(), "female"),
    **dict.fromkeys(_MALE.split(), "male"),
    **dict.fromkeys(("other", "divers", "d", "diverse", "intersex"), "other"),
}
# What may stand behind a number of that unit: `3,5 mL`, `35 %`.
_ENDINGS: Final = {
    "ml": "ml|cc",
    "%": "%|pct|percent|prozent",
    "deg": "°|deg|degrees|grad",
    "years": "years?|yrs?|jahre?|ans|jaar|años|anni",
    "kg/m2": "kg/m2|kg/m²",
    "days": "days?|tage?|jours|dagen|días|giorni",
}
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"


@dataclass(frozen=True)
class Parsed:
    """`value` typed; `broken` the number of the rule a misfit breaks (or null); `why` the absence."""

    value: Any
    broken: Any
    why: Any
    rules: tuple[str, ...] = ()

    @property
    def rule(self) -> Any:
        """What is wrong, in words; null if nothing is."""
        import ibis

        texts = list(enumerate(self.rules))
        return self.broken.cases(*texts, else_=ibis.null("string"))


def parse(text: Any, column: Column, cell: Cell, setting: Setting) -> Parsed:
    """One cell expression read as `column` declares."""
    return judge(draft(None, text, column, cell, setting), text, column, cell)


def same_in_all(text: str, column: Column, cell: Cell, setting: Setting) -> Any:
    """The typed value of a text that stands for every row."""
    import ibis

    word = _words(column, cell).get(text.strip().lower()) if is_coded(column, cell) else None
    if word is None or cell.absent:
        return parse(ibis.literal(text), column, cell, setting).value
    return _typed_word(ibis.literal(word), column)


def glance(
    text: Any,
    column: Column,
    cell: Cell,
    setting: Setting,
    *,
    usual: Sequence[str] = (),
    strict: bool = False,
) -> Any:
    """What a cell says in its usual spelling or in one of `usual`; null where it takes a closer look.

    A `strict` engine reads no letters behind the digits of a number but its exponent.
    """
    import ibis

    none = ibis.null("string")
    if is_coded(column, cell):
        words = _words(column, cell)
        spelled = dict.fromkeys([*usual, *cell.codes, *column.codes])
        known = {t: words[t.strip().lower()] for t in spelled if t.strip().lower() in words}
        return text.cases(*known.items(), else_=none) if known else None
    if column.type == "date" and (cell.dates or setting.dates) == "iso":
        return ibis.ifelse(text.length() == 10, text, none).try_cast("date")
    if column.type in ("int", "float") and not (cell.thousands or setting.thousands):
        # Engines also read `inf`, `-nan`, `1_000`, some `5d`, which are no numbers here.
        begins = (text > ",") & (text < ":") & ((text < "-A") | (text > "."))
        digits = begins & ~text.contains("_")
        digits = digits if strict else digits & (text.lower() == text.upper())
        return _in_unit(ibis.ifelse(digits, text, none).try_cast("float64"), column, cell)
    return None


def draft(glanced: Any, text: Any, column: Column, cell: Cell, setting: Setting) -> Any:
    """What a cell says, null where it cannot be read: a word, a number or a date.

    Blanks around it, capitals and commas cost time: they are looked at where `glance` saw nothing.
    """
    import ibis

    if not text.type().is_string():  # read as a number or a date already
        return _in_unit(text, column, cell)
    if is_coded(column, cell):
        slow = _coded(text.strip().lower(), column, cell)
    elif column.type == "date":
        born = column.name == "birth_date"
        slow = parse_date(text.strip(), cell.dates or setting.dates, born=born)
    elif column.type in ("int", "float"):
        decimal = cell.decimal or setting.decimal
        plain = _without_unit(text.strip(), column, cell)
        number = parse_number(plain, decimal, cell.thousands or setting.thousands)
        slow = _in_unit(number, column, cell)
    else:
        slow = stripped(text)
    return slow if glanced is None else ibis.ifelse(glanced.isnull(), slow, glanced)


def ending_of(column: Column, cell: Cell) -> str:
    """Pattern of what may stand behind a number: its unit, or the top of its declared scale."""
    if cell.scale and cell.scale[0] == 0:
        return rf"/ ?{cell.scale[1]:g}" + ("|%" if cell.scale[1] == 100 else "")
    return _ENDINGS.get(column.unit, "") if cell.factor == 1.0 else ""


def _without_unit(plain: Any, column: Column, cell: Cell) -> Any:
    ending = ending_of(column, cell)
    return plain.re_replace(rf"(?i)\s*({ending})$", "") if ending else plain


def _in_unit(number: Any, column: Column, cell: Cell) -> Any:
    """The number in our unit; two months are 61 whole days, as ours is the finer unit."""
    ours = number if cell.factor == 1.0 else number * cell.factor
    return ours.round() if column.type == "int" and cell.factor > 1 else ours


def stripped(text: Any) -> Any:
    """As `strip`, but cells without blanks around them, which are most, are not searched."""
    import ibis

    return ibis.ifelse(may_be_padded(text), text.strip(), text)


def may_be_padded(text: Any) -> Any:
    """False for texts that surely have no blanks around them, which is most, and told in no time."""
    loose = (text < "!") | text.contains(" ") | text.endswith("\t")
    return loose | text.endswith("\n") | text.endswith("\r")


def is_coded(column: Column, cell: Cell) -> bool:
    """Whether the text is one of a list of words."""
    return bool(cell.codes or column.codes or column.type == "bool")


def judge(drafted: Any, text: Any, column: Column, cell: Cell) -> Parsed:
    """The draft where nothing speaks against it, the rule it breaks, or why there is nothing.

    Common cells are settled by the first branches; text is looked at only where nothing was read.
    """
    import ibis

    none = ibis.null("int8")
    if not text.type().is_string():  # a blank, or a cell that was read: nothing else can be wrong
        text = ibis.ifelse(text.isnull(), ibis.null("string"), "read")
    plain = text.strip()
    low = plain.lower()
    said = look_up(low, {key.strip().lower(): word for key, word in cell.absent.items()})
    fits, rules, value = _judged(drafted, plain, column, cell)
    read = drafted.notnull() if fits is None else drafted.notnull() & fits
    codes = [code.strip().lower() for code in cell.codes]
    blank = plain.isnull() | is_among(low, [word for word in BLANK if word not in codes])
    texts = tuple(rule for _, rule in rules)
    breaks = [(wrong, ibis.literal(place, "int8")) for place, (wrong, _) in enumerate(rules)]
    cases = [(read, none), (blank, none), *breaks]
    if said is None:
        value = value if fits is None else ibis.ifelse(read, value, ibis.null(value.type()))
        return Parsed(value, ibis.cases(*cases, else_=none), ibis.null("string"), texts)
    broken = ibis.cases((said.notnull(), none), *cases, else_=none)
    value = ibis.ifelse(read & said.isnull(), value, ibis.null(value.type()))
    return Parsed(value, broken, said, texts)


def _judged(
    drafted: Any, plain: Any, column: Column, cell: Cell
) -> tuple[Any, list[tuple[Any, str]], Any]:
    """Whether a draft fits its column (None: each does), the rules for one that does not, its value."""
    if is_coded(column, cell):
        return None, [(drafted.isnull(), "not among the codes")], _typed_word(drafted, column)
    if column.type == "date":
        fits, rules = judged_date(drafted, plain, ends=column.name in ENDS)
        return fits, rules, drafted
    if column.type not in ("int", "float"):
        return None, [], drafted
    rules = [(drafted.isnull(), "not a number")]
    if cell.scale:
        off = f"off the declared scale {cell.scale[0]:g}-{cell.scale[1]:g}"
        rules.append((_outside(drafted, *cell.scale), off))
    if column.low is not None or column.high is not None:
        rules.append((_outside(drafted, column.low, column.high), _range_rule(column)))
    value = drafted
    if column.type == "int":
        rules.append((drafted != drafted.floor(), "not a whole number"))
        value = drafted.try_cast("int64")
    fits = [~wrong for wrong, _ in rules[1:]]
    return functools.reduce(operator.and_, fits) if fits else None, rules, value


def _coded(low: Any, column: Column, cell: Cell) -> Any:
    """The canonical word of a code."""
    found = look_up(low, _words(column, cell))
    if column.type == "text" and not column.codes:
        return found.coalesce(low)  # open words: codes translate some of them
    return found


def _words(column: Column, cell: Cell) -> dict[str, str]:
    """Code in lower case -> canonical word; codes of the file come before our own words."""
    own = {code.strip().lower(): word for code, word in cell.codes.items()}
    words = {code.lower(): code for code in column.codes}
    if column.type == "bool":
        words = dict(TRUTH)
    elif column.name == "sex":
        words |= SEX
    return {**own, **{k: w for k, w in words.items() if k not in own}}


def closed_words(column: Column, cell: Cell, *, usual: Sequence[str] = ()) -> list[str]:
    """All that a text column of declared words can hold, nothing of any other; `usual` texts first."""
    if column.type != "text" or not column.codes:
        return []
    words = _words(column, cell)
    likely = [words[text] for text in (t.strip().lower() for t in usual) if text in words]
    return list(dict.fromkeys([*likely, *sorted(words.values())]))


def _typed_word(word: Any, column: Column) -> Any:
    if column.type == "bool":
        return word.lower().isin(("1", "true", "yes"))
    if column.type in ("int", "float"):
        return word.try_cast("int64" if column.type == "int" else "float64")
    return word


def parse_number(plain: Any, decimal: str, thousands: str) -> Any:
    """Text -> float64, null where it is no number; `decimal` may be ``either`` (comma or point)."""
    import ibis

    spelled = _respelled(plain, decimal, thousands)
    number = ibis.ifelse(spelled.re_search(_NUMBER), spelled, ibis.null("string"))
    return number.try_cast("float64")


def _respelled(plain: Any, decimal: str, thousands: str) -> Any:
    """The text as programming languages write numbers."""
    import ibis

    text = plain.replace("\N{MINUS SIGN}", "-").replace("\N{NO-BREAK SPACE}", "")
    text = text.replace("\N{NARROW NO-BREAK SPACE}", "")
    for mark in thousands:
        grouped = text.re_search(rf"^[+-]?\d{{1,3}}(\{mark}\d{{3}})+(\D|$)")
        text = ibis.ifelse(grouped, text.replace(mark, ""), text)
    if decimal == ",":
        return ibis.ifelse(text.contains("."), text, text.replace(",", "."))
    return text.replace(",", ".") if decimal == "either" else text


def _outside(value: Any, low: float | None, high: float | None) -> Any:
    """True below `low` or above `high`, of which one may be open; null stays null."""
    sides = [value < low] if low is not None else []
    sides += [value > high] if high is not None else []
    return functools.reduce(operator.or_, sides)


def _range_rule(column: Column) -> str:
    unit = f" {column.unit}" if column.unit else ""
    low = "" if column.low is None else f"{column.low:g}"
    high = "" if column.high is None else f"{column.high:g}"
    return f"outside {low} to {high}{unit}"
