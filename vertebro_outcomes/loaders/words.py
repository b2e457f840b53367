"""Words by which headers, labels and codes of foreign files are recognised."""

import re
import unicodedata
from typing import Final

# Canonical column -> headers that mean it (folded: lower case, words joined by "_").
HEADERS: Final[dict[tuple[str, str], str]] = {
    (
        "patients",
        "patient_id",
    ): "patient_id patientid patnr pat_nr pat_id patid pid subject_id subjid"
    " usubjid record_id study_id studyid_patient mrn person_id patient patient_no patient_nr"
    " patientennummer patient_number case_id subject id pseudonym participant_id",
    ("patients", "site"): "site hospital centre center clinic klinik siteid site_id krankenhaus"
    " redcap_data_access_group dag centre_id center_id zentrum hopital",
    ("patients", "sex"): "sex gender geschlecht sexe sexo kjonn geslacht patient_sex",
    ("patients", "age_years"): "age alter age_years edad leeftijd age_at_surgery age_at_procedure"
    " age_at_treatment age_yrs age_at_baseline alder alter_jahre",
    ("patients", "bmi"): "bmi body_mass_index bmibl",
    ("patients", "bmd_t_score"): "bmd t_score tscore bmd_t_score bmd_t dxa_t_score",
    ("patients", "steroid_use"): "steroid steroids steroid_use cortison glucocorticoid"
    " corticosteroid glucocorticoids kortison",
    ("patients", "smoker"): "smoker smoking raucher current_smoker fumeur smoke",
    (
        "patients",
        "charlson",
    ): "charlson cci charlson_index charlson_score charlson_comorbidity_index",
    ("patients", "prior_fractures"): "prior_fractures previous_fractures n_prior_fractures"
    " prior_vertebral_fractures number_of_prior_fractures vorfrakturen priorfx prior_fx",
    (
        "patients",
        "osteoporosis_drug",
    ): "osteoporosis_drug bisphosphonate osteoporosis_treatment opdrug"
    " anti_osteoporotic antiosteoporotic osteoporosemedikation osteoporosis_medication",
    ("patients", "etiology"): "etiology aetiology cause fracture_cause fracture_type atiologie",
    ("patients", "birth_date"): "birth_date dob date_of_birth geburtsdatum brthdtc brthdt"
    " date_naissance fodselsdato",
    ("patients", "death_date"): "death_date dod date_of_death todesdatum dthdt dthdtc death_dt"
    " sterbedatum date_deces",
    ("patients", "death_day"): "death_day dthdy days_to_death",
    ("episodes", "episode_id"): "episode_id case_no procedure_id op_id fall_id surgery_id",
    ("episodes", "treatment"): "treatment procedure arm group trt trt01a trt01p behandlung therapie"
    " therapy intervention treatment_group procedure_type eingriffsart traitement beh treatment_arm"
    " actarm arm_name surgery_type type_of_procedure massnahme treat op_art",
    ("episodes", "fracture_date"): "fracture_date date_of_fracture frakturdatum fx_date injury_date"
    " date_of_injury onset_date unfalldatum symptom_onset_date fxdate fracture_dt",
    ("episodes", "presentation_date"): "presentation_date date_of_presentation admission_date"
    " aufnahmedatum referral_date presdate pres_date",
    ("episodes", "enrolment_date"): "enrolment_date enrollment_date randomisation_date rfstdtc"
    " randomization_date inclusion_date consent_date einschlussdatum randdt rficdtc registration_date",
    ("episodes", "treatment_date"): "treatment_date procedure_date op_datum op_date surgery_date"
    " date_of_surgery date_of_procedure date_of_treatment trtsdt tr01sdt eingriffsdatum proc_date"
    " date_intervention behandlungsdatum op_tag date_of_op opdate procdate proc_dt",
    ("episodes", "followup_end_date"): "followup_end_date last_contact last_followup last_follow_up"
    " letzter_kontakt last_visit_date date_last_contact last_contact_date end_of_study_date eosdt"
    " rfpendtc lstalvdt followup_end lastdate last_seen",
    ("episodes", "followup_end_day"): "followup_end_day followup_days follow_up_days",
    ("episodes", "fracture_age_days"): "fracture_age_days fracture_age age_of_fracture"
    " symptom_duration duration_of_pain pain_duration frakturalter",
    ("episodes", "index_year"): "index_year year_of_surgery year_of_treatment op_year",
    ("episodes", "inpatient"): "inpatient stationar hospitalised hospitalized stationaer",
    (
        "episodes",
        "n_levels",
    ): "n_levels number_of_levels levels_treated no_of_levels anzahl_hohen nlevels",
    ("episodes", "cement_ml"): "cement_ml cement cement_volume zement zementmenge total_cement"
    " cement_vol cement_volume_ml zement_ml volume_ciment",
    ("episodes", "approach"): "approach access zugang abord needle_path pedicle_approach",
    ("levels", "level"): "level levels hohe hoehe wirbel vertebra vertebrae segment wk niveau"
    " treated_level treated_levels fracture_level vertebral_level spinal_level wirbelkorper",
    ("levels", "leakage"): "leakage leak cement_leakage cement_leak leckage zementaustritt"
    " leakage_site zementleckage",
    ("levels", "leakage_detected_by"): "leakage_detected_by leakage_modality leakhow"
    " leak_how bildgebung",
    ("levels", "height_loss_pct"): "height_loss_pct height_loss height_loss_percent hohenverlust"
    " hloss",
    ("levels", "kyphosis_pre_deg"): "kyphosis_pre kyphosis_pre_deg kyphosis_baseline kyphose_pra"
    " kypre kyph_pre",
    (
        "levels",
        "kyphosis_post_deg",
    ): "kyphosis_post kyphosis_post_deg kyphose_post kypost kyph_post",
    ("levels", "cleft"): "cleft intravertebral_cleft vacuum_cleft spalt",
    ("levels", "treated"): "treated behandelt level_treated augmented traite",
    ("scores", "instrument"): "instrument questionnaire score_name scale paramcd qscat qstestcd"
    " test measure fragebogen outcome_measure",
    ("scores", "value"): "value score wert score_value result aval qsstresn punkte total_score",
    (
        "scores",
        "date",
    ): "visit_date score_date date datum assessment_date besuchsdatum vdate adt qsdtc"
    " date_of_visit followup_date visite date_of_assessment untersuchungsdatum",
    ("scores", "day"): "day visit_day ady study_day days days_since_treatment followup_days qsdy"
    " days_post_op tag time_days",
    ("events", "type"): "event complication adverse_event komplikation event_type complication_type"
    " aedecod aeterm complication_name ae_term ereignis",
    ("events", "date"): "event_date complication_date ae_date ae_start_date astdt aestdtc evdate"
    " date_of_complication komplikationsdatum",
    ("events", "day"): "event_day complication_day astdy aestdy",
    ("events", "severity"): "severity aesev schweregrad ae_severity grade",
    ("events", "symptomatic"): "symptomatic symptomatisch",
    ("events", "related"): "related aerel relationship device_related procedure_related"
    " zusammenhang",
    ("events", "detected_by"): "detected_by nachweis seenby found_by modality",
    ("fractures", "adjacent"): "adjacent benachbart adjacent_level",
    ("fractures", "level"): "new_fracture_level refracture_level newfx_level new_level"
    " subsequent_fracture_level folgefraktur_hohe",
    ("fractures", "date"): "new_fracture_date refracture_date newfx_date subsequent_fracture_date"
    " folgefraktur_datum date_of_new_fracture newfx",
    ("fractures", "day"): "new_fracture_day refracture_day newfx_day subsequent_fracture_day",
}
# Headers of a column that names the visit; its values must name a time.
VISIT_WORDS: Final = (
    *("visit", "visit_name", "event", "event_name", "redcap_event_name", "timepoint", "time_point"),
    *("time", "zeitpunkt", "avisit", "visite", "besuch", "follow_up", "followup", "fu", "period"),
)
INSTRUMENT_WORDS: Final[tuple[tuple[str, str], ...]] = (
    (r"leg_pain|beinschmerz", "leg_pain_vas"),
    (r"eq_?5d_?(5l|3l)?_?vas|eqvas|eq_vas", "eq5d_vas"),
    (r"nrs|numeric(al)?_rating|numeric_pain", "pain_nrs"),
    (r"vas|visual_analog\w*|back_pain|pain_score|pain|schmerz\w*|douleur", "pain_vas"),
    (r"odi|oswestry", "odi"),
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
    (r"(balloon_)?kyphoplast\w*|kypho|bkp|kp|cyphoplast\w*|kyfoplast\w*", "KP"),
    (r"(percutaneous_)?vertebroplast\w*|vp|pvp|vertebro|ptvp", "VP"),
    (r"stent\w*|spinejack|implant|vai|vbs", "VAI"),
    (
        r"(optimal_)?(non_?surgical\w*|conservativ\w*|konservativ\w*|nsm|medical(_\w+)?"
        r"|usual_care|standard_care|no_augmentation)",
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
)
ETIOLOGY_WORDS: Final[tuple[tuple[str, str], ...]] = (
    (r"osteopor\w*", "osteoporotic"),
    (r"malign\w*|tumou?r\w*|metasta\w*|myelom\w*|patholog\w*|neoplas\w*", "malignant"),
    (r"trauma\w*|unfall|accident\w*", "traumatic"),
)
LEAKAGE_WORDS: Final[tuple[tuple[str, str], ...]] = (
    (r"none|no|kein\w*|absent", "none"),
    (r"\w*dis[ck]\w*|bandscheibe|endplate", "disc"),
    (r"epidural|\w*canal|spinal", "epidural"),
    (r"foramin\w*", "foraminal"),
    (r"ven\w+|vascular", "venous"),
    (r"para\w*vertebral|soft_tissue|cortical", "paravertebral"),
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
    "sex": ((r"f|female|woman|w|weiblich|frau", "female"), (r"m|male|man|mannlich", "male")),
}
# Missing-data codes that projects commonly declare, and what they say.
MISSING_CODES: Final[dict[str, str]] = {
    "-99": "missing", "-98": "missing", "-97": "missing", "-999": "missing", "-9999": "missing",
    "UNK": "missing", "NI": "missing", "NAV": "missing", "INV": "missing", "ASKU": "missing",
    "MSK": "missing", "NASK": "not_asked", "NAPP": "not_applicable",
}  # fmt: skip
# Words in a column of numbers that say why there is none.
ABSENCE_WORDS: Final[tuple[tuple[str, str], ...]] = (
    (r"dead|died|deceased|death|tot|verstorben|dec|decede", "dead"),
    (r"not_asked|not_done|nicht_(er|ge)fragt|n_gefragt|not_due|nask", "not_asked"),
    (r"not_applicable|n_appl|entfallt|trifft_nicht_zu|napp", "not_applicable"),
    (r"missed|missing|fehlt|unknown|unbekannt|refused|lost|keine_angabe|k_a", "missing"),
)
_UNIT = re.compile(r"[\(\[]\s*([^)\]]{1,20}?)\s*[\)\]]\s*$")
_DAYS: Final = {"d": 1.0, "w": 7.0, "m": 30.4375, "y": 365.25}
_TIME = re.compile(
    r"(?:^|_)(?:(?P<n1>\d{1,3})_?(?P<u1>d|days?|tage?|w|wks?|weeks?|wochen?|m|mo|mos|mths?|months?"
    r"|monate?|y|yrs?|years?|jahre?)|(?P<u2>d|days?|w|wk|weeks?|m|mo|months?|y|yr|years?)_?"
    r"(?P<n2>\d{1,3}))(?=_|$)"
)
_BASELINE = re.compile(
    r"(?:^|_)(?:pre|preop|pre_op|baseline|bl|base|screening|v0|t0|prae|praop)(?=_|$)"
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


def timepoint_days(text: str) -> int | None:
    """`3 months` -> 91, `baseline` -> 0, `6w` -> 42; None where no time is named."""
    plain = re.sub(r"(?<=[a-z])(?=\d)", "_", _NO_TIME.sub("", fold(text)))
    plain = re.sub(r"_arm_\d+$", "", plain)
    if _BASELINE.search(plain):
        return 0
    found = _TIME.search(plain)
    if not found:
        return None
    unit = (found["u1"] or found["u2"]).replace("tag", "d").replace("jahr", "y")[0]
    return round(int(found["n1"] or found["n2"]) * _DAYS[unit])
