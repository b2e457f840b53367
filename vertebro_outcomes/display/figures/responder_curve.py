"""Cumulative responder curves: the share of each arm that improved by at least so much."""

from typing import TYPE_CHECKING

import pandas as pd

from vertebro_outcomes.display.style import BLUE, HOUSE, ORANGE, QUIET, RULE

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_responder_curve(
    curve: pd.DataFrame,
    *,
    arms: tuple[str, str],
    n: tuple[int, int],
    label: str,
    mark: str = "",
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw both shares as steps over the improvement.

    Parameters
    ----------
    curve : DataFrame
        `improvement share_t share_c`, improvement rising.
    arms : (str, str)
        Treatment and comparator.
    n : (int, int)
        Patients of each arm.
    label : str
        Of the horizontal axis.
    mark : str
        Written into the corner, such as "synthetic".
    ax : Axes, optional
        Drawn into; a new figure if not given.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(HOUSE):
        if ax is None:
            ax = Figure(figsize=(6.0, 4.0), layout="constrained").add_subplot()
        ax.axvline(0, color=RULE, lw=0.8)
        x = curve["improvement"].to_numpy(float)
        styles = (("t", BLUE, "-"), ("c", ORANGE, "--"))
        for arm, size, (suffix, colour, line) in zip(arms, n, styles, strict=True):
            share = 100 * curve[f"share_{suffix}"].to_numpy(float)
            ax.step(x, share, where="pre", color=colour, ls=line, label=f"{arm} (n = {size})")
        ax.set_ylim(0, 102)
        ax.set_ylabel("patients with at least this improvement, %")
        ax.set_xlabel(label, color=QUIET)
        ax.legend(frameon=False, loc="upper right")
        if mark:
            ax.text(0.01, 0.02, mark, transform=ax.transAxes, va="bottom", color=QUIET)
    return ax
