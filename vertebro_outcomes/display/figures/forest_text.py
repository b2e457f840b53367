"""The words of a forest plot: columns on both sides, lines under it, labels of the axis."""

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from vertebro_outcomes.display import numbers
from vertebro_outcomes.display.figures.columns import PlacedColumn
from vertebro_outcomes.display.figures.forest_marks import Rows
from vertebro_outcomes.display.style import INK, QUIET, RULE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LINE_PT = 14.0
_AXIS_PT = 42.0  # ticks and name of the axis


def axis_height_pt(favours: bool) -> float:
    """Height of what stands under the axis: ticks, favours-labels if there are any, its name."""
    return _AXIS_PT + LINE_PT * favours


def write_columns(ax: "Axes", columns: Sequence[PlacedColumn], *, rows: Rows, shift: float) -> None:
    """Headings, cells and pooled cells; `shift` is the block's left edge in axes widths."""
    width_in = ax.bbox.width / ax.figure.dpi
    across = ax.get_yaxis_transform()
    style: dict[str, Any] = {"transform": across, "va": "center_baseline", "clip_on": False}
    for placed in columns:
        column = placed.column
        x = shift + placed.x_in / width_in
        for line, text in enumerate(reversed(column.heading)):
            y = -0.95 - 0.7 * line
            ax.text(x, y, text, ha=column.align, fontweight="bold", **style)
        for y, cell in enumerate(column.cells):
            ax.text(x, y, cell, ha=column.align, **style)
        if rows.pooled:
            text = column.total
            ax.text(x, rows.diamond, text, ha=column.align, fontweight="bold", **style)
        if rows.predicted:
            ax.text(x, rows.prediction, column.under_total, ha=column.align, **style)


def write_rules(ax: "Axes", *, rows: Rows, left: float, right: float) -> None:
    """Thin lines under the headings and above the pooled row, across all columns."""
    heights = [-0.55, rows.rule] if rows.pooled else [-0.55]
    for y in heights:
        ax.plot(
            [left, right],
            [y, y],
            transform=ax.get_yaxis_transform(),
            color=RULE,
            lw=0.7,
            clip_on=False,
            zorder=0,
        )


def write_lines(ax: "Axes", lines: Sequence[str], *, x: float, below_pt: float) -> None:
    """Heterogeneity and notes on the left, the first line `below_pt` under the axis."""
    from matplotlib.transforms import offset_copy

    figure = ax.get_figure(root=True)
    for i, line in enumerate(lines):
        drop = -(below_pt + LINE_PT * i)
        where = offset_copy(ax.transAxes, fig=figure, y=drop, units="points")
        ax.text(x, 0, line, transform=where, va="top", ha="left", color=INK, clip_on=False)


def write_axis_labels(
    ax: "Axes",
    *,
    label: str,
    favours: Sequence[str],
    better: str | None,
    no_effect: float,
) -> None:
    """Under the axis: which side is good for whom, and what the axis measures."""
    from matplotlib.transforms import blended_transform_factory, offset_copy

    figure = ax.get_figure(root=True)
    if len(favours) == 2:
        treatment, comparator = favours
        sides = {
            "lower": (f"favours {treatment}", f"favours {comparator}"),
            "higher": (f"favours {comparator}", f"favours {treatment}"),
            None: (f"lower with {treatment}", f"higher with {treatment}"),
        }[better]
        base = blended_transform_factory(ax.transData, ax.transAxes)
        for side, ha, dx, arrow in zip(sides, ("right", "left"), (-6, 6), "←→", strict=True):
            text = f"{arrow} {side}" if ha == "right" else f"{side} {arrow}"
            where = offset_copy(base, fig=figure, x=dx, y=-22, units="points")
            ax.text(no_effect, 0, text, transform=where, ha=ha, va="top", color=INK)
    where = offset_copy(ax.transAxes, fig=figure, y=-22 - LINE_PT * bool(favours), units="points")
    ax.text(0.5, 0, label, transform=where, ha="center", va="top", color=QUIET)


def heterogeneity_line(summary: Mapping[str, Any], *, compares: bool) -> str:
    """'Heterogeneity: τ² = ...; test of no effect: P = ...' from what the summary holds."""
    nan = math.nan
    parts = []
    spread = numbers.heterogeneity(
        tau2=float(summary.get("tau2", nan)),
        i2_pct=float(summary.get("i2_pct", nan)),
        q=float(summary.get("q", nan)),
        q_df=float(summary.get("q_df", nan)),
        q_p_value=float(summary.get("q_p_value", nan)),
    )
    if spread:
        parts.append(f"Heterogeneity: {spread}")
    p = float(summary.get("p_value", nan))
    if compares and not math.isnan(p):
        parts.append(f"Test of no effect: {numbers.p_value(p)}")
    return ". ".join(parts)
