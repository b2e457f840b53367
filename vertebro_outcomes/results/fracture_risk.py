"""Risk of new fractures, treatment against comparator, death competing."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from markupsafe import escape

from vertebro_outcomes.display import numbers
from vertebro_outcomes.display.tables import html_table
from vertebro_outcomes.results.cumulative_incidence import CumulativeIncidence

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_METHODS = {
    "fine_gray": "Fine-Gray model",
    "cox": "Cox model",
    "gray": "Gray's test",
    "rmtl": "restricted mean time lost",
}


@dataclass(frozen=True, eq=False, repr=False)
class FractureRisk:
    """Treatment against comparator.

    Attributes
    ----------
    estimate, se, ci_low, ci_high, p_value : float
        Log hazard ratio (`measure` HR or SHR), or difference of mean days lost (`RMTL`); NaN with
        Gray's test, which has a p-value and no size.
    coefficients : DataFrame
        `term estimate se ci_low ci_high p_value` of every column of the model.
    proportional_hazards_p_value : float
        Score test that the hazard ratio of the treatment is constant (Cox only).
    incidence : CumulativeIncidence
        Curves of both arms, weighted if `adjust` asks for it, unadjusted for covariates otherwise.
    """

    treatment: str
    comparator: str
    event: str
    method: str
    measure: str
    estimate: float
    se: float
    ci_low: float
    ci_high: float
    p_value: float
    level: float
    n_t: int
    n_c: int
    events_t: int
    events_c: int
    covariates: tuple[str, ...]
    coefficients: pd.DataFrame
    incidence: CumulativeIncidence
    proportional_hazards_p_value: float = float("nan")
    notes: tuple[str, ...] = ()
    adjust: str = "none"
    synthetic: bool = False

    @property
    def risk_differences(self) -> pd.DataFrame:
        """Differences of the cumulative incidences at 30, 90, 180, 365 and 730 days."""
        return self.incidence.differences(self.treatment, self.comparator)

    def to_frame(self) -> pd.DataFrame:
        """One row."""
        names = [
            "event", "method", "measure", "treatment", "comparator", "estimate", "se", "ci_low",
            "ci_high", "p_value", "level", "n_t", "n_c", "events_t", "events_c", "synthetic",
        ]  # fmt: skip
        return pd.DataFrame([{name: getattr(self, name) for name in names}])

    def __str__(self) -> str:
        shown = (self.estimate, self.ci_low, self.ci_high)
        if self.measure in ("HR", "SHR"):
            size, low, high = (numbers.ratio(float(np.exp(v))) for v in shown)
            word = "hazard ratio" if self.measure == "HR" else "subdistribution hazard ratio"
            said = f"{word} {size} ({low} to {high}), "
        elif self.measure == "RMTL":
            size, low, high = (numbers.number(v, 1) for v in shown)
            said = f"difference of mean days lost {size} ({low} to {high}), "
        else:
            said = ""
        mark = " Synthetic data." if self.synthetic else ""
        how = "" if self.adjust == "none" else f" with {self.adjust.replace('_', ' ')}"
        return (
            f"{self.event.replace('_', ' ').capitalize()}, {self.treatment} against "
            f"{self.comparator}: {said}{numbers.p_value(self.p_value)}, "
            f"{_METHODS.get(self.method, self.method)}{how}, {self.events_t:,} of {self.n_t:,} "
            f"vs {self.events_c:,} of {self.n_c:,} patients, {100 * self.level:g}% interval.{mark}"
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return (
            f"{html_table(self.to_frame(), caption=str(self))}{notes}"
            f"{html_table(self.coefficients, caption='Coefficients')}"
            f"{html_table(self.risk_differences, caption='Risk differences')}"
        )

    def plot(self, *, ax: "Axes | None" = None) -> "Axes":
        """Cumulative incidence of both arms with numbers at risk."""
        return self.incidence.plot(ax=ax)
