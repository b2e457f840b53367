"""The six canonical tables of a registry cohort, declared once: checks and documents read this."""

from typing import Final

from vertebro_outcomes.spine import LEVELS
from vertebro_outcomes.tables.event_types import (
    ABSENCE,
    DETECTION,
    EVENT_TYPES,
    INSTRUMENTS,
    LEAKAGE_SITES,
)
from vertebro_outcomes.tables.schema import Column, ColumnType, Table
from vertebro_outcomes.vocabulary import TREATMENTS

LONGEST_DAYS = 40_000.0  # 110 years: a day further from day 0 is a wrong date
DAY0 = ("treatment", "presentation", "fracture", "enrolment", "given")


def _key(name: str, meaning: str) -> Column:
    return Column(name, "text", meaning, nullable=False, private=True)


def _optional(
    name: str,
    kind: ColumnType,
    meaning: str,
    *,
    unit: str = "",
    low: float | None = None,
    high: float | None = None,
    codes: tuple[str, ...] = (),
) -> Column:
    return Column(name, kind, meaning, unit, low, high, codes, required=False)


def _day(name: str, meaning: str, *, required: bool = False) -> Column:
    return Column(
        name,
        "int",
        f"{meaning}, days from day 0",
        "days",
        -LONGEST_DAYS,
        LONGEST_DAYS,
        required=required,
    )


_PATIENT = _key("patient_id", "pseudonym of the patient")
_EPISODE = Column(
    "episode_id", "text", "the index fracture and its treatment", required=False, private=True
)
_LEVEL = _optional("level", "text", "vertebral level", codes=LEVELS)
_DETECTED = _optional("detected_by", "text", "how it was found", codes=DETECTION)

PATIENTS = Table(
    "patients",
    "one row per patient, as at day 0 of the first episode",
    (
        _PATIENT,
        _optional("site", "text", "hospital or data access group"),
        _optional("sex", "text", "sex", codes=("female", "male", "other")),
        _optional("age_years", "float", "age at day 0", unit="years", low=0, high=120),
        _optional("bmi", "float", "body mass index", unit="kg/m2", low=8, high=90),
        _optional("bmd_t_score", "float", "bone density, T score", unit="SD", low=-10, high=10),
        _optional("steroid_use", "bool", "takes glucocorticoids"),
        _optional("smoker", "bool", "smokes"),
        _optional("charlson", "int", "Charlson comorbidity index", low=0, high=37),
        _optional("prior_fractures", "int", "vertebral fractures before", low=0, high=30),
        _optional("osteoporosis_drug", "bool", "takes a drug against osteoporosis"),
        _optional(
            "etiology",
            "text",
            "why the vertebra broke",
            codes=("osteoporotic", "malignant", "traumatic"),
        ),
        _day("death_day", "day of death; blank while not known to be dead"),
    ),
    key=("patient_id",),
)

EPISODES = Table(
    "episodes",
    "one row per index fracture and its treatment; day 0 is the date named by `day0`",
    (
        Column(
            "episode_id",
            "text",
            "pseudonym of the episode",
            nullable=False,
            required=False,
            private=True,
        ),
        _PATIENT,
        Column("treatment", "text", "treatment received", codes=tuple(TREATMENTS)),
        _optional("day0", "text", "which date is day 0", codes=DAY0),
        _optional("fracture_date", "date", "date of the index fracture (only when dates are kept)"),
        _optional("presentation_date", "date", "date of presentation (only when dates are kept)"),
        _optional("treatment_date", "date", "date of treatment (only when dates are kept)"),
        _day("fracture_day", "index fracture"),
        _day("presentation_day", "presentation"),
        _day("treatment_day", "treatment"),
        _optional(
            "fracture_age_days",
            "int",
            "age of the fracture at day 0",
            unit="days",
            low=0,
            high=LONGEST_DAYS,
        ),
        _optional("index_year", "int", "calendar year of day 0", low=1900, high=2300),
        _optional("inpatient", "bool", "treated as an inpatient"),
        _optional("n_levels", "int", "levels treated", low=0, high=17),
        # 88 and 99 stand for no answer.
        _optional("cement_ml", "float", "cement, all levels together", unit="ml", low=0, high=80),
        _optional(
            "approach",
            "text",
            "needle path",
            codes=("unipedicular", "bipedicular", "extrapedicular", "other"),
        ),
        _day("followup_end_day", "end of follow-up: last contact, withdrawal or death"),
    ),
    key=("episode_id",),
)

LEVELS_TABLE = Table(
    "levels",
    "one row per vertebra treated or fractured at the index date",
    (
        _PATIENT,
        _EPISODE,
        Column("level", "text", "vertebral level", codes=LEVELS, nullable=False),
        _optional("treated", "bool", "cement or implant was placed here"),
        _optional("cement_ml", "float", "cement at this level", unit="ml", low=0, high=30),
        _optional("leakage", "text", "site of cement leakage", codes=LEAKAGE_SITES),
        _optional("leakage_detected_by", "text", "how leakage was looked for", codes=DETECTION),
        _optional("height_loss_pct", "float", "loss of body height", unit="%", low=0, high=100),
        _optional("kyphosis_pre_deg", "float", "kyphosis before", unit="deg", low=-90, high=90),
        _optional("kyphosis_post_deg", "float", "kyphosis after", unit="deg", low=-90, high=90),
        _optional("cleft", "bool", "intravertebral cleft"),
    ),
    key=("patient_id", "episode_id", "level"),
)

SCORES = Table(
    "scores",
    "one row per patient, instrument and day; `value` on the canonical scale of the instrument",
    (
        _PATIENT,
        _EPISODE,
        Column("instrument", "text", "the score", codes=tuple(INSTRUMENTS), nullable=False),
        _day("day", "day of the score", required=True),
        Column("value", "float", "score on the canonical scale"),
        _optional("value_raw", "float", "score as recorded"),
        _optional("scale_raw", "text", "scale as recorded, such as 0-100"),
        _optional(
            "status", "text", "observed, or why there is no value", codes=("observed", *ABSENCE)
        ),
    ),
    key=("patient_id", "episode_id", "instrument", "day"),
)

EVENTS = Table(
    "events",
    "one row per complication or other event; a leak that only its vertebra's row tells is one",
    (
        _PATIENT,
        _EPISODE,
        Column("type", "text", "kind of event", codes=tuple(EVENT_TYPES), nullable=False),
        _day("day", "day of the event"),
        _optional("severity", "text", "severity", codes=("mild", "moderate", "severe", "fatal")),
        _optional("symptomatic", "bool", "caused symptoms"),
        _optional("related", "bool", "related to the treatment"),
        _LEVEL,
        _DETECTED,
    ),
)

FRACTURES = Table(
    "fractures",
    "one row per new vertebral fracture after day 0",
    (
        _PATIENT,
        _EPISODE,
        _LEVEL,
        _day("day", "day the fracture was found", required=True),
        _optional("adjacent", "bool", "next to a treated level (derived where levels are known)"),
        _optional("symptomatic", "bool", "caused symptoms"),
        _DETECTED,
    ),
)

ABSENCES = Table(
    "absences",
    "why a cell of another table is blank; a blank cell without a row here is `missing`",
    (
        _PATIENT,
        _EPISODE,
        Column("table", "text", "table of the blank cell", nullable=False),
        Column("column", "text", "column of the blank cell", nullable=False),
        Column("reason", "text", "why it is blank", codes=tuple(ABSENCE), nullable=False),
    ),
)

TABLES: Final[dict[str, Table]] = {
    table.name: table for table in (PATIENTS, EPISODES, LEVELS_TABLE, SCORES, EVENTS, FRACTURES)
}
STORED: Final[dict[str, Table]] = {**TABLES, "absences": ABSENCES}
