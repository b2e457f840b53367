"""Spontaneous device reports by event and product: a listing, without any rate."""

from typing import Final

import pandas as pd

from vertebro_outcomes.display.numbers import count
from vertebro_outcomes.report.blocks import Block, TableBlock, prose
from vertebro_outcomes.report.section import Section
from vertebro_outcomes.report.study import Study

_MEANING: Final = (
    "Such reports reach the authority from whoever chooses to write one, and the same event may be "
    "reported twice or never. Nobody knows how many procedures stand behind them: they show what can "
    "happen, not how often, and neither products nor treatments can be compared by them."
)
_LABELS: Final = {
    "source": "File", "event_type": "Event", "brand_name": "Product", "n_reports": "Reports"
}  # fmt: skip


def build(study: Study) -> tuple[Block, ...]:
    """Counts of reports; nobody knows of how many procedures they came."""
    listed = study.device_reports
    if listed.empty:
        nothing = "No device reports lie beside the data, so there is nothing to list. {meaning}"
        return (prose(nothing, meaning=_MEANING),)
    data = listed.reset_index(drop=True)
    shown = pd.DataFrame(
        {
            **{name: data[name].astype(str) for name in ("source", "event_type", "brand_name")},
            "source": data["source"].astype(str).str.replace("_", " "),
            "n_reports": [count(n) for n in data["n_reports"]],
        }
    )
    return (
        prose(
            "{n} reports of events with devices, by event and product. {meaning}", meaning=_MEANING,
            n=count(data["n_reports"].sum()),
        ),
        TableBlock(
            name="device_reports", shown=shown, data=data,
            caption="Device reports by event and product", labels=_LABELS, numeric=("n_reports",),
        ),
    )  # fmt: skip


SECTION = Section(order=71, title="Device reports", build=build)
