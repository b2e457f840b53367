"""Pain after vertebroplasty against non-surgical care, by time point."""

from vertebro_outcomes.meta_analysis.questions import Question
from vertebro_outcomes.report.findings import Topic


def _wanted(question: Question) -> bool:
    return (
        question.outcome_family == "pain"
        and question.treatment == "VP"
        and question.comparator == "NSM"
    )


TOPIC = Topic(
    order=22,
    name="pain_vp_nsm",
    title="Pain: vertebroplasty against non-surgical care",
    wanted=_wanted,
    asked="Does vertebroplasty relieve pain more than usual care?",
    intro="Randomised trials against usual care. Patients knew what they had; part of a difference can be "
    "expectation. A negative difference is less pain after vertebroplasty.",
)
SECTION = TOPIC.section()
