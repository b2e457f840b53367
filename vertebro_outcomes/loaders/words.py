"""Words by which headers, labels and codes of foreign files are recognised."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

# Headers of a column that names the visit; its values must name a time.
VISIT_WORDS: Final = (
    *("visit", "visit_name", "event", "event_name", "redcap_event_name", "timepoint", "time_point"),
    *("time", "zeitpunkt", "avisit", "visite", "besuch", "follow_up", "followup", "fu", "period"),
    *("visita", "momento", "suivi", "consultation", "bezoek", "kontrolle", "nachuntersuchung"),
    *("besok", "besog", "kontroll", "kontrol", "visitnum_name", "visit_label", "eventname"),
    *("untersuchung", "messzeitpunkt", "temps"),
    *("time_of_assessment", "assessment", "visit_type", "timing", "epoch", "wave"),
)
# A pattern reads one word or phrase: what else a label says may turn its meaning round.
TREATMENT_WORDS: Final[tuple[tuple[str, str], ...]] = (
    (r"sham|placebo|scheinbehandlung", "SHAM"),
    (r"facet|facetten[a-z]*", "FACET"),
    (
        r"((percutaneous|balloon|ballon)_)*((ky|cy|ci)(ph|f)oplast[a-z]*|kypho)(_ballon[a-z]*)?|[bp]?kp"
        r"|pkp_[a-z]+|ball?oonky(ph|f)oplast[a-z]*|ballonky(ph|f)oplast[a-z]*|xifoplast[a-z]*",
        "KP",
    ),
    (
        r"((percutaneous|perkutane)_)?(vertebroplast[a-z]*|vertebro)(_percutan[a-z]*)?|p?vp|ptvp",
        "VP",
    ),
    (r"stent[a-z]*|spine_?jack|implant|vai|vbs", "VAI"),
    (
        r"(optimal_)?(non_?(surgical|operative)[a-z]*(_(management|treatment|care|therapy))?|conservativ[a-z]*|kons(erv(ativ[a-z]*)?)?|nsm"
        r"|medical(_(management|treatment|therapy|care))?|usual_care|standard_care|no_augmentation"
        r"|(traitement_)?(conservateur|medical|orthopedique)|(tratamiento_)?conservador"
        r"|nicht_operativ|keine_op|conservatief|omt|ct_konservativ)",
        "NSM",
    ),
    (r"augmentation|va", "VA"),
)
ETIOLOGY_WORDS: Final[tuple[tuple[str, str], ...]] = (
    (r"osteopor\w*", "osteoporotic"),
    (r"malign\w*|tumou?r\w*|metasta\w*|myelom\w*|patholog\w*|neoplas\w*", "malignant"),
    (r"trauma\w*|unfall|accident\w*", "traumatic"),
)
LEAKAGE_WORDS: Final[tuple[tuple[str, str], ...]] = (
    (
        r"none|no|non|nein|n|kein[a-z]*|absent|aucune?|ningun[ao]|nessun[ao]?|geen|nee|nao|nej|nei|ingen|inget|nenhum[ao]?|no_leak\w*"
        r"|without_leak\w*|kein_(zement)?austritt",
        "none",
    ),
    (
        r"(in|into_the|into|intra|inter)?_?dis(c|k|qu)[a-z]*(_space)?|bandscheibe[a-z]*|end_?plate[a-z]*"
        r"|deckplatte[a-z]*|grundplatte[a-z]*",
        "disc",
    ),
    (r"epi_?dura?al[a-z]*|[a-z]*canal[a-z]*|spinal[a-z]*|intraspinal", "epidural"),
    (r"(neuro_?)?foramin[a-z]*|foramen", "foraminal"),
    (
        r"((para_?|pre_?|pra_?|basi_?)vertebral[a-z]*_|segment[a-z]*_)?(ven[a-z]+|vein[a-z]*)"
        r"|vascular[a-z]*|intravas[ck]ular",
        "venous",
    ),
    (
        r"para_?vertebral[a-z]*|soft_tissue|weichteil[a-z]*|cortical[a-z]*|prevertebral|pravertebral",
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
        (r"mild|leicht|minor|legere?|leve|lett|lindrig|mineure?|latt", "mild"),
        (r"moderate|mittel\w*|moderee?|moderad[oa]|moderat|mattlig", "moderate"),
        (r"severe?|schwer\w*|major|serious|grave|majeure?|alvorlig\w*|allvarlig\w*", "severe"),
        (r"fatal\w*|death|lethal|mortelle?|dodelig", "fatal"),
    ),
    "sex": (
        (
            r"f|female|woman|w|weiblich|frau|femme|feminin\w*|mujer|femenino|vrouw|kvinn\w*|donna|femmina"
            r"|kvinde|mulher|feminino",
            "female",
        ),
        (
            r"m|male|man|mannlich|mann|herr|homme|h|masculin\w*|hombre|varon|mand?|uomo|maschio"
            r"|homem",
            "male",
        ),
    ),
}
TRUTH_WORDS: Final[tuple[tuple[str, str], ...]] = (
    (
        r"never|nooit|gestopt|gestoppt|stopped|quit|non_?smoker|nichtraucher\w*|former\w*|ex_?\w*|ehemal\w*|nie|jamais|ancien\w*|nunca"
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
    (
        r"dead|died|deceased|death|tot|verst(orben)?|gestorben|dec|decede\w*|dcd|fallecido|avliden|obito|falecido",
        "dead",
    ),
    (
        r"not_asked|non_demandee?|niet_gevraagd|no_preguntad[oa]|not_done|nicht_(er|ge)fragt|n_gefragt|not_due|nask|nicht_erhoben|non_fait|nf"
        r"|n_d|nd|not_performed|nicht_(durchgefuhrt|gemacht|erfasst)|n_e|no_realizad[oa]|non_realisee?"
        r"|not_(assessed|collected|completed|obtained|measured)|niet_(gedaan|afgenomen|uitgevoerd)"
        r"|non_(eseguit|fatt)[oa]|no_hech[oa]|nao_(realizad|feit)[oa]|ikke_(utfort|udfort|gjort)|ej_(utford|gjord)",
        "not_asked",
    ),
    (
        r"not_applicable|non_applica(ble|bile)|nicht_(zutreffend|anwendbar)|niet_van_toepassing|nao_se_aplica"
        r"|no_procede|n_appl|entfallt|trifft_nicht_zu|napp|sans_objet|no_aplica|nvt",
        "not_applicable",
    ),
    (
        r"missed|missing|(pas_d_|no_|sin_|geen_)(information|informacion|informatie)|keine_information(en)?"
        r"|masked|masquee?|maskiert|asked_but_unknown|temporarily_unavailable|invalid|ungultig|ontbreekt|fehlt|fehlend|unknown|unk|unbek(annt)?|keine_angaben?|k_a|ka"
        r"|not_(known|available|recorded|reported|returned|attended)|n_k|nk|inconnue?"
        r"|donnee_manquante|manquante?|non_renseigne|nr|desconocido|onbekend|weiss_nicht|don_t_know|dk"
        r"|no_answer|pas_de_reponse|vet_ej|ukjent|ukendt|okand|saknas|mangler|sem_dados|nsp"
        r"|desconhecido|nao_sabe|ne_sait_pas",
        "missing",
    ),
    # Who went, did not come or did not want.
    (
        r"(patient_)?lost(_(to|in|from))?(_(fu|f_u|f_up|follow_?up))?|l_?t_?f_?u|ltf|(was_)?lost"
        r"|refus(ed|al|e|ee)|refuse[sd]?|declin(ed|es)?|with(drawn|drew|drawal)|drop(ped)?_?outs?|dropped"
        r"|no_show|did_not_(attend|come)|dna|unreachable|not_reached|moved(_away)?"
        r"|verweigert|abgelehnt|ausgeschieden|abgebrochen|zuruckgezogen|verloren|nicht_(erreicht|erreichbar"
        r"|erschienen|gekommen)|verzogen"
        r"|perdue?s?(_de_vue)?|pdv|abandon|injoignable|absente?|retire(e|s)?"
        r"|perdid[oa]s?(_(de|en_el|al|do|no)_(vista|seguimiento|seguimento|acompanhamento))?"
        r"|perdida_de_seguimiento|rechaz(o|a|ado|ada)|no_acudio|recus(ou|ado|ada)|nao_compareceu"
        r"|pers[oai](_(al|di)_(follow_?up|vista))?|rifiut(o|a|ato|ata)|non_pervenuto"
        r"|geweigerd|uitgevallen|niet_(verschenen|bereikt|gekomen)|uit_beeld"
        r"|tapt|mistet|tappad|bortfall|avbojt|vagrar|nekt(er|et)|ikke_mott|ikke_modt|uteblev(et)?",
        "missing",
    ),
)
_UNIT = re.compile(r"[\(\[]\s*([^)\]]{1,20}?)\s*[\)\]]\s*$")
LONGEST_TITLE: Final = 200
# Units of time as headers spell them out; single letters may be anything.
TIME_UNITS: Final[dict[str, str]] = {
    word: unit
    for unit, words in {
        "days": "day days tag tage jour jours dia dias dag dagen giorno giorni dagar dager dage",
        "weeks": "week weeks wk wks woche wochen semaine semaines semana semanas weken settimane veckor"
        " vecka uker uke uger uge",
        "months": "month months mth mths mo mos monat monate monaten mois mes meses maand maanden mese"
        " mesi manader manad maneder maned maaneder mnd",
        "years": "year years yr yrs jahr jahre jahren an ans annee annees ano anos jaar anno anni",
    }.items()
    for word in words.split()
}


def fold(text: str) -> str:
    """`Date of Surgery (dd.mm.yyyy)` -> `date_of_surgery`; camel case is split, units leave."""
    return squeeze(_UNIT.sub("", str(text)[:LONGEST_TITLE]))


def squeeze(text: str) -> str:
    """Lower case without accents, words joined by `_`: `Cement leakage (disc)` keeps its bracket."""
    text = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", "_", str(text)[:LONGEST_TITLE].strip())
    plain = unicodedata.normalize(
        "NFKD", text.lower().replace("ß", "ss").replace("ø", "o").replace("æ", "ae")
    )
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")


def unit_of(title: str) -> str:
    """The unit in a header: `VAS (mm)` -> `mm`; `cement_ml` -> `ml`; empty if none."""
    found = _UNIT.search(str(title)[:LONGEST_TITLE])
    if found:
        return TIME_UNITS.get(squeeze(found[1]), found[1].lower())
    last = fold(title).rsplit("_", 1)[-1]
    return TIME_UNITS.get(last, last if last in ("mm", "cm", "ml", "cc") else "")


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


def yes_letters(values: Iterable[str]) -> frozenset[str]:
    """O beside N is yes in French, S beside N in Spanish, Portuguese and Italian, as they are spelled."""
    letters = {value.lower(): value for value in values}
    pairs = {letter for letter in ("o", "s") if {letter, "n"} <= letters.keys()}
    return frozenset(letters[letter] for letter in pairs) if len(pairs) == 1 else frozenset()
