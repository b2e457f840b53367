"""CUSUM with its limit over the number of procedures, VLAD below."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from vertebro_outcomes.display.style import BLUE, HOUSE, INK, ORANGE, QUIET

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_cusum(
    rows: pd.DataFrame,
    *,
    limit: float,
    signals: Sequence[int],
    steps: bool,
    label: str,
    mark: str = "",
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw `cusum` and `vlad` of `rows` over `number`; without `steps` as points only."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(HOUSE):
        below = None
        if ax is None:
            figure = Figure(figsize=(6.4, 4.2), layout="constrained")
            ax, below = figure.subplots(2, 1, sharex=True)
        number = rows["number"].to_numpy(float)
        how = {"drawstyle": "steps-post", "lw": 1.1} if steps else {"marker": "o", "ls": ":"}
        ax.plot(np.r_[0, number], np.r_[0, rows["cusum"]], color=BLUE, **how)
        ax.axhline(limit, color=ORANGE, ls="--", lw=1.0, label="limit")
        if len(signals):
            there = rows.loc[rows["number"].isin(signals)]
            ax.plot(there["number"], there["cusum"], "D", color=ORANGE, ms=6, label="signal")
        ax.set_ylim(0, 1.1 * max(limit, *rows["cusum"], 0.1))
        ax.set_ylabel("CUSUM")
        ax.legend(frameon=False, loc="upper left")
        ax.set_title("; ".join(filter(None, [label, mark])), fontsize="medium")
        last = ax
        if below is not None:
            below.plot(np.r_[0, number], np.r_[0, rows["vlad"]], color=INK, **how)
            below.axhline(0, color=QUIET, lw=0.8)
            below.set_ylabel("expected − observed")
            last = below
        last.set_xlabel("procedures, in the order of their dates")
    return ax
