"""Reporting checklists: where each item is answered, or why it does not apply."""

from typing import Final

import pandas as pd

from vertebro_outcomes.report.blocks import Block, Heading, TableBlock, anchor, link, prose
from vertebro_outcomes.report.checklists import CHECKLISTS, Checklist
from vertebro_outcomes.report.section import Section
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
    for checklist in CHECKLISTS:
        blocks += [
            Heading(checklist.name, f"checklist-{anchor(checklist.name)}"),
            _table(checklist),
        ]
    return tuple(blocks)


def _table(checklist: Checklist) -> TableBlock:
    rows = pd.DataFrame(
        {
            "number": [item.number for item in checklist.items],
            "topic": [item.topic for item in checklist.items],
            "where": [
                link(f"#{item.answered}", _words(item.answered))
                if item.answered
                else f"Not applicable: {item.because}"
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


def _words(target: str) -> str:
    text = target.removeprefix("table-").removeprefix("sheet-").removeprefix("methods-")
    return text.removeprefix("headline-").replace("-", " ").replace("_", " ")


SECTION = Section(order=93, title="Reporting checklists", build=build)
