"""Pooled numbers of published reviews, computed again."""

from typing import Final

import pandas as pd

from vertebro_outcomes.display import numbers
from vertebro_outcomes.report.blocks import Block, Fold, TableBlock, prose
from vertebro_outcomes.report.rows import row_link
from vertebro_outcomes.report.section import Section
from vertebro_outcomes.report.study import Study
from vertebro_outcomes.results.reproduction import WORDS

_LABELS: Final = {
    "review": "Review",
    "what": "Outcome",
    "measure": "Measure",
    "published": "Published",
    "recomputed": "Recomputed",
    "verdict": "Verdict",
    "reason": "Why",
    "row": "Row",
}


def build(study: Study) -> tuple[Block, ...]:
    """What came out, what did not and why; then what would be needed for the rest."""
    found = study.reproduction
    labels = study.literature.studies.set_index("study_id")["label"]
    rows = found.rows
    checked = rows["verdict"] != "not_checkable"
    counts = found.counts
    return (
        prose(
            "Reviews print {n} pooled or summary numbers in these sheets. For {checked} of them the "
            "study numbers are at hand: {same} come out, {other} come out only with another "
            "specification or a change in the study numbers, {never} do not. For the rest the table "
            "below says what a reviewer would have to extract.",
            n=numbers.count(len(rows)),
            checked=numbers.count(int(checked.sum())),
            same=numbers.count(counts["reproduced"]),
            other=numbers.count(counts["reproduced_otherwise"]),
            never=numbers.count(counts["not_reproduced"]),
        ),
        _table(
            rows[checked], labels, name="reproduction", caption="Published numbers computed again"
        ),
        Fold(
            "Numbers that cannot be checked, and what is missing",
            (
                _table(
                    rows[~checked],
                    labels,
                    name="not_checkable",
                    caption="Numbers whose study-level inputs are not in the sheets",
                ),
            ),
        ),
    )


def _table(rows: pd.DataFrame, labels: "pd.Series[str]", *, name: str, caption: str) -> TableBlock:
    shown = pd.DataFrame(
        {
            "review": [labels.get(review, review) for review in rows["review_id"]],
            "what": [
                ", ".join(filter(None, parts))
                for parts in zip(rows["comparison"], rows["outcome"], rows["subgroup"], strict=True)
            ],
            "measure": rows["measure"].tolist(),
            "published": _with_interval(rows, "published"),
            "recomputed": _with_interval(rows, "recomputed"),
            "verdict": [WORDS[verdict] for verdict in rows["verdict"]],
            "reason": rows["reason"].tolist(),
            "row": [row_link(line) for line in rows["source_line"]],
        }
    )
    data = rows.reset_index(drop=True)
    return TableBlock(name=name, shown=shown, data=data, caption=caption, labels=_LABELS)


def _with_interval(rows: pd.DataFrame, side: str) -> list[str]:
    columns = [f"{side}_estimate", f"{side}_ci_low", f"{side}_ci_high"]
    return [
        numbers.MISSING
        if pd.isna(estimate)
        else numbers.estimate_with_interval(estimate, (low, high))
        for estimate, low, high in rows[columns].itertuples(index=False)
    ]


SECTION = Section(order=78, title="Published reviews computed again", build=build)
