"""Pain after vertebroplasty against sham, by time point."""

from vertebro_outcomes.report.findings import findings_section

SECTION = findings_section(
    order=20,
    title="Pain: vertebroplasty against sham",
    stems=("pain_vp_sham",),
    name="pain_vp_sham",
    intro="Randomised trials in which neither patients nor assessors knew who had cement. Pain is on "
    "a scale from none to worst (zero to ten); a negative difference is less pain after "
    "vertebroplasty.",
)
