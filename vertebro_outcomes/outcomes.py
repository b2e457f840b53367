"""What is measured, on which scale, which way is better, and the smallest change worth having."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, Literal

Kind = Literal["continuous", "binary", "time_to_event", "ordinal", "count"]
Better = Literal["lower", "higher", ""]
Scale = tuple[float | None, float | None]  # lowest and highest value, None where not printed


@dataclass(frozen=True)
class WorthwhileChange:
    """A smallest worthwhile change as published: `study_id` and `outcome` name its row of mcid.csv."""

    value: float
    scale_min: float | None
    scale_max: float | None
    method: str
    study_id: str
    outcome: str


@dataclass(frozen=True)
class Outcome:
    """One thing that is measured.

    `family` joins names of one construct (`pain_nrs` belongs to `pain`); `better` is empty where
    neither direction is a benefit. `variants` are scales it is also printed on: a value on one of
    them is moved linearly to `scale_min`..`scale_max`. `same_scale` are printed limits that mean
    the canonical scale itself (EQ-5D: the lowest value depends on the value set).
    """

    name: str
    label: str
    family: str
    kind: Kind
    better: Better = ""
    scale_min: float | None = None
    scale_max: float | None = None
    unit: str = ""
    worthwhile: WorthwhileChange | None = None
    variants: tuple[Scale, ...] = ()
    same_scale: tuple[Scale, ...] = ()

    def factor(self, scale_min: float | None, scale_max: float | None) -> float | None:
        """What a difference or SD on the printed scale is multiplied by; None if not declared."""
        printed = (scale_min, scale_max)
        if printed == (self.scale_min, self.scale_max) or printed in self.same_scale:
            return 1.0
        if printed not in self.variants:
            return None
        ours, theirs = (self.scale_min, self.scale_max), printed
        if ours[0] is None or ours[1] is None or theirs[0] is None or theirs[1] is None:
            return None
        return (ours[1] - ours[0]) / (theirs[1] - theirs[0])

    def rescale(
        self,
        value: float,
        *,
        scale_min: float | None,
        scale_max: float | None,
        of: Literal["score", "difference"] = "score",
    ) -> float:
        """A value printed on `scale_min`..`scale_max`, on the canonical scale; NaN if undeclared.

        Examples
        --------
        >>> OUTCOMES["rmdq"].rescale(11.5, scale_min=0, scale_max=23)
        12.0
        """
        factor = self.factor(scale_min, scale_max)
        if factor is None:
            return float("nan")
        if factor == 1.0 or of == "difference":
            return value * factor
        assert self.scale_min is not None
        assert scale_min is not None
        return self.scale_min + (value - scale_min) * factor


def _label(name: str) -> str:
    return name.removesuffix("_ae").replace("_", " ")


def _plain(names: str, kind: Kind, better: Better = "", family: str = "") -> list[Outcome]:
    return [Outcome(name, _label(name), family or name, kind, better) for name in names.split()]


_PAIN_CHANGE: Final = WorthwhileChange(
    1.5, 0, 10, "between-group difference used for sample size", "blasco2012", "pain_vas"
)
_NRS_CHANGE: Final = WorthwhileChange(
    2,
    0,
    10,
    "ROC 1.3-1.8 against global impression of change, rounded up",
    "suzuki2020",
    "pain_nrs",
)
_ODI_CHANGE: Final = WorthwhileChange(10, 0, 100, "non-inferiority margin", "pmid25471910", "odi")
_EQ5D_CHANGE: Final = WorthwhileChange(
    0.074,
    -0.59,
    1,
    "anchor-based mean over 11 patient groups (range -0.011 to 0.140)",
    "walters2005",
    "eq5d",
)
_SF6D_CHANGE: Final = WorthwhileChange(
    0.041,
    0.29,
    1,
    "anchor-based mean over 11 patient groups (range 0.011 to 0.097)",
    "walters2005",
    "sf6d",
)
_PCS_CHANGE: Final = WorthwhileChange(
    3.29,
    None,
    None,
    "anchor-based change difference (other methods 0.56, 2.71, 1.14)",
    "sf12_lbp",
    "sf12_pcs",
)
_COMI_CHANGE: Final = WorthwhileChange(
    2.2, 0, 10, "ROC individual improvement", "pmc2899314", "comi"
)

_PAIN: Final = Outcome(
    name="pain_vas",
    label="pain, visual analogue scale",
    family="pain",
    kind="continuous",
    better="lower",
    scale_min=0,
    scale_max=10,
    unit="points",
    worthwhile=_PAIN_CHANGE,
    variants=((0, 100),),
)
_PCS: Final = Outcome(
    "sf36_pcs",
    "SF-36 physical component",
    "physical_component",
    "continuous",
    "higher",
    0,
    100,
    "points",
    worthwhile=_PCS_CHANGE,
)


def _score(
    name: str,
    label: str,
    better: Better,
    scale: Scale,
    *,
    unit: str = "points",
    worthwhile: WorthwhileChange | None = None,
) -> Outcome:
    return Outcome(name, label, name, "continuous", better, *scale, unit, worthwhile)


_SCORES: Final = [
    _PAIN,
    replace(_PAIN, name="pain_nrs", label="pain, numeric rating", worthwhile=_NRS_CHANGE),
    replace(_PAIN, name="pain_0_10", label="pain, 0 to 10"),
    _score("odi", "Oswestry Disability Index", "lower", (0, 100), worthwhile=_ODI_CHANGE),
    replace(
        _score("rmdq", "Roland-Morris Disability Questionnaire", "lower", (0, 24)),
        variants=((0, 23), (0, 100)),
    ),
    replace(
        _score("eq5d", "EQ-5D", "higher", (-0.59, 1), unit="utility", worthwhile=_EQ5D_CHANGE),
        same_scale=((None, 1), (0, 1)),
    ),
    _score("sf6d", "SF-6D", "higher", (0.29, 1), unit="utility", worthwhile=_SF6D_CHANGE),
    _PCS,
    replace(_PCS, name="sf12_pcs", label="SF-12 physical component"),
    _score("sf36_mcs", "SF-36 mental component", "higher", (0, 100)),
    _score("sf36_vitality", "SF-36 vitality", "higher", (0, 100)),
    _score("sf36_total", "SF-36 total", "higher", (None, None)),
    _score("qualeffo", "QUALEFFO", "lower", (0, 100)),
    _score("comi", "Core Outcome Measures Index", "lower", (0, 10), worthwhile=_COMI_CHANGE),
    _score("pain_von_korff", "pain, von Korff", "lower", (0, 100)),
    _score("disability_von_korff", "disability, von Korff", "lower", (0, 100)),
    _score("adl_hannover", "Hannover ADL", "higher", (0, 100)),
    _score("pain_score", "pain score 0 to 25", "lower", (0, 25)),
    _score("physical_function_score", "physical function 0 to 20", "higher", (0, 20)),
    _score("opaq_body_image", "OPAQ body image", "", (1, 5)),
    _score("timed_up_and_go_s", "timed up and go", "lower", (None, None), unit="s"),
    _score("qaly", "quality-adjusted life years", "higher", (None, None), unit="years"),
]

_LOWER_IS_BETTER: Final = """
    disability disability_as_pooled quality_of_life_unspecified ambulation_status_score analgesic_days
    days_limited_activity hospital_stay_days kyphosis_angle_deg kyphotic_wedge_angle
    vertebral_angle_deg height_loss_pct vertebral_height_loss_pct vertebral_height_lost_mm
    anterior_height_loss_pct vertebral_compression_rate_pct procedure_minutes blood_loss_ml
    cost_10000_cny weeks_to_normal_life_or_work adjacent_fracture_annual_rate_pct
"""
_HIGHER_IS_BETTER: Final = """
    anterior_height_improvement_pct posterior_height_improvement_pct anterior_height_mm
    middle_height_mm posterior_height_mm vertebral_height_mm vertebral_height_recovery_mm
    vertebral_height_restoration_mm midline_vertebral_height_restoration_mm anterior_vertebral_height
    middle_vertebral_height central_vertebral_height posterior_vertebral_height vertebral_body_height
    kyphosis_correction_deg kyphosis_correction_pct kyphosis_recovery_rate_pct kyphosis_rate_pct
    kyphosis_angle_recovery fracture_free_rate_pct fracture_free_interval_months function
    quality_of_life pain_relief pain_vas_improvement_pct pain_vas_pct_decrease days_of_activity_gained
"""
_NEITHER: Final = """
    age_years bmd_t_score symptom_duration_weeks symptom_duration_days pain_duration_days
    months_since_fracture_at_followup cement_volume_ml cement_volume euroqol_as_printed sof6_adl
    pain_nrs_recovery_cutoff rmdq_recovery_cutoff new_fracture_adjacent_share
"""
_NEW_FRACTURE: Final = """
    new_vertebral_fracture new_radiographic_fracture new_symptomatic_fracture vertebral_refracture
"""
_HARMS: Final = """
    nonadjacent_fracture new_vertebral_fracture_ae symptomatic_vertebral_fracture_ae
    new_vertebral_fracture_device_related new_vertebral_fracture_adjacent_share
    new_vertebral_fracture_symptomatic_share new_fracture_associated_with_disc_leakage
    adjacent_fracture_given_thoracolumbar_prevalent_and_new_fracture second_major_osteoporotic_fracture
    further_height_loss further_height_loss_treated_vertebra recompression_treated_vertebra
    cement_leakage_disc cement_leakage_endplate_disc cement_leakage_venous
    cement_leakage_prevertebral_venous cement_leakage_segmental_vein cement_leakage_basivertebral_vein
    cement_leakage_paravertebral cement_leakage_paravertebral_vein cement_leakage_epidural
    cement_leakage_spinal_canal cement_leakage_cortical_defect cement_leakage_secondary_analysis
    cement_leaks_spinal_canal_seen_on_radiograph cement_leaks_total_ct cement_leaks_total_radiograph
    ct_leak_reported_in_dictation ct_leak_seen_on_radiograph symptomatic_leakage
    surgical_decompression_after_leak pulmonary_cement_embolism symptomatic_pulmonary_cement_embolism
    symptomatic_pulmonary_embolism cement_embolism_device_related nerve_root_irritation
    neurological_deficit spinal_cord_compression thecal_sac_injury infection osteomyelitis
    haematoma_subcutaneous haemorrhage rib_fracture fever anaphylaxis urinary_tract_infection
    cardiac_arrest cardiovascular_reaction_balloon_inflation myocardial_infarction
    myocardial_infarction_anaesthesia_related acute_heart_failure cardiogenic_shock tachycardia
    acute_respiratory_failure pneumonia sepsis septic_shock pressure_ulcer chest_pain
    thigh_or_leg_pain puncture_site_pain_or_cramping procedural_pain_ae
    procedural_pain_ae_device_related back_pain_ae back_pain_ae_device_related complication_any
    adverse_event serious_adverse_event serious_adverse_event_device_related
    serious_adverse_event_procedure_or_fracture_related procedure_related_sae device_related_sae
    serious_clinical_adverse_event serious_clinical_complication revision_surgery
    surgery_for_prolonged_pain rehospitalisation_any rehospitalisation_fracture_related adl_reduction
    insufficient_relief persistent_pain_nrs_ge4 persistent_pain_vas_gt3 pain_vas_ge_4
    chronic_back_pain_vas_ge7 persistent_disability_rmdq_ge10
"""
_RESPONSES: Final = """
    responder_nrs_lt4 responder_pain_30pct responder_vas_50pct responder_vas_le3 responder_vas_le_3
    responder_pain_relief responder_some_pain_relief responder_activity responder_analgesic_use
    responder_composite_endpoint ceased_all_analgesia satisfied survival_3y
    spontaneous_pain_relief_before_randomisation
"""
_COURSE: Final = """
    completed_followup followed_up withdrawn withdrew lost_to_follow_up crossover crossed_over_to_VP
    believed_cement_given receives_augmentation
"""


def _by_name(outcomes: Iterable[Outcome]) -> dict[str, Outcome]:
    out: dict[str, Outcome] = {}
    for outcome in outcomes:
        assert outcome.name not in out, outcome.name
        out[outcome.name] = outcome
    return out


OUTCOMES: Final[dict[str, Outcome]] = _by_name(
    [
        *_SCORES,
        *_plain(_LOWER_IS_BETTER, "continuous", "lower"),
        *_plain(_HIGHER_IS_BETTER, "continuous", "higher"),
        *_plain(_NEITHER, "continuous"),
        *_plain(_NEW_FRACTURE, "binary", "lower", "new_vertebral_fracture"),
        *_plain("adjacent_fracture", "binary", "lower"),
        *_plain("cement_leakage", "binary", "lower"),
        *_plain("death", "binary", "lower"),
        *_plain("time_to_new_clinical_fracture", "time_to_event", "higher"),
        *_plain(_HARMS, "binary", "lower"),
        *_plain(_RESPONSES, "binary", "higher"),
        *_plain(_COURSE, "binary"),
        *_plain("included_studies included_studies_new_vertebral_fracture", "count"),
    ]
)
FAMILIES: Final[dict[str, tuple[str, ...]]] = {
    family: tuple(name for name, outcome in OUTCOMES.items() if outcome.family == family)
    for family in {outcome.family: None for outcome in OUTCOMES.values()}
}


def family_outcome(family: str) -> Outcome:
    """The outcome whose scale, unit and label stand for a family: `family_outcome("pain")`."""
    return OUTCOMES[FAMILIES[family][0]]
