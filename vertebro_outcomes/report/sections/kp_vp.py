"""Kyphoplasty against vertebroplasty: pain, fractures, leakage."""

from vertebro_outcomes.meta_analysis.questions import Question
from vertebro_outcomes.report.findings import Topic


def _wanted(question: Question) -> bool:
    return question.comparator in {"VP", "KP"}


TOPIC = Topic(
    order=50,
    name="kp_vp",
    title="Kyphoplasty against vertebroplasty",
    wanted=_wanted,
    asked="Kyphoplasty or vertebroplasty?",
    intro="Differences are kyphoplasty minus vertebroplasty, ratios kyphoplasty over vertebroplasty; "
    "the last analysis compares implants with balloon kyphoplasty.",
)
SECTION = TOPIC.section()
