"""Columns of text beside a plot: what they hold, how wide they are, where they stand."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import pandas as pd

from vertebro_outcomes.display.numbers import count, number
from vertebro_outcomes.display.style import FONT_SIZE_PT

_POINTS_PER_INCH = 72.0
GAP_IN = 0.22  # between neighbouring columns
_LONGEST_LABEL = 56  # characters
_LONGEST_LINE = 34  # characters of a label in two lines


@dataclass(frozen=True)
class TextColumn:
    """A heading of one or two lines, a cell per study, and cells of the rows below them."""

    heading: tuple[str, ...]
    cells: tuple[str, ...]
    total: str = ""  # of the pooled row
    under_total: str = ""  # of the row of the prediction interval
    align: Literal["left", "right"] = "right"

    def width_in(self) -> float:
        """Width in inches of its widest text."""
        bold = [text_width_in(text, bold=True) for text in (*self.heading, self.total)]
        return max(bold + [text_width_in(text) for text in (*self.cells, self.under_total)])


@dataclass(frozen=True)
class PlacedColumn:
    """A column and the distance in inches of its aligned edge from the left edge of the block."""

    column: TextColumn
    x_in: float


def text_width_in(text: str, *, bold: bool = False) -> float:
    """Width of a text in inches in the house font."""
    return max(_line_width_in(line, bold=bold) for line in text.split("\n"))


@cache
def _line_width_in(text: str, *, bold: bool) -> float:
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    weight = "bold" if bold else "normal"
    font = FontProperties(family="DejaVu Sans", size=FONT_SIZE_PT, weight=weight)
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return float(width) / _POINTS_PER_INCH


def shortened(label: str, most: int = _LONGEST_LABEL) -> str:
    """A label that fits beside the plot: cut between words, with an ellipsis."""
    if len(label) <= most:
        return label
    cut = label[:most].rpartition(" ")[0] or label[: most - 1]
    return cut.rstrip(" ,;(") + "\N{HORIZONTAL ELLIPSIS}"


def wrapped(label: str, most: int = _LONGEST_LINE) -> str:
    """A label in one line, or in two if it is longer; what does not fit into two is cut."""
    if len(label) <= most:
        return label
    first = label[: most + 1].rpartition(" ")[0] or label[:most]
    return f"{first}\n{shortened(label[len(first) :].strip(), most)}"


def place(
    columns: Sequence[TextColumn], gap_in: float = GAP_IN
) -> tuple[list[PlacedColumn], float]:
    """Columns side by side, and the width in inches of all of them together."""
    placed, x = [], 0.0
    for i, column in enumerate(columns):
        x += gap_in if i else 0.0
        width = column.width_in()
        placed.append(PlacedColumn(column, x if column.align == "left" else x + width))
        x += width
    return placed, x


def arm_columns(studies: pd.DataFrame, arms: Sequence[str]) -> list[TextColumn]:
    """What each arm contributed, as a journal prints it, from whichever columns are there.

    `events_t n_t events_c n_c` give events/total, `mean_t sd_t n_t ...` mean (SD) and n, `events n`
    events/total of one arm; anything else gives no column, and a column without a single
    entry is left away.
    """
    return [column for column in _all_columns(studies, arms) if any(column.cells)]


def _all_columns(studies: pd.DataFrame, arms: Sequence[str]) -> list[TextColumn]:
    have = set(studies.columns)
    if {"events_t", "n_t", "events_c", "n_c"} <= have:
        return [
            _events_column(studies[f"events_{end}"], studies[f"n_{end}"], arm)
            for arm, end in zip(arms, "tc", strict=True)
        ]
    if {"mean_t", "sd_t", "n_t", "mean_c", "sd_c", "n_c"} <= have:
        return [
            column
            for arm, end in zip(arms, "tc", strict=True)
            for column in _mean_columns(studies, arm=arm, end=end)
        ]
    if {"events", "n"} <= have:
        return [_events_column(studies["events"], studies["n"], arms[0] if arms else "")]
    return []


def _events_column(events: pd.Series, n: pd.Series, arm: str) -> TextColumn:
    cells = tuple(
        "" if pd.isna(a) and pd.isna(b) else f"{count(float(a))}/{count(float(b))}"
        for a, b in zip(events, n, strict=True)
    )
    known = events.notna().all() and n.notna().all()
    total = f"{count(float(events.sum()))}/{count(float(n.sum()))}" if known else ""
    return TextColumn((arm, "events/n") if arm else ("events/n",), cells, total)


def _mean_columns(studies: pd.DataFrame, *, arm: str, end: str) -> list[TextColumn]:
    means, sds, sizes = (studies[f"{name}_{end}"] for name in ("mean", "sd", "n"))
    cells = tuple(
        "" if pd.isna(mean) else f"{number(float(mean), 1)} ({number(float(sd), 1)})"
        for mean, sd in zip(means, sds, strict=True)
    )
    ns = tuple("" if pd.isna(n) else count(float(n)) for n in sizes)
    total = count(float(sizes.sum())) if sizes.notna().all() else ""
    return [
        TextColumn((arm, "mean (SD)"), cells),
        TextColumn((arm if not any(cells) else "", "n"), ns, total),
    ]
