"""A contour-enhanced funnel plot: effect against standard error, shaded by significance."""

import math
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from scipy import special

from vertebro_outcomes.display.figures.axis import log_ticks
from vertebro_outcomes.display.style import HOUSE, INK, QUIET
from vertebro_outcomes.measures import MEASURES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Two-sided levels and the grey of the region between a level and the next smaller one, after Peters
# et al. (2008), J Clin Epidemiol 61:991-996, doi:10.1016/j.jclinepi.2007.11.010.
CONTOURS: Final = ((0.10, "#ffffff"), (0.05, "#e3e5e8"), (0.01, "#c6cacf"), (0.0, "#a9afb6"))
_REACH = 1.12  # the axis of standard errors goes this much beyond the largest


def draw_funnel(
    studies: pd.DataFrame,
    *,
    measure: str,
    centre: float | None = None,
    level: float = 0.95,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw a funnel plot on the analysis scale, ticks of ratios on the reader's scale.

    Parameters
    ----------
    studies : DataFrame
        `effect` and `se`, optional `filled` (True: drawn hollow).
    measure : str
        A name of `MEASURES`. The contours lie around its value of no effect; one-arm measures get none.
    centre : float, optional
        Pooled effect, analysis scale; the inverse-variance mean if not given.
    level : float
        Of the dashed triangle around the centre.
    ax : Axes, optional
        Drawn into; a new figure if not given.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    kind = MEASURES[measure]
    effect, se = studies["effect"].to_numpy(float), studies["se"].to_numpy(float)
    if centre is None:
        centre = float(np.average(effect, weights=se**-2.0))
    top = _REACH * float(se.max())
    z = float(-special.ndtri((1.0 - level) / 2.0))
    known = [centre - z * top, centre + z * top, float(effect.min()), float(effect.max())]
    if not math.isnan(kind.no_effect):
        known.append(kind.no_effect)
    pad = 0.04 * (max(known) - min(known))
    low, high = min(known) - pad, max(known) + pad
    with rc_context(HOUSE):
        if ax is None:
            ax = Figure(figsize=(5.6, 4.2), layout="constrained").add_subplot()
        if not math.isnan(kind.no_effect):
            _draw_contours(ax, around=kind.no_effect, top=top, limits=(low, high))
        ax.plot(
            [centre - z * top, centre, centre + z * top], [top, 0, top], color=INK, ls="--", lw=0.9
        )
        ax.axvline(centre, color=INK, lw=0.9)
        filled = studies.get("filled", pd.Series(False, index=studies.index)).to_numpy(bool)
        ax.plot(effect[~filled], se[~filled], "o", color=INK, ms=5, mec="white", mew=0.6)
        if filled.any():
            ax.plot(
                effect[filled],
                se[filled],
                "o",
                color="white",
                ms=5,
                mec=INK,
                mew=1.0,
                label="filled in",
            )
        ax.set(xlim=(low, high), ylim=(top, 0), ylabel="standard error", xlabel=kind.label)
        ax.spines["left"].set_visible(True)
        if kind.scale == "log":
            ticks = log_ticks(math.exp(low), math.exp(high))
            ax.set_xticks([math.log(t) for t in ticks], [f"{t:g}" for t in ticks])
        if ax.get_legend_handles_labels()[1]:
            ax.legend(frameon=True, framealpha=1.0, edgecolor=QUIET, loc="best")
    return ax


def _draw_contours(ax: "Axes", *, around: float, top: float, limits: tuple[float, float]) -> None:
    """Regions of two-sided p: the darker, the smaller."""
    heights = np.array([0.0, top])
    bounds = [float(-special.ndtri(alpha / 2.0)) if alpha else math.inf for alpha, _ in CONTOURS]
    ax.set_facecolor(CONTOURS[0][1])
    for i in range(1, len(CONTOURS)):
        inner, outer = bounds[i - 1], bounds[i]
        colour = CONTOURS[i][1]
        upper = CONTOURS[i - 1][0]
        label = f"p < {upper:g}" if math.isinf(outer) else f"{CONTOURS[i][0]:g} < p < {upper:g}"
        for sign, end in ((-1.0, limits[0]), (1.0, limits[1])):
            near = around + sign * inner * heights
            far = np.full(2, end) if math.isinf(outer) else around + sign * outer * heights
            ax.fill_betweenx(
                heights, near, far, color=colour, linewidth=0, zorder=0,
                label=label if sign > 0 else None,
            )  # fmt: skip
