"""Several answers side by side: the summary of findings, and the sections made of them."""

from collections.abc import Sequence
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
            "k": [numbers.count(a.k) for _, a in pairs],
            "size": [_measured(a) for _, a in pairs],
            "finding": [_words(q, a) for q, a in pairs],
            "limits": [joined(caveats(a), "; ") for _, a in pairs],
        }
    )
    frames = [
        a.pooled.to_frame(scale="natural").assign(question_id=a.question_id, title=a.title)
        for _, a in pairs
        if a.pooled is not None
    ]
    data = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame({"question_id": []})
    return TableBlock(
        name=name, shown=shown, data=data, caption=caption, labels=_LABELS, numeric=("k",)
    )


def _measured(answer: Answer) -> str:
    return (
        f"{answer.measure} {size(answer)}" if answer.comparator and answer.pooled else size(answer)
    )


def _words(question: Question, answer: Answer) -> Markup:
    said = [words for words in (direction(answer), against_worthwhile(question, answer)) if words]
    return joined(said, "; ")


def findings_section(
    *, order: int, title: str, stems: tuple[str, ...], intro: str, name: str
) -> Section:
    """A section made of the questions with these stems: intro, overview, then each analysis."""

    def build(study: Study) -> tuple[Block, ...]:
        pairs = study.about(*stems)
        assert pairs, f"no question for {title!r}"
        analyses = [block for pair in pairs for block in analysis_blocks(*pair)]
        overview = findings_table(pairs, name=f"overview_{name}", caption=f"{title}: overview")
        return (prose(intro), overview, *analyses)

    return Section(order=order, title=title, build=build)
