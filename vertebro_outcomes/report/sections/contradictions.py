"""Numbers of one trial that do not agree, side by side, and numbers read as something else."""

from typing import Final

import pandas as pd

from vertebro_outcomes.display.numbers import count
from vertebro_outcomes.outcomes import OUTCOMES
from vertebro_outcomes.report.blocks import Block, Fold, TableBlock, prose
from vertebro_outcomes.report.rows import row_links
from vertebro_outcomes.report.section import Section
from vertebro_outcomes.report.study import Study

_LABELS: Final = {
    "trial": "Trial",
    "outcome": "Outcome",
    "arm": "Arm",
    "day": "Day",
    "what": "What",
    "printed": "Printed",
    "rows": "Rows",
    "rule": "Why it is listed",
    "read_as": "Read as",
    "reason": "Reason",
}


def build(study: Study) -> tuple[Block, ...]:
    """Contradictions between sources, then corrections."""
    literature = study.literature
    found, corrected = literature.contradictions, literature.corrections
    labels = literature.studies.set_index("study_id")["label"]
    plain = ~found["rule"].str.contains("labelled differently")
    return (
        prose(
            "{n} pairs or groups of printed numbers about the same patients do not agree. None was "
            "settled silently: they stand here side by side. A further {m} differ because one "
            "trial reports several analyses.",
            n=count(int(plain.sum())),
            m=count(int((~plain).sum())),
        ),
        _table(found[plain], labels, name="contradictions", caption="Numbers that do not agree"),
        Fold(
            "Several analyses of one trial",
            (
                _table(
                    found[~plain],
                    labels,
                    name="several_analyses",
                    caption="Different numbers from analyses with different labels",
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


def _table(found: pd.DataFrame, labels: "pd.Series[str]", *, name: str, caption: str) -> TableBlock:
    shown = pd.DataFrame(
        {
            "trial": [labels.get(trial, trial) for trial in found["trial_id"]],
            "outcome": [OUTCOMES[outcome].label for outcome in found["outcome"]],
            "arm": found["arm"].tolist(),
            "day": [count(float(day)) for day in found["timepoint_days"]],
            "what": found["what"].tolist(),
            "printed": found["printed"].tolist(),
            "rows": [row_links(lines.split(", ")) for lines in found["source_lines"]],
            "rule": found["rule"].tolist(),
        }
    )
    return TableBlock(
        name=name, shown=shown, data=found, caption=caption, labels=_LABELS, numeric=("day",)
    )


def _corrections(corrected: pd.DataFrame) -> TableBlock:
    shown = pd.DataFrame(
        {
            "rows": [row_links([line]) for line in corrected["source_line"]],
            "what": corrected["column"].tolist(),
            "printed": corrected["printed"].tolist(),
            "read_as": corrected["read_as"].tolist(),
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
