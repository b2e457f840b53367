"""Difference between two arms at every visit, against the smallest worthwhile change."""

from typing import TYPE_CHECKING, Literal

import pandas as pd

from vertebro_outcomes.display.style import BLUE, HOUSE, INK, QUIET, RULE

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_differences(
    visits: pd.DataFrame,
    *,
    arms: tuple[str, str],
    label: str,
    level: float,
    worthwhile: float | None,
    better: Literal["lower", "higher", ""],
    mark: str = "",
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw treatment minus comparator with intervals; the band holds what is too small to matter.

    Parameters
    ----------
    visits : DataFrame
        `day n_t n_c estimate ci_low ci_high`.
    arms : (str, str)
        Treatment and comparator.
    label : str
        The outcome and its unit.
    level : float
        Of the intervals.
    worthwhile : float or None
        Smallest worthwhile change; no band if None.
    better : {"lower", "higher", ""}
        Which scores are good; says on which side the treatment is better.
    mark : str
        Written into the corner, such as "synthetic".
    ax : Axes, optional
        Drawn into; a new figure if not given.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(HOUSE):
        if ax is None:
            width = max(6.0, 1.0 + 0.95 * len(visits))
            ax = Figure(figsize=(width, 4.2), layout="constrained").add_subplot()
        places = list(range(len(visits)))
        if worthwhile is not None:
            words = f"smallest worthwhile change, ±{worthwhile:g}"
            ax.axhspan(-worthwhile, worthwhile, color=RULE, alpha=0.3, lw=0, label=words)
        ax.axhline(0, color=INK, lw=0.8)
        estimate = visits["estimate"].to_numpy(float)
        around = [
            estimate - visits["ci_low"].to_numpy(float),
            visits["ci_high"].to_numpy(float) - estimate,
        ]
        words = f"{arms[0]} minus {arms[1]}, {100 * level:g}% interval"
        ax.errorbar(
            places, estimate, yerr=around, fmt="o", color=BLUE, ms=6, capsize=3, label=words
        )
        below = [
            f"day {int(row.day)}\n{arms[0]} {int(row.n_t)}\n{arms[1]} {int(row.n_c)}"
            for row in visits.itertuples()
        ]
        ax.set_xticks(places, below)
        ax.set_xlim(-0.5, len(places) - 0.5)
        _label_sides(ax, arms=arms, better=better)
        ax.set_ylabel(f"difference in {label}", wrap=True)
        ax.set_xlabel("numbers are patients with a score at the visit", color=QUIET)
        ax.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
        if mark:
            ax.text(0.99, 0.02, mark, transform=ax.transAxes, ha="right", va="bottom", color=QUIET)
    return ax


def _label_sides(ax: "Axes", *, arms: tuple[str, str], better: str) -> None:
    """Which arm is better above and below zero, with room for the words."""
    low, high = ax.get_ylim()
    edge = max(abs(low), abs(high)) * 0.15
    ax.set_ylim(min(low, -edge) - edge, max(high, edge) + edge)
    if better:
        below, above = arms if better == "lower" else arms[::-1]
        for y, side, arm in ((0.02, "bottom", below), (0.98, "top", above)):
            words = f"{arm} better"
            ax.text(0.01, y, words, transform=ax.transAxes, va=side, ha="left", color=QUIET)
