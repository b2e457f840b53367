"""A summary-of-findings table: absolute effects, and the numbers behind a judgement of certainty."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from markupsafe import escape

from vertebro_outcomes.display import numbers
from vertebro_outcomes.display.style import BLUE, RULE
from vertebro_outcomes.display.tables import html_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False, repr=False)
class SummaryOfFindings:
    """One row per outcome in `table`; nothing here is a judgement.

    `outcome measure k participants`; the relative effect on the reader's scale `estimate ci_low
    ci_high p_value`; `baseline_per_1000 with_treatment_per_1000 difference_per_1000
    difference_low_per_1000 difference_high_per_1000`. Imprecision: `optimal_information_size`,
    `reaches_optimal_size`, `ci_crosses_no_effect`, `ci_crosses_mcid`. Inconsistency: `tau2 i2_pct
    prediction_low prediction_high prediction_crosses_no_effect intervals_overlapping_pct`.
    Small-study effects: `egger_p_value`. `assumptions` says how absolute effects were derived.
    """

    table: pd.DataFrame
    assumptions: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """One row per outcome."""
        return self.table.copy()

    def __str__(self) -> str:
        return "\n".join(_sentence(row) for _, row in self.table.iterrows())

    __repr__ = __str__

    def _repr_html_(self) -> str:
        shown = pd.DataFrame(
            {
                "Outcome": self.table["outcome"],
                "Studies": self.table["k"],
                "Relative effect": [_relative(row) for _, row in self.table.iterrows()],
                "Comparator per 1000": [
                    numbers.number(x, 0) for x in self.table["baseline_per_1000"]
                ],
                "Difference per 1000": [_absolute(row) for _, row in self.table.iterrows()],
                "I²": [f"{numbers.number(x, 0)}%" for x in self.table["i2_pct"]],
            }
        )
        table = html_table(shown, caption="Summary of findings", numeric=tuple(shown.columns[1:]))
        said = (*self.assumptions, *self.notes)
        return f"{table}<ul>{''.join(f'<li>{escape(line)}</li>' for line in said)}</ul>"

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Differences per 1000 with their intervals, a line per outcome."""
        from matplotlib.figure import Figure

        table = self.table.dropna(subset=["difference_per_1000"])
        y = np.arange(len(table))
        axes = ax if ax is not None else Figure(figsize=(6, 1 + 0.4 * len(table))).subplots()
        low, high = table["difference_low_per_1000"], table["difference_high_per_1000"]
        axes.hlines(y, low, high, color=BLUE, lw=1.4)
        axes.plot(table["difference_per_1000"], y, "s", color=BLUE, ms=5)
        axes.axvline(0, color=RULE, lw=0.8, zorder=0)
        axes.set_yticks(y, table["outcome"].tolist())
        axes.invert_yaxis()
        axes.set_xlabel("difference per 1000 people")
        return axes


def _relative(row: pd.Series) -> str:
    limits = (row["ci_low"], row["ci_high"])
    return numbers.estimate_with_interval(row["estimate"], limits, measure=row["measure"])


def _absolute(row: pd.Series) -> str:
    limits = (row["difference_low_per_1000"], row["difference_high_per_1000"])
    if np.isnan(row["difference_per_1000"]):
        return numbers.MISSING
    return numbers.estimate_with_interval(row["difference_per_1000"], limits, decimals=0)


def _sentence(row: pd.Series) -> str:
    studies = f"{row['k']} {'study' if row['k'] == 1 else 'studies'}"
    said = f"{row['outcome']}: {row['measure']} {_relative(row)}, {studies}"
    if np.isnan(row["difference_per_1000"]):
        return said
    base = numbers.number(row["baseline_per_1000"], 0)
    return f"{said}; {_absolute(row)} per 1000 from a baseline of {base} per 1000"
