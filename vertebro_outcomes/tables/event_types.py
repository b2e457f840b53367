"""The closed word lists of a cohort: complications, score instruments, leakage sites, why absent."""

from dataclasses import dataclass
from typing import Final

from vertebro_outcomes.outcomes import OUTCOMES, Better, Outcome

EVENT_TYPES: Final[dict[str, str]] = {
    "cement_leakage": "cement outside the vertebral body, site not given",
    "cement_leakage_disc": "cement in the disc or through the endplate",
    "cement_leakage_epidural": "cement in the spinal canal",
    "cement_leakage_foraminal": "cement in a nerve-root foramen",
    "cement_leakage_venous": "cement in a vein (basivertebral, segmental, paravertebral)",
    "cement_leakage_paravertebral": "cement in the paravertebral soft tissue or a cortical defect",
    "symptomatic_leakage": "cement leakage with symptoms",
    "nerve_root_irritation": "radicular pain or sensory change after the procedure",
    "spinal_cord_compression": "compression of the cord or cauda equina",
    "neurological_deficit": "new weakness, paralysis or loss of sphincter control",
    "thecal_sac_injury": "injury of the dura",
    "decompression_surgery": "surgery for leaked cement or compression",
    "pulmonary_cement_embolism": "cement in the pulmonary arteries, with or without symptoms",
    "symptomatic_pulmonary_cement_embolism": "cement in the pulmonary arteries with symptoms",
    "pulmonary_embolism": "pulmonary embolism of thrombus or unknown material",
    "thrombosis": "deep vein thrombosis",
    "stroke": "cerebral ischaemia or bleeding",
    "haemorrhage": "bleeding that needed attention",
    "haematoma": "local bleeding under the skin or in muscle",
    "infection": "infection related to the procedure, site not given",
    "osteomyelitis": "infection of bone or disc",
    "urinary_tract_infection": "infection of the urinary tract",
    "rib_fracture": "fracture of a rib (positioning or pressure)",
    "other_fracture": "fracture outside spine and ribs",
    "fever": "temperature rise after the procedure",
    "anaphylaxis": "allergic shock or severe reaction to cement or contrast",
    "hypotension": "fall of blood pressure during or after cement injection",
    "cardiac": "cardiac event, kind not given",
    "myocardial_infarction": "myocardial infarction",
    "cardiac_arrest": "cardiac arrest",
    "arrhythmia": "rhythm disturbance, tachycardia",
    "respiratory": "respiratory event: hypoxia, failure",
    "pneumonia": "pneumonia",
    "procedural_pain": "pain at the puncture site or from the procedure",
    "pain_worsening": "more pain than before within hours to days of the procedure",
    "back_pain": "back pain reported as an adverse event",
    "chest_pain": "chest pain",
    "leg_pain": "thigh or leg pain",
    "new_vertebral_fracture": "new vertebral fracture reported as an event",
    "adjacent_fracture": "new fracture next to a treated level reported as an event",
    "treated_level_refracture": "recompression or further height loss of a treated level",
    "reoperation": "another spinal operation",
    "device_failure": "balloon rupture, needle or implant failure",
    "crossover": "change to the other treatment",
    "sepsis": "sepsis or septic shock",
    "pressure_ulcer": "pressure ulcer",
    "other_complication": "a complication of another kind",
    "serious_adverse_event": "serious adverse event, kind not given",
    "death": "death",
}

# Names under which the literature sheets and registries report the same event.
EVENT_ALIASES: Final[dict[str, str]] = {
    "cement_leakage_secondary_analysis": "cement_leakage",
    "cement_leaks_total_radiograph": "cement_leakage",
    "cement_leaks_total_ct": "cement_leakage",
    "ct_leak_seen_on_radiograph": "cement_leakage",
    "ct_leak_reported_in_dictation": "cement_leakage",
    "leakage": "cement_leakage",
    "cement_leak": "cement_leakage",
    "cement_leakage_endplate_disc": "cement_leakage_disc",
    "intradiscal_leakage": "cement_leakage_disc",
    "cement_leakage_spinal_canal": "cement_leakage_epidural",
    "cement_leaks_spinal_canal_seen_on_radiograph": "cement_leakage_epidural",
    "cement_leakage_paravertebral_vein": "cement_leakage_venous",
    "cement_leakage_prevertebral_venous": "cement_leakage_venous",
    "cement_leakage_basivertebral_vein": "cement_leakage_venous",
    "cement_leakage_segmental_vein": "cement_leakage_venous",
    "cement_leakage_cortical_defect": "cement_leakage_paravertebral",
    "radiculopathy": "nerve_root_irritation",
    "cord_compression": "spinal_cord_compression",
    "surgical_decompression_after_leak": "decompression_surgery",
    "cement_embolism_device_related": "pulmonary_cement_embolism",
    "cement_embolism": "pulmonary_cement_embolism",
    "symptomatic_pulmonary_embolism": "pulmonary_embolism",
    "hemorrhage": "haemorrhage",
    "bleeding": "haemorrhage",
    "hematoma": "haematoma",
    "haematoma_subcutaneous": "haematoma",
    "tachycardia": "arrhythmia",
    "cardiovascular_reaction_balloon_inflation": "cardiac",
    "myocardial_infarction_anaesthesia_related": "myocardial_infarction",
    "puncture_site_pain_or_cramping": "procedural_pain",
    "procedural_pain_ae": "procedural_pain",
    "procedural_pain_ae_device_related": "procedural_pain",
    "back_pain_ae": "back_pain",
    "back_pain_ae_device_related": "back_pain",
    "thigh_or_leg_pain": "leg_pain",
    "new_vertebral_fracture_ae": "new_vertebral_fracture",
    "new_vertebral_fracture_device_related": "new_vertebral_fracture",
    "symptomatic_vertebral_fracture_ae": "new_vertebral_fracture",
    "new_symptomatic_fracture": "new_vertebral_fracture",
    "new_radiographic_fracture": "new_vertebral_fracture",
    "new_fracture_associated_with_disc_leakage": "new_vertebral_fracture",
    "vertebral_refracture": "treated_level_refracture",
    "recompression_treated_vertebra": "treated_level_refracture",
    "further_height_loss": "treated_level_refracture",
    "further_height_loss_treated_vertebra": "treated_level_refracture",
    "surgery_for_prolonged_pain": "reoperation",
    "crossed_over_to_vp": "crossover",
    "complication_any": "other_complication",
    "complication": "other_complication",
    "procedure_related_sae": "serious_adverse_event",
    "device_related_sae": "serious_adverse_event",
    "serious_adverse_event_device_related": "serious_adverse_event",
    "serious_adverse_event_procedure_or_fracture_related": "serious_adverse_event",
    "acute_heart_failure": "cardiac",
    "cardiogenic_shock": "cardiac",
    "acute_respiratory_failure": "respiratory",
    "septic_shock": "sepsis",
    "revision_surgery": "reoperation",
    "adverse_event": "other_complication",
    "serious_clinical_adverse_event": "serious_adverse_event",
    "serious_clinical_complication": "serious_adverse_event",
    "died": "death",
}

LEAKAGE_SITES: Final = ("none", "disc", "epidural", "foraminal", "venous", "paravertebral")
FRACTURES: Final = ("fracture", "adjacent_fracture", "symptomatic_fracture")
DETECTION: Final = ("clinical", "fluoroscopy", "radiograph", "CT", "MRI")

# Why a value is absent. A blank without any mark is `missing`.
ABSENCE: Final[dict[str, str]] = {
    "missing": "expected and not recorded",
    "not_asked": "the question was not put (form not in use, visit not due)",
    "not_applicable": "the question does not apply to this patient",
    "dead": "the patient had died before it could be recorded",
}


@dataclass(frozen=True)
class Instrument:
    """A score: its scale, and which end is good.

    Parameters
    ----------
    low, high : float, optional
        Ends of the scale, both or neither.
    better : {"lower", "higher", ""}
        The good end; empty where neither is a benefit.
    label : str
        What tables and figures call it.
    worthwhile : float, optional
        Smallest worthwhile change, in points of the scale.
    unit : str
        Of a difference.

    Examples
    --------
    >>> Instrument(low=0, high=100, better="lower", label="headache score").high
    100
    """

    low: float | None = None
    high: float | None = None
    better: Better = ""
    label: str = ""
    worthwhile: float | None = None
    unit: str = "points"


_ONLY_IN_REGISTRIES: Final = {
    "leg_pain_vas": Instrument(0, 10, "lower", "leg pain, visual analogue scale"),
    "eq5d_vas": Instrument(0, 100, "higher", "EQ-5D own health today"),
    "sf12_mcs": Instrument(0, 100, "higher", "SF-12 mental component"),
    "coop_wonca": Instrument(6, 30, "lower", "COOP/WONCA charts, sum"),
    "promis_pf": Instrument(0, 100, "higher", "PROMIS physical function, T score"),
    "karnofsky": Instrument(0, 100, "higher", "Karnofsky performance status"),
}
_WIDER: Final = {"eq5d": (-1.0, 1.0)}  # the lowest index depends on the country's value set


def _instrument(outcome: Outcome) -> Instrument:
    low, high = _WIDER.get(outcome.name, (outcome.scale_min, outcome.scale_max))
    change = None if outcome.worthwhile is None else outcome.worthwhile.value
    return Instrument(low, high, outcome.better, outcome.label, change, outcome.unit)


INSTRUMENTS: Final[dict[str, Instrument]] = {
    **{name: _instrument(item) for name, item in OUTCOMES.items() if item.kind == "continuous"},
    **_ONLY_IN_REGISTRIES,
}
