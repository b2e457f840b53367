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
    """One table per sheet, an anchor per row; on paper the rows that a result rests on."""
    literature = study.literature
    used = _used(study)
    labels = literature.studies.set_index("study_id")["label"]
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
        blocks += [Heading(title, f"sheet-{anchor(name)}"), Paper((table,), _on_paper(table, used))]
    return tuple(blocks)


def _on_paper(table: TableBlock, used: set[str]) -> tuple[Block, ...]:
    """The rows that a result rests on, without empty columns, and where all of them stand."""
    kept = table.shown[table.shown["row"].isin(used)]
    said = prose(
        "{kept} of {n} rows, those that a result of this report rests on; all of them stand on the page "
        "and in <code>{file}</code>.",
        kept=count(len(kept)), n=count(len(table.shown)), file=f"tables/{table.name}.csv",
    )  # fmt: skip
    if kept.empty:
        return (said,)
    return said, replace(table, shown=kept.loc[:, (kept != "").any()])


def _used(study: Study) -> set[str]:
    """Lines of the sheets behind an answer, a recomputed review or a smallest worthwhile change."""
    answers = [answer for _, answer in study.answers if len(answer.entered)]
    lines = {
        line for a in answers for joint in a.entered["source_lines"] for line in joint.split(", ")
    }
    studies = {name for answer in answers for name in answer.entered["study_id"]}
    again = study.reproduction.rows
    checked = again[again["verdict"] != "not_checkable"]
    studies |= set(checked["review_id"])
    sheets = study.literature.tables
    listed = sheets["studies"]
    inputs = sheets["review_inputs"]
    return {
        *lines,
        *checked["source_line"],
        *listed.loc[listed["study_id"].isin(studies), "source_line"],
        *inputs.loc[inputs["review_id"].isin(set(checked["review_id"])), "source_line"],
        *sheets["mcid"]["source_line"],
        *sheets["known_contradictions"]["source_line"],
    }


def _plain_source(rows: pd.DataFrame) -> "pd.Series[str]":
    address = "source_url" if "source_url" in rows.columns else "source"
    return rows[address].reset_index(drop=True)


SECTION = Section(order=95, title="Data rows", build=build)
