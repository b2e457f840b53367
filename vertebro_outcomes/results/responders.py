"""Who responded in two arms: every published definition, and every improvement."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
from markupsafe import escape

from vertebro_outcomes.display import numbers
from vertebro_outcomes.display.figures.responder_curve import draw_responder_curve
from vertebro_outcomes.display.tables import html_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False, repr=False)
class Responders:
    """Risk differences, treatment minus comparator, by definition.

    Attributes
    ----------
    table : DataFrame
        `response definition reference n_t n_c responders_t responders_c share_t share_c estimate se
        ci_low ci_high p_value reason`: where a definition has no answer, the reason.
    curve : DataFrame
        `improvement responders_t responders_c share_t share_c`: share of each arm better by at least
        so much, at every improvement that somebody had; negative improvements are worsening.
    n_t, n_c : int
        Patients of the curve: a score at day 0 and at the day.
    """

    outcome: str
    label: str
    unit: str
    treatment: str
    comparator: str
    day: int
    method: str
    level: float
    n_t: int
    n_c: int
    table: pd.DataFrame
    curve: pd.DataFrame
    notes: tuple[str, ...] = ()
    synthetic: bool = False

    def to_frame(self) -> pd.DataFrame:
        """One row per definition."""
        return self.table.assign(synthetic=self.synthetic)

    def __str__(self) -> str:
        said = []
        for row in self.table.to_dict("records"):
            if row["reason"]:
                said.append(f"{row['definition']}: not estimable")
                continue
            limits = row["ci_low"], row["ci_high"]
            size = numbers.estimate_with_interval(row["estimate"], limits, measure="RD")
            shares = f"{numbers.percent(row['share_t'])} vs {numbers.percent(row['share_c'])}"
            said.append(f"{row['definition']}: {shares}, difference {size}")
        return " ".join(
            [
                f"{self.label[:1].upper()}{self.label[1:]}, day {self.day}, responders to "
                f"{self.treatment} vs {self.comparator}, {self.method.replace('_', ' ')}, "
                f"{100 * self.level:g}% intervals: {'; '.join(said)}.",
                *self.notes,
            ]
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        curve = html_table(self.curve, caption="Share of each arm better by at least so much")
        return f"{html_table(self.to_frame(), caption=str(self))}{notes}{curve}"

    def plot(self, *, ax: "Axes | None" = None) -> "Axes":
        """Cumulative responder curves: share of each arm better by at least so much.

        Parameters
        ----------
        ax : Axes, optional
            Drawn into; a new figure if not given.
        """
        return draw_responder_curve(
            self.curve, arms=(self.treatment, self.comparator), n=(self.n_t, self.n_c),
            label=f"improvement in {self.label} from day 0 to day {self.day}, {self.unit}",
            mark="synthetic" if self.synthetic else "", ax=ax,
        )  # fmt: skip
