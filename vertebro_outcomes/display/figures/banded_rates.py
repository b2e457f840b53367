"""Rates with intervals over bands that somebody claimed."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vertebro_outcomes.display.style import BLUE, HOUSE, INK, ORANGE, QUIET

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_banded_rates(
    labels: Sequence[str],
    limits: NDArray[np.float64],
    *,
    published: NDArray[np.bool_],
    bands: Mapping[str, tuple[float, float]],
    label: str,
    mark: str = "",
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw columns rate, lower, upper of `limits` in percent on a root scale; bands are shaded."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(HOUSE):
        if ax is None:
            height = 1.4 + 0.2 * len(labels)
            ax = Figure(figsize=(7.0, height), layout="constrained").add_subplot()
        places = np.arange(len(labels))
        for (name, (low, high)), edge in zip(bands.items(), _edges(len(bands)), strict=True):
            ax.axvspan(
                100 * low, 100 * high, facecolor=(BLUE, 0.10), lw=0.9, ls=edge, edgecolor=INK,
                label=f"claimed {name}", zorder=0,
            )  # fmt: skip
        for mine, shape, colour, words in (
            (~published, "o", INK, "registry"), (published, "D", ORANGE, "literature"),
        ):  # fmt: skip
            if not mine.any():
                continue
            rate, low, high = 100 * limits[mine].T
            ax.errorbar(
                rate, places[mine], xerr=[rate - low, high - rate], fmt=shape, color=colour,
                capsize=2, ms=4, lw=1, label=words,
            )  # fmt: skip
        # small rates need room: the square root spreads them and keeps zero on the axis
        ax.set_xscale("function", functions=(lambda v: np.sqrt(np.maximum(v, 0)), np.square))
        top = max(5.0, 100 * float(np.nanmax(limits)))
        ax.set_xlim(0, top)
        ticks = [t for t in (0, 1, 2, 4, 10, 20, 40, 60, 80, 100) if t <= top]
        ax.set_xticks(ticks, [f"{t}" for t in ticks])
        ax.set_yticks(places, labels)
        ax.set_ylim(len(labels) - 0.5, -0.5)
        ax.set_xlabel(label)
        ax.legend(frameon=False, ncols=3, loc="lower right", bbox_to_anchor=(1, 1))
        if mark:
            ax.text(0.99, 0.01, mark, transform=ax.transAxes, ha="right", va="bottom", color=QUIET)
    return ax


def _edges(n: int) -> list[str]:
    return [("-", "--", ":", "-.")[place % 4] for place in range(n)]
