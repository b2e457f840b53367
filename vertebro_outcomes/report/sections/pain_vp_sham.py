"""Pain after vertebroplasty against sham, by time point."""

from vertebro_outcomes.meta_analysis.questions import Question
from vertebro_outcomes.report.findings import Topic


def _wanted(question: Question) -> bool:
    return (
        question.outcome_family == "pain"
        and question.treatment == "VP"
        and question.comparator == "SHAM"
    )


TOPIC = Topic(
    order=20,
    name="pain_vp_sham",
    title="Pain: vertebroplasty against sham",
    wanted=_wanted,
    asked="Does vertebroplasty relieve pain more than a sham procedure?",
    intro="Randomised trials whose control patients had a sham procedure. Pain is on a scale from "
    "none to worst (zero to ten); a negative difference is less pain after vertebroplasty.",
)
SECTION = TOPIC.section()
