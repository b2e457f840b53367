"""The first page: what was found, in plain words, each number bound to its result."""

from typing import Final

from markupsafe import Markup

from vertebro_outcomes.display.numbers import count
from vertebro_outcomes.meta_analysis.questions import Question
from vertebro_outcomes.report.analysis import analysis_anchor
from vertebro_outcomes.report.blocks import Block, Heading, bound, bullets, joined, link, prose
from vertebro_outcomes.report.findings import findings_table
from vertebro_outcomes.report.section import Section
from vertebro_outcomes.report.study import Study
from vertebro_outcomes.report.wording import (
    against_worthwhile,
    caveats,
    direction,
    size,
    studies,
)
from vertebro_outcomes.results.answer import Answer

_TOPICS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("Does vertebroplasty relieve pain more than a sham procedure?", ("pain_vp_sham",)),
    ("Does vertebroplasty cause new fractures?", ("fracture_vp_nsm", "fracture_vp_sham")),
    ("Is kyphoplasty better than non-surgical care?", ("pcs_kp_nsm",)),
    (
        "Kyphoplasty or vertebroplasty?",
        ("pain_kp_vp", "fracture_kp_vp", "adjacent_kp_vp", "leakage_kp_vp_levels"),
    ),
    ("Do treated patients live longer?", ("death_va_nsm_1y", "death_va_nsm_long", "death_vp_sham")),
)


def build(study: Study) -> tuple[Block, ...]:
    """A question in plain words, then one line per answer; the table of findings at the end."""
    blocks: list[Block] = []
    for question, stems in _TOPICS:
        pairs = [pair for pair in study.about(*stems) if pair[1].pooled is not None]
        if pairs:
            blocks += [Heading(question, f"summary-{stems[0].replace('_', '-')}")]
            blocks.append(bullets([_line(*pair) for pair in pairs]))
    computed = sum(answer.pooled is not None for _, answer in study.answers)
    main = study.about(*(stem for _, stems in _TOPICS for stem in stems))
    blocks += [
        Heading("How far this carries", "summary-limits"),
        prose(
            "{n} of {total} questions could be answered at all with the figures at hand. No formal "
            "rating of certainty was made; the column Mind lists what limits each result, by rule: "
            "few studies, disagreement between them, no randomisation, figures not seen in the "
            "source text.",
            n=count(computed),
            total=count(len(study.answers)),
        ),
        findings_table(main, name="summary_of_findings", caption="Summary of findings"),
    ]
    return tuple(blocks)


def _line(question: Question, answer: Answer) -> Markup:
    limits = caveats(answer)
    said = [words for words in (direction(answer), against_worthwhile(question, answer)) if words]
    return bound(
        "{title}: <strong>{size}</strong> ({measure}, {k}); {said}.{mind}",
        title=link(f"#{analysis_anchor(question)}", answer.title),
        size=size(answer),
        measure=answer.measure,
        k=studies(answer),
        said=joined(said, "; "),
        mind=bound(" Mind: {limits}.", limits=joined(limits, "; ")) if limits else "",
    )


SECTION = Section(order=10, title="What was found", build=build)
