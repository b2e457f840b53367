"""Who comes first, by probability, one bar per definition."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vertebro_outcomes.display.style import BLUE, HOUSE, ORANGE, QUIET, RULE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_FILLS = ((BLUE, ""), (ORANGE, "//"), (RULE, ".."))


def draw_first_places(
    labels: Sequence[str],
    shares: Mapping[str, NDArray[np.float64]],
    *,
    label: str,
    mark: str = "",
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw stacked bars; `shares` holds up to three names with a probability per label."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(HOUSE):
        if ax is None:
            height = 1.4 + 0.24 * len(labels)
            ax = Figure(figsize=(7.4, height), layout="constrained").add_subplot()
        places, start = np.arange(len(labels)), np.zeros(len(labels))
        for (name, share), (colour, hatch) in zip(shares.items(), _FILLS, strict=False):
            ax.barh(
                places, 100 * share, left=start, height=0.7, color=colour, hatch=hatch,
                edgecolor="white", label=name,
            )  # fmt: skip
            start = start + 100 * share
        ax.set_yticks(places, labels)
        ax.set_ylim(len(labels) - 0.5, -0.5)
        ax.set_xlim(0, 100)
        ax.set_xlabel(label)
        ax.legend(frameon=False, ncols=3, loc="lower right", bbox_to_anchor=(1, 1))
        if mark:  # below the labels, where nothing else stands
            ax.text(-0.02, -0.03, mark, transform=ax.transAxes, ha="right", va="top", color=QUIET)
    return ax
