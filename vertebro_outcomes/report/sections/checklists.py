"""Reporting checklists: where each item is answered, or why it does not apply."""

from collections.abc import Mapping
from typing import Final

import pandas as pd

from vertebro_outcomes.report.blocks import Block, Heading, TableBlock, anchor, link, prose
from vertebro_outcomes.report.checklists import CHECKLISTS, Checklist
from vertebro_outcomes.report.section import Section, sections
from vertebro_outcomes.report.study import Study

_LABELS: Final = {"number": "Item", "topic": "About", "where": "Where"}


def build(study: Study) -> tuple[Block, ...]:
    """One table per checklist; an item that nothing answers stops the build."""
    empty = [item for checklist in CHECKLISTS for item in checklist.empty()]
    assert not empty, f"checklist items without an answer: {', '.join(empty)}"
    blocks: list[Block] = [
        prose(
            "What reporting guidelines ask for and where this report answers it. Topics are named in "
            "our own words; the guidelines explain what each item wants."
        )
    ]
    if study.settings.sections:
        blocks.append(
            prose("Some sections are left out of this report: items they answer have no link.")
        )
    titles = {section.identity: section.title for section in sections()}
    for checklist in CHECKLISTS:
        blocks += [
            Heading(checklist.name, f"checklist-{anchor(checklist.name)}"),
            *(
                (prose("Items by section of the statement; its numbers could not be read there."),)
                if not any(item.number[-1:].isdigit() for item in checklist.items)
                else ()
            ),
            _table(checklist, titles),
        ]
    return tuple(blocks)


def _table(checklist: Checklist, titles: Mapping[str, str]) -> TableBlock:
    rows = pd.DataFrame(
        {
            "number": [item.number for item in checklist.items],
            "topic": [item.topic for item in checklist.items],
            "where": [
                link(f"#{item.answered}", _words(item.answered, titles))
                if item.answered
                else f"{item.because[:1].upper()}{item.because[1:]}"
                for item in checklist.items
            ],
        }
    )
    data = rows.assign(where=[item.answered or item.because for item in checklist.items])
    return TableBlock(
        name=f"checklist_{anchor(checklist.name).replace('-', '_')}",
        shown=rows,
        data=data,
        caption=f"{checklist.name} ({checklist.source})",
        labels=_LABELS,
    )


# Places that are no section, by what stands there.
_PLACES: Final = {
    "headline-thin": "where the evidence is thin",
    "methods-selection": "which figures enter",
    "methods-synthesis": "how they are combined",
    "sheet-studies": "data rows: studies",
    "table-questions": "questions as asked",
    "table-pain_vp_sham_12m": "forest plots and tables of studies, such as pain against sham at a year",
}


def _words(target: str, titles: Mapping[str, str]) -> str:
    return titles[target] if target in titles else _PLACES[target]


SECTION = Section(order=93, title="Reporting checklists", build=build)
