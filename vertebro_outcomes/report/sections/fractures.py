"""New vertebral fractures after vertebroplasty against non-surgical care and sham."""

from vertebro_outcomes.report.findings import findings_section

SECTION = findings_section(
    order=30,
    title="New vertebral fractures after vertebroplasty",
    stems=("fracture_vp_nsm", "fracture_vp_sham"),
    name="fractures",
    intro="Does cement cause further fractures? Patients with at least one new vertebral fracture; an "
    "odds ratio above one means more fractures after vertebroplasty.",
)
