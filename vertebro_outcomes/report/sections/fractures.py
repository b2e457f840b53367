"""New vertebral fractures after vertebroplasty against non-surgical care and sham."""

from vertebro_outcomes.meta_analysis.questions import Question
from vertebro_outcomes.report.findings import Topic


def _wanted(question: Question) -> bool:
    return (
        "fracture" in question.outcome_family
        and question.treatment == "VP"
        and question.comparator in {"NSM", "SHAM"}
    )


TOPIC = Topic(
    order=30,
    name="fractures",
    title="New vertebral fractures after vertebroplasty",
    wanted=_wanted,
    asked="Does vertebroplasty cause new fractures?",
    intro="Does cement cause further fractures? Patients with at least one new vertebral fracture; an "
    "odds ratio above one means more fractures after vertebroplasty.",
)
SECTION = TOPIC.section()
