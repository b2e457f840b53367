"""One difference with its 90 % and 95 % interval between two margins."""

from typing import TYPE_CHECKING

from vertebro_outcomes.display.style import BLUE, HOUSE, INK, ORANGE, QUIET, RULE

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_margin(
    estimate: float,
    intervals: dict[str, tuple[float, float]],
    *,
    margin: float,
    label: str,
    sides: tuple[str, str],
    mark: str = "",
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw one line per interval; `sides` name the better arm left and right of zero.

    Parameters
    ----------
    estimate : float
    intervals : dict
        Limits by name, top line first.
    margin : float
        Above 0; lines stand at plus and minus the margin.
    label : str
        Of the horizontal axis.
    sides : (str, str)
        Words for the left and the right of the no-difference line.
    mark : str
        Written into the corner, such as "synthetic".
    ax : Axes, optional
        Drawn into; a new figure if not given.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context(HOUSE):
        if ax is None:
            ax = Figure(figsize=(6.0, 2.6), layout="constrained").add_subplot()
        ax.axvspan(-margin, margin, color=RULE, alpha=0.25, lw=0)
        ax.axvline(0, color=INK, lw=0.8)
        for edge in (-margin, margin):
            ax.axvline(edge, color=ORANGE, lw=1.2, ls="--")
        for place, (low, high) in enumerate(intervals.values()):
            around = [[estimate - low], [high - estimate]]
            ax.errorbar([estimate], [-place], xerr=around, fmt="o", color=BLUE, ms=6, capsize=4)
        ax.set_yticks([-place for place in range(len(intervals))], list(intervals))
        ax.set_ylim(-len(intervals) + 0.4, 0.6)
        widest = max([margin, *(abs(edge) for pair in intervals.values() for edge in pair)])
        ax.set_xlim(-1.15 * widest, 1.15 * widest)
        for x, side, words in ((0.0, "left", sides[0]), (1.0, "right", sides[1])):
            ax.text(x, 1.01, words, transform=ax.transAxes, ha=side, va="bottom", color=QUIET)
        ax.set_xlabel(f"{label}; dashed lines: margin ±{margin:g}")
        if mark:
            ax.text(0.99, 0.02, mark, transform=ax.transAxes, ha="right", va="bottom", color=QUIET)
    return ax
