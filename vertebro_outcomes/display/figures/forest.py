"""A forest plot as a journal prints it: studies, arms, squares by weight, diamond, prediction."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from vertebro_outcomes.display import numbers
from vertebro_outcomes.display.figures.columns import (
    PlacedColumn,
    TextColumn,
    arm_columns,
    place,
    shortened,
    text_width_in,
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
_PLOT_IN = 3.3
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
    left = _left_columns(studies, summary, rows=rows, arms=arms, heading=heading)
    right = _right_columns(studies, summary, rows=rows, measure=measure, decimals=decimals)
    with rc_context(HOUSE):
        blocks = place(left), place(right)
        if ax is None:
            ax = _axes(rows, lines, widths_in=(blocks[0][1], blocks[1][1]), favours=bool(favours))
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
) -> list[TextColumn]:
    marks = studies["mark"].fillna("") if "mark" in studies else [""] * len(studies)
    labels = tuple(
        f"{shortened(str(study))} {mark}".rstrip()
        for study, mark in zip(studies["study"], marks, strict=True)
    )
    label = str(summary.get("label", "Pooled")) if rows.pooled else ""
    under = "Prediction interval" if rows.predicted else ""
    named = TextColumn((heading,), labels, label, under, align="left")
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


def _axes(
    rows: Rows, lines: Sequence[str], *, widths_in: tuple[float, float], favours: bool
) -> "Axes":
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    before = _MARGIN_IN + widths_in[0] + _BLOCK_GAP_IN
    after = _BLOCK_GAP_IN + widths_in[1] + _MARGIN_IN
    longest = max((text_width_in(line) for line in lines), default=0.0)
    width = max(before + _PLOT_IN + after, longest + 2 * _MARGIN_IN)
    body = (rows.bottom + HEADER_ROWS) * _ROW_IN
    below = (axis_height_pt(favours) + LINE_PT * len(lines)) / 72.0 + _MARGIN_IN
    height = _MARGIN_IN + body + below
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    return figure.add_axes((before / width, below / height, _PLOT_IN / width, body / height))


def _axis_label(measure: str, unit: str) -> str:
    kind = MEASURES[measure]
    name = kind.label.partition(" (")[0]
    name = f"{name[0].upper()}{name[1:]}"
    extra = "log scale" if kind.is_ratio else unit
    return f"{name} ({extra})" if extra else name
