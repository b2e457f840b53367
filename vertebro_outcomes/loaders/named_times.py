"""The time that a header or a visit names, as a day; what may be several times names none."""

import math
import re
from typing import Final

from vertebro_outcomes.loaders.words import fold, squeeze

_DAYS: Final = {"h": 1 / 24, "d": 1.0, "w": 7.0, "m": 30.4375, "y": 365.25}
_UNITS: Final = {
    "h": r"h|hrs?|hours?|std|stunden?|heures?|uur|horas?|ore",
    "d": r"d|days?|tage?n?|j|jours?|dias?|dag(?:en)?|giorn[io]|gg",
    "w": r"w|wks?|wkn|weeks?|wo|wochen?|semaines?|sem|semanas?|we?ek(?:en)?|settiman[ae]|sett"
    r"|veckor|vecka|uker?|uger?",
    "m": r"m|mo|mos|mon|m(?:n|on)?ths?|monate?n?|mois|mes[ei]?|meses|maand(?:en)?|mnd|mdr"
    r"|manad(?:er)?|ma?aned(?:er)?",
    "y": r"y|yrs?|years?|jahre?n?|ans?|annees?|anos?|jaar|jr|ann[io]|aa?r",
}
_ANY_UNIT: Final = "|".join(_UNITS.values())
_TIME: Final = re.compile(
    rf"(?:^|_)(?:(?P<n1>\d{{1,3}})(?:st|nd|rd|th|er|eme|e)?_?(?P<u1>{_ANY_UNIT})(?:fu|post|pop)?"
    rf"|(?P<u2>{_ANY_UNIT})_?(?P<n2>\d{{1,3}}))(?=_|$)"
)
_BASELINES: Final = (
    r"pre|preop\w*|pre_op|pre_?operat\w*|baseline|bl|basale?|base|screening|v_?0|t_?0|prae|pra|praop\w*"
    r"|praeop\w*|initiale?|inclusion|basal|aufnahme|einschluss|baselinie|ausgangswert|vor_op|before|avant"
    r"|antes|vorher|prima|voor|fore|for_op\w*|for(?=$)"
)
_BASELINE: Final = re.compile(rf"(?:^|_)(?:{_BASELINES})(?=_|$)")
# Numbers in these names are no times.
_NO_TIME: Final = re.compile(r"eq_?5_?d(_?[35]_?l)?|sf_?(36|12|6_?d)|qualeffo_?\d+|0_10+|t_score")
# How long the patient looks back, what the time is counted from, and before what else than the
# treatment it lies: none of them is the time.
_LOOKED_BACK: Final = re.compile(
    r"(?<![a-z])(last|past|previous|preceding|letzte[nrs]?|vergangene[nrs]?|dernier(e|s|es)?|ultim[aoie]s?"
    rf"|afgelopen|laatste|siste|sidste|senaste)_(\d{{1,3}}_?)?({_ANY_UNIT})(?=_|$)"
)
_SINCE_BASELINE: Final = re.compile(
    r"(?<![a-z])(post|after|from|since|nach|seit|apres|depuis|despues|desde|tras|dopo|na|sinds|efter|etter)"
    rf"_([a-z]{{1,3}}_)?({_BASELINES})(?=_|$)"
)
_BEFORE_LEAVING: Final = re.compile(
    r"(?<![a-z])(before|pre|avant|antes|voor|fore|for|vor|prima)_([a-z]{1,3}_)?(hospital_)?(discharge"
    r"|sortie|alta|entlassung|ontslag|dimission\w*|utskriv\w*|udskriv\w*)(?=_|$)"
)
_NO_MOMENT: Final = (_LOOKED_BACK, _SINCE_BASELINE, _BEFORE_LEAVING)
# In a title as written: half a year, 1.5 years, 1-2 weeks, > 1 year, day -7, D-1.
_HALF: Final = re.compile(r"(?:(?<!\d)(\d{1,3})\s{0,2})?\u00bd")
_PART: Final = re.compile(
    rf"(?<![\d.,])(\d{{1,3}})[.,](\d+)\s*({_ANY_UNIT})(?![a-z0-9])", re.IGNORECASE
)
# Other digits behind a point may be those of an item or a version.
_PARTS: Final = ("5", "25", "75")
_TO: Final = r"\s*(-|\u2013|\u2014|/|to|bis|\u00e0)\s*"
_SEVERAL: Final = re.compile(
    rf"((?<![a-z\d.,])\d{{1,3}}([.,]\d)?{_TO}|[<>\u2264\u2265]\s*=?\s*)"
    rf"\d{{1,3}}([.,]\d)?\s*({_ANY_UNIT})(?![a-z0-9])"
    rf"|(?<![a-z])({_ANY_UNIT})\s*\d{{1,3}}{_TO}({_ANY_UNIT})?\s*\d",
    re.IGNORECASE,
)
_NUMBERED: Final = re.compile(  # `Visit 3 - 6 weeks` is one time
    r"(?<![a-z])(visite?|visita|besuch|besok|kontrolle|fu|follow.?up|termin|time.?point)\s*\d{1,2}"
    r"(\s+[-\u2013]\s+|\s*:\s*)",
    re.IGNORECASE,
)
_MINUS: Final = "[-\u2212\u2013]"
_AHEAD: Final = re.compile(
    rf"^\s*{_MINUS}\s?(?P<n1>\d{{1,3}})\s*(?P<u1>{_ANY_UNIT})(?![a-z0-9])"
    rf"|(?<![a-z])(?P<u2>{_ANY_UNIT})\s+{_MINUS}(?P<n2>\d{{1,3}})(?!\d)",
    re.IGNORECASE,
)
_PERHAPS_AHEAD: Final = re.compile(rf"(?<![a-z])({_UNITS['d']}){_MINUS}\d", re.IGNORECASE)
_FRENCH: Final = re.compile(r"(^|_)(eva|douleur\w*|suivi|visite|apres|jours?)(_|$)")
MOST_OF_YEARS: Final = 10  # `5 J` may be years in German or days in French; `30 J` are days


def timepoint_days(text: str) -> int | None:
    """`3 months` -> 91, `baseline` -> 0, `6w` -> 42, `24 h` -> 1; None where no time is named.

    Nor is one where several may be meant: `1-2 weeks`, `> 1 year`, `D-1`.
    """
    text = _NUMBERED.sub(" ", _HALF.sub(lambda half: f"{half[1] or 0}.5", text))
    if _SEVERAL.search(text):
        return None
    if ahead := _AHEAD.search(text):
        return -_in_days(ahead)
    if _PERHAPS_AHEAD.search(text):
        return None
    if part := _PART.search(text):
        number = float(f"{part[1]}.{part[2]}")
        known = part[2] in _PARTS and part[3].lower() != "j"
        return round(number * _DAYS[_unit(part[3])]) if known else None
    return _by_words(text)


def is_doubtful(text: str) -> bool:
    """Whether a title seems to name a time, and more than one may be meant."""
    if timepoint_days(text) is not None:
        return False
    plain = re.sub(r"(?<=[a-z])(?=\d)", "_", _NO_TIME.sub("", without_recall(squeeze(text))))
    return bool(_TIME.search(plain) or _SEVERAL.search(text) or _BEFORE_LEAVING.search(plain))


def without_recall(plain: str) -> str:
    """A squeezed title without the time for which the patient looks back: `pain_last_7_days`."""
    return _LOOKED_BACK.sub("", plain)


def _by_words(text: str) -> int | None:
    for folded in dict.fromkeys((fold(text), squeeze(text))):
        plain = re.sub(r"(?<=[a-z])(?=\d)", "_", _NO_TIME.sub("", folded))
        plain = re.sub(r"_arm_\d+$", "", plain)
        for words in _NO_MOMENT:
            plain = words.sub("", plain)
        if _BASELINE.search(plain):
            return 0
        if found := _TIME.search(plain):
            doubtful = found["u1"] == "j" and int(found["n1"]) <= MOST_OF_YEARS
            return None if doubtful and not _FRENCH.search(plain) else _in_days(found)
    return None


def _in_days(found: re.Match[str]) -> int:
    unit = _unit(found["u1"] or found["u2"])
    days = int(found["n1"] or found["n2"]) * _DAYS[unit]
    return math.ceil(days) if unit == "h" else round(days)


def _unit(said: str) -> str:
    return next(unit for unit, words in _UNITS.items() if re.fullmatch(words, squeeze(said)))


def without_times(text: str) -> str:
    """A header folded, its numbers set apart, without the time it names: `ODI1_3m` -> `odi_1`."""
    plain = fold(_NO_TIME.sub(lambda name: re.sub(r"[_\d]", "", name[0]), squeeze(text)))
    return _TIME.sub("", re.sub(r"(?<=[a-z])(?=\d)", "_", plain)).strip("_")
