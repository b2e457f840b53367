"""Every number of the structural model: value, unit, where it comes from, what it means."""

from dataclasses import dataclass
from typing import Final

import pandas as pd


@dataclass(frozen=True)
class Parameter:
    """One declared number; `source` is the row it was taken from (file:line), or "assumed"."""

    name: str
    value: float
    unit: str
    source: str
    meaning: str


_DECLARED: Final = (
    ("age_mean", 77.0, "years", "assumed", "mean age"),
    ("age_sd", 9.4, "years", "cohort_profile.csv:284", "SD of age"),
    ("female", 0.72, "", "assumed", "share of women"),
    ("bmi_mean", 25.5, "kg/m2", "assumed", "mean body mass index"),
    ("bmi_sd", 4.0, "kg/m2", "assumed", "SD of body mass index"),
    ("t_score_mean", -2.9, "SD", "assumed", "mean T score of the spine"),
    ("t_score_sd", 0.9, "SD", "assumed", "SD of the T score"),
    ("steroid", 0.12, "", "assumed", "takes glucocorticoids"),
    ("smoker", 0.068, "", "cohort_profile.csv:97", "smokes"),
    ("charlson_mean", 0.9, "", "assumed", "mean Charlson index; trials exclude the frail"),
    ("prior_mean", 0.65, "", "assumed", "mean number of earlier fractures"),
    ("drug", 0.4, "", "assumed", "takes a drug against osteoporosis"),
    ("malignant", 0.06, "", "assumed", "share of malignant fractures"),
    ("traumatic", 0.04, "", "assumed", "share of traumatic fractures"),
    ("fracture_age_median", 17.0, "days", "assumed", "median age of the fracture at day 0"),
    ("fracture_age_log_sd", 1.0, "", "assumed", "SD of its logarithm"),
    ("pain_mean", 7.5, "0-10", "assumed", "mean baseline pain"),
    ("pain_sd", 1.7, "0-10", "assumed", "SD of baseline pain"),
    ("second_level", 0.31, "", "cohort_profile.csv:59", "a neighbouring level is fractured too"),
    ("cleft", 0.2, "", "assumed", "intravertebral cleft"),
    ("vp_logit", -1.75, "", "assumed", "VP against NSM at average covariates"),
    ("kp_logit", -0.62, "", "assumed", "KP against NSM at average covariates"),
    ("choice_pain", 0.4, "per point", "assumed", "more pain, more often treated"),
    ("choice_age", -0.03, "per year", "assumed", "older, less often treated"),
    ("choice_charlson", -0.2, "per point", "assumed", "frailer, less often treated"),
    ("choice_fracture_age", -0.25, "per log", "assumed", "older fracture, less often treated"),
    ("choice_site", 0.4, "", "assumed", "step between sites in the use of VP and KP"),
    ("choice_hidden", 0.7, "per SD", "assumed", "unrecorded severity (scenario unmeasured)"),
    ("delay_mean", 12.0, "days", "assumed", "mean delay from presentation to procedure"),
    ("delay_mean_immortal", 60.0, "days", "assumed", "the same, scenario immortal_time"),
    ("pain_carry", 0.45, "", "assumed", "share of a baseline deviation found at later visits"),
    ("pain_person_sd", 1.3, "0-10", "assumed", "lasting differences between persons"),
    ("pain_visit_sd", 1.2, "0-10", "assumed", "variation between visits"),
    ("pain_fracture_age", 0.2, "per log", "assumed", "older fractures heal less"),
    ("pain_hidden", 0.7, "per SD", "assumed", "effect of unrecorded severity on pain"),
    ("effect_fracture_age", -0.15, "per log", "assumed", "smaller effect on older fractures"),
    ("death_year", 0.155, "per year", "assumed", "cumulative hazard at one year"),
    ("death_shape", 0.76, "", "assumed", "Weibull shape of death"),
    ("death_age", 0.05, "per year", "assumed", "log hazard ratio of death by age"),
    ("death_charlson", 0.2, "per point", "assumed", "log hazard ratio of death by Charlson index"),
    ("death_male", 0.3, "", "assumed", "log hazard ratio of death, men"),
    ("death_malignant", 1.2, "", "assumed", "log hazard ratio of death, malignant fracture"),
    ("death_hidden", 0.3, "per SD", "assumed", "log hazard ratio of unrecorded severity"),
    ("death_vp", -0.22, "", "assumed", "log hazard ratio of death, VP against NSM"),
    ("death_kp", -0.40, "", "assumed", "log hazard ratio of death, KP against NSM"),
    ("late_switch", 90.0, "days", "assumed", "hazards cross here (scenario nonproportional)"),
    ("late_early", -0.7, "", "assumed", "log hazard ratio before, scenario nonproportional"),
    ("late_after", 0.2, "", "assumed", "log hazard ratio after, scenario nonproportional"),
    ("fracture_year", 0.0072, "per year", "assumed", "hazard of one average vertebra"),
    ("fracture_shape", 0.8, "", "assumed", "Weibull shape of a new fracture"),
    ("fracture_adjacent", 3.2, "ratio", "assumed", "one vertebra away from index"),
    ("fracture_second", 1.6, "ratio", "assumed", "two vertebrae away from index"),
    ("fracture_disc_leak", 2.0, "ratio", "assumed", "adjacent level after leakage into the disc"),
    ("fracture_augmented", 1.1, "ratio", "assumed", "adjacent level after augmentation"),
    ("fracture_t_score", -0.25, "per SD", "assumed", "log hazard ratio per SD of T score"),
    ("fracture_prior", 0.2, "per fracture", "assumed", "log hazard ratio by earlier fractures"),
    ("cement_vp", 3.3, "ml", "assumed", "mean cement per level, VP"),
    ("cement_kp", 4.0, "ml", "assumed", "mean cement per level, KP"),
    ("cement_log_sd", 0.35, "", "assumed", "SD of log cement volume"),
    ("leak_vp", 0.76, "", "cohort_profile.csv:168", "leakage per level visible on CT, VP"),
    ("leak_kp", 0.45, "", "assumed", "leakage per level visible on CT, KP"),
    ("leak_cement", 0.3, "per log", "assumed", "more cement, more leakage (log odds)"),
    ("leak_cleft", -0.44, "", "cohort_profile.csv:167", "leakage with a cleft (log odds)"),
    ("ct_share", 0.25, "", "assumed", "patients examined by CT after the procedure"),
    ("seen_without_ct", 0.33, "", "cohort_profile.csv:209", "leaks seen without CT"),
    ("dropout_visit", 0.03, "", "assumed", "drops out between two visits"),
    ("dropout_observed", 0.10, "per point", "assumed", "by the last recorded pain (log odds)"),
    ("dropout_unobserved", 0.45, "per point", "assumed", "by the pain never recorded (mnar)"),
    ("missed_visit", 0.05, "", "assumed", "misses a single visit"),
)  # fmt: skip

PARAMETERS: Final[dict[str, Parameter]] = {row[0]: Parameter(*row) for row in _DECLARED}
VISITS: Final = (0, 1, 7, 30, 90, 180, 365, 730)
# Mean pain under NSM and the differences made by VP and KP, by visit (assumed).
NSM_PAIN: Final = (7.5, 6.9, 6.0, 4.8, 3.7, 3.3, 3.1, 3.0)
EFFECT: Final = {
    "VP": (0.0, -2.3, -2.0, -1.3, -0.8, -0.7, -0.6, -0.5),
    "KP": (0.0, -2.4, -2.2, -1.5, -1.0, -0.8, -0.7, -0.6),
}
# Intercept, slope on pain and visit SD of the other scores (assumed).
OTHER_SCORES: Final = {
    "odi": (8.0, 7.3, 8.0),
    "rmdq": (3.0, 2.0, 2.5),
    "eq5d": (0.97, -0.095, 0.09),
}
# Share of index fractures by level, T1 to L5: thoracolumbar peak (assumed).
LEVEL_SHARE: Final = (
    *(0.0, 0.0, 0.0, 0.01, 0.02, 0.03, 0.05, 0.06, 0.05, 0.05, 0.08, 0.17),
    *(0.21, 0.11, 0.08, 0.06, 0.02),
)
# Where cement leaks: disc, epidural, foraminal, venous, paravertebral (assumed).
LEAK_SITE_SHARE: Final = (0.31, 0.05, 0.02, 0.32, 0.30)
# 30-day probabilities under NSM, VP and KP, and the last day on which the event may happen (assumed).
EVENT_RISK: Final[dict[str, tuple[float, float, float, int]]] = {
    "symptomatic_leakage": (0.0, 0.012, 0.005, 2),
    "nerve_root_irritation": (0.0, 0.010, 0.006, 7),
    "pulmonary_cement_embolism": (0.0, 0.010, 0.006, 2),
    "infection": (0.0, 0.0032, 0.003, 30),
    "haematoma": (0.0, 0.006, 0.008, 3),
    "rib_fracture": (0.004, 0.010, 0.008, 30),
    "pneumonia": (0.030, 0.020, 0.020, 30),
    "urinary_tract_infection": (0.035, 0.025, 0.025, 30),
    "thrombosis": (0.009, 0.006, 0.006, 30),
}


def number(name: str) -> float:
    """The declared value of a parameter."""
    return PARAMETERS[name].value


def simulation_parameters() -> pd.DataFrame:
    """The declared numbers of the simulated registry.

    Returns
    -------
    DataFrame
        `name value unit source meaning`; `source` is a row of `data/raw/literature` (file:line) or
        "assumed".

    Examples
    --------
    >>> simulation_parameters().columns.tolist()
    ['name', 'value', 'unit', 'source', 'meaning']
    """
    return pd.DataFrame([vars(p) for p in PARAMETERS.values()])
