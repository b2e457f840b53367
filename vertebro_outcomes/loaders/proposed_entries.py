"""What the mapping file would say of one column: its codes, commas, dates, and words for no value."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from vertebro_outcomes.loaders.cells import SEX, TRUTH, ending_of
from vertebro_outcomes.loaders.column_texts import ColumnTexts
from vertebro_outcomes.loaders.event_words import NO_EVENT, events_in, says_none
from vertebro_outcomes.loaders.format import STAGED, Cell
from vertebro_outcomes.loaders.instrument_words import INSTRUMENT_WORDS, instrument_in
from vertebro_outcomes.loaders.labelled_figures import NO_FIGURES, figures_of
from vertebro_outcomes.loaders.level_cells import read_levels
from vertebro_outcomes.loaders.sources import Source
from vertebro_outcomes.loaders.value_shapes import (
    UNSURE_ORDER,
    decimal_of,
    is_number,
    propose_dates,
    share_of,
)
from vertebro_outcomes.loaders.words import (
    ABSENCE_WORDS,
    CODE_WORDS,
    TRUTH_WORDS,
    squeeze,
    unit_of,
    word_for,
    words_in,
    yes_letters,
)

MOSTLY_READ: Final = 0.85  # the codes that are not understood are rejected one by one
_DENIED: Final = re.compile(
    r"(^|_)((no|not|non|without|ohne|sans|sin|kein\w*|pas|senza|geen|zonder|niet|nicht|never|prior"
    r"|previous)_|refus|declin|abgelehnt|cancel|abgebrochen|abort|plan(ned|ifi)|geplant|prevu|attempt"
    r"|versuch|failed)"
)
_WITHOUT: Final = re.compile(
    r"non_?(surgical|operative|invasive)[a-z]*|nicht_operativ|no_augmentation"
)
# What a remark in brackets says of a treatment that was not given: `VP (refused)`.
_UNDONE: Final = re.compile(
    r"(^|_)(refus|rifiut|rechaz|recus|declin|abgelehnt|verweigert|geweigerd|cancel|annul|abgebrochen|abort"
    r"|plan(ned|ifi)|geplant|prevu|attempt|versuch|failed|(not|never)_(done|performed|given)|non_(fait|eseg)"
    r"|nicht_(durch|erfolgt|gemacht)|niet_(uit|gedaan)|no_realizad|nao_realizad|ikke_ut?fort)"
)
_BRACKET: Final = re.compile(r"[(\[]([^()\[\]]*)[)\]]")
_AGREED: Final = re.compile(r"^(ja|yes|oui|si|j|y|o)_+(?=\w)")
# (our unit, unit in the header) of columns of time that are converted.
CONVERTED: Final = (
    ("years", "months"), ("days", "weeks"), ("days", "months"), ("days", "years"),
)  # fmt: skip
_RANGE: Final = re.compile(r"[<>]=?\s*\d+|\d+\s*(-|\u2013|to|bis|a)\s*\d+|\d+\s*\+")
FIRST_SERIAL: Final = 30682  # 1984-01-01 in a spreadsheet
# A number made of one digit, as projects choose for no answer; -1 and 9 may be meant.
SENTINEL: Final = r"-?(9{2,4}|8{2,4}|7{2,4}|66)(\.0)?|-[6-9]|-9[5-8]"
Entry = tuple[dict[str, Any], float, str]  # the mapping entry, the share it reads, and why


def entry_of(source: Source, column: str, meant: tuple[str, str], texts: ColumnTexts) -> Entry:
    """The mapping entry, the share of values it reads, and why."""
    values, stated = texts.of(column), texts.undeclared(column)
    declared = STAGED[meant[0]][meant[1]]
    labels = source.codes.get(column, {})
    if not values:
        return {"column": column}, 0.8, "the header; no values"
    if meant[1] == "level":
        return _levels(column, values, labels)
    is_coded = bool(meant[1] in (*CODE_WORDS, "type", "instrument") or declared.codes)
    if declared.type not in ("date", "int", "float", "bool") and not is_coded:
        entry: dict[str, Any] = {"column": column}
        if not declared.private and all(value in labels for value in values):
            entry["codes"] = {value: labels[value] for value in values}
        return entry, 1.0, "header and labels" if "codes" in entry else "header"
    said = {v: labels.get(v, v) for v in values}
    if declared.type == "bool":
        codes, fits = _truths(said)
        why = "header and yes/no values"
    elif is_coded:
        labels = {**_two_sexes(column, values), **labels} if meant[1] == "sex" else labels
        codes, fits = propose_codes(meant[1], declared.codes, values, labels)
        why = f"header; {fits:.0%} of the codes are understood"
        fits = max(fits, MOSTLY_READ) if fits >= 0.5 else fits
    else:
        unit = unit_of(column) or unit_of(source.labels.get(column, ""))
        return _figures(column, declared, (said, labels, stated), unit)
    absent = {v: why for v, why in absences(said).items() if v not in codes}
    if meant[1] == "type":
        absent |= {v: NO_EVENT for v, label in said.items() if v not in codes and says_none(label)}
    if meant[1] == "leakage":  # `yes` alone: where to is missing, that it leaked is an event
        absent |= dict.fromkeys(agreeing(said), "missing")
        codes = {**dict.fromkeys(denying(said), "none"), **codes}
    entry = {"column": column}
    entry |= {"codes": codes} if codes else {}
    entry |= {"missing": absent} if absent else {}
    return entry, fits, why


def agreeing(said: Mapping[str, str]) -> list[str]:
    """The values whose label says yes, and not to what."""
    letters = yes_letters(said.values())
    return [v for v, label in said.items() if TRUTH.get(label.lower()) == "1" or label in letters]


def denying(said: Mapping[str, str]) -> list[str]:
    """The values whose label says no; 0 beside 2 or 3 is a code, and may be that of a place."""
    others = any(label.isdigit() and label not in ("0", "1") for label in said.values())
    return [
        v
        for v, label in said.items()
        if TRUTH.get(label.lower()) == "0" and not (others and label.isdigit())
    ]


def absences(said: Mapping[str, str]) -> dict[str, str]:
    """Values whose label (or text) says why there is none, with the reason."""
    return {v: why for v, label in said.items() if (why := word_for(label, ABSENCE_WORDS))}


def _levels(column: str, values: Sequence[str], labels: Mapping[str, str]) -> Entry:
    codes = {v: labels[v] for v in values if read_levels(labels.get(v, ""))}
    entry: dict[str, Any] = {"column": column, **({"codes": codes} if codes else {})}
    said = [codes.get(v, v) for v in values if v in codes or not word_for(v, ABSENCE_WORDS)]
    return entry, share_of(said, lambda v: bool(read_levels(v))), "header and levels"


def _truths(said: Mapping[str, str]) -> tuple[dict[str, str], float]:
    """Codes of a yes/no column that need telling, and the share of values understood."""
    rest = {v: label for v, label in said.items() if not word_for(label, ABSENCE_WORDS)}
    known, letters = {}, yes_letters(rest.values())
    for value, label in rest.items():
        word = TRUTH.get(label.lower()) or TRUTH.get(squeeze(label)) or word_for(label, TRUTH_WORDS)
        word = "1" if label in letters else word
        if word is not None:
            known[value] = word
    codes = {v: word for v, word in known.items() if TRUTH.get(v.lower()) != word}
    return codes, len(known) / len(rest) if rest else 1.0


def sentinels(values: Sequence[str], limits: tuple[float | None, float | None]) -> dict[str, str]:
    """Numbers such as -99 or 999 that stand for no value, where they are off the scale anyway."""
    low, high = limits
    return {
        v: "missing"
        for v in values
        if re.fullmatch(SENTINEL, v)
        and ((low is not None and float(v) < low) or (high is not None and float(v) > high))
    }


def _figures(
    column: str,
    declared: Any,
    told: tuple[Mapping[str, str], Mapping[str, str], Sequence[str]],
    unit: str,
) -> Entry:
    """Dates and numbers; a label may say that a number stands for none, or for another number."""
    said, labels, stated = told
    absent = absences(said)
    values = [v for v in said if v not in absent]
    if declared.type != "date":
        absent |= sentinels(stated, (declared.low, declared.high))
        values = [v for v in values if v not in absent]
    entry: dict[str, Any] = {"column": column, **({"missing": absent} if absent else {})}
    if declared.type == "date":
        order, fits = propose_dates(values)
        if order == "excel" and declared.name != "birth_date" and _before_1984(values):
            order, fits = "since_1960", 0.5  # days as SAS and Stata count them: not to be guessed
        entry |= {"dates": order} if order != "iso" else {}
        return entry, fits, _said_of_order(order, fits)
    is_converted = (declared.unit, unit) in CONVERTED
    figures = figures_of(labels, values, unit=unit or declared.unit)
    if figures is not None:
        fits = len(figures) / len(values) if not is_converted else 0.0
        return entry | {"codes": figures}, fits, "header and labels" if fits == 1 else NO_FIGURES
    if ending := ending_of(declared, Cell()):
        values = [re.sub(rf"(?i)\s*({ending})$", "", value) for value in values]
    entry |= decimal_of(values)
    if is_converted:
        entry["unit"] = unit
    fits = share_of(values, is_number)
    if fits < MOSTLY_READ and any(_RANGE.fullmatch(value) for value in values):
        return entry, fits, "header and ranges (80-84, 90+): give each one number with codes"
    return entry, fits, "header and numbers"


def _said_of_order(order: str, fits: float) -> str:
    """How dates are read; where that is not sure, what a mapping file has to say."""
    if order == "since_1960":
        choice = 'days since 1960 (SAS, Stata: "since_1960") or 1900 (spreadsheets: "excel")'
        return (
            f"header; numbers that may count {choice}: say which by dates = ... in a mapping file"
        )
    if order == "day_first" and 0 < fits <= UNSURE_ORDER:
        return (
            "header; no day is above 12, so that 03/04 may be either: say dates = "
            '"day_first" or "month_first" in a mapping file'
        )
    return f"header; dates read {order}"


def _before_1984(values: Sequence[str]) -> bool:
    """Whether serial dates, read as a spreadsheet counts them, lie before any vertebroplasty."""
    serials = [float(v) for v in values if re.fullmatch(r"\d+(\.\d+)?", v)]
    return bool(serials) and max(serials) < FIRST_SERIAL


def _two_sexes(column: str, values: Sequence[str]) -> dict[str, str]:
    """The words behind two letters: beside H (hombre) or U (uomo), M and D are women.

    V and M are men and women in Spanish, women and men in Dutch: the header tells.
    """
    letters = {value.lower(): value for value in values}
    pairs = {("h", "m"): ("male", "female"), ("u", "d"): ("male", "female")}
    if squeeze(column).startswith("gesl"):
        pairs["v", "m"] = ("female", "male")
    elif squeeze(column).startswith(("sexo", "genero")):
        pairs["v", "m"] = ("male", "female")
    for pair, words in pairs.items():
        if set(pair) <= letters.keys() and not {"f", "w"} & letters.keys():
            return {letters[letter]: word for letter, word in zip(pair, words, strict=True)}
    return {}


def propose_codes(
    target: str, allowed: Sequence[str], values: Sequence[str], labels: Mapping[str, str]
) -> tuple[dict[str, str], float]:
    """Codes of the file -> canonical words, from labels or from the codes themselves."""
    codes: dict[str, str] = {}
    letters = yes_letters(labels.get(value, value) for value in values)
    understood = absent = 0
    for value in values:
        label = labels.get(value, value)
        word = _word(target, allowed, label)
        if word is not None and (word in allowed or not allowed):
            understood += 1
            if word.lower() != value.lower():
                codes[value] = word
        elif (
            word_for(label, ABSENCE_WORDS)
            or (target == "leakage" and (label.lower() in TRUTH or label in letters))
            or (target == "type" and says_none(label))
        ):
            absent += 1
    rest = len(values) - absent
    return codes, understood / rest if rest else 1.0


def _word(target: str, allowed: Sequence[str], label: str) -> str | None:
    canonical = {code.lower(): code for code in allowed}
    plain = squeeze(label)
    word = canonical.get(plain) or canonical.get(label.lower())
    if word is None and target == "sex":
        word = SEX.get(label.lower())
    if word is not None:
        return word
    if target == "type":
        return next(iter(events_in(label)), None)
    if target == "instrument":
        word = word_for(label, INSTRUMENT_WORDS)
        return word if word == instrument_in(label) else None
    known = CODE_WORDS.get(target, ())
    if target == "treatment" and _is_undone(label):
        return None
    word = word_for(label, known)
    if word is None and target == "leakage":  # `yes, into the disc`
        word = word_for(_AGREED.sub("", plain), known)
    denied = _DENIED.search(_WITHOUT.sub("", plain) if target == "treatment" else plain)
    if word is None and target in ("treatment", "leakage") and not denied:
        named = words_in(plain, known)
        return "SHAM" if "SHAM" in named else named.pop() if len(named) == 1 else None
    return word


def _is_undone(label: str) -> bool:
    """Whether a remark in brackets says that a treatment was not given, and names no other one."""
    remarks = map(squeeze, _BRACKET.findall(label))
    known = CODE_WORDS["treatment"]
    return any(_UNDONE.search(said) and not words_in(said, known) for said in remarks)
