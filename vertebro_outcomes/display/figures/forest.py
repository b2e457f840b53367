"""A forest plot as a journal prints it: studies, arms, squares by weight, diamond, prediction."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Literal

import pandas as pd

from vertebro_outcomes.display import numbers
from vertebro_outcomes.display.figures.columns import (
    GAP_IN,
    PlacedColumn,
    TextColumn,
    arm_columns,
    place,
    shortened,
    text_width_in,
    wrapped,
)
from vertebro_outcomes.display.figures.forest_marks import (
    HEADER_ROWS,
    Rows,
    draw_pooled,
    draw_studies,
    no_effect,
    scale,
)
from vertebro_outcomes.display.figures.forest_text import (
    LINE_PT,
    axis_height_pt,
    heterogeneity_line,
    write_axis_labels,
    write_columns,
    write_lines,
    write_rules,
)
from vertebro_outcomes.display.style import HOUSE
from vertebro_outcomes.measures import MEASURES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Better = Literal["lower", "higher"]
Block = tuple[list[PlacedColumn], float]  # columns side by side, and their width in inches

_ROW_IN = 0.25
_TALL_ROW_IN = 0.33  # of labels in two lines
_PLOT_IN = 3.3
_NARROW_PLOT_IN = 2.0
# What a printed page holds without letters below seven points: long labels get a second line, then
# the columns move together, then the plot gives way.
_WIDEST_IN = 8.9
_NARROW_GAP_IN = 0.14
_NARROW_LABEL = 22  # characters
_LAYOUTS: Final = (  # of the labels, between the columns, and the least width of the plot
    (shortened, GAP_IN, _PLOT_IN),
    (wrapped, GAP_IN, _PLOT_IN),
    (wrapped, _NARROW_GAP_IN, _NARROW_PLOT_IN),
    (partial(wrapped, most=_NARROW_LABEL), _NARROW_GAP_IN, _NARROW_PLOT_IN),
)
_MARGIN_IN = 0.12
_BLOCK_GAP_IN = 0.25  # between the plot and the text on either side


def forest(
    studies: pd.DataFrame,
    summary: Mapping[str, Any],
    *,
    measure: str,
    arms: Sequence[str] = (),
    better: Better | None = None,
    unit: str = "",
    decimals: int | None = None,
    worthwhile: float | None = None,
    notes: Sequence[str] = (),
    heading: str = "Study",
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw a forest plot of one analysis; every number on the reader's scale.

    Parameters
    ----------
    studies : DataFrame
        One row per study in printing order: `study effect ci_low ci_high`; optional `weight_pct`
        (0 to 100), what the arms contributed (`events_t n_t events_c n_c`, `mean_t sd_t n_t ...`
        or `events n`), and `mark`, a sign printed after the label of rows that rest on something
        `notes` explains; their squares are hollow. A NaN effect prints "not estimable".
    summary : mapping
        `k estimate ci_low ci_high`; optional `label prediction_low prediction_high tau2 i2_pct q
        q_df q_p_value p_value`. With `k` 1 nothing is drawn below it, with `k` 0 the rows are no
        studies of one question and nothing is said about pooling.
    measure : str
        A name of `MEASURES`; ratios get a log axis, proportions an axis in percent.
    arms : pair of str
        Treatment and comparator (one name for one-arm measures).
    better : {"lower", "higher"}, optional
        Which direction is good for patients; decides the favours-labels.
    unit : str
        Unit of the axis, such as "points on a 0-10 scale".
    decimals : int, optional
        Digits of differences; 2 if not given.
    worthwhile : float, optional
        Smallest worthwhile effect, drawn as a dotted line.
    notes : sequence of str
        Lines printed under the plot.
    heading : str
        What the rows are.
    ax : Axes, optional
        Drawn into, without changing its size; a new figure of fitting size if not given.

    Returns
    -------
    Axes
        To be restyled or saved; `axes.figure` is the figure.
    """
    from matplotlib import rc_context

    pooled = int(summary.get("k", len(studies))) > 1
    predicted = pooled and math.isfinite(summary.get("prediction_low", math.nan))
    rows = Rows(k=len(studies), pooled=pooled, predicted=predicted)
    compares = not math.isnan(MEASURES[measure].no_effect)
    favours = tuple(arms) if compares else ()
    lines = [*_said_below(summary, rows, compares=compares), *notes]
    right = _right_columns(studies, summary, rows=rows, measure=measure, decimals=decimals)
    with rc_context(HOUSE):
        said = partial(_left_columns, studies, summary, rows=rows, arms=arms, heading=heading)
        blocks = _fitting(said, right)
        if ax is None:
            two_lines = any("\n" in cell for cell in blocks[0][0][0].column.cells)
            ax = _axes(rows, lines, blocks, favours=bool(favours), two_lines=two_lines)
        scale(ax, studies, summary, rows=rows, measure=measure, worthwhile=worthwhile)
        draw_studies(ax, studies)
        if pooled:
            draw_pooled(ax, summary, rows=rows)
        _write_beside(ax, blocks, lines, rows=rows, below_pt=axis_height_pt(bool(favours)))
        write_axis_labels(
            ax,
            label=_axis_label(measure, unit),
            favours=favours,
            better=better,
            no_effect=no_effect(measure),
        )
    return ax


def _write_beside(
    ax: "Axes",
    blocks: tuple[Block, Block],
    lines: Sequence[str],
    *,
    rows: Rows,
    below_pt: float,
) -> None:
    """The columns on both sides, the rules across them, and the lines under everything."""
    (left, left_in), (right, right_in) = blocks
    width_in = ax.bbox.width / ax.figure.dpi
    gap = _BLOCK_GAP_IN / width_in
    start, end = -gap - left_in / width_in, 1 + gap + right_in / width_in
    write_columns(ax, left, rows=rows, shift=start)
    write_columns(ax, right, rows=rows, shift=1 + gap)
    write_rules(ax, rows=rows, left=start, right=end)
    write_lines(ax, lines, x=start, below_pt=below_pt)


def _said_below(summary: Mapping[str, Any], rows: Rows, *, compares: bool) -> list[str]:
    if rows.pooled:
        return [heterogeneity_line(summary, compares=compares)]
    return ["One study: nothing to pool"] if summary.get("k", rows.k) == 1 else []


def _left_columns(
    studies: pd.DataFrame,
    summary: Mapping[str, Any],
    *,
    rows: Rows,
    arms: Sequence[str],
    heading: str,
    label: Callable[[str], str],
) -> list[TextColumn]:
    marks = studies["mark"].fillna("") if "mark" in studies else [""] * len(studies)
    labels = tuple(
        f"{label(str(study))} {mark}".rstrip()
        for study, mark in zip(studies["study"], marks, strict=True)
    )
    total = str(summary.get("label", "Pooled")) if rows.pooled else ""
    under = "Prediction interval" if rows.predicted else ""
    named = TextColumn((heading,), labels, total, under, align="left")
    contributed = arm_columns(studies, arms)
    return [named, *(c if rows.pooled else replace(c, total="") for c in contributed)]


def _right_columns(
    studies: pd.DataFrame,
    summary: Mapping[str, Any],
    *,
    rows: Rows,
    measure: str,
    decimals: int | None,
) -> list[TextColumn]:
    def said(row: Mapping[str, Any], estimate: str) -> str:
        limits = (row["ci_low"], row["ci_high"])
        return numbers.estimate_with_interval(
            row[estimate], limits, measure=measure, decimals=decimals
        )

    level = f"{100 * float(summary.get('level', 0.95)):g}% CI"
    effects = tuple(said(row, "effect") for row in studies.to_dict("records"))
    short = "" if math.isnan(MEASURES[measure].no_effect) or measure == "GEN" else measure
    heading = {"PETO": "Peto OR", "GEN": "Effect"}.get(measure, short) or "Estimate"
    under = ""
    if rows.predicted:
        limits = summary["prediction_low"], summary["prediction_high"]
        under = numbers.interval(limits, measure, decimals)
    total = said(summary, "estimate") if rows.pooled else ""
    columns = [TextColumn((heading, level), effects, total, under)]
    if rows.pooled and "weight_pct" in studies and studies["weight_pct"].notna().any():
        weights = tuple(numbers.percent(w / 100) for w in studies["weight_pct"])
        columns.append(TextColumn(("Weight",), weights))
    return columns


def _fitting(
    left: Callable[..., list[TextColumn]], right: Sequence[TextColumn]
) -> tuple[Block, Block]:
    """The first layout that a page holds, or the narrowest; `left` makes columns for labels."""
    layouts = iter(_LAYOUTS)
    while True:
        label, gap, least = next(layouts)
        blocks = place(left(label=label), gap), place(right, gap)
        if _width_in(blocks, least) <= _WIDEST_IN or label is _LAYOUTS[-1][0]:
            return blocks


def _width_in(blocks: tuple[Block, Block], plot_in: float = _PLOT_IN) -> float:
    return 2 * (_MARGIN_IN + _BLOCK_GAP_IN) + blocks[0][1] + plot_in + blocks[1][1]


def _axes(
    rows: Rows,
    lines: Sequence[str],
    blocks: tuple[Block, Block],
    *,
    favours: bool,
    two_lines: bool,
) -> "Axes":
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    plot = max(_NARROW_PLOT_IN, min(_PLOT_IN, _PLOT_IN + _WIDEST_IN - _width_in(blocks)))
    before = _MARGIN_IN + blocks[0][1] + _BLOCK_GAP_IN
    longest = max((text_width_in(line) for line in lines), default=0.0)
    width = max(_width_in(blocks, plot), longest + 2 * _MARGIN_IN)
    body = (rows.bottom + HEADER_ROWS) * (_TALL_ROW_IN if two_lines else _ROW_IN)
    below = (axis_height_pt(favours) + LINE_PT * len(lines)) / 72.0 + _MARGIN_IN
    height = _MARGIN_IN + body + below
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    return figure.add_axes((before / width, below / height, plot / width, body / height))


def _axis_label(measure: str, unit: str) -> str:
    kind = MEASURES[measure]
    name = kind.label.partition(" (")[0]
    name = f"{name[0].upper()}{name[1:]}"
    extra = "log scale" if kind.is_ratio else unit
    return f"{name} ({extra})" if extra else name
