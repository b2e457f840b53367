"""Kyphoplasty against vertebroplasty: pain, fractures, leakage."""

from vertebro_outcomes.report.findings import findings_section

SECTION = findings_section(
    order=50,
    title="Kyphoplasty against vertebroplasty",
    stems=(
        "pain_kp_vp",
        "fracture_kp_vp",
        "adjacent_kp_vp",
        "leakage_kp_vp_levels",
        "leakage_kp_vp_patients",
        "leakage_vai_kp_levels",
    ),
    name="kp_vp",
    intro="Differences are kyphoplasty minus vertebroplasty, ratios kyphoplasty over vertebroplasty; "
    "the last analysis compares implants with balloon kyphoplasty.",
)
