"""Which complication a label names; one that denies, or names another disease, names none."""

import re
from typing import Final

from vertebro_outcomes.loaders.words import squeeze
from vertebro_outcomes.tables.event_types import EVENT_ALIASES, EVENT_TYPES

LEAK_STEMS: Final = (
    r"leak|leck|austritt|extrava[sz]|fuite|fuga|lekk|lackage|laekage|perdita|stravaso|fuoriuscita"
)
_CEMENT: Final = r"(z|c|s)i?ement|ciment"
_LEAK: Final = rf"{LEAK_STEMS}|{_CEMENT}"
# The first that fits, so that what is said of a place or an organ comes before the place.
_WORDS: Final[tuple[tuple[str, str], ...]] = (
    (r"(symptomatic).*(pulmonary_cement|cement_embol)", "symptomatic_pulmonary_cement_embolism"),
    (
        rf"pulmonary.*cement|({_CEMENT})\w*.*embol|embol\w*.*({_CEMENT})|pulmonale_zement",
        "pulmonary_cement_embolism",
    ),
    (
        r"pulmonary_embol|lungenembolie|longembolie|emboli[ae]_pulmonar|embolia_polmonare"
        r"|embolie_pulmonaire",
        "pulmonary_embolism",
    ),
    (r"(^|_)(csf|dural?|liquor)_?(leak|leck|tear|lek|fistel)", "thecal_sac_injury"),
    (r"ha?ematom|ematoom|ematoma|hamatom", "haematoma"),
    (r"ha?emorrh|bleeding|blutung|hemorragi|emorragia|bloeding", "haemorrhage"),
    (r"osteomyel|discitis|diszitis|spondylodis[ck]|espondilodisc", "osteomyelitis"),
    (
        r"urinary_(tract_)?infec|urinary_tract|(^|_)uti(_|$)|harnwegsinf|blaseninf|urinvag\w*inf|urinwegsinf"
        r"|inf[a-z]*_(del_tracto_|de_las_vias_|delle_vie_|do_trato_)?urin|urineweginf|cystitis|zystitis",
        "urinary_tract_infection",
    ),
    (r"pneumo(ni|path)|neumonia|polmonite|longontsteking|lunginflam|lungebeta", "pneumonia"),
    (r"infection|infekt|infecti|infecc?ion|infecc?ao|infezion|abs[cz]ess|absceso", "infection"),
    (r"thrombos|trombos|(^|_)(dvt|tvt|tvp)(_|$)", "thrombosis"),
    (r"symptomatic(_cement)?_leak", "symptomatic_leakage"),
    (
        rf"({_LEAK}).*(epidura+l|[ck]anal|spinal)|(epidura+l|[ck]anal).*({_LEAK})",
        "cement_leakage_epidural",
    ),
    (rf"({_LEAK}).*(ven[aeo]|vein)|(ven[aeo]|vein).*({_LEAK})", "cement_leakage_venous"),
    (rf"({_LEAK}).*foram|foram.*({_LEAK})", "cement_leakage_foraminal"),
    (
        rf"({_LEAK}).*paravertebral|paravertebral.*({_LEAK})|^paravertebral$",
        "cement_leakage_paravertebral",
    ),
    (
        rf"({_LEAK}).*(dis[ck]|endplate|bandscheib)|(dis[ck]|endplate|bandscheib).*({_LEAK})"
        r"|^(intra|in_)?(dis[ck](_space|al)?|bandscheibe)$",
        "cement_leakage_disc",
    ),
    (
        r"(^|cement_?|symptoms_)leak(age)?|extravasation|zementaustritt|zementle(ck|kk)|leckage"
        r"|fuite|fuga|lekkage",
        "cement_leakage",
    ),
    (r"^foramin[a-z]*$", "cement_leakage_foraminal"),
    (r"nerve_root|radicul|radikul", "nerve_root_irritation"),
    (r"cord_compression|cauda|myelopath", "spinal_cord_compression"),
    (r"neurolog|paresis|parese", "neurological_deficit"),
    (
        r"rib_(frac|fx)|fracture_of_(a_)?rib|rippen|frattura_costale|fractura_costal"
        r"|ribfractuur|fracture_(costale|de_cote)|ribb?en?s?br[ou]|fratura_de_costela",
        "rib_fracture",
    ),
    (r"fever|fieber|pyrexia|febbre|koorts|fiebre|fievre|febre|(^|_)feber", "fever"),
    (r"anaphyla|allerg", "anaphylaxis"),
    (r"myocardial_inf|heart_attack|herzinfarkt", "myocardial_infarction"),
    (r"cardiac_arrest", "cardiac_arrest"),
    (r"arrhythm|tachycard", "arrhythmia"),
    (r"cardiac|heart", "cardiac"),
    (r"respirat|hypox|dyspn", "respiratory"),
    (r"(^|_)cross(ed)?_?over", "crossover"),
    (
        r"(^|_)re_?(operation|operatie|operacion|intervention|operaz|op)(_|$|s)|revision",
        "reoperation",
    ),
    (r"(?<!heat_)stroke|schlaganfall", "stroke"),
    (
        r"(?<!brain_)death|died|(^|_)tod(esfall)?\b|verstorben|overleden|fallecid|deces|exitus|obito|dodsfall",
        "death",
    ),
    (r"^(other|andere|sonstige|autre|otr[ao]|altr[ao]|overige?)(_|$)", "other_complication"),
)
_NO: Final = (
    r"no|not|non|kein\w*|nicht|without|ohne|sans|pas|aucune?|sin|ningun\w*|senza|nessun\w*|geen"
    r"|zonder|none|excluded|ruled_out|ausgeschlossen"
)
_DENIED: Final = re.compile(rf"(^|_)({_NO})(_|$)")
NO_EVENT: Final = "not_applicable"  # why a complication has no type: there was none
# That there was no complication at all, as a word of its own.
NONE_TOLD: Final = (
    "none", "no", "nil", "nein", "keine", "keiner", "kein", "keines", "nicht", "non", "aucune", "aucun",
    "n\u00e9ant", "ras", "ninguna", "ninguno", "nenhuma", "nenhum", "n\u00e3o", "nessuna", "nessuno", "geen",
    "nee", "ingen", "inga", "inget", "nej", "nei", "brak", "nie", "nihil", "keine komplikationen",
    "keine komplikation", "no complications", "no complication", "without complications",
    "sin complicaciones", "sans complication", "sem complica\u00e7\u00f5es", "senza complicanze",
    "geen complicaties", "ingen komplikasjoner", "ingen komplikationer", "brak powik\u0142a\u0144",
)  # fmt: skip
_NONE: Final = re.compile(
    rf"({'|'.join(squeeze(word) for word in NONE_TOLD)}|0)"
    r"|((no|none|nil|kein\w*|ohne|without|aucune?|sans|ningun[ao]?|sin|nenhum[ao]?|sem|nessun[ao]?|senza"
    r"|geen|zonder|inga?|ingen|utan|uten|uden|brak|bez)_)+((any|post_?op\w*|peri_?op\w*|intra_?op\w*)_)*"
    r"(compli[ck]\w*|kompli[ck]\w*|powikl\w*|adverse_events?|ae|events?)"
    r"|uneventful|komplikationslos|unauffallig|event_free"
)
_LISTED: Final = re.compile(r"[,;+&|\n]|\b(?:and|und|et|y|e|en|og|och|sowie)\b", re.I)
# These say how grave it was, not that it was not there.
_GRAVITY: Final = re.compile(
    rf"(^|_)(({_NO})_(symptom|sintom)[a-z]*|a_?symptom[a-z]*|asintom[a-z]*"
    r"|non_?(fatal|serious|severe|st)[a-z]*)"
)


def says_none(label: str) -> bool:
    """Whether a label of complications says that there was none: `Keine`, `no complications`."""
    return bool(_NONE.fullmatch(squeeze(label)))


def event_in(label: str) -> str | None:
    """The complication a label names, if it is certain: `no infection` is none."""
    plain = squeeze(label)
    known = plain if plain in EVENT_TYPES else EVENT_ALIASES.get(plain)
    if known:
        return known
    plain = _GRAVITY.sub("", plain).strip("_")
    if _DENIED.search(plain):
        return None
    return next((kind for pattern, kind in _WORDS if re.search(pattern, plain)), None)


def events_in(label: str) -> tuple[str, ...]:
    """Every complication that a label lists: `fever, infection`; a slash may stand between synonyms."""
    found = dict.fromkeys(kind for part in _LISTED.split(label) if (kind := event_in(part)))
    if any(kind.startswith("cement_leakage_") for kind in found):
        found.pop("cement_leakage", None)
    whole = event_in(label)
    if len(found) > 1:
        return tuple(found)
    return (whole,) if whole else ()


assert {kind for _, kind in _WORDS} | set(EVENT_ALIASES.values()) <= EVENT_TYPES.keys()
