"""The questions put to the published record, as data."""

from dataclasses import dataclass, replace
from typing import Final, Literal

from vertebro_outcomes.meta_analysis.evidence import (
    ANY_STUDY,
    COMPARATIVE,
    OBSERVATIONAL,
    RANDOMISED,
)

Window = tuple[float, float]


@dataclass(frozen=True)
class Question:
    """One question: what is compared, on which outcome, when, in which studies.

    Without a comparator it asks for the proportion of one arm. `window` holds the first and last day;
    None takes any follow-up. The other fields are the arguments of `select_contrasts`.
    """

    id: str
    title: str
    outcome_family: str
    treatment: str | tuple[str, ...]
    comparator: str
    measure: str
    window: Window | None = None
    target_day: float | None = None
    designs: tuple[str, ...] = RANDOMISED
    unit: Literal["patients", "levels"] = "patients"
    scale: Literal["canonical", "printed"] = "canonical"
    missing_n: Literal["leave_out", "randomised"] = "leave_out"
    note: str = ""


# Visits fall near the planned day; a window ends before the next usual visit.
WINDOWS: Final[dict[str, tuple[str, Window, float]]] = {
    "1w": ("1 to 2 weeks", (5, 16), 7),
    "1m": ("1 month", (21, 45), 30),
    "3m": ("3 months", (75, 110), 91),
    "6m": ("6 months", (150, 215), 183),
    "12m": ("12 months", (300, 430), 365),
    "24m": ("24 months", (640, 820), 730),
}
AUGMENTATION: Final = ("VP", "KP", "VA")

_ACTIVE: Final = (
    "VERTOS V compared with an active anaesthetic infiltration, coded as sham. In INVEST controls could "
    "cross over after 1 month (51% at 3 months, 60% at 1 year); intention to treat."
)
_PRINTED_SCALE: Final = (
    "The retrieved text prints no scale for this pain score: shown in printed units, not pooled with "
    "other trials."
)
_RANDOMISED_N: Final = (
    "Patients at follow-up are not printed for Evans 2016; the numbers randomised stand in, so the "
    "interval is a little too narrow."
)
_CONFOUNDED: Final = (
    "Claims data: who is treated is not random and must survive until treatment (Gold 2023: 0.29 to "
    "1.81 by control group and time zero). Studies of the same Medicare years count once. Results "
    "without an interval, or with one too narrow for its printed digits, are listed and not pooled."
)
_DETECTION: Final = "How leakage was looked for (CT, radiographs) differs between studies."


def _times(question: Question, times: str) -> list[Question]:
    """The question at each time point of `WINDOWS` named in `times`."""
    out = []
    for time in times.split():
        words, window, day = WINDOWS[time]
        name, title = f"{question.id}_{time}", f"{question.title}, {words}"
        out.append(replace(question, id=name, title=title, window=window, target_day=day))
    return out


def _rate(
    name: str, title: str, treatment: str, *, outcome_family: str = "", note: str = ""
) -> Question:
    """A proportion; without `outcome_family` the name is `family_arm`."""
    return Question(
        id=name,
        title=title,
        outcome_family=outcome_family or name.rpartition("_")[0],
        treatment=treatment,
        comparator="",
        measure="PLO",
        designs=ANY_STUDY,
        unit="levels" if name.endswith("_levels") else "patients",
        note=note,
    )


_LEAKAGE: Final = {"outcome_family": "cement_leakage", "note": _DETECTION}
_EMBOLISM: Final = {"outcome_family": "pulmonary_cement_embolism"}
_RATES: Final = (
    _rate("leakage_vp", "Cement leakage after vertebroplasty, patients", "VP", **_LEAKAGE),
    _rate("leakage_vp_levels", "Cement leakage after vertebroplasty, levels", "VP", **_LEAKAGE),
    _rate("leakage_kp", "Cement leakage after kyphoplasty, patients", "KP", **_LEAKAGE),
    _rate("leakage_kp_levels", "Cement leakage after kyphoplasty, levels", "KP", **_LEAKAGE),
    _rate("leakage_vai_levels", "Cement leakage after implants, levels", "VAI", **_LEAKAGE),
    _rate("symptomatic_leakage_kp", "Symptomatic leakage after kyphoplasty", "KP"),
    _rate(
        "pulmonary_embolism_vp",
        "Pulmonary cement embolism on CT, vertebroplasty",
        "VP",
        **_EMBOLISM,
    ),
    _rate(
        "pulmonary_embolism_va", "Pulmonary cement embolism on CT, augmentation", "VA", **_EMBOLISM
    ),
    _rate("nerve_root_irritation_vp", "Nerve-root irritation after vertebroplasty", "VP"),
    _rate("infection_vp", "Infection after vertebroplasty", "VP"),
    _rate("new_vertebral_fracture_vp", "New vertebral fracture after vertebroplasty", "VP"),
    _rate("new_vertebral_fracture_kp", "New vertebral fracture after kyphoplasty", "KP"),
    _rate("adjacent_fracture_vp", "Adjacent fracture after vertebroplasty", "VP"),
    _rate("adjacent_fracture_kp", "Adjacent fracture after kyphoplasty", "KP"),
)

QUESTIONS: Final[tuple[Question, ...]] = (
    *_times(
        Question(
            "pain_vp_sham",
            "Pain, vertebroplasty against sham",
            outcome_family="pain",
            treatment="VP",
            comparator="SHAM",
            measure="MD",
            note=_ACTIVE,
        ),
        "1w 1m 3m 6m 12m 24m",
    ),
    Question(
        "fracture_vp_nsm",
        "New vertebral fracture, vertebroplasty against non-surgical care",
        "new_vertebral_fracture",
        "VP",
        "NSM",
        "OR",
        target_day=365,
        designs=(*RANDOMISED, "quasi_rct"),
        note="Follow-up of any length. The quasi-randomised trial counts refractures.",
    ),
    Question(
        "fracture_vp_sham",
        "New vertebral fracture, vertebroplasty against sham",
        "new_vertebral_fracture",
        "VP",
        "SHAM",
        "OR",
        target_day=365,
        note="Buchbinder 2009 counts symptomatic fractures, VERTOS IV radiographic ones.",
    ),
    *_times(
        Question(
            "pcs_kp_nsm",
            "SF-36 physical component, kyphoplasty against non-surgical care",
            outcome_family="physical_component",
            treatment="KP",
            comparator="NSM",
            measure="MD",
        ),
        "1m 6m 12m 24m",
    ),
    *_times(
        Question(
            "pain_kp_nsm",
            "Pain, kyphoplasty against non-surgical care",
            outcome_family="pain",
            treatment="KP",
            comparator="NSM",
            measure="MD",
            scale="printed",
            note=_PRINTED_SCALE,
        ),
        "12m 24m",
    ),
    Question(
        "pain_kp_vp_1w",
        "Pain, kyphoplasty against vertebroplasty, first 10 days",
        "pain",
        "KP",
        "VP",
        "SMD",
        window=(1, 10),
        target_day=7,
        designs=COMPARATIVE,
        missing_n="randomised",
        note=_RANDOMISED_N,
    ),
    *_times(
        Question(
            "pain_kp_vp",
            "Pain, kyphoplasty against vertebroplasty",
            outcome_family="pain",
            treatment="KP",
            comparator="VP",
            measure="MD",
            missing_n="randomised",
            note=_RANDOMISED_N,
        ),
        "1m 12m",
    ),
    Question(
        "fracture_kp_vp",
        "New vertebral fracture, kyphoplasty against vertebroplasty",
        "new_vertebral_fracture",
        "KP",
        "VP",
        "OR",
        target_day=365,
    ),
    Question(
        "adjacent_kp_vp",
        "Adjacent fracture, kyphoplasty against vertebroplasty",
        "adjacent_fracture",
        "KP",
        "VP",
        "OR",
        designs=COMPARATIVE,
    ),
    Question(
        "leakage_kp_vp_levels",
        "Cement leakage per level, kyphoplasty against vertebroplasty",
        "cement_leakage",
        "KP",
        "VP",
        "RR",
        designs=COMPARATIVE,
        unit="levels",
        note="Levels of one patient are counted as if they were independent. " + _DETECTION,
    ),
    Question(
        "leakage_kp_vp_patients",
        "Cement leakage per patient, kyphoplasty against vertebroplasty",
        "cement_leakage",
        "KP",
        "VP",
        "RR",
        designs=COMPARATIVE,
        note=_DETECTION,
    ),
    Question(
        "leakage_vai_kp_levels",
        "Cement leakage per level, implant against balloon kyphoplasty",
        "cement_leakage",
        "VAI",
        "KP",
        "RR",
        unit="levels",
        note="Levels of one patient are counted as if they were independent. " + _DETECTION,
    ),
    Question(
        "death_va_nsm_1y",
        "Death within 1 year, augmentation against non-surgical care (claims data)",
        "death",
        AUGMENTATION,
        "NSM",
        "HR",
        window=(300, 430),
        target_day=365,
        designs=OBSERVATIONAL,
        note=_CONFOUNDED,
    ),
    Question(
        "death_va_nsm_long",
        "Death within 3 to 10 years, augmentation against non-surgical care (claims data)",
        "death",
        AUGMENTATION,
        "NSM",
        "HR",
        window=(1000, 3700),
        designs=OBSERVATIONAL,
        note=_CONFOUNDED,
    ),
    Question(
        "death_vp_sham",
        "Death, vertebroplasty against sham",
        "death",
        "VP",
        "SHAM",
        "RR",
    ),
    *_RATES,
)
