"""Trials against outcomes: what was used, what was only printed, what is missing."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from vertebro_outcomes.display.figures.columns import shortened
from vertebro_outcomes.display.style import BLUE, HOUSE, RULE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ROW_IN = 0.24
_LONGEST_LABEL = 46  # what fits left of the dots


def evidence_dots(
    table: pd.DataFrame, columns: Sequence[str], *, labels: Mapping[str, str]
) -> "Axes":
    """Draw one row per trial (`label`), one column per outcome.

    Parameters
    ----------
    table : DataFrame
        `label` and the columns, each cell `used`, `printed` or empty.
    columns : sequence of str
    labels : mapping
        Column -> words of its heading.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(HOUSE):
        height = 1.1 + _ROW_IN * len(table)
        ax = Figure(figsize=(8.2, height)).add_axes((0.42, 0.45 / height, 0.56, 1 - 1.05 / height))
        for y, row in enumerate(table.to_dict("records")):
            ax.axhline(y, color=RULE, lw=0.4, zorder=0)
            for x, name in enumerate(columns):
                if row[name] == "used":
                    ax.plot([x], [y], "s", ms=8, color=BLUE)
                elif row[name] == "printed":
                    ax.plot([x], [y], "o", ms=6, mfc="white", mec=BLUE)
        ax.set_yticks(
            range(len(table)),
            labels=[shortened(str(label), _LONGEST_LABEL) for label in table["label"]],
        )
        ax.set_xticks(range(len(columns)), labels=[labels[name] for name in columns])
        ax.xaxis.tick_top()
        ax.tick_params(length=0)
        ax.set_xlim(-0.6, len(columns) - 0.4)
        ax.set_ylim(len(table) - 0.5, -0.7)
        ax.plot([], [], "s", ms=8, color=BLUE, label="used in an analysis")
        ax.plot([], [], "o", ms=6, mfc="white", mec=BLUE, label="printed, not usable")
        ax.legend(loc="upper right", bbox_to_anchor=(1.0, -0.005), ncols=2, frameon=False)
    return ax
