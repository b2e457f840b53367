"""Several answers side by side: the summary of findings, and the sections made of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

import pandas as pd
from markupsafe import Markup

from vertebro_outcomes.display import numbers
from vertebro_outcomes.display.figures.columns import shortened
from vertebro_outcomes.display.figures.forest import forest
from vertebro_outcomes.display.figures.svg import save_svg
from vertebro_outcomes.meta_analysis.answer_variants import is_sister
from vertebro_outcomes.meta_analysis.questions import Question
from vertebro_outcomes.report.analysis import analysis_anchor, analysis_blocks, worthwhile_line
from vertebro_outcomes.report.blocks import Block, FigureBlock, TableBlock, joined, link, prose
from vertebro_outcomes.report.section import Section
from vertebro_outcomes.report.study import Study
from vertebro_outcomes.report.wording import against_worthwhile, caveats, direction, size
from vertebro_outcomes.results.answer import Answer

_LONGEST_LABEL: Final = 46  # with the number of studies behind it still whole
_FEWEST_ROWS: Final = 3  # fewer need no picture of their own
_LABELS: Final = {
    "question": "Question",
    "k": "Studies",
    "size": "Result (95% CI)",
    "finding": "In words",
    "limits": "Caution",
}


def findings_table(
    pairs: Sequence[tuple[Question, Answer]], *, name: str, caption: str, repeats: bool = False
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
        name=name,
        shown=shown,
        data=data,
        caption=caption,
        labels=_LABELS,
        numeric=("k", "size"),
        repeats=repeats,
    )


def _measured(answer: Answer) -> str:
    return (
        f"{answer.measure} {size(answer)}" if answer.comparator and answer.pooled else size(answer)
    )


def _words(question: Question, answer: Answer) -> Markup:
    said = [words for words in (direction(answer), against_worthwhile(question, answer)) if words]
    return joined(said, "; ")


def comparable(pairs: Sequence[tuple[Question, Answer]]) -> bool:
    """Whether the answers can stand on one axis: same measure, unit, treatments, or one-arm shares."""
    usable = [(q, a) for q, a in pairs if a.pooled is not None]
    kinds = {
        (
            a.measure,
            a.unit,
            *((q.outcome_family, a.treatment, a.comparator) if a.comparator else ()),
        )
        for q, a in usable
    }
    return len(kinds) == 1 and len(usable) >= _FEWEST_ROWS


def overview_figure(
    pairs: Sequence[tuple[Question, Answer]], *, name: str, title: str
) -> FigureBlock:
    """The answers of a topic on one axis, one row each."""
    usable = [(question, answer) for question, answer in pairs if answer.pooled is not None]
    question, answer = usable[0]
    stems = {a.title.rpartition(", ")[0] for _, a in usable}
    stem = stems.pop() if len(stems) == 1 else ""
    rows = pd.DataFrame([_overview_row(a, stem) for _, a in usable])
    least, legend = worthwhile_line(question, answer)
    axes = forest(
        rows,
        {"k": 0},
        measure=answer.measure,
        arms=(answer.treatment, answer.comparator) if answer.comparator else (),
        better=answer.better or None,
        unit=answer.unit,
        worthwhile=least,
        notes=legend,
        heading="When (studies)" if stem else "What (studies)",
    )
    figure = axes.get_figure(root=True)
    assert figure is not None
    said = "; ".join(f"{a.title}: {size(a)}" for _, a in usable)
    return FigureBlock(
        name=name,
        svg=save_svg(figure),
        alt=f"{title}, one row per analysis. {said}.",
        caption=f"{title}: the results of the analyses below, one row each.",
    )


def _overview_row(answer: Answer, stem: str) -> dict[str, object]:
    fit = answer.pooled
    assert fit is not None
    label = shortened(answer.title.removeprefix(f"{stem}, "), _LONGEST_LABEL)
    return {
        "study": f"{label[0].upper()}{label[1:]} ({numbers.count(answer.k)})",
        "effect": fit.natural(fit.estimate),
        "ci_low": fit.natural(fit.ci_low),
        "ci_high": fit.natural(fit.ci_high),
    }


def _note(question: Question, answer: Answer) -> str:
    """The note of the question with its numbers, which the answer has first among its notes."""
    return answer.notes[0] if question.note else ""


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
        notes = {_note(question, answer) for question, answer in pairs}
        shared = notes.pop() if len(notes) == 1 else ""
        blocks: list[Block] = [prose(self.intro)]
        blocks += [prose("{note}", note=shared)] if shared else []
        caption = f"{self.title}: overview"
        blocks.append(findings_table(pairs, name=f"overview_{self.name}", caption=caption))
        if comparable(pairs):
            blocks.append(overview_figure(pairs, name=f"overview_{self.name}", title=self.title))
        for question, answer in pairs:
            note = "" if shared else _note(question, answer)
            sisters = study.about(partial(is_sister, question))
            blocks += analysis_blocks(
                question, answer, note=note, answers=sisters, labels=study.labels,
                lines=study.study_lines,
            )  # fmt: skip
        return tuple(blocks)
