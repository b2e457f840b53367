"""How often complications are reported: one arm, no comparison."""

from vertebro_outcomes.meta_analysis.questions import Question
from vertebro_outcomes.report.findings import Topic
from vertebro_outcomes.report.sections.responders import is_response


def _wanted(question: Question) -> bool:
    return not question.comparator and not is_response(question)


TOPIC = Topic(
    order=70,
    name="complications",
    title="How often complications are reported",
    wanted=_wanted,
    intro="Share of patients or levels of one treatment, pooled on the logit scale. Studies looked for "
    "complications in different ways and for different times: differences between treatments here "
    "are differences between studies.",
)
SECTION = TOPIC.section()
