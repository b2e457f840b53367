"""Death: claims studies, and the sham trials."""

from vertebro_outcomes.meta_analysis.questions import Question
from vertebro_outcomes.report.findings import Topic


def _wanted(question: Question) -> bool:
    return question.outcome_family == "death" and bool(question.comparator)


TOPIC = Topic(
    order=60,
    name="mortality",
    title="Mortality",
    wanted=_wanted,
    asked="Do treated patients live longer?",
    intro="Claims studies compare patients who were treated with patients who were not; healthier "
    "patients are more likely to be treated, so a lower risk is no proof of benefit. A hazard ratio "
    "below one means fewer deaths after augmentation.",
)
SECTION = TOPIC.section()
