"""The first page: what was found, in plain words, each number bound to its result."""

from vertebro_outcomes.discover import declarations
from vertebro_outcomes.display.numbers import count
from vertebro_outcomes.report.blocks import Block, Heading, anchor, prose
from vertebro_outcomes.report.findings import Topic, findings_table
from vertebro_outcomes.report.section import Section
from vertebro_outcomes.report.study import Study
from vertebro_outcomes.report.wording import tally


def build(study: Study) -> tuple[Block, ...]:
    """A question in plain words, a sentence that counts the answers, and the answers."""
    computed = sum(answer.pooled is not None for _, answer in study.answers)
    blocks: list[Block] = [
        prose(
            "{n} of the {total} questions asked could be answered with the figures at hand. No "
            "formal rating of certainty was made; the column Mind lists what limits each result, "
            "by rule: few studies, disagreement between them, no randomisation, figures not seen "
            "in the source text.",
            n=count(computed),
            total=count(len(study.answers)),
        )
    ]
    for topic in _topics():
        pairs = study.about(topic.wanted)
        blocks += [
            Heading(topic.asked, f"summary-{anchor(topic.name)}"),
            prose("{said}", said=tally(pairs)),
            findings_table(pairs, name=f"summary_{topic.name}", caption=topic.asked),
        ]
    return tuple(blocks)


def _topics() -> list[Topic]:
    found: list[Topic] = declarations("vertebro_outcomes.report.sections", "TOPIC")
    return sorted((topic for topic in found if topic.asked), key=lambda topic: topic.order)


SECTION = Section(order=10, title="What was found", build=build)
