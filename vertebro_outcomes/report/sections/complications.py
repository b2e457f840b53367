"""How often complications are reported: one arm, no comparison."""

from vertebro_outcomes.report.findings import findings_section

SECTION = findings_section(
    order=70,
    title="How often complications are reported",
    stems=(
        "leakage_vp",
        "leakage_vp_levels",
        "leakage_kp",
        "leakage_kp_levels",
        "leakage_vai_levels",
        "symptomatic_leakage_kp",
        "pulmonary_embolism_vp",
        "pulmonary_embolism_va",
        "nerve_root_vp",
        "infection_vp",
        "fracture_vp",
        "fracture_kp",
        "adjacent_vp",
        "adjacent_kp",
    ),
    name="complications",
    intro="Share of patients or levels of one treatment, pooled on the logit scale. Studies looked for "
    "complications in different ways and for different times: differences between treatments here "
    "are differences between studies.",
)
