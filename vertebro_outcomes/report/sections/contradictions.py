"""Numbers of one trial that do not agree, side by side, and numbers read as something else."""

import re
from collections.abc import Mapping
from typing import Final

import pandas as pd

from vertebro_outcomes.display.numbers import count
from vertebro_outcomes.report.blocks import Block, Fold, TableBlock, prose
from vertebro_outcomes.report.rows import row_links
from vertebro_outcomes.report.section import Section
from vertebro_outcomes.report.study import Study
from vertebro_outcomes.report.wording import outcome_words

_CODED: Final = re.compile(r"\b[A-Za-z]\w*_\w+\b(?!\.csv)|\b(?:odi|rmdq|eq5d|qualeffo)\b")
_MOST_PARTS: Final = 6
_LABELS: Final = {
    "study": "Study",
    "about": "About",
    "what": "What",
    "printed": "Printed",
    "follows": "What follows",
    "certainty": "How sure",
    "rows": "Rows",
    "read_as": "Read as",
    "reason": "Reason",
}


def build(study: Study) -> tuple[Block, ...]:
    """Contradictions between printed numbers by how sure they are, then corrections."""
    corrected = study.literature.corrections
    found = study.findings.to_frame()
    labels = study.labels
    firm = found["certainty"].isin(["certain", "likely"])
    return (
        prose(
            "{n} of {rows} printed rows or groups of rows contradict themselves or each other. None was "
            "settled silently: they stand here with what follows from what. For another {m} an "
            "adjusted analysis, missing patients or another subgroup may be the reason.",
            n=count(int(firm.sum())),
            rows=count(study.findings.n_rows),
            m=count(int((~firm).sum())),
        ),
        _table(found[firm], labels, name="contradictions", caption="Numbers that do not agree"),
        Fold(
            "Numbers that may have a reason",
            (
                _table(
                    found[~firm],
                    labels,
                    name="possible_contradictions",
                    caption="Numbers that do not agree, but may have a reason",
                ),
            ),
        ),
        prose(
            "{n} printed numbers are read as another quantity than their column says; the sheets "
            "keep what was printed.",
            n=count(len(corrected)),
        ),
        _corrections(corrected),
    )


def _table(
    found: pd.DataFrame, labels: Mapping[str, str], *, name: str, caption: str
) -> TableBlock:
    shown = pd.DataFrame(
        {
            "study": [labels.get(study, study) for study in found["study"]],
            "about": found["about"].map(_about).tolist(),
            "printed": found["printed"].map(_about).map(_short).tolist(),
            "follows": found["follows"].tolist(),
            "certainty": found["certainty"].tolist(),
            "rows": [row_links(lines.split("; ")) for lines in found["rows"]],
        }
    )
    return TableBlock(name=name, shown=shown, data=found, caption=caption, labels=_LABELS)


def _about(text: str) -> str:
    """Names of outcomes in words."""
    return _CODED.sub(lambda found: outcome_words(found[0]), text)


def _short(text: str) -> str:
    """The first of many parts; the file has them all."""
    parts = text.split("; ")
    if len(parts) <= _MOST_PARTS:
        return text
    return f"{'; '.join(parts[:_MOST_PARTS])}; and {count(len(parts) - _MOST_PARTS)} more"


def _quantity(column: str) -> str:
    """`sd_t` as 'SD, treatment'."""
    name, _, side = column.partition("_")
    return ", ".join(
        filter(None, (name.upper(), {"t": "treatment", "c": "comparator"}.get(side, side)))
    )


def _corrections(corrected: pd.DataFrame) -> TableBlock:
    shown = pd.DataFrame(
        {
            "rows": [row_links([line]) for line in corrected["source_line"]],
            "what": corrected["column"].map(_quantity).tolist(),
            "printed": corrected["printed"].tolist(),
            "read_as": corrected["read_as"].map(_quantity).tolist(),
            "reason": corrected["reason"].tolist(),
        }
    )
    return TableBlock(
        name="corrections",
        shown=shown,
        data=corrected,
        caption="Printed numbers read as another quantity",
        labels=_LABELS,
    )


SECTION = Section(order=80, title="Contradictions and corrections", build=build)
