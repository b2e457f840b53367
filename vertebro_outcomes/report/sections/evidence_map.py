"""Which trials there are, what they measured, what is missing."""

import re
from typing import Final

import pandas as pd

from vertebro_outcomes.display.figures.evidence_dots import evidence_dots
from vertebro_outcomes.display.figures.svg import axes_svg
from vertebro_outcomes.display.numbers import count
from vertebro_outcomes.meta_analysis.evidence_map import MAPPED
from vertebro_outcomes.report.blocks import Block, FigureBlock, TableBlock, bound, bullets, prose
from vertebro_outcomes.report.section import Section
from vertebro_outcomes.report.study import Study
from vertebro_outcomes.report.wording import design_words

_LABELS: Final = {
    "trial": "Trial",
    "design": "Design",
    "arms": "Arms: patients",
    "pain": "Pain",
    "disability": "Disability",
    "quality_of_life": "Quality of life",
    "new_fracture": "New fracture",
    "leakage": "Leakage",
    "death": "Death",
    "harms": "Harms",
}
_BRACE: Final = re.compile(r"\b(no|soft|rigid)brace\b")
# Two short lines fit over a column of dots.
_FIGURE_LABELS: Final = {name: label.replace(" ", "\n", 1) for name, label in _LABELS.items()}


def build(study: Study) -> tuple[Block, ...]:
    """A dot per trial and outcome, the same as a table, and what is missing in words."""
    table = study.evidence_map
    seen = table[(table[list(MAPPED)] != "").any(axis=1)]
    used = {name: int((table[name] == "used").sum()) for name in MAPPED}
    printed = {name: int((table[name] == "printed").sum()) for name in MAPPED}
    said = [
        bound(
            "{what}: used from {used}, printed but not usable in {printed}, nothing found for {missing} "
            "trials",
            what=_LABELS[name],
            used=count(used[name]),
            printed=count(printed[name]),
            missing=count(len(table) - used[name] - printed[name]),
        )
        for name in MAPPED
    ]
    return (
        prose(
            "{n} randomised or quasi-randomised trials are known to this report; some figure of at least "
            "one of these outcomes was found for {seen}. Most trials were read in abstracts and "
            "registers, so an empty cell says that no figure was at hand, not that none exists.",
            n=count(len(table)),
            seen=count(len(seen)),
        ),
        bullets(said),
        FigureBlock(
            name="evidence_map",
            svg=axes_svg(evidence_dots(seen, list(MAPPED), labels=_FIGURE_LABELS)),
            alt="Trials against outcomes. "
            + "; ".join(str(item.striptags()) for item in said)
            + ".",
            caption="What each trial measured, as far as it could be read. Trials without any are in "
            "the table.",
        ),
        _table(table),
    )


def _arms(text: str) -> str:
    """`VP:61|SHAM:59` as 'VP 61, SHAM 59'; an arm whose size is not known stands alone."""
    said = [arm.replace(":", " ").replace("_", " ").strip() for arm in text.split("|")]
    return ", ".join(_BRACE.sub(r"\1 brace", arm) for arm in said)


def _table(table: pd.DataFrame) -> TableBlock:
    shown = pd.DataFrame(
        {
            "trial": table["label"].tolist(),
            "design": table["design"].map(design_words).tolist(),
            "arms": table["arms"].fillna("").map(_arms).tolist(),
            **{name: table[name].tolist() for name in MAPPED},
        }
    )
    return TableBlock(
        name="evidence_map", shown=shown, data=table, caption="Evidence map", labels=_LABELS
    )


SECTION = Section(order=15, title="Evidence map", build=build)
