"""Rates with intervals, one line each."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vertebro_outcomes.display.style import BLUE, HOUSE

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_rates(
    labels: Sequence[str], limits: NDArray[np.float64], *, ax: "Axes | None" = None
) -> "Axes":
    """Draw columns rate, lower, upper of `limits` (proportions) as percent."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(HOUSE):
        if ax is None:
            height = 1.2 + 0.25 * len(labels)
            ax = Figure(figsize=(6.0, height), layout="constrained").add_subplot()
        rate, low, high = 100 * limits.T
        places = np.arange(len(labels))
        ax.errorbar(rate, places, xerr=[rate - low, high - rate], fmt="o", color=BLUE, capsize=2)
        ax.set_yticks(places, [label.replace("_", " ") for label in labels])
        ax.invert_yaxis()
        ax.set_xlim(left=0)
        ax.set_xlabel("rate, %")
    return ax
