"""Time to lasting relief in two arms: curves, differences at days, mean days."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from markupsafe import escape

from vertebro_outcomes.display import numbers
from vertebro_outcomes.display.figures.incidence import draw_incidence
from vertebro_outcomes.display.tables import html_table
from vertebro_outcomes.errors import refuse_argument
from vertebro_outcomes.estimators.survival.aalen_johansen import IncidenceCurve, interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False, repr=False)
class SustainedRelief:
    """Treatment minus comparator; the main estimate is the difference in incidence at `day`.

    Attributes
    ----------
    contrasts : DataFrame
        `measure day value_t value_c estimate se ci_low ci_high p_value`. Measure "incidence" is the
        share with lasting relief by the day, "days_in_relief" the mean days from its onset to the
        horizon, "days_without_relief" the restricted mean time until lasting relief or death.
    curves : mapping of arm to IncidenceCurve
        Cumulative incidence of lasting relief with death competing; empty where withheld.
    arms : DataFrame
        `arm n relief confirmed_later relief_lost_again died_without censored median_gap_days`.
    balance, diagnostics, attrition : DataFrame
        As of `Comparison`.
    """

    outcome: str
    label: str
    treatment: str
    comparator: str
    day: int
    response: str
    relief: str
    method: str
    estimand: str
    level: float
    n_t: int
    n_c: int
    covariates: tuple[str, ...]
    contrasts: pd.DataFrame
    curves: Mapping[str, IncidenceCurve]
    arms: pd.DataFrame
    gray_p_value: float
    balance: pd.DataFrame
    diagnostics: pd.DataFrame
    attrition: pd.DataFrame
    withheld: str = ""
    notes: tuple[str, ...] = ()
    synthetic: bool = False

    def _main(self, name: str) -> float:
        rows = self.contrasts[self.contrasts["measure"] == "incidence"]
        return float(rows[name].iloc[-1])

    @property
    def estimate(self) -> float:
        """Difference in the share with lasting relief by `day`."""
        return self._main("estimate")

    @property
    def se(self) -> float:
        """Standard error of the main difference."""
        return self._main("se")

    @property
    def ci_low(self) -> float:
        """Lower limit of the main difference."""
        return self._main("ci_low")

    @property
    def ci_high(self) -> float:
        """Upper limit of the main difference."""
        return self._main("ci_high")

    @property
    def p_value(self) -> float:
        """Two-sided p-value of the main difference."""
        return self._main("p_value")

    def to_frame(self) -> pd.DataFrame:
        """One row per contrast."""
        said = {
            "outcome": self.outcome, "response": self.response, "treatment": self.treatment,
            "comparator": self.comparator, "method": self.method,
        }  # fmt: skip
        frame = self.contrasts.assign(**said, withheld=self.withheld, synthetic=self.synthetic)
        return frame[[*said, *self.contrasts.columns, "withheld", "synthetic"]]

    def __str__(self) -> str:
        return " ".join([self._sentence(), *self.notes])

    __repr__ = __str__

    def _sentence(self) -> str:
        head = (
            f"{self.label[:1].upper()}{self.label[1:]}, lasting relief ({self.relief}) by day "
            f"{self.day}, {self.treatment} vs {self.comparator}, {self.method.replace('_', ' ')}, "
            f"n = {numbers.count(self.n_t)} vs {numbers.count(self.n_c)}"
        )
        if self.withheld:
            return f"{head}: withheld."
        by = self.contrasts.set_index("measure")
        at = by.loc[["incidence"]].iloc[-1]
        size = numbers.estimate_with_interval(
            at["estimate"], (at["ci_low"], at["ci_high"]), measure="RD"
        )
        days = by.loc["days_in_relief"]
        mean = numbers.estimate_with_interval(
            days["estimate"], (days["ci_low"], days["ci_high"]), measure="MD", unit="days"
        )
        test = "" if np.isnan(self.gray_p_value) else f"; Gray {numbers.p_value(self.gray_p_value)}"
        dead = self.arms["died_without"].tolist()
        return (
            f"{head}: {numbers.percent(at['value_t'])} vs {numbers.percent(at['value_c'])}, "
            f"difference {size}, {100 * self.level:g}% interval; mean days in lasting relief "
            f"differ by {mean}; {dead[0]} vs {dead[1]} died without it{test}."
        )

    def _repr_html_(self) -> str:
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        parts = [
            html_table(self.to_frame(), caption=self._sentence()),
            notes,
            html_table(self.arms, caption="How follow-up ended"),
            html_table(self.balance, caption="Balance of the arms"),
            html_table(self.attrition, caption="Who was analysed"),
        ]
        return "".join(parts)

    def plot(self, *, ax: "Axes | None" = None) -> "Axes":
        """Cumulative incidence of lasting relief by arm, with bands and numbers at risk.

        Parameters
        ----------
        ax : Axes, optional
            Drawn into; a new figure if not given.

        Raises
        ------
        InputError
            If the estimates are withheld.
        """
        if not self.curves:
            allowed = "failed='show' in sustained_relief, which shows what was withheld"
            raise refuse_argument("SustainedRelief.plot", "self", "withheld", allowed)
        steps, ticks = {}, np.linspace(0, self.day, 5).round()
        for arm, curve in self.curves.items():
            upto = curve.time <= self.day
            value, se = curve.incidence[upto], curve.se[upto]
            low, high = interval(value, se, transform="log", level=self.level)
            steps[arm] = (curve.time[upto], value, low, high)
        return draw_incidence(
            steps, ticks=ticks, at_risk={a: c.at(ticks)[2] for a, c in self.curves.items()},
            label="lasting relief", mark="synthetic" if self.synthetic else "", ax=ax,
        )  # fmt: skip
