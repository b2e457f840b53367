"""Figures of a network: which treatments were compared, and each of them against one reference."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import pandas as pd

from vertebro_outcomes.display.figures.axis import log_ticks
from vertebro_outcomes.display.numbers import estimate_with_interval
from vertebro_outcomes.display.style import BLUE, HOUSE, INK, RULE
from vertebro_outcomes.measures import MEASURES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDEST_LINE_PT = 8.0
_ROW_IN = 0.32


def network_graph(
    treatments: Sequence[str], comparisons: pd.DataFrame, *, ax: "Axes | None" = None
) -> "Axes":
    """Treatments on a circle, lines as wide as the number of studies (printed on them).

    Parameters
    ----------
    treatments : sequence of str
    comparisons : DataFrame
        `treat_t treat_c k`, one row per direct comparison.
    ax : Axes, optional
        Drawn into; a new figure if not given.
    """
    from matplotlib import rc_context

    turn = 2.0 * math.pi / len(treatments)
    place = {name: (math.sin(i * turn), math.cos(i * turn)) for i, name in enumerate(treatments)}
    most = int(comparisons["k"].max())
    with rc_context(HOUSE):
        ax = _new_axes(4.2, 3.0, box=(0.01, 0.01, 0.98, 0.98)) if ax is None else ax
        for row in comparisons.to_dict("records"):
            (x0, y0), (x1, y1) = place[row["treat_t"]], place[row["treat_c"]]
            width = max(1.0, _WIDEST_LINE_PT * row["k"] / most)
            ax.plot([x0, x1], [y0, y1], color=RULE, lw=width, zorder=1, solid_capstyle="round")
            # at 0.4 of the way: in the middle the numbers of crossing lines would lie on each other
            at = x0 + 0.4 * (x1 - x0), y0 + 0.4 * (y1 - y0)
            box = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
            ax.text(*at, str(row["k"]), ha="center", va="center", bbox=box, zorder=2)
        for name, (x, y) in place.items():
            ax.plot([x], [y], marker="o", ms=12, color=BLUE, zorder=3)
            side = "center" if abs(x) < 0.1 else "left" if x > 0 else "right"
            ax.text(1.22 * x, 1.22 * y, name, ha=side, va="center")
        ax.set_xlim(-1.9, 1.9)
        ax.set_ylim(-1.36, 1.36)
        ax.set_aspect("equal")
        ax.set_axis_off()
    return ax


def contrast_forest(
    contrasts: pd.DataFrame, *, measure: str, reference: str, ax: "Axes | None" = None
) -> "Axes":
    """One line per treatment against the reference.

    Parameters
    ----------
    contrasts : DataFrame
        `treatment estimate ci_low ci_high`, reader's scale.
    measure : str
        A name of `MEASURES`; ratios get a log axis.
    reference : str
        The common comparator, named under the axis.
    ax : Axes, optional
        Drawn into; a new figure if not given.
    """
    from matplotlib import rc_context

    kind = MEASURES[measure]
    with rc_context(HOUSE):
        if ax is None:
            height = 1.1 + _ROW_IN * len(contrasts)
            box = (0.2, 0.55 / height, 0.46, 1.0 - 0.75 / height)
            ax = _new_axes(6.5, height, box=box)
        if kind.is_ratio:
            ax.set_xscale("log")
        ax.axvline(1.0 if kind.is_ratio else 0.0, color=INK, lw=0.8, zorder=1)
        for y, row in enumerate(contrasts.to_dict("records")):
            limits = row["ci_low"], row["ci_high"]
            ax.plot(limits, [y, y], color=INK, lw=1.1, zorder=2)
            ax.plot([row["estimate"]], [y], marker="s", ms=6, color=BLUE, zorder=3)
            text = estimate_with_interval(row["estimate"], limits, measure=measure)
            ax.text(1.02, y, text, transform=ax.get_yaxis_transform(), va="center")
        ax.set_yticks(range(len(contrasts)), labels=list(contrasts["treatment"]))
        ax.tick_params(axis="y", length=0)
        ax.set_ylim(len(contrasts) - 0.5, -0.5)
        if kind.is_ratio:
            _ratio_ticks(ax)
        ax.set_xlabel(f"{kind.label[0].upper()}{kind.label[1:]} against {reference}")
    return ax


def _new_axes(
    width_in: float, height_in: float, *, box: tuple[float, float, float, float]
) -> "Axes":
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_in, height_in))
    FigureCanvasAgg(figure)
    return figure.add_axes(box)


def _ratio_ticks(ax: "Axes") -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    ax.xaxis.set_major_locator(FixedLocator(log_ticks(*ax.get_xlim())))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
