"""How many patients are better, by stated definitions: one arm, no comparison."""

from vertebro_outcomes.meta_analysis.questions import Question
from vertebro_outcomes.report.findings import Topic


def is_response(question: Question) -> bool:
    """Whether a question asks for the share of patients who did well."""
    return question.outcome_family.startswith("responder")


TOPIC = Topic(
    order=68,
    name="responders",
    title="How many patients get better",
    wanted=is_response,
    intro="Share of patients of one treatment who met a definition of relief. Without a comparison group "
    "it says nothing about cause: fractures also heal by themselves.",
)
SECTION = TOPIC.section()
