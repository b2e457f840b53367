"""A forest of contrasts, one line per event type, some of them without an end."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vertebro_outcomes.display import numbers
from vertebro_outcomes.display.figures.axis import log_ticks
from vertebro_outcomes.display.style import BLUE, HOUSE, INK, QUIET

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WIDEST_RATIO = 1000.0  # drawn; beyond it a line ends in an arrow


def draw_contrasts(
    labels: Sequence[str],
    limits: NDArray[np.float64],
    *,
    texts: Sequence[str],
    label: str,
    ratio: bool,
    mark: str = "",
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw columns estimate, lower, upper; differences in percentage points, ratios on a log axis."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    size = len(labels)
    with rc_context(HOUSE):
        if ax is None:
            height = 1.2 + 0.3 * size
            ax = Figure(figsize=(8.4, height), layout="constrained").add_subplot()
        scaled = limits if ratio else 100 * limits
        least, most = _ends(scaled, ratio=ratio)
        ax.axvline(1.0 if ratio else 0.0, color=QUIET, lw=0.8)
        for row, (middle, low, high) in enumerate(scaled):
            if np.isnan(low):
                continue
            ax.hlines(row, max(low, least), min(high, most), color=INK, lw=1.2)
            for end, beyond, shape in ((least, low < least, "<"), (most, high > most, ">")):
                if beyond:
                    ax.plot([end], [row], shape, color=INK, ms=5, clip_on=False)
            if least <= middle <= most:
                ax.plot([middle], [row], "s", color=BLUE, ms=5)
        if ratio:
            ax.set_xscale("log")
            ticks = log_ticks(least, most)
            ax.set_xticks(ticks, [numbers.as_given(tick) for tick in ticks])
            ax.minorticks_off()
        ax.set_xlim(least, most)
        ax.set_ylim(size - 0.4, -0.6)
        ax.set_yticks(np.arange(size), list(labels))
        ax.tick_params(axis="y", length=0)
        for row, text in enumerate(texts):
            ax.text(1.03, row, text, transform=ax.get_yaxis_transform(), va="center")
        ax.set_xlabel(label if ratio else f"{label}, percentage points")
        if mark:
            ax.set_title(mark)
    return ax


def _ends(scaled: NDArray[np.float64], *, ratio: bool) -> tuple[float, float]:
    """Axis ends that hold every finite limit; ratios no farther than can be read."""
    known = scaled[np.isfinite(scaled)]
    if not ratio:
        size = 1.05 * float(np.abs(known).max(initial=0.5))
        return -size, size
    known = known[(known >= 1 / _WIDEST_RATIO) & (known <= _WIDEST_RATIO)]
    low, high = float(known.min(initial=0.5)), float(known.max(initial=2.0))
    return low / 1.15, high * 1.15
