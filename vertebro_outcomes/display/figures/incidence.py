"""Cumulative incidence over days by arm, with the numbers at risk."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vertebro_outcomes.display.style import BLUE, HOUSE, ORANGE, QUIET

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_Numbers = NDArray[np.float64]
_COLOURS = (BLUE, ORANGE, QUIET)
_LINES = ("-", "--", ":", "-.")


def draw_incidence(
    steps: Mapping[str, tuple[_Numbers, _Numbers, _Numbers, _Numbers]],
    *,
    ticks: _Numbers,
    at_risk: Mapping[str, _Numbers],
    label: str,
    mark: str = "",
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw steps with bands; `steps` holds days, incidence, lower and upper limit of each arm."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(HOUSE):
        if ax is None:
            ax = Figure(figsize=(6.0, 4.2), layout="constrained").add_subplot()
        for place, (arm, (days, value, low, high)) in enumerate(steps.items()):
            colour = _COLOURS[place % len(_COLOURS)]
            line = _LINES[place % len(_LINES)]
            ax.step(
                np.r_[0, days],
                100 * np.r_[0, value],
                where="post",
                label=arm,
                color=colour,
                ls=line,
            )
            ax.fill_between(
                days, 100 * low, 100 * high, step="post", color=colour, alpha=0.15, lw=0
            )
        lines = [
            "\n".join([f"{day:.0f}", *(f"{arm} {n[j]:.0f}" for arm, n in at_risk.items())])
            for j, day in enumerate(ticks)
        ]
        ax.set_xticks(ticks, lines)
        ax.set_ylim(bottom=0)
        ax.set_ylabel(f"{label}, %")
        ax.set_xlabel("days, with numbers at risk", color=QUIET)
        ax.legend(frameon=False, loc="upper left")
        if mark:
            ax.text(0.99, 0.02, mark, transform=ax.transAxes, ha="right", va="bottom", color=QUIET)
    return ax
