"""Every row of the raw sheets, with locator and link: where each number of the report comes from."""

from dataclasses import replace
from typing import Final

import pandas as pd

from vertebro_outcomes.display.numbers import count
from vertebro_outcomes.report.blocks import Block, Heading, Paper, TableBlock, anchor, prose
from vertebro_outcomes.report.rows import sheet_table
from vertebro_outcomes.report.section import Section
from vertebro_outcomes.report.study import Study

_SHEETS: Final[dict[str, str]] = {
    "studies": "Studies",
    "contrasts": "Printed differences and ratios",
    "arm_binary": "Events of arms",
    "arm_continuous": "Means of arms",
    "pooled_published": "Pooled results of published reviews",
    "review_inputs": "Study inputs printed by reviews",
    "mcid": "Smallest worthwhile changes",
    "known_contradictions": "Contradictions noted at extraction",
}
_LABELS: Final = {
    "row": "Row",
    "study": "Study",
    "printed": "As extracted",
    "where": "Where in the source",
    "source": "Source",
    "verification": "Check",
}


def build(study: Study) -> tuple[Block, ...]:
    """One table per sheet, an anchor per row; on paper the rows that the report refers to."""
    literature = study.literature
    labels = study.labels
    blocks: list[Block] = [
        prose(
            "The sheets in <code>data/raw/literature</code>, row by row, as they were extracted. "
            "<em>seen</em>: read in the source named; <em>corroborated</em>: recalled, not read in a "
            "retrieved text, but entering it gives exactly a printed result that was read. A row "
            "number is the line of the CSV file."
        )
    ]
    for name, title in _SHEETS.items():
        shown = sheet_table(name, literature.tables[name], labels)
        data = shown.drop(columns="anchor").assign(source=_plain_source(literature.tables[name]))
        table = TableBlock(
            name=f"sheet_{name}",
            shown=shown,
            data=data,
            caption=f"{title}: {name}.csv",
            labels=_LABELS,
            row_ids="anchor",
        )
        blocks += [Heading(title, f"sheet-{anchor(name)}"), Paper((table,), _on_paper(table))]
    return tuple(blocks)


def _on_paper(table: TableBlock) -> tuple[Block, ...]:
    """The rows that something in the report refers to, without empty columns; and where all stand."""
    said = prose(
        "Of {n} rows those that this report refers to; all of them stand in the HTML report and in "
        "<code>{file}</code>.",
        n=count(len(table.shown)), file=f"tables/{table.name}.csv",
    )  # fmt: skip
    filled = (table.shown != "").any()
    return said, replace(table, shown=table.shown.loc[:, filled], cited_only=True)


def _plain_source(rows: pd.DataFrame) -> "pd.Series[str]":
    address = "source_url" if "source_url" in rows.columns else "source"
    return rows[address].reset_index(drop=True)


SECTION = Section(order=95, title="Data rows", build=build)
