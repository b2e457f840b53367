"""Words by which headers, labels and codes of foreign files are recognised."""

import math
import re
import unicodedata
from typing import Final

# Headers of a column that names the visit; its values must name a time.
VISIT_WORDS: Final = (
    *("visit", "visit_name", "event", "event_name", "redcap_event_name", "timepoint", "time_point"),
    *("time", "zeitpunkt", "avisit", "visite", "besuch", "follow_up", "followup", "fu", "period"),
    *("visita", "momento", "suivi", "consultation", "bezoek", "kontrolle", "nachuntersuchung"),
    *("visitnum_name", "visit_label", "eventname", "untersuchung", "messzeitpunkt", "temps"),
    *("time_of_assessment", "assessment", "visit_type", "timing", "epoch", "wave"),
)
INSTRUMENT_WORDS: Final[tuple[tuple[str, str], ...]] = (
    (r"leg_pain|beinschmerz", "leg_pain_vas"),
    (r"eq_?5d_?(5l|3l)?_?vas|eqvas|eq_vas", "eq5d_vas"),
    (r"nrs|numeric(al)?_rating\w*|numeric_pain|numerische_rating\w*", "pain_nrs"),
    (
        r"vas|eva|visual_analog\w*|back_pain|pain_score|pain|(rucken)?schmerz\w*|douleur|dolor",
        "pain_vas",
    ),
    (r"odi|oswestry\w*|odq", "odi"),
    (r"rmdq|rdq|rmq|roland\w*", "rmdq"),
    (r"eq_?5d(_?[35]l)?(_index|_utility)?|euroqol", "eq5d"),
    (r"sf_?36_?pcs|pcs", "sf36_pcs"),
    (r"sf_?36_?mcs|mcs", "sf36_mcs"),
    (r"qualeffo", "qualeffo"),
    (r"karnofsky|kps", "karnofsky"),
)
TREATMENT_WORDS: Final[tuple[tuple[str, str], ...]] = (
    (r"sham|placebo|scheinbehandlung", "SHAM"),
    (r"facet|facetten\w*", "FACET"),
    (
        r"((percutaneous|balloon|ballon)_)*((ky|cy|ci)(ph|f)oplast\w*|kypho)(_ballon\w*)?|[bp]?kp|pkp_\w*"
        r"|ballonkyphoplast\w*|balloonkyphoplast\w*|xifoplast\w*",
        "KP",
    ),
    (r"((percutaneous|perkutane)_)?(vertebroplast\w*|vertebro)(_percutan\w*)?|p?vp|ptvp", "VP"),
    (r"stent\w*|spinejack|implant|vai|vbs", "VAI"),
    (
        r"(optimal_)?(non_?(surgical|operative)\w*|conservativ\w*|konservativ\w*|nsm|medical(_\w+)?"
        r"|usual_care|standard_care|no_augmentation|(traitement_)?(conservateur|medical|orthopedique)"
        r"|(tratamiento_)?conservador|nicht_operativ|keine_op|conservatief|omt|ct_konservativ)",
        "NSM",
    ),
    (r"augmentation|va", "VA"),
)
EVENT_WORDS: Final[tuple[tuple[str, str], ...]] = (
    (r"pulmonary.*cement|cement.*(pulmonary|embol)|pulmonale_zement", "pulmonary_cement_embolism"),
    (r"pulmonary_embol|lungenembolie", "pulmonary_embolism"),
    (r"disc|disk|endplate|bandscheib", "cement_leakage_disc"),
    (r"(leak|austritt).*(epidural|canal|spinal)|(epidural|canal).*leak", "cement_leakage_epidural"),
    (r"foramin", "cement_leakage_foraminal"),
    (r"(leak|austritt).*(ven)|ven.*leak", "cement_leakage_venous"),
    (r"paravertebral", "cement_leakage_paravertebral"),
    (r"symptomatic_leak", "symptomatic_leakage"),
    (r"leak|extravasation|zementaustritt|leckage", "cement_leakage"),
    (r"nerve_root|radicul|radikul", "nerve_root_irritation"),
    (r"cord_compression|cauda|myelopath", "spinal_cord_compression"),
    (r"neurolog|paresis|parese", "neurological_deficit"),
    (r"ha?emorrh|bleeding|blutung", "haemorrhage"),
    (r"ha?ematoma|hamatom", "haematoma"),
    (r"osteomyel|discitis|spondylodisc", "osteomyelitis"),
    (r"urinary_tract|uti\b", "urinary_tract_infection"),
    (r"infection|infekt", "infection"),
    (r"rib_frac|rippen", "rib_fracture"),
    (r"fever|fieber|pyrexia", "fever"),
    (r"anaphyla|allerg", "anaphylaxis"),
    (r"myocardial_inf|heart_attack|herzinfarkt", "myocardial_infarction"),
    (r"cardiac_arrest", "cardiac_arrest"),
    (r"arrhythm|tachycard", "arrhythmia"),
    (r"cardiac|heart", "cardiac"),
    (r"pneumonia", "pneumonia"),
    (r"respirat|hypox|dyspn", "respiratory"),
    (r"stroke|schlaganfall", "stroke"),
    (r"thrombos", "thrombosis"),
    (r"death|died|tod\b|verstorben", "death"),
    (r"^(other|andere|sonstige|autre|otr[ao])(_|$)", "other_complication"),
)
ETIOLOGY_WORDS: Final[tuple[tuple[str, str], ...]] = (
    (r"osteopor\w*", "osteoporotic"),
    (r"malign\w*|tumou?r\w*|metasta\w*|myelom\w*|patholog\w*|neoplas\w*", "malignant"),
    (r"trauma\w*|unfall|accident\w*", "traumatic"),
)
LEAKAGE_WORDS: Final[tuple[tuple[str, str], ...]] = (
    (r"none|no|non|nein|n|kein\w*|absent|aucune?|ninguna|geen|no_leak\w*|without_leak\w*", "none"),
    (r"\w*dis[ck]\w*|bandscheibe\w*|end_?plate\w*|deckplatte\w*|grundplatte\w*", "disc"),
    (r"epi_?dural\w*|\w*canal\w*|spinal\w*|spinalkanal|intraspinal", "epidural"),
    (r"(neuro_?)?foramin\w*|foramen", "foraminal"),
    (r"ven\w+|vein\w*|vascular\w*|intravaskular", "venous"),
    (
        r"para\w*vertebral\w*|soft_tissue|weichteil\w*|cortical\w*|prevertebral|pravertebral",
        "paravertebral",
    ),
)
DETECTION_WORDS: Final[tuple[tuple[str, str], ...]] = (
    (r"clinic\w*|klinisch|symptoms", "clinical"),
    (r"fluoroscop\w*|durchleuchtung|c_arm|intraop\w*", "fluoroscopy"),
    (r"radiograph\w*|x_?ray\w*|rontgen\w*|roentgen\w*|radiographie", "radiograph"),
    (r"ct|ct_scan|computed_tomograph\w*|computertomograph\w*", "CT"),
    (r"mri|mrt|irm|magnetic_resonance\w*", "MRI"),
)
CODE_WORDS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "treatment": TREATMENT_WORDS,
    "instrument": INSTRUMENT_WORDS,
    "etiology": ETIOLOGY_WORDS,
    "leakage": LEAKAGE_WORDS,
    "leakage_detected_by": DETECTION_WORDS,
    "detected_by": DETECTION_WORDS,
    "approach": (
        (r"uni\w*", "unipedicular"),
        (r"bi\w*", "bipedicular"),
        (r"extra\w*", "extrapedicular"),
    ),
    "severity": (
        (r"mild|leicht|minor", "mild"),
        (r"moderate|mittel\w*", "moderate"),
        (r"severe|schwer\w*|major|serious", "severe"),
        (r"fatal|death|lethal", "fatal"),
    ),
    "sex": (
        (
            r"f|female|woman|w|weiblich|frau|femme|feminin\w*|mujer|femenino|vrouw|kvinn\w*",
            "female",
        ),
        (r"m|male|man|mannlich|mann|herr|homme|h|masculin\w*|hombre|varon|mand?", "male"),
    ),
}
TRUTH_WORDS: Final[tuple[tuple[str, str], ...]] = (
    (
        r"never|non_?smoker|nichtraucher\w*|former\w*|ex_?\w*|ehemal\w*|nie|jamais|ancien\w*|nunca"
        r"|absent\w*|none|not_\w+|nicht_\w+|keine?|aucune?|negativ\w*|out_?patient|ambulant\w*|day_case"
        r"|no_\w+|non_\w+",
        "0",
    ),
    (
        r"current\w*|active|aktuell\w*|aktiv\w*|raucher\w*|smoker|fumeur|actuel\w*|present|vorhanden"
        r"|positiv\w*|in_?patient|stationar\w*|stationaer|hospitali[sz]ed|hospitalise\w*|treated|yes_\w+"
        r"|ja_\w+|oui_\w+",
        "1",
    ),
)
# Missing-data codes that projects commonly declare, and what they say.
MISSING_CODES: Final[dict[str, str]] = {
    "-99": "missing", "-98": "missing", "-97": "missing", "-999": "missing", "-9999": "missing",
    "UNK": "missing", "NI": "missing", "NAV": "missing", "INV": "missing", "ASKU": "missing",
    "MSK": "missing", "NASK": "not_asked", "NAPP": "not_applicable",
}  # fmt: skip
# Words in a column of numbers that say why there is none.
ABSENCE_WORDS: Final[tuple[tuple[str, str], ...]] = (
    (r"dead|died|deceased|death|tot|verstorben|gestorben|dec|decede\w*|dcd|fallecido", "dead"),
    (
        r"not_asked|not_done|nicht_(er|ge)fragt|n_gefragt|not_due|nask|nicht_erhoben|non_fait|nf"
        r"|n_d|nd|not_performed|nicht_durchgefuhrt|n_e|no_realizado",
        "not_asked",
    ),
    (
        r"not_applicable|n_appl|entfallt|trifft_nicht_zu|napp|sans_objet|no_aplica|nvt",
        "not_applicable",
    ),
    (
        r"missed|missing|fehlt|fehlend|unknown|unk|unbek(annt)?|refused|declined|verweigert|lost(_to_fu)?|ltfu"
        r"|keine_angaben?|k_a|ka|not_(known|available|recorded|reported)|n_k|nk|inconnue?|donnee_manquante"
        r"|manquante?|perdu_de_vue|pdv|non_renseigne|nr|desconocido|onbekend|weiss_nicht|don_t_know|dk"
        r"|no_answer|pas_de_reponse|no_show",
        "missing",
    ),
)
_UNIT = re.compile(r"[\(\[]\s*([^)\]]{1,20}?)\s*[\)\]]\s*$")
_DAYS: Final = {"h": 1 / 24, "d": 1.0, "w": 7.0, "m": 30.4375, "y": 365.25}
_UNITS: Final = {
    "h": r"h|hrs?|hours?|std|stunden?|heures?",
    "d": r"d|days?|tage?n?|j|jours?|dias?|dagen",
    "w": r"w|wks?|weeks?|wo|wochen?|semaines?|sem|semanas?|weken",
    "m": r"m|mo|mos|mon|m?nths?|months?|monate?n?|mois|mes|meses|maanden",
    "y": r"y|yrs?|years?|jahre?n?|ans?|annees?|anos?|jaar",
}
_ANY_UNIT: Final = "|".join(_UNITS.values())
_TIME = re.compile(
    rf"(?:^|_)(?:(?P<n1>\d{{1,3}})_?(?P<u1>{_ANY_UNIT})(?:fu|post|pop)?|(?P<u2>{_ANY_UNIT})_?(?P<n2>\d{{1,3}}))(?=_|$)"
)
_BASELINE = re.compile(
    r"(?:^|_)(?:pre|preop\w*|pre_op|pre_?operat\w*|baseline|bl|base|screening|v0|t0|prae|pra|praop\w*"
    r"|praeop\w*|initiale?|inclusion|basal|aufnahme|einschluss|baselinie|ausgangswert|vor_op|before|avant|antes|vorher|prima|voor)(?=_|$)"
)


LONGEST_TITLE: Final = 200
# Numbers in these names are no times.
_NO_TIME = re.compile(r"eq_?5_?d(_?[35]_?l)?|sf_?(36|12|6_?d)|qualeffo_?\d+|0_10+|t_score")


def fold(text: str) -> str:
    """`Date of Surgery (dd.mm.yyyy)` -> `date_of_surgery`; camel case is split, units leave."""
    return squeeze(_UNIT.sub("", str(text)[:LONGEST_TITLE]))


def squeeze(text: str) -> str:
    """Lower case without accents, words joined by `_`: `Cement leakage (disc)` keeps its bracket."""
    text = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", "_", str(text)[:LONGEST_TITLE].strip())
    plain = unicodedata.normalize("NFKD", text.lower().replace("ß", "ss").replace("ø", "o"))
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")


def unit_of(title: str) -> str:
    """The unit in a header: `VAS (mm)` -> `mm`; `cement_ml` -> `ml`; empty if none."""
    found = _UNIT.search(str(title)[:LONGEST_TITLE])
    if found:
        return found[1].lower()
    last = fold(title).rsplit("_", 1)[-1]
    return last if last in ("mm", "cm", "ml", "cc", "weeks", "months", "days", "years") else ""


def word_for(text: str, words: tuple[tuple[str, str], ...], *, whole: bool = True) -> str | None:
    """The canonical word a label means, if any; a remark in brackets may be left out."""
    match = re.fullmatch if whole else re.search
    for plain in dict.fromkeys((squeeze(text), fold(text))):
        for pattern, word in words:
            if match(pattern, plain):
                return word
    return None


def words_in(plain: str, words: tuple[tuple[str, str], ...]) -> set[str]:
    """Every canonical word that a squeezed label names somewhere."""
    return {word for pattern, word in words if re.search(rf"(^|_)({pattern})(_|$)", plain)}


def timepoint_days(text: str) -> int | None:
    """`3 months` -> 91, `baseline` -> 0, `6w` -> 42, `24 h` -> 1; None where no time is named."""
    for folded in dict.fromkeys((fold(text), squeeze(text))):
        plain = re.sub(r"(?<=[a-z])(?=\d)", "_", _NO_TIME.sub("", folded))
        plain = re.sub(r"_arm_\d+$", "", plain)
        if _BASELINE.search(plain):
            return 0
        found = _TIME.search(plain)
        if found:
            said = found["u1"] or found["u2"]
            unit = next(unit for unit, words in _UNITS.items() if re.fullmatch(words, said))
            days = int(found["n1"] or found["n2"]) * _DAYS[unit]
            return math.ceil(days) if unit == "h" else round(days)
    return None
