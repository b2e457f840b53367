"""Love plot: standardised mean differences of the covariates before and after adjustment."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from vertebro_outcomes.display.style import BLUE, HOUSE, INK, QUIET, RULE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LETTER = 0.055  # inches, so that long names leave the axis its room


def draw_love_plot(
    balance: pd.DataFrame, *, limit: float, mark: str = "", ax: "Axes | None" = None
) -> "Axes":
    """Draw one line per covariate, open before and filled after adjustment.

    Parameters
    ----------
    balance : DataFrame
        `covariate smd_before smd_after`; `smd_after` may be missing throughout.
    limit : float
        Largest difference regarded as balanced, drawn on both sides of zero.
    mark : str
        Written into the corner, such as "synthetic".
    ax : Axes, optional
        Drawn into; a new figure if not given.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    place = np.arange(len(balance))[::-1]
    with rc_context(HOUSE):
        if ax is None:
            height = 1.2 + 0.28 * len(balance)
            longest = max((len(str(name)) for name in balance["covariate"]), default=0)
            width = 5.0 + _LETTER * longest
            ax = Figure(figsize=(width, height), layout="constrained").add_subplot()
        ax.axvline(0.0, color=INK, lw=0.9)
        for side in (-limit, limit):
            ax.axvline(side, color=RULE, lw=0.9, ls="--")
        before = balance["smd_before"].to_numpy(float)
        after = balance["smd_after"].to_numpy(float)
        ax.plot(before, place, "o", color="white", mec=QUIET, mew=1.2, ms=6, label="before")
        if not np.isnan(after).all():
            ax.plot(after, place, "o", color=BLUE, ms=6, label="after")
            ax.legend(frameon=False, loc="best")
        ax.set_yticks(place, balance["covariate"].tolist())
        ax.tick_params(axis="y", length=0)
        ax.set_ylim(-0.7, len(balance) - 0.3)
        ax.set_xlabel("standardised mean difference, treatment minus comparator")
        ax.set_title(mark, loc="right", color=QUIET)
    return ax
