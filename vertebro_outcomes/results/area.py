"""The difference in a score from day 0 to a day, averaged over the days."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from markupsafe import escape

from vertebro_outcomes.display import numbers
from vertebro_outcomes.display.figures.area import draw_area
from vertebro_outcomes.display.tables import html_table
from vertebro_outcomes.estimators.t_interval import t_quantile
from vertebro_outcomes.results.tipping import tipping_points

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False, repr=False)
class AreaUnderCurve:
    """Treatment minus comparator: area under the differences by the trapezoid rule, per day.

    Attributes
    ----------
    estimate, se, ci_low, ci_high : float
        Area divided by `day`, in `unit`; `df` of the combination of visits itself.
    visits : DataFrame
        `day weight n_t n_c estimate se ci_low ci_high`: the weights add the differences up to the
        estimate (their sum is below 1: the arms start from the same baseline).
    attrition : DataFrame
        `step n_t n_c left_t left_c`.
    unseen : DataFrame
        `arm n_unseen share_unseen share_se`: patients who lack a score of the area while alive, and the
        weight of those scores in the mean of the arm.
    """

    outcome: str
    label: str
    unit: str
    treatment: str
    comparator: str
    day: int
    method: str
    variance: str
    level: float
    estimate: float
    se: float
    df: float
    ci_low: float
    ci_high: float
    p_value: float
    n_t: int
    n_c: int
    visits: pd.DataFrame
    attrition: pd.DataFrame
    notes: tuple[str, ...] = ()
    synthetic: bool = False
    unseen: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def area(self) -> float:
        """The estimate times the days: score times days."""
        return self.estimate * self.day

    def to_frame(self) -> pd.DataFrame:
        """One row."""
        names = (
            "outcome treatment comparator day method variance estimate se df ci_low ci_high level "
            "p_value area n_t n_c synthetic"
        )
        return pd.DataFrame([{name: getattr(self, name) for name in names.split()}])

    def tipping_point(self) -> pd.DataFrame:
        """How far the unseen scores of an arm must differ from missing at random to undo the result.

        Returns
        -------
        DataFrame
            `arm n_unseen share_unseen delta`, delta in `unit`: added to every unseen score of that arm up
            to the day, it makes the interval reach zero. 0: the interval holds zero already; NaN:
            nothing is unseen. Scores after death are not unseen.
        """
        own = self.unseen
        return tipping_points(
            estimate=self.estimate,
            se=self.se,
            quantile=float(t_quantile(np.array(self.df), level=self.level)),
            arms=(self.treatment, self.comparator),
            n_unseen=tuple(own["n_unseen"]),
            share=tuple(own["share_unseen"]),
            share_se=tuple(own["share_se"]),
        )

    def __str__(self) -> str:
        size = numbers.estimate_with_interval(
            self.estimate, (self.ci_low, self.ci_high), unit=f"{self.unit} per day".strip()
        )
        said = (
            f"{self.label[:1].upper()}{self.label[1:]}, area from day 0 to day {self.day}: "
            f"{self.treatment} minus {self.comparator} = {size}, {100 * self.level:g}% interval, "
            f"{numbers.p_value(self.p_value)}, {self.method}, n = {numbers.count(self.n_t)} vs "
            f"{numbers.count(self.n_c)}."
        )
        return " ".join([said, *self.notes])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        visits = html_table(self.visits, caption="Visits and their weights")
        attrition = html_table(self.attrition, caption="Who was analysed")
        return f"{html_table(self.to_frame(), caption=str(self))}{notes}{visits}{attrition}"

    def plot(self, *, ax: "Axes | None" = None) -> "Axes":
        """Differences over days with the area shaded.

        Parameters
        ----------
        ax : Axes, optional
            Drawn into; a new figure if not given.
        """
        unit = f" ({self.unit})" if self.unit else ""
        return draw_area(
            self.visits, label=f"{self.treatment} minus {self.comparator}{unit}",
            mark="synthetic" if self.synthetic else "", ax=ax,
        )  # fmt: skip
