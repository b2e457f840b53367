"""Kyphoplasty against non-surgical care: physical health and pain."""

from vertebro_outcomes.report.findings import findings_section

SECTION = findings_section(
    order=40,
    title="Kyphoplasty against non-surgical care",
    stems=("pcs_kp_nsm", "pain_kp_nsm"),
    name="kp_nsm",
    intro="Open randomised trials: patients knew their treatment. A positive difference on the "
    "physical component is better health after kyphoplasty; a negative difference in pain is less "
    "pain.",
)
