"""Risk of single vertebrae: hazard ratios by risk factor, rates by level and distance."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, get_args

import numpy as np
import pandas as pd
from markupsafe import escape

from vertebro_outcomes.display import numbers
from vertebro_outcomes.display.figures.ratios import draw_ratios
from vertebro_outcomes.display.figures.spine_map import draw_spine
from vertebro_outcomes.display.tables import html_table
from vertebro_outcomes.errors import refuse_argument

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Kind = Literal["spine", "forest"]
HOW: Final = {"cluster": "variance by patient", "frailty": "gamma frailty of the patient"}


@dataclass(frozen=True, eq=False, repr=False)
class VertebraRisk:
    """New fractures of untreated, unfractured vertebrae.

    Attributes
    ----------
    coefficients : DataFrame
        `term estimate se ci_low ci_high p_value`: log hazard ratios.
    baseline : DataFrame
        `from_day to_day rate_per_1000_years` with every covariate 0 or at its reference.
    incidence : DataFrame
        `level distance vertebrae fractures years rate_per_1000_years ci_low ci_high`, unadjusted.
    theta, theta_se : float
        Variance of the frailty (NaN with `variance` cluster).
    """

    event: str
    variance: str
    coefficients: pd.DataFrame
    baseline: pd.DataFrame
    incidence: pd.DataFrame
    theta: float
    theta_se: float
    level: float
    n_patients: int
    n_vertebrae: int
    n_fractures: int
    notes: tuple[str, ...] = ()
    synthetic: bool = False

    def to_frame(self) -> pd.DataFrame:
        """`term estimate se ci_low ci_high p_value hazard_ratio hr_low hr_high synthetic`."""
        ratios = np.exp(self.coefficients[["estimate", "ci_low", "ci_high"]])
        return self.coefficients.assign(
            hazard_ratio=ratios["estimate"], hr_low=ratios["ci_low"], hr_high=ratios["ci_high"],
            synthetic=self.synthetic,
        )  # fmt: skip

    def __str__(self) -> str:
        said = [
            f"{row.term} {numbers.ratio(row.hazard_ratio)} ({numbers.ratio(row.hr_low)} to "
            f"{numbers.ratio(row.hr_high)})"
            for row in self.to_frame().itertuples()
        ]
        theta = "" if np.isnan(self.theta) else f"; frailty variance {numbers.number(self.theta)}"
        ratios = f"hazard ratios {'; '.join(said)}" if said else "no covariate"
        mark = " Synthetic data." if self.synthetic else ""
        return (
            f"New {self.event.replace('_', ' ')} of a vertebra (T4 to L5): {ratios}{theta}; "
            f"{numbers.count(self.n_fractures)} fractures of {numbers.count(self.n_vertebrae)} "
            f"vertebrae in {numbers.count(self.n_patients)} patients, {HOW[self.variance]}, "
            f"{100 * self.level:g}% interval.{mark}"
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return (
            f"{html_table(self.to_frame(), caption=str(self))}{notes}"
            f"{html_table(self.incidence, caption='Rates by level and distance')}"
        )

    def plot(self, *, kind: Kind = "spine", ax: "Axes | None" = None) -> "Axes":
        """The spine with rates by level and distance, or a forest of the hazard ratios."""
        mark = "synthetic" if self.synthetic else ""
        if kind == "spine":
            return draw_spine(self.incidence, mark=mark, ax=ax)
        if kind == "forest":
            return draw_ratios(self.to_frame(), mark=mark, ax=ax)
        raise refuse_argument("plot", "kind", kind, ", ".join(get_args(Kind)))
