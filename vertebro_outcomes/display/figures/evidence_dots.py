"""Trials against outcomes: what was used, what was only printed, what is missing."""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from textwrap import fill
from typing import TYPE_CHECKING, Final

import pandas as pd

from vertebro_outcomes.display.style import BLUE, HOUSE, RULE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LINE_IN: Final = 0.155
_GAP_IN: Final = 0.085  # between the labels of two rows
_LONGEST_LINE: Final = 46  # letters that fit left of the dots


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

    names = [fill(str(label), _LONGEST_LINE) for label in table["label"]]
    heights = [_GAP_IN + _LINE_IN * (name.count("\n") + 1) for name in names]
    ends = list(accumulate(heights))
    middles = [end - height / 2 for end, height in zip(ends, heights, strict=True)]
    with rc_context(HOUSE):
        height = 1.1 + sum(heights)
        ax = Figure(figsize=(8.2, height)).add_axes((0.42, 0.45 / height, 0.56, 1 - 1.05 / height))
        for y, row in zip(middles, table.to_dict("records"), strict=True):
            ax.axhline(y, color=RULE, lw=0.4, zorder=0)
            for x, name in enumerate(columns):
                if row[name] == "used":
                    ax.plot([x], [y], "s", ms=8, color=BLUE)
                elif row[name] == "printed":
                    ax.plot([x], [y], "o", ms=6, mfc="white", mec=BLUE)
        ax.set_yticks(middles, labels=names)
        ax.set_xticks(range(len(columns)), labels=[labels[name] for name in columns])
        ax.xaxis.tick_top()
        ax.tick_params(length=0)
        ax.set_xlim(-0.6, len(columns) - 0.4)
        ax.set_ylim(sum(heights), -0.05)
        ax.plot([], [], "s", ms=8, color=BLUE, label="used in an analysis")
        ax.plot([], [], "o", ms=6, mfc="white", mec=BLUE, label="printed, not usable")
        ax.legend(loc="upper right", bbox_to_anchor=(1.0, -0.005), ncols=2, frameon=False)
    return ax
