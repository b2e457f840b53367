"""Complications counted by group and type, with intervals."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
from markupsafe import escape

from vertebro_outcomes.display import numbers
from vertebro_outcomes.display.figures.rates import draw_rates
from vertebro_outcomes.display.tables import html_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False, repr=False)
class ComplicationRates:
    """`rates` has one row per group and event type, `any` first.

    Columns: the grouping column, `type n_events n rate ci_low ci_high upper_rule_of_three`; rates
    are proportions (0 to 1) of `unit`; the rule of three stands only where no event was seen.
    """

    by: str
    unit: str
    ci: str
    level: float
    rates: pd.DataFrame
    notes: tuple[str, ...] = ()

    def to_frame(self) -> pd.DataFrame:
        """A copy of `rates`."""
        return self.rates.copy()

    def __str__(self) -> str:
        said = []
        for _, row in self.rates.loc[self.rates["type"] == "any"].iterrows():
            limits = f"{numbers.percent(row['ci_low'])} to {numbers.percent(row['ci_high'])}"
            said.append(
                f"{row[self.by]} {row['n_events']} of {row['n']} "
                f"({numbers.percent(row['rate'])}, {limits})"
            )
        return (
            f"Any complication, {self.unit} with at least one, {100 * self.level:g}% "
            f"{self.ci.replace('_', '-')} interval: {'; '.join(said)}."
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return f"{html_table(self.to_frame(), caption=str(self))}{notes}"

    def plot(self, *, ax: "Axes | None" = None) -> "Axes":
        """Rates with intervals, one line per group and type."""
        labels = [f"{row.type} {getattr(row, self.by)}" for row in self.rates.itertuples()]
        limits = self.rates[["rate", "ci_low", "ci_high"]].to_numpy(float)
        return draw_rates(labels, limits, ax=ax)
