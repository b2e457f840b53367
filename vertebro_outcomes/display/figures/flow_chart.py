"""A flow chart: boxes with the patients who are left, arrows, and beside them who left and why."""

import itertools
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from vertebro_outcomes.display.disclosure import HIDDEN
from vertebro_outcomes.display.numbers import count
from vertebro_outcomes.display.style import HOUSE, INK, QUIET

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ARM_IN: Final = 1.05  # width of a box
_GAP_IN: Final = 0.3
_SIDE_IN: Final = 3.8
_BOX_IN: Final = 0.42  # height of a box
_LINE_IN: Final = 0.165
_LETTERS: Final = 50  # of a line beside the chart
_ARROW: Final = {"arrowstyle": "-|>", "color": INK, "lw": 0.9, "shrinkA": 0.0, "shrinkB": 0.0}


def draw_flow(
    chart: pd.DataFrame,
    arms: Mapping[str, str],
    *,
    first: str,
    last: str = "",
    total: str = "",
    mark: str = "",
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw who is left after every step, and on the right who left.

    Parameters
    ----------
    chart : DataFrame
        One line per step: `step` says why patients left (in the first line nothing is read from
        it), the other columns how many are left, or that the number is hidden.
    arms : mapping
        Column -> words in its boxes.
    first, last : str
        Words in the box above the arms and below the last line; without them no box.
    total : str
        Number in the box above the arms.
    mark : str
        Written into the corner, such as "synthetic".
    ax : Axes, optional
        Drawn into; a new figure if not given.

    Returns
    -------
    Axes
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    lines = chart.to_dict("records")
    said = [_left(before, after, arms) for before, after in itertools.pairwise(lines)]
    gaps = [_LINE_IN * (text.count("\n") + 1) + 0.34 for text in said]
    centres = [_ARM_IN / 2 + i * (_ARM_IN + _GAP_IN) for i in range(len(arms))]
    right = centres[-1] + _ARM_IN / 2
    width = right + (_GAP_IN + _SIDE_IN if said else 0.0)
    height = (_BOX_IN + 0.3) * (1 + bool(last)) + _BOX_IN * len(lines) + sum(gaps) + 0.2
    height += 0.2 * bool(mark)
    with rc_context(HOUSE):
        if ax is None:
            figure = Figure(figsize=(max(width, 3.4) + 0.2, height))
            ax = figure.add_axes((0, 0, 1, 1))
        ax.set_xlim(-0.1, max(width, 3.4) + 0.1)
        ax.set_ylim(height - 0.1, -0.1)
        ax.set_axis_off()
        _box(ax, right / 2, 0.0, right, f"{first}\n{total}" if total else first)
        top = _BOX_IN + 0.3
        _fork(ax, right / 2, _BOX_IN, centres, top)
        for i, line in enumerate(lines):
            for x, (name, words) in zip(centres, arms.items(), strict=True):
                _box(ax, x, top, _ARM_IN, f"{words}\n{_shown(line[name])}")
            bottom = top + _BOX_IN
            if i < len(said):
                top = bottom + gaps[i]
                for x in centres:
                    ax.annotate("", (x, top), (x, bottom), arrowprops=_ARROW)
                middle = (bottom + top) / 2
                start, end = (centres[0], middle), (right + _GAP_IN, middle)
                ax.annotate("", end, start, arrowprops=_ARROW)
                _side(ax, right + _GAP_IN, middle, said[i])
        if last:
            _join(ax, right / 2, top + _BOX_IN, centres)
            _box(ax, right / 2, top + _BOX_IN + 0.3, right, last)
        if mark:
            ax.text(max(width, 3.4), height - 0.12, mark, ha="right", va="bottom", color=QUIET)
    return ax


def left_counts(before: Mapping[str, Any], after: Mapping[str, Any], name: str) -> str:
    """How many left between two lines, or that it is hidden."""
    if HIDDEN in (before[name], after[name]):
        return HIDDEN
    return count(int(before[name]) - int(after[name]))


def _left(before: Mapping[str, Any], after: Mapping[str, Any], arms: Mapping[str, str]) -> str:
    why = textwrap.fill(str(after["step"]), _LETTERS)
    numbers = ", ".join(
        f"{words} {left_counts(before, after, name)}" for name, words in arms.items()
    )
    return f"{why}\nleft: {numbers}"


def _shown(value: object) -> str:
    return value if isinstance(value, str) else count(int(str(value)))


def _box(ax: "Axes", x: float, top: float, width: float, text: str) -> None:
    from matplotlib.patches import Rectangle

    corner = (x - width / 2, top)
    ax.add_patch(Rectangle(corner, width, _BOX_IN, facecolor="white", edgecolor=INK, lw=0.9))
    ax.text(x, top + _BOX_IN / 2, text, ha="center", va="center", linespacing=1.15)


def _side(ax: "Axes", left: float, middle: float, text: str) -> None:
    from matplotlib.patches import Rectangle

    tall = _LINE_IN * (text.count("\n") + 1) + 0.12
    ax.add_patch(
        Rectangle(
            (left, middle - tall / 2), _SIDE_IN, tall, facecolor="#f3f5f7", edgecolor=QUIET, lw=0.7
        )
    )
    ax.text(left + 0.08, middle, text, ha="left", va="center", linespacing=1.15)


def _fork(ax: "Axes", x: float, top: float, centres: Sequence[float], bottom: float) -> None:
    middle = (top + bottom) / 2
    ax.plot([x, x], [top, middle], color=INK, lw=0.9)
    ax.plot([centres[0], centres[-1]], [middle, middle], color=INK, lw=0.9)
    for centre in centres:
        ax.annotate("", (centre, bottom), (centre, middle), arrowprops=_ARROW)


def _join(ax: "Axes", x: float, top: float, centres: Sequence[float]) -> None:
    for centre in centres:
        ax.plot([centre, centre], [top, top + 0.12], color=INK, lw=0.9)
    ax.plot([centres[0], centres[-1]], [top + 0.12] * 2, color=INK, lw=0.9)
    ax.annotate("", (x, top + 0.3), (x, top + 0.12), arrowprops=_ARROW)
