"""How the numbers were made, written from the results themselves."""

from typing import Final

import pandas as pd

from vertebro_outcomes.dialects import DIALECTS
from vertebro_outcomes.display.numbers import count
from vertebro_outcomes.measures import MEASURES
from vertebro_outcomes.meta_analysis.evidence import ANY_STUDY
from vertebro_outcomes.meta_analysis.questions import Question
from vertebro_outcomes.outcomes import FAMILIES
from vertebro_outcomes.report.analysis import analysis_anchor
from vertebro_outcomes.report.blocks import (
    Block,
    Heading,
    TableBlock,
    bound,
    bullets,
    joined,
    link,
    prose,
)
from vertebro_outcomes.report.section import Section
from vertebro_outcomes.report.study import Study
from vertebro_outcomes.report.wording import design_words, outcome_words
from vertebro_outcomes.vocabulary import TREATMENTS

_INTERVALS: Final = {
    "wald": "Wald-type",
    "hksj": "Hartung-Knapp-Sidik-Jonkman",
    "hksj_adhoc": "Hartung-Knapp-Sidik-Jonkman (never narrower than Wald-type)",
}
_LABELS: Final = {
    "question": "Question",
    "outcome": "Outcomes joined",
    "designs": "Designs",
    "days": "Days (nearest to)",
    "measure": "Measure",
    "unit": "Counted",
}


def build(study: Study) -> tuple[Block, ...]:
    """Selection, synthesis, words, and the questions as asked."""
    return (
        Heading("Which figures enter", "methods-selection"),
        bullets(
            [
                bound(
                    "Figures printed in publications were extracted row by row, with the place in "
                    "the source and a link; see {rows}.",
                    rows=link("#data-rows", "data rows"),
                ),
                bound(
                    "Every effect is treatment minus (or over) comparator. A printed difference "
                    "enters only if its direction is stated or can be inferred from the text; "
                    "inferred ones are marked."
                ),
                bound(
                    "One row per trial and question: companion reports are linked to their trial, "
                    "claims studies of the same records and years count once. Every row left out "
                    "is listed under its analysis with the reason."
                ),
                bound(
                    "Scores are brought to one scale per outcome only where the scale is printed. "
                    "Standard deviations are printed ones, or computed from a printed standard "
                    "error or interval, and then marked."
                ),
                bound(
                    "Where a paper prints a difference with its interval, the standard error is "
                    "taken from the width of the interval: limits shown here can differ from "
                    "printed ones in the last digit."
                ),
            ]
        ),
        Heading("How they are combined", "methods-synthesis"),
        *_synthesis(study),
        Heading("Words", "methods-words"),
        bullets(
            [bound("{code}: {words}", code=code, words=words) for code, words in TREATMENTS.items()]
        ),
        _questions(study),
    )


def _synthesis(study: Study) -> list[Block]:
    fits = study.fits
    many = [fit for fit in fits if fit.pools]
    methods = sorted({fit.method for fit in many})
    intervals = sorted({fit.ci for fit in many})
    levels = sorted({f"{100 * fit.level:g}%" for fit in fits})
    blocks: list[Block] = [
        prose(
            "{n} analyses pool two or more studies by inverse variance with random effects: "
            "between-study variance by {methods}, {intervals} intervals at {levels}. "
            "{one} analyses rest on one study, which is shown as it is.",
            n=count(len(many)),
            one=count(len(fits) - len(many)),
            methods=joined(methods),
            intervals=joined([_INTERVALS[ci] for ci in intervals]),
            levels=joined(levels),
        )
    ]
    for name in sorted({fit.dialect for fit in fits}):
        dialect = DIALECTS[name]
        blocks.append(
            prose(
                "{sentence} Source: {source}. Where an analysis states another choice, that holds.",
                sentence=dialect.sentence(),
                source=dialect.source,
            )
        )
    measures = sorted({fit.measure for fit in fits})
    items = [bound("{m}: {label}", m=m, label=MEASURES[m].label) for m in measures]
    blocks.append(prose("Measures: {items}.", items=joined(items, "; ")))
    return blocks


def _questions(study: Study) -> TableBlock:
    asked = study.questions
    shown = pd.DataFrame(
        {
            "question": [link(f"#{analysis_anchor(q)}", q.title) for q in asked],
            "outcome": [_outcomes(q) for q in asked],
            "designs": [_designs(q) for q in asked],
            "days": [_days(q) for q in asked],
            "measure": [q.measure for q in asked],
            "unit": [q.unit for q in asked],
        }
    )
    data = shown.assign(question=[q.id for q in asked])
    return TableBlock(
        name="questions", shown=shown, data=data, caption="Questions as asked", labels=_LABELS
    )


def _outcomes(question: Question) -> str:
    return "; ".join(map(outcome_words, FAMILIES[question.outcome_family]))


def _designs(question: Question) -> str:
    if set(question.designs) == set(ANY_STUDY):
        return "any"
    return "; ".join(map(design_words, question.designs))


def _days(question: Question) -> str:
    target = "" if question.target_day is None else f" ({count(question.target_day)})"
    if question.window is None:
        return f"any{target}"
    low, high = question.window
    return f"{count(low)} to {count(high)}{target}"


SECTION = Section(order=90, title="Methods", build=build)
