"""Complications counted by group and type, with intervals."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import pandas as pd
from markupsafe import escape

from vertebro_outcomes.display import numbers
from vertebro_outcomes.display.figures.rates import draw_rates
from vertebro_outcomes.display.tables import html_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Per = Literal["unit", "person_years"]


@dataclass(frozen=True, eq=False, repr=False)
class ComplicationRates:
    """`rates` has one row per group and event type, `any` first.

    Columns: the grouping column (`treatment` and the column of events, if that is one), `type
    n_events n rate ci_low ci_high upper_rule_of_three`; rates are proportions (0 to 1) of `unit`, or
    per person-year with a further column `person_years`; the rule of three stands only where no
    event was seen.
    """

    by: str
    unit: str
    ci: str
    level: float
    rates: pd.DataFrame
    notes: tuple[str, ...] = ()
    per: Per = "unit"
    synthetic: bool = False

    def to_frame(self) -> pd.DataFrame:
        """`rates`, marked where the patients are synthetic."""
        return self.rates.assign(synthetic=self.synthetic)

    def __str__(self) -> str:
        said = []
        for _, row in self.rates.loc[self.rates["type"] == "any"].iterrows():
            name, limits = self._name(row), [row["rate"], row["ci_low"], row["ci_high"]]
            if self.per == "unit":
                rate, low, high = (numbers.percent(value) for value in limits)
                base = f"{row['n']}"
            else:
                rate, low, high = (numbers.number(100 * value, 1) for value in limits)
                base = f"{row['n']} in {numbers.number(row['person_years'], 1)} years"
            said.append(f"{name} {row['n_events']} of {base} ({rate}, {low} to {high})")
        way = self.ci.replace("_", "-") if self.per == "unit" else "exact Poisson"
        what = (
            "with at least one" if self.per == "unit" else "with a first one per 100 person-years"
        )
        mark = " Synthetic data." if self.synthetic else ""
        return (
            f"Any complication, {self.unit} {what}, {100 * self.level:g}% {way} interval: "
            f"{'; '.join(said)}.{mark}"
        )

    __repr__ = __str__

    def _name(self, row: pd.Series) -> str:
        groups = [str(row[name]) for name in row.index[: row.index.get_loc("type")]]
        return ", ".join(groups)

    def _repr_html_(self) -> str:
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return f"{html_table(self.to_frame(), caption=str(self))}{notes}"

    def plot(self, *, ax: "Axes | None" = None) -> "Axes":
        """Rates with intervals, one line per group and type, the groups in their colours."""
        groups = [self._name(row) for _, row in self.rates.iterrows()]
        labels = [f"{kind} {group}" for kind, group in zip(self.rates["type"], groups, strict=True)]
        limits = self.rates[["rate", "ci_low", "ci_high"]].to_numpy(float)
        return draw_rates(
            labels, limits, groups=groups, ax=ax,
            label="rate, %" if self.per == "unit" else "per 100 person-years",
            mark="synthetic" if self.synthetic else "",
        )  # fmt: skip
