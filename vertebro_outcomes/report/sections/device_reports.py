"""Spontaneous device reports by event and product: a listing, without any rate."""

from typing import Final

import pandas as pd

from vertebro_outcomes.display.numbers import count
from vertebro_outcomes.report.blocks import Block, TableBlock, prose
from vertebro_outcomes.report.section import Section
from vertebro_outcomes.report.study import Study

_LABELS: Final = {
    "source": "File", "event_type": "Event", "brand_name": "Product", "n_reports": "Reports"
}  # fmt: skip


def build(study: Study) -> tuple[Block, ...]:
    """Counts of reports; nobody knows of how many procedures they came."""
    listed = study.device_reports
    if listed.empty:
        return (prose("No device reports lie beside the data, so there is nothing to list."),)
    data = listed.reset_index(drop=True)
    shown = pd.DataFrame(
        {
            **{name: data[name].astype(str) for name in ("source", "event_type", "brand_name")},
            "n_reports": [count(n) for n in data["n_reports"]],
        }
    )
    return (
        prose(
            "{n} reports of events with devices, as sent to the authority by whoever chose to. "
            "Nobody knows how many procedures stand behind them: they show what can happen, not how "
            "often, and products cannot be compared by them.",
            n=count(data["n_reports"].sum()),
        ),
        TableBlock(
            name="device_reports", shown=shown, data=data,
            caption="Device reports by event and product", labels=_LABELS, numeric=("n_reports",),
        ),
    )  # fmt: skip


SECTION = Section(order=71, title="Device reports", build=build)
