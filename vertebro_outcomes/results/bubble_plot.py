"""Effects against a moderator, with the line of a meta-regression."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from vertebro_outcomes.display.style import BLUE, INK, RULE
from vertebro_outcomes.errors import refuse_argument
from vertebro_outcomes.measures import MEASURES
from vertebro_outcomes.results.moderator_design import ModeratorDesign

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LARGEST_AREA_PT2 = 400.0


def bubble_plot(fit: Any, moderator: str | None, *, ax: "Axes | None") -> "Axes":
    """Draw the studies of a `MetaRegression` and its line over one numeric moderator."""
    from matplotlib.figure import Figure

    design: ModeratorDesign = fit.design
    numeric = [name for name in design.used.columns if _is_numeric(design.used[name])]
    if moderator is None and numeric:
        moderator = numeric[0]
    if moderator is None or moderator not in numeric:
        allowed = ", ".join(numeric) or "a formula with a numeric moderator"
        raise refuse_argument("plot", "moderator", moderator, allowed)
    axes = ax if ax is not None else Figure(figsize=(6, 4.5)).subplots()
    read = MEASURES[fit.measure].to_natural
    at = design.used[moderator].to_numpy()
    line = fit.predict(_along(design, moderator), scale="natural")
    grid = np.linspace(at.min(), at.max(), len(line))
    axes.fill_between(grid, line["ci_low"], line["ci_high"], color=BLUE, alpha=0.15, lw=0)
    axes.plot(grid, line["estimate"], color=BLUE)
    area = LARGEST_AREA_PT2 * fit.weights_pct / fit.weights_pct.max()
    axes.scatter(at, read(fit.effects), s=area, facecolors="none", edgecolors=INK, linewidths=0.8)
    no_effect = MEASURES[fit.measure].no_effect
    if not np.isnan(no_effect):
        axes.axhline(float(read(no_effect)), color=RULE, lw=0.8, zorder=0)
    if MEASURES[fit.measure].is_ratio:
        axes.set_yscale("log")
    axes.set_xlabel(moderator)
    axes.set_ylabel(MEASURES[fit.measure].label)
    return axes


def _is_numeric(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def _along(design: ModeratorDesign, moderator: str) -> pd.DataFrame:
    """A hundred rows along the moderator, the others at their mean or most frequent value."""
    used = design.used
    rows = {
        name: [used[name].mean() if _is_numeric(used[name]) else used[name].mode().iloc[0]] * 100
        for name in used.columns
    }
    rows[moderator] = list(np.linspace(used[moderator].min(), used[moderator].max(), 100))
    return pd.DataFrame(rows)
