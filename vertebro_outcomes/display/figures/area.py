"""The area between two arms over days: the difference at every visit, joined by straight lines."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from vertebro_outcomes.display.style import BLUE, HOUSE, INK, QUIET

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_area(
    visits: pd.DataFrame, *, label: str, mark: str = "", ax: "Axes | None" = None
) -> "Axes":
    """Draw the differences with intervals and shade what lies between them and zero.

    Parameters
    ----------
    visits : DataFrame
        `day n_t n_c estimate ci_low ci_high`, up to the last day of the area.
    label : str
        Of the vertical axis.
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
        days = visits["day"].to_numpy(float)
        estimate = visits["estimate"].to_numpy(float)
        ax.fill_between(np.r_[0, days], np.r_[0, estimate], color=BLUE, alpha=0.2, lw=0)
        ax.plot(np.r_[0, days], np.r_[0, estimate], color=BLUE, lw=1.2)
        around = [estimate - visits["ci_low"], visits["ci_high"] - estimate]
        ax.errorbar(days, estimate, yerr=around, fmt="o", color=BLUE, ms=5, capsize=3)
        ax.axhline(0, color=INK, lw=0.8)
        ax.set_ylabel(label)
        ax.set_xlabel("days from day 0; the arms start from the same baseline", color=QUIET)
        if mark:
            ax.text(0.99, 0.02, mark, transform=ax.transAxes, ha="right", va="bottom", color=QUIET)
    return ax
