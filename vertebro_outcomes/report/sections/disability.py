"""Disability after vertebroplasty against sham."""

from vertebro_outcomes.meta_analysis.questions import Question
from vertebro_outcomes.report.findings import Topic


def _wanted(question: Question) -> bool:
    return question.outcome_family in {"rmdq", "odi"} and bool(question.comparator)


TOPIC = Topic(
    order=25,
    name="disability",
    title="Disability: vertebroplasty against sham",
    wanted=_wanted,
    asked="Does vertebroplasty reduce disability?",
    intro="Roland-Morris Disability Questionnaire, from none (zero) to twenty-four points; a negative "
    "difference is less disability after vertebroplasty.",
)
SECTION = TOPIC.section()
