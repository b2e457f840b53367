"""Rates with intervals, one line each."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vertebro_outcomes.display.style import HOUSE, SERIES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# A group is told by marker and colour; the line says its name.
_MARKERS = ("o", "s", "^", "D", "v")
_COLOURS = SERIES


def draw_rates(
    labels: Sequence[str],
    limits: NDArray[np.float64],
    *,
    groups: Sequence[str] = (),
    label: str = "rate, %",
    mark: str = "",
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw columns rate, lower, upper of `limits`, times 100; lines of one group share a marker."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(HOUSE):
        if ax is None:
            height = 1.2 + 0.25 * len(labels)
            ax = Figure(figsize=(6.0, height), layout="constrained").add_subplot()
        places = np.arange(len(labels))
        of = list(groups) or [""] * len(labels)
        for number, name in enumerate(dict.fromkeys(of)):
            mine = np.array([group == name for group in of])
            rate, low, high = 100 * limits[mine].T
            ax.errorbar(
                rate, places[mine], xerr=[rate - low, high - rate], capsize=2, linestyle="none",
                marker=_MARKERS[number % len(_MARKERS)], color=_COLOURS[number % len(_COLOURS)],
            )  # fmt: skip
        ax.set_yticks(places, [text.replace("_", " ") for text in labels])
        ax.invert_yaxis()
        ax.set_xlim(left=0)
        ax.set_xlabel(label)
        if mark:
            ax.set_title(mark)
    return ax
