"""The questions put to the published record, as data."""

from typing import Final

from vertebro_outcomes.meta_analysis.evidence import COMPARATIVE, OBSERVATIONAL, RANDOMISED
from vertebro_outcomes.meta_analysis.question import WINDOWS, Question, at_times
from vertebro_outcomes.meta_analysis.rate_questions import DETECTION, RATES, RESPONSES

__all__ = ["QUESTIONS", "WINDOWS", "Question"]

AUGMENTATION: Final = ("VP", "KP", "VA")

_ACTIVE: Final = (
    "VERTOS V compared with an active anaesthetic infiltration, coded as sham. In INVEST controls could "
    "cross over after a month ({crossed_over} did by one year, {comstock2013}); intention to treat."
)
_PRINTED_SCALE: Final = (
    "The retrieved text prints no scale for this pain score: shown in printed units, not pooled with "
    "other trials."
)
_RANDOMISED_N: Final = (
    "Where patients at follow-up are not printed, the numbers randomised stand in, so the interval is a "
    "little too narrow."
)
_CONFOUNDED: Final = (
    "Claims data: who is treated is not random and must survive until treatment. In one of "
    "them ({gold2023}) the hazard ratio of death runs from {lowest_death_hr} to {highest_death_hr}, as the "
    "control group and the start of the clock are chosen. Studies of the same "
    "Medicare years count once. Results without an interval, or with one too narrow for its printed "
    "digits, are listed and not pooled."
)


_VP_NSM: Final = at_times(
    Question(
        "pain_vp_nsm",
        "Pain, vertebroplasty against non-surgical care",
        outcome_family="pain",
        treatment="VP",
        comparator="NSM",
        measure="MD",
        note="Open trials: patients knew their treatment, which can make it look better.",
    ),
    "1w 1m 12m",
)
_FUNCTION: Final = at_times(
    Question(
        "rmdq_vp_sham",
        "Disability (Roland-Morris), vertebroplasty against sham",
        outcome_family="rmdq",
        treatment="VP",
        comparator="SHAM",
        measure="MD",
    ),
    "1m 12m",
)

QUESTIONS: Final[tuple[Question, ...]] = (
    *at_times(
        Question(
            "pain_vp_sham",
            "Pain, vertebroplasty against sham",
            outcome_family="pain",
            treatment="VP",
            comparator="SHAM",
            measure="MD",
            note=_ACTIVE,
        ),
        "1d 1w 1m 3m 6m 12m 24m",
    ),
    *_VP_NSM,
    *_FUNCTION,
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
        note="{buchbinder2009} counts symptomatic fractures, VERTOS IV radiographic ones.",
    ),
    *at_times(
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
    *at_times(
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
    *at_times(
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
        note="Levels of one patient are counted as if they were independent. " + DETECTION,
    ),
    Question(
        "leakage_kp_vp_patients",
        "Cement leakage per patient, kyphoplasty against vertebroplasty",
        "cement_leakage",
        "KP",
        "VP",
        "RR",
        designs=COMPARATIVE,
        note=DETECTION,
    ),
    Question(
        "leakage_vai_kp_levels",
        "Cement leakage per level, implant against balloon kyphoplasty",
        "cement_leakage",
        "VAI",
        "KP",
        "RR",
        unit="levels",
        note="Levels of one patient are counted as if they were independent. " + DETECTION,
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
    *RATES,
    *RESPONSES,
)
