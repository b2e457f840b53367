"""How a difference moves as the scores that nobody saw get worse, for each arm."""

from typing import TYPE_CHECKING

import pandas as pd

from vertebro_outcomes.display.style import BLUE, HOUSE, INK, ORANGE, QUIET

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_deltas(
    curve: pd.DataFrame, *, label: str, unit: str, mark: str = "", ax: "Axes | None" = None
) -> "Axes":
    """Draw the estimate with its interval against the shift, one line per shifted arm.

    Parameters
    ----------
    curve : DataFrame
        `arm delta estimate ci_low ci_high`, arms in the order in which they are drawn.
    label : str
        Of the vertical axis.
    unit : str
        Of the shift.
    mark : str
        Written into the corner, such as "synthetic".
    ax : Axes, optional
        Drawn into; a new figure if not given.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(HOUSE):
        if ax is None:
            ax = Figure(figsize=(6.0, 4.0), layout="constrained").add_subplot()
        for arm, color, style in zip(
            curve["arm"].unique(), (BLUE, ORANGE), ("-", "--"), strict=False
        ):
            line = curve[curve["arm"] == arm]
            ax.plot(line["delta"], line["estimate"], style, color=color, label=f"{arm} shifted")
            ax.fill_between(
                line["delta"], line["ci_low"], line["ci_high"], color=color, alpha=0.15, lw=0
            )
        ax.axhline(0, color=INK, lw=0.8)
        ax.axvline(0, color=QUIET, lw=0.6, ls=":")
        ax.set_xlabel(f"added to the scores that nobody saw{f' ({unit})' if unit else ''}")
        ax.set_ylabel(label)
        ax.legend(frameon=False, loc="best")
        if mark:
            ax.set_title(mark, loc="right", color=QUIET)
    return ax
