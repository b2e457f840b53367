"""Pooled numbers of published reviews, computed again."""

from collections.abc import Mapping
from typing import Final

import pandas as pd

from vertebro_outcomes.display import numbers
from vertebro_outcomes.report.blocks import Block, Fold, Heading, TableBlock, prose
from vertebro_outcomes.report.rows import row_link
from vertebro_outcomes.report.section import Section
from vertebro_outcomes.report.study import Study
from vertebro_outcomes.report.wording import outcome_words
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
    "question": "Question",
    "ours": "This report",
    "k": "Studies",
    "when": "When",
}


def build(study: Study) -> tuple[Block, ...]:
    """What came out, what did not and why; then what would be needed for the rest."""
    found = study.reproduction
    labels = study.labels
    rows = found.rows
    checked = rows["verdict"] != "not_checkable"
    counts = found.counts
    return (
        prose(
            "Reviews print {n} pooled or summary numbers in these sheets. For {checked} of them the "
            "study numbers are at hand. Coming out as printed: {same}; only with another specification or a "
            "change in the study numbers: {other}; not at all: {never}. For the rest a list says what a "
            "reviewer would have to extract.",
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
            printed=(
                prose(
                    "What is missing for each of the other {n} numbers stands in "
                    "<code>{file}</code> and in the HTML report.",
                    n=numbers.count(int((~checked).sum())),
                    file="tables/not_checkable.csv",
                ),
            ),
        ),
        Heading("Our answers beside theirs", "beside-theirs"),
        prose(
            "The same question in this report and in published reviews. Trials differ: reviews did not "
            "have the newer ones, and this report has only what its sources print."
        ),
        _beside(study.beside_reviews, labels),
    )


def _beside(rows: pd.DataFrame, labels: Mapping[str, str]) -> TableBlock:
    shown = pd.DataFrame(
        {
            "question": rows["question"].tolist(),
            "ours": _intervals(rows, ""),
            "k": [numbers.count(k) for k in rows["k"]],
            "review": [labels.get(review, review) for review in rows["review_id"]],
            "when": rows["published_when"].tolist(),
            "published": _intervals(rows, "published_"),
            "row": [row_link(line) for line in rows["source_line"]],
        }
    )
    return TableBlock(
        name="beside_theirs",
        shown=shown,
        data=rows,
        caption="Pooled results of this report beside those of published reviews",
        labels=_LABELS,
        numeric=("k",),
    )


def _table(rows: pd.DataFrame, labels: Mapping[str, str], *, name: str, caption: str) -> TableBlock:
    shown = pd.DataFrame(
        {
            "review": [labels.get(review, review) for review in rows["review_id"]],
            "what": [
                ", ".join(filter(None, parts))
                for parts in zip(
                    rows["comparison"],
                    rows["outcome"].map(outcome_words),
                    rows["subgroup"],
                    strict=True,
                )
            ],
            "measure": rows["measure"].tolist(),
            "published": _intervals(rows, "published_"),
            "recomputed": _intervals(rows, "recomputed_"),
            "verdict": [WORDS[verdict] for verdict in rows["verdict"]],
            "reason": rows["reason"].tolist(),
            "row": [row_link(line) for line in rows["source_line"]],
        }
    )
    data = rows.reset_index(drop=True)
    return TableBlock(name=name, shown=shown, data=data, caption=caption, labels=_LABELS)


def _intervals(rows: pd.DataFrame, side: str) -> list[str]:
    columns = [f"{side}estimate", f"{side}ci_low", f"{side}ci_high"]
    return [
        numbers.MISSING
        if pd.isna(estimate)
        else numbers.estimate_with_interval(estimate, (low, high), measure=measure)
        for estimate, low, high, measure in rows[[*columns, "measure"]].itertuples(index=False)
    ]


SECTION = Section(order=78, title="Published reviews computed again", build=build)
