"""The spine from T4 to L5: how often each vertebra breaks, by distance from the treated level."""

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from vertebro_outcomes.display import numbers
from vertebro_outcomes.display.style import HOUSE, INK, QUIET, RULE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_FEW: Final = 50.0  # vertebra-years below which a rate is drawn pale: chance rules it
_NARROW: Final = 0.56  # width of the first body relative to the last


def draw_spine(incidence: pd.DataFrame, *, mark: str = "", ax: "Axes | None" = None) -> "Axes":
    """Vertebral bodies in rows, distance in columns, colour and number by rate per 1000 years."""
    from matplotlib import colormaps, rc_context
    from matplotlib.figure import Figure
    from matplotlib.patches import FancyBboxPatch

    levels = list(dict.fromkeys(incidence["level"]))
    columns = sorted(incidence["distance"].unique())
    known = incidence.loc[incidence["years"] >= _FEW, "rate_per_1000_years"]
    top = float(known.max()) if len(known) and known.max() > 0 else 1.0
    colours = colormaps["YlOrRd"]
    with rc_context(HOUSE):
        if ax is None:
            ax = Figure(figsize=(5.4, 6.6), layout="constrained").add_subplot()
        for row in incidence.itertuples():
            y, x = levels.index(str(row.level)), columns.index(str(row.distance))
            wide = 0.86 * (_NARROW + (1 - _NARROW) * y / max(len(levels) - 1, 1))
            rate = float(np.float64(row.rate_per_1000_years))
            few = float(np.float64(row.years)) < _FEW
            shade = min(rate / top, 1.0)
            ax.add_patch(
                FancyBboxPatch(
                    (x - wide / 2, y - 0.36), wide, 0.72, boxstyle="round,pad=0,rounding_size=0.12",
                    facecolor="white" if few else colours(0.06 + 0.8 * shade),
                    edgecolor=RULE if few else INK, lw=0.8,
                )
            )  # fmt: skip
            ax.text(
                x, y, "few" if few else numbers.number(rate, 1), ha="center", va="center",
                color=QUIET if few else "white" if shade > 0.7 else INK,
            )  # fmt: skip
        ax.set_xlim(-0.6, len(columns) - 0.4)
        ax.set_ylim(len(levels) - 0.5, -0.6)
        ax.set_xticks(range(len(columns)), columns)
        ax.set_yticks(range(len(levels)), levels)
        ax.tick_params(length=0)
        ax.spines["bottom"].set_visible(False)
        ax.set_xlabel("levels from the nearest treated vertebra")
        said = f"New fractures per 1000 vertebra-years{f' ({mark})' if mark else ''}"
        ax.set_title(f"{said}\nfew: under {_FEW:g} vertebra-years", fontsize=9, color=INK)
    return ax
