"""Kyphoplasty against non-surgical care: physical health and pain."""

from vertebro_outcomes.meta_analysis.questions import Question
from vertebro_outcomes.report.findings import Topic


def _wanted(question: Question) -> bool:
    return question.treatment == "KP" and question.comparator == "NSM"


TOPIC = Topic(
    order=40,
    name="kp_nsm",
    title="Kyphoplasty against non-surgical care",
    wanted=_wanted,
    asked="Is kyphoplasty better than non-surgical care?",
    intro="Open randomised trials: patients knew their treatment. A positive difference on the "
    "physical component is better health after kyphoplasty; a negative difference in pain is less "
    "pain.",
)
SECTION = TOPIC.section()
