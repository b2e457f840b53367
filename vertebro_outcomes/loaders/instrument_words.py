"""Which score a header or label names; an item of it, a change of it or another pain is not it."""

import re
from typing import Final

from vertebro_outcomes.loaders.named_times import timepoint_days, without_times
from vertebro_outcomes.loaders.words import fold, squeeze

_LEG: Final = r"legs?|beine?|jambes?|piernas?|gamb[ae]"
_BACK: Final = re.compile(r"back|lumb|ruck|ruecken|spin|dos(_|$)|espalda|schien|rug")
_PAINS: Final = ("pain_vas", "pain_nrs", "leg_pain_vas")
INSTRUMENT_WORDS: Final[tuple[tuple[str, str], ...]] = (
    (
        rf"leg_pain\w*|beinschmerz\w*|beenpijn\w*|(vas|eva|pain|dolor|douleur)_(\w+_)?({_LEG})|(vas|eva)_been"
        rf"|({_LEG})_(vas|eva)",
        "leg_pain_vas",
    ),
    (r"eq_?5d_?(5l|3l)?_?vas|eqvas|eq_vas|(vas|eva)_eq_?5d(_?[35]l)?", "eq5d_vas"),
    (r"nrs|numeric(al)?_rating\w*|numeric_pain|numerische_rating\w*", "pain_nrs"),
    (
        r"vas|eva|visual_analog\w*|back_pain|pain_score|pain|(rucken|rug)?(schmerz|pijn)\w*|douleur"
        r"|dolore?|dor|smerter?|smarta",
        "pain_vas",
    ),
    (r"odi|oswestry\w*|odq", "odi"),
    (r"rmdq|rdq|rmq|roland\w*", "rmdq"),
    (r"eq_?5d(_?[35]l)?(_index|_utility)?|euroqol", "eq5d"),
    (r"sf_?12_?pcs", "sf12_pcs"),
    (r"sf_?12_?mcs", "sf12_mcs"),
    (r"sf_?36_?pcs|pcs", "sf36_pcs"),
    (r"sf_?36_?mcs|mcs", "sf36_mcs"),
    (r"qualeffo", "qualeffo"),
    (r"karnofsky|kps", "karnofsky"),
)
# The numbers that belong to a name: RMDQ-24, QUALEFFO-41.
_ITEM: Final = re.compile(
    r"(?:odi|odq|oswestry|rmdq|rdq|rmq|morris|eqdl?|qualeffo)"
    r"_(?:(?:item|q|question|frage|pregunta|section|abschnitt)_)?(?!(?:18|23|24|31|41)(?:_|$))([1-9]\d?)(?:_|$)"
)
_NO_SCORE: Final = re.compile(
    r"(^|_)(change|reduction|reduktion|veranderung|anderung|delta|diff|differenz|difference|gain"
    r"|items?|category|kategorie|class|grade|sd|count|n_answered|answered|version|profile|raw|rohwert"
    r"|rohsumme|rohpunkt\w*|brut|bruto|grezzo)(_|$)|improve|besserung|worthwhile"
)
# The five questions of the EQ-5D, in words or as its manuals abbreviate them.
_EQ5D_QUESTION: Final = re.compile(
    r"(^|_)(eq_?5_?d|euroqol)(_|\d|$)(.*_)?(mobili\w*|beweglich\w*|self_?care|selbst\w*|autonomie|cuidado\w*"
    r"|zelfzorg|usual|activit\w*|activid\w*|activiteit\w*|alltag\w*|tatigkeit\w*|habituell\w*"
    r"|pain|discomfort|schmerz\w*|beschwerden|douleurs?|gene|dolor|malestar|pijn|klachten|anxi\w*|angst"
    r"|depress\w*|niedergeschlag\w*|ansied\w*|stemming|mo|mob|sc|ua|pd|ad|state|health_state)(_|$)"
)
_QUESTIONNAIRE: Final = re.compile(r"(^|_)(odi|odq|oswestry|rmdq|rdq|roland)(_|$)")
_BESIDE: Final = (
    r"((score|total|sum|summe|index|value|wert|points?|punkte|scale|back|now|current|\d+)(_|$))*"
)
_LOW_BACK_PAIN: Final = r"(lower_|low_)?back_pain_?"
_NO_PAIN: Final = re.compile(
    r"(^|_)(med|meds|medic\w*|killers?|drugs?|relief|duration|dauer|duree|duracion|site|location|free"
    r"|neck|nacken|nuque|cervical|arms?|chest|hips?|hufte|knees?|shoulder|fatigue|health|bodily|type"
    r"|quality|interference|promis|sf_?36[a-z]*|qualeffo)(_|$)|(^|_)(odi|odq|oswestry|rmdq|rdq|eq_?5d)"
    r"|(schmerz|pijn)_?(dauer|duur|beginn|begin|ort|art|qualitat|medi[ck]|therap|lokal|locat|anamnes)"
    r"|satisf|zufrieden|tevreden|catastroph|analgesi|schmerzmittel|schmerzfrei|mudigkeit"
)


def instrument_in(text: str) -> str | None:
    """The instrument a header or label names."""
    stem, bare = _stem(text), without_times(text)
    name = _named(stem)
    if name is None or _NO_SCORE.search(stem) or _ITEM.search(bare):
        return None
    if name == "eq5d" and _EQ5D_QUESTION.search(squeeze(text)):
        return None
    if name not in _PAINS:
        return name
    legs = re.search(rf"(^|_)({_LEG}|nrs_been)(_|$)", stem)
    if _NO_PAIN.search(stem) or (legs and name == "pain_nrs"):
        return None
    return "leg_pain_vas" if legs and not _BACK.search(stem) else name


def instrument_of(header: str, label: str) -> str | None:
    """The instrument of a column; none where header or label speaks of another measure."""
    item = _ITEM.search(without_times(header))
    if item and timepoint_days(label) is not None and item[1] in re.findall(r"\d+", label):
        return instrument_in(label)  # `ODI12`: of twelve months, not the twelfth item
    found = [instrument_in(title) for title in (header, label) if _named(_stem(title))]
    if not found or None in found:
        return None
    return "leg_pain_vas" if "leg_pain_vas" in found else found[0]


def is_bare(title: str) -> bool:
    """Whether a title names an instrument and nothing else: `VAS`, `VAS pain score`."""
    stem = fold(title)
    for pattern, _ in INSTRUMENT_WORDS:
        stem = re.sub(rf"(^|_)({pattern})(?=_|$)", "", stem)
    return not stem or bool(re.fullmatch(_BESIDE, stem.strip("_")))


def _stem(text: str) -> str:
    """A header folded; `Oswestry low back pain questionnaire` is no pain."""
    stem = fold(text)
    return re.sub(_LOW_BACK_PAIN, "", stem) if _QUESTIONNAIRE.search(stem) else stem


def _named(stem: str) -> str | None:
    for pattern, name in INSTRUMENT_WORDS:
        if re.search(rf"(^|_)({pattern})(_|\d|$)", stem):
            return name
    return None
