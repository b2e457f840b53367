"""Questions about one arm: how often something was reported after a treatment."""

from dataclasses import replace
from typing import Final

from vertebro_outcomes.meta_analysis.evidence import ANY_STUDY
from vertebro_outcomes.meta_analysis.question import Question

DETECTION: Final = "How leakage was looked for (CT, radiographs) differs between studies."


def rate(
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


_LEAKAGE: Final = {"outcome_family": "cement_leakage", "note": DETECTION}
_EMBOLISM: Final = {"outcome_family": "pulmonary_cement_embolism"}
RATES: Final = (
    rate("leakage_vp", "Cement leakage after vertebroplasty, patients", "VP", **_LEAKAGE),
    rate("leakage_vp_levels", "Cement leakage after vertebroplasty, levels", "VP", **_LEAKAGE),
    rate("leakage_kp", "Cement leakage after kyphoplasty, patients", "KP", **_LEAKAGE),
    rate("leakage_kp_levels", "Cement leakage after kyphoplasty, levels", "KP", **_LEAKAGE),
    rate("leakage_vai_levels", "Cement leakage after implants, levels", "VAI", **_LEAKAGE),
    rate("symptomatic_leakage_kp", "Symptomatic leakage after kyphoplasty", "KP"),
    rate(
        "pulmonary_embolism_vp",
        "Pulmonary cement embolism on CT, vertebroplasty",
        "VP",
        **_EMBOLISM,
    ),
    rate(
        "pulmonary_embolism_va", "Pulmonary cement embolism on CT, augmentation", "VA", **_EMBOLISM
    ),
    rate("nerve_root_irritation_vp", "Nerve-root irritation after vertebroplasty", "VP"),
    rate("infection_vp", "Infection after vertebroplasty", "VP"),
    rate("new_vertebral_fracture_vp", "New vertebral fracture after vertebroplasty", "VP"),
    rate("new_vertebral_fracture_kp", "New vertebral fracture after kyphoplasty", "KP"),
    rate("adjacent_fracture_vp", "Adjacent fracture after vertebroplasty", "VP"),
    rate("adjacent_fracture_kp", "Adjacent fracture after kyphoplasty", "KP"),
    rate("complication_any_vp", "Any complication after vertebroplasty", "VP"),
    rate(
        "decompression_vp",
        "Decompression for leaked cement, vertebroplasty",
        "VP",
        outcome_family="surgical_decompression_after_leak",
    ),
    rate(
        "symptomatic_embolism_vp",
        "Symptomatic pulmonary cement embolism, vertebroplasty",
        "VP",
        outcome_family="symptomatic_pulmonary_cement_embolism",
    ),
    rate(
        "embolism_device_vp",
        "Cement embolism recorded as an adverse event, vertebroplasty",
        "VP",
        outcome_family="cement_embolism_device_related",
    ),
    replace(
        rate(
            "death_30d_vp", "Death within 30 days of vertebroplasty", "VP", outcome_family="death"
        ),
        window=(1, 31),
        target_day=30,
    ),
)
RESPONSES: Final = (
    replace(
        rate(
            "responder_nrs_vp_1w",
            "Pain score below 4 two weeks after vertebroplasty",
            "VP",
            outcome_family="responder_nrs_lt4",
        ),
        window=(5, 16),
        target_day=14,
    ),
    rate(
        "mild_pain_nsm_12m",
        "Pain score 3 or less within a year of non-surgical care",
        "NSM",
        outcome_family="responder_vas_le3",
    ),
    rate(
        "half_relief_nsm_12m",
        "Pain halved in non-surgical care",
        "NSM",
        outcome_family="responder_vas_50pct",
    ),
)
