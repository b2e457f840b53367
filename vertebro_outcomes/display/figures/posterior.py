"""A posterior density with its credible interval, the prior and the predictive density."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from vertebro_outcomes.display.figures.axis import log_ticks
from vertebro_outcomes.display.style import BLUE, HOUSE, INK, QUIET

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_POINTS = 401


def draw_posterior(
    *,
    posterior: Callable[[float], Any],
    predictive: Callable[[float], Any],
    interval: tuple[float, float],
    reach: tuple[float, float],
    prior: tuple[float, float] | None,
    label: str,
    no_effect: float,
    log: bool,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw densities over the analysis scale, ticks on the reader's scale for logarithms.

    Parameters
    ----------
    posterior, predictive : callables
        Densities of the mean effect and of the effect in a new study.
    interval, reach : pairs of float
        Credible interval (shaded) and prediction interval (decides the width of the axis).
    prior : pair of float, optional
        Mean and standard deviation of a normal prior, drawn dotted.
    label : str
        Name of the measure.
    no_effect : float
        Marked by a thin line unless NaN.
    log : bool
        The scale is a natural logarithm.
    ax : Axes, optional
        Drawn into; a new figure if not given.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    pad = 0.25 * (reach[1] - reach[0])
    x = np.linspace(reach[0] - pad, reach[1] + pad, _POINTS)
    heights = np.array([float(posterior(value)) for value in x])
    with rc_context(HOUSE):
        if ax is None:
            ax = Figure(figsize=(5.2, 3.0), layout="constrained").add_subplot()
        inside = (x >= interval[0]) & (x <= interval[1])
        ax.fill_between(x, heights, where=list(inside), color=BLUE, alpha=0.25, linewidth=0)
        ax.plot(x, heights, color=BLUE, label="posterior of the mean effect")
        new = [float(predictive(value)) for value in x]
        ax.plot(x, new, color=INK, linestyle="--", label="effect in a new study")
        if prior is not None:
            z = (x - prior[0]) / prior[1]
            flat = np.exp(-0.5 * z * z) / (prior[1] * math.sqrt(2 * math.pi))
            ax.plot(x, flat, color=QUIET, linestyle=":", label="prior of the mean effect")
        if not math.isnan(no_effect):
            ax.axvline(no_effect, color=QUIET, linewidth=0.8)
        if log:
            ticks = log_ticks(math.exp(x[0]), math.exp(x[-1]))
            ax.set_xticks([math.log(t) for t in ticks], [f"{t:g}" for t in ticks])
        ax.set_xlabel(label)
        ax.set_yticks([])
        ax.set_ylim(bottom=0)
        ax.legend(frameon=False)
    return ax
