"""The marks of a forest plot: axis, squares, interval lines, diamond, prediction interval."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from vertebro_outcomes.display import numbers
from vertebro_outcomes.display.figures.axis import axis_limits, linear_ticks, log_ticks
from vertebro_outcomes.display.style import BLUE, INK, ORANGE, QUIET
from vertebro_outcomes.measures import MEASURES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HEADER_ROWS = 2.0
_LARGEST_SQUARE_PT = 12.0
_SMALLEST_SQUARE_PT = 3.5
_HALF_DIAMOND = 0.32  # of a row
_TOP = -0.6  # where vertical lines begin, in rows


@dataclass(frozen=True)
class Rows:
    """Positions from top to bottom, in rows; the first study is row 0."""

    k: int
    pooled: bool
    predicted: bool

    @property
    def rule(self) -> float:
        return self.k - 0.4

    @property
    def diamond(self) -> float:
        return self.k + 0.2

    @property
    def prediction(self) -> float:
        return self.diamond + 1.0

    @property
    def bottom(self) -> float:
        """Where the axis stands."""
        return self.diamond + 0.7 + self.predicted if self.pooled else self.k - 0.2


def no_effect(measure: str) -> float:
    """The value of no difference on the reader's scale, NaN for one-arm measures."""
    return 1.0 if MEASURES[measure].is_ratio else MEASURES[measure].no_effect


def scale(
    ax: "Axes",
    studies: pd.DataFrame,
    summary: Mapping[str, Any],
    *,
    rows: Rows,
    measure: str,
    worthwhile: float | None,
) -> None:
    """Axis limits, ticks and the vertical reference lines."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    log = MEASURES[measure].is_ratio
    one_arm = math.isnan(MEASURES[measure].no_effect)
    in_percent = measure == "RD" or (one_arm and measure != "MN")
    must_show = [*studies["effect"].dropna(), no_effect(measure)]
    must_show += [summary.get(name, math.nan) for name in ("estimate", "ci_low", "ci_high")]
    if worthwhile is not None:
        must_show.append(worthwhile)
    bounds = (0.0, 1.0) if one_arm and in_percent else (-math.inf, math.inf)
    if one_arm and in_percent:  # a scale with two ends: nothing needs to be cut off
        must_show += [*studies["ci_low"].dropna(), *studies["ci_high"].dropna()]
    low, high = axis_limits(
        [*studies["ci_low"], summary.get("prediction_low", math.nan)],
        [*studies["ci_high"], summary.get("prediction_high", math.nan)],
        [x for x in must_show if not math.isnan(x)],
        log=log,
        bounds=bounds,
    )
    if log:
        ax.set_xscale("log")
    ax.set_xlim(low, high)
    ax.set_ylim(rows.bottom, -HEADER_ROWS)
    ticks = log_ticks(low, high) if log else linear_ticks(low, high)
    if in_percent:
        ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: _short(100 * x) + "%"))
    else:
        ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: _short(x)))
    ax.xaxis.set_major_locator(FixedLocator(ticks))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.tick_params(axis="x", length=3, width=0.8, pad=2)
    ax.set_yticks([])
    _reference_lines(ax, summary, rows=rows, measure=measure, worthwhile=worthwhile)


def _reference_lines(
    ax: "Axes",
    summary: Mapping[str, Any],
    *,
    rows: Rows,
    measure: str,
    worthwhile: float | None,
) -> None:
    """No effect, the smallest worthwhile effect, and the pooled estimate, from top to bottom."""
    end = rows.diamond + 0.5 if rows.pooled else rows.k - 0.5
    if not math.isnan(no_effect(measure)):
        ax.plot([no_effect(measure)] * 2, [_TOP, rows.bottom], color=INK, lw=0.8, zorder=1)
    if worthwhile is not None:
        ax.plot([worthwhile] * 2, [_TOP, end], color=QUIET, lw=1.0, ls=(0, (1, 2)), zorder=1)
    if rows.pooled:
        estimate = float(summary["estimate"])
        ax.plot([estimate] * 2, [_TOP, end], color=ORANGE, lw=0.8, ls=(0, (4, 3)), zorder=1)


def _short(value: float) -> str:
    return f"{value:.6g}".replace("-", numbers.MINUS)


def draw_studies(ax: "Axes", studies: pd.DataFrame) -> None:
    """Squares with an area in proportion to the weight, and interval lines."""
    low, high = ax.get_xlim()
    weights = studies["weight_pct"].fillna(0.0) if "weight_pct" in studies else None
    largest = float(weights.max()) if weights is not None and len(weights) else 0.0
    for y, row in enumerate(studies.to_dict("records")):
        if math.isnan(row["effect"]):
            continue
        _interval_line(ax, y, (row["ci_low"], row["ci_high"]), color=INK)
        share = float(row.get("weight_pct", math.nan)) / largest if largest > 0 else 0.3
        share = 0.0 if math.isnan(share) else share
        side = max(_SMALLEST_SQUARE_PT, _LARGEST_SQUARE_PT * math.sqrt(share))
        hollow = bool(row.get("mark") or "")
        ax.plot(
            [row["effect"]],
            [y],
            marker="s",
            ms=side,
            mfc="white" if hollow else BLUE,
            mec=BLUE,
            mew=1.2 if hollow else 0.6,
            ls="none",
            zorder=3,
            clip_on=not low <= row["effect"] <= high,
        )


def _interval_line(
    ax: "Axes", y: float, limits: tuple[float, float], *, color: str, width: float = 1.1
) -> None:
    """A horizontal line; where the axis cuts it off it ends in an arrow head."""
    if any(math.isnan(x) for x in limits):
        return
    low, high = ax.get_xlim()
    start, stop = max(limits[0], low), min(limits[1], high)
    ax.plot([start, stop], [y, y], color=color, lw=width, solid_capstyle="butt", zorder=2)
    for cut, x, marker in ((limits[0] < low, low, "<"), (limits[1] > high, high, ">")):
        if cut:
            ax.plot([x], [y], marker=marker, ms=5, color=color, ls="none", zorder=2, clip_on=False)


def draw_pooled(ax: "Axes", summary: Mapping[str, Any], *, rows: Rows) -> None:
    """The pooled diamond and, if there is one, the prediction interval."""
    y = rows.diamond
    xs = [summary["ci_low"], summary["estimate"], summary["ci_high"], summary["estimate"]]
    ys = [y, y - _HALF_DIAMOND, y, y + _HALF_DIAMOND]
    if not any(math.isnan(x) for x in xs):
        ax.fill(xs, ys, facecolor=ORANGE, edgecolor=INK, lw=0.6, zorder=3)
    if rows.predicted:
        limits = (float(summary["prediction_low"]), float(summary["prediction_high"]))
        _interval_line(ax, rows.prediction, limits, color=ORANGE, width=3.0)
