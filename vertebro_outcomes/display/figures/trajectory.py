"""Scores over time in two arms, with intervals and the numbers observed."""

import math
from typing import TYPE_CHECKING

import pandas as pd
from scipy import special

from vertebro_outcomes.display.disclosure import HIDDEN
from vertebro_outcomes.display.numbers import count
from vertebro_outcomes.display.style import BLUE, HOUSE, ORANGE, QUIET

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_trajectories(
    visits: pd.DataFrame,
    *,
    arms: tuple[str, str],
    label: str,
    level: float,
    mark: str = "",
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw adjusted means of both arms at every visit; the numbers observed stand below the days.

    Parameters
    ----------
    visits : DataFrame
        `day n_t n_c mean_t mean_c se_mean_t se_mean_c`; a number that is NaN is hidden.
    arms : (str, str)
        Treatment and comparator.
    label : str
        Of the vertical axis.
    level : float
        Of the intervals, by the normal distribution.
    mark : str
        Written into the corner, such as "synthetic".
    ax : Axes, optional
        Drawn into; a new figure if not given.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    z = float(-special.ndtri((1.0 - level) / 2.0))
    with rc_context(HOUSE):
        if ax is None:
            width = max(6.0, 1.0 + 0.95 * len(visits))
            ax = Figure(figsize=(width, 4.0), layout="constrained").add_subplot()
        places = list(range(len(visits)))
        for arm, suffix, colour, marker, shift in (
            (arms[0], "t", BLUE, "o", -0.05),
            (arms[1], "c", ORANGE, "s", 0.05),
        ):
            ax.errorbar(
                [place + shift for place in places],
                visits[f"mean_{suffix}"].to_numpy(float),
                yerr=z * visits[f"se_mean_{suffix}"].to_numpy(float),
                color=colour, marker=marker, ms=6, lw=1.2, capsize=3, label=arm,
            )  # fmt: skip
        below = [
            f"day {int(row.day)}\n{arms[0]} {_count(row.n_t)}\n{arms[1]} {_count(row.n_c)}"
            for row in visits.itertuples()
        ]
        ax.set_xticks(places, below)
        ax.set_xlim(-0.4, len(places) - 0.6)
        ax.set_ylabel(label)
        ax.set_xlabel("numbers are patients with a score at the visit", color=QUIET)
        ax.legend(frameon=False, loc="best")
        if mark:
            ax.text(0.01, 0.02, mark, transform=ax.transAxes, va="bottom", color=QUIET)
    return ax


def _count(n: float) -> str:
    return HIDDEN if math.isnan(n) else count(int(n))
