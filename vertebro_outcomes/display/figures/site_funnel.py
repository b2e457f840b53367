"""Rates of sites against their size, between limits that widen as sites get smaller."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from vertebro_outcomes.display.style import BLUE, HOUSE, INK, ORANGE, QUIET

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Limits = Mapping[str, Sequence[NDArray[np.float64]]]
_NAMED = 12  # with more sites only those beyond the limits are named
_STYLES = ("--", "-")


def draw_site_funnel(
    sites: pd.DataFrame,
    *,
    sizes: NDArray[np.float64],
    exact: Limits,
    wide: Limits,
    target: float,
    name: str,
    label: str,
    unit: str,
    left_out: int = 0,
    mark: str = "",
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw `rate`, `n`, `place` of `sites`, times 100, with lower and upper limits at `sizes`."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(HOUSE):
        if ax is None:
            ax = Figure(figsize=(6.0, 4.2), layout="constrained").add_subplot()
        for limits, colour, width in ((exact, INK, 0.9), (wide, BLUE, 0.8)):
            for place, (words, pair) in enumerate(limits.items()):
                for side, line in enumerate(pair):
                    ax.plot(
                        sizes, 100 * line, color=colour, ls=_STYLES[place % 2], lw=width,
                        label=f"{words} limits" if side == 0 else None,
                    )  # fmt: skip
        ax.axhline(100 * target, color=QUIET, lw=0.9, ls=":", label="target")
        beyond = (sites["place"] != "within").to_numpy(bool)
        n, rate = sites["n"].to_numpy(float), 100 * sites["rate"].to_numpy(float)
        for mask, shape, colour in ((~beyond, "o", INK), (beyond, "D", ORANGE)):
            ax.plot(n[mask], rate[mask], shape, color=colour, ms=6, mec="white", mew=0.6)
        for row, x, y, out in zip(sites[name], n, rate, beyond, strict=True):
            if out or len(sites) <= _NAMED:
                ax.annotate(str(row), (x, y), xytext=(5, 4), textcoords="offset points")
        highest = [100 * float(pair[1][len(sizes) // 4]) for pair in [*exact.values()]]
        top = max([*rate, *highest, 100 * target]) * 1.1
        ax.set(
            xlim=(0, 1.08 * float(sizes[-1])),
            ylim=(0, min(100.0, top)),
            xlabel=f"{unit} at the site",
            ylabel=label,
        )
        ax.spines["left"].set_visible(True)
        ax.legend(frameon=False, loc="upper right")
        said = [mark] if mark else []
        if left_out:
            said.append(f"{left_out} sites with small counts not drawn")
        if said:
            ax.set_title("; ".join(said), fontsize="medium")
    return ax
