"""Two distributions back to back: the propensity, or the weights, of both arms."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from vertebro_outcomes.display.style import BLUE, HOUSE, INK, ORANGE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BINS: Final = 40


def draw_mirrored(
    arms: Mapping[str, NDArray[np.float64]],
    *,
    label: str,
    limits: tuple[float, float] | None = None,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw the first arm upward and the second downward, each as shares of its patients.

    Parameters
    ----------
    arms : mapping of two names to arrays
        Values of each arm.
    label : str
        Of the axis of values.
    limits : (float, float), optional
        Of that axis; from the data if not given.
    ax : Axes, optional
        Drawn into; a new figure if not given.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    together = np.concatenate(list(arms.values()))
    low, high = limits or (0.0, float(together.max()) * 1.02)
    edges = np.linspace(low, high, BINS + 1)
    with rc_context(HOUSE):
        if ax is None:
            ax = Figure(figsize=(5.6, 3.4), layout="constrained").add_subplot()
        for (arm, values), side, colour in zip(arms.items(), (1, -1), (BLUE, ORANGE), strict=True):
            share = 100.0 * np.histogram(values, edges)[0] / max(len(values), 1)
            ax.bar(
                edges[:-1], side * share, np.diff(edges), align="edge", color=colour, alpha=0.8,
                label=f"{arm} (n = {len(values):,})",
            )  # fmt: skip
        ax.axhline(0.0, color=INK, lw=0.9)
        ax.yaxis.set_major_formatter(lambda value, _: f"{abs(value):g}")
        ax.set_xlim(low, high)
        ax.set_xlabel(label)
        ax.set_ylabel("% of the arm")
        ax.legend(frameon=False)
    return ax
