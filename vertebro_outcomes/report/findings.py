"""Several answers side by side: the summary of findings, and the sections made of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import pandas as pd
from markupsafe import Markup

from vertebro_outcomes.display import numbers
from vertebro_outcomes.meta_analysis.questions import Question
from vertebro_outcomes.report.analysis import analysis_anchor, analysis_blocks
from vertebro_outcomes.report.blocks import Block, TableBlock, joined, link, prose
from vertebro_outcomes.report.section import Section
from vertebro_outcomes.report.study import Study
from vertebro_outcomes.report.wording import against_worthwhile, caveats, direction, size
from vertebro_outcomes.results.answer import Answer

_LABELS: Final = {
    "question": "Question",
    "k": "Studies",
    "size": "Result (95% CI)",
    "finding": "In words",
    "limits": "Mind",
}


def findings_table(
    pairs: Sequence[tuple[Question, Answer]], *, name: str, caption: str
) -> TableBlock:
    """One row per question: result, words, limits, link to the analysis."""
    shown = pd.DataFrame(
        {
            "question": [link(f"#{analysis_anchor(q)}", a.title) for q, a in pairs],
            "size": [_measured(a) for _, a in pairs],
            "finding": [_words(q, a) for q, a in pairs],
            "limits": [joined(caveats(a), "; ") for _, a in pairs],
            "k": [numbers.count(a.k) for _, a in pairs],
        }
    )
    shown = shown.loc[:, (shown != "").any()]
    frames = [
        a.pooled.to_frame(scale="natural").assign(question_id=a.question_id, title=a.title)
        for _, a in pairs
        if a.pooled is not None
    ]
    data = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame({"question_id": []})
    return TableBlock(
        name=name, shown=shown, data=data, caption=caption, labels=_LABELS, numeric=("k", "size")
    )


def _measured(answer: Answer) -> str:
    return (
        f"{answer.measure} {size(answer)}" if answer.comparator and answer.pooled else size(answer)
    )


def _words(question: Question, answer: Answer) -> Markup:
    said = [words for words in (direction(answer), against_worthwhile(question, answer)) if words]
    return joined(said, "; ")


@dataclass(frozen=True)
class Topic:
    """Questions that belong together: a section of the report, and a part of its first page.

    `wanted` picks them, so that a new question finds its section by itself. `asked` is the topic as
    a patient or clinician would ask it; without it the first page leaves the topic out.
    """

    order: int
    name: str
    title: str
    wanted: Callable[[Question], bool]
    intro: str
    asked: str = ""

    def section(self) -> Section:
        """Intro, overview, then each analysis."""
        return Section(order=self.order, title=self.title, build=self.build)

    def build(self, study: Study) -> tuple[Block, ...]:
        """The blocks of the section; a note that all questions share is printed once."""
        pairs = study.about(self.wanted)
        assert pairs, f"no question for {self.title!r}"
        notes = {question.note for question, _ in pairs}
        shared = notes.pop() if len(notes) == 1 else ""
        blocks: list[Block] = [prose(self.intro)]
        blocks += [prose("{note}", note=shared)] if shared else []
        caption = f"{self.title}: overview"
        blocks.append(findings_table(pairs, name=f"overview_{self.name}", caption=caption))
        for question, answer in pairs:
            note = "" if shared else question.note
            blocks += analysis_blocks(question, answer, note=note)
        return tuple(blocks)
