"""A forest of hazard ratios by risk factor."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from vertebro_outcomes.display import numbers
from vertebro_outcomes.display.figures.axis import log_ticks
from vertebro_outcomes.display.style import BLUE, HOUSE, INK, QUIET

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_ratios(frame: pd.DataFrame, *, mark: str = "", ax: "Axes | None" = None) -> "Axes":
    """One line per row of `term hazard_ratio hr_low hr_high`, first row on top, numbers beside."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    size = len(frame)
    with rc_context(HOUSE):
        if ax is None:
            figure = Figure(figsize=(6.4, 1.1 + 0.28 * max(size, 1)), layout="constrained")
            ax = figure.add_subplot()
        place = np.arange(size)
        value = frame["hazard_ratio"].to_numpy(float)
        low, high = frame["hr_low"].to_numpy(float), frame["hr_high"].to_numpy(float)
        ax.axvline(1.0, color=QUIET, lw=0.8)
        ax.hlines(place, low, high, color=INK, lw=1.2)
        ax.plot(value, place, "s", color=BLUE, ms=5)
        ax.set_xscale("log")
        ticks = log_ticks(
            min(0.5, float(low.min(initial=1.0))), max(2.0, float(high.max(initial=1.0)))
        )
        ax.set_xticks(ticks, [numbers.as_given(tick) for tick in ticks])
        ax.minorticks_off()
        ax.set_yticks(place, [str(term).replace("_", " ") for term in frame["term"]])
        ax.tick_params(axis="y", length=0)
        ax.set_ylim(size - 0.4, -0.6)
        for row, (mid, a, b) in enumerate(zip(value, low, high, strict=True)):
            text = f"{numbers.ratio(mid)} ({numbers.ratio(a)} to {numbers.ratio(b)})"
            ax.text(1.02, row, text, transform=ax.get_yaxis_transform(), va="center")
        ax.set_xlabel("hazard ratio of a new fracture" + (f" ({mark})" if mark else ""))
    return ax
