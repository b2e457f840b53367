"""Death: claims studies, and the sham trials."""

from vertebro_outcomes.report.findings import findings_section

SECTION = findings_section(
    order=60,
    title="Mortality",
    stems=("death_va_nsm_1y", "death_va_nsm_long", "death_vp_sham"),
    name="mortality",
    intro="Claims studies compare patients who were treated with patients who were not; healthier "
    "patients are more likely to be treated, so a lower risk is no proof of benefit. A hazard ratio "
    "below one means fewer deaths after augmentation.",
)
