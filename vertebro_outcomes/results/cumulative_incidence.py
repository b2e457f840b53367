"""Cumulative incidence by arm, with death as competing event."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from markupsafe import escape
from scipy.special import ndtr, ndtri

from vertebro_outcomes.display import numbers
from vertebro_outcomes.display.figures.incidence import draw_incidence
from vertebro_outcomes.display.tables import html_table
from vertebro_outcomes.errors import refuse_argument
from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.survival.aalen_johansen import (
    IncidenceCurve,
    Transform,
    interval,
)
from vertebro_outcomes.results.days_asked import Reading, read_at

if TYPE_CHECKING:
    from matplotlib.axes import Axes

USUAL_DAYS = (30, 90, 180, 365, 730)


@dataclass(frozen=True, eq=False, repr=False)
class CumulativeIncidence:
    """`curves` by arm; `arms` has one row per arm: n, events, competing deaths, censored."""

    event: str
    by: str
    curves: Mapping[str, IncidenceCurve]
    arms: pd.DataFrame
    level: float
    transform: Transform
    gray_p_value: float
    notes: tuple[str, ...] = ()
    weighted: bool = False
    synthetic: bool = False

    def at(self, days: Sequence[float]) -> pd.DataFrame:
        """Cumulative incidence at days after day 0.

        Parameters
        ----------
        days : sequence of numbers
            Days, 0 or later.

        Returns
        -------
        DataFrame
            `treatment day estimate se ci_low ci_high n_at_risk`: proportions (0 to 1); at risk are
            patients followed up to the day without event. Past the last patient's follow-up the
            estimate is NaN.

        Raises
        ------
        InputError
            If a day is no number or lies before day 0.
        """
        return read_at(days, self.curves, self._read, by=self.by)

    def _read(self, curve: IncidenceCurve, days: Floats) -> Reading:
        estimate, se, n = curve.at(days)
        beyond = (days > curve.time[-1]) & (curve.free_of_any[-1] > 0)
        estimate, se = np.where(beyond, np.nan, estimate), np.where(beyond, np.nan, se)
        low, high = interval(estimate, se, transform=self.transform, level=self.level)
        return estimate, se, low, high, np.rint(n).astype(int)

    def differences(
        self, treatment: str, comparator: str, *, days: Sequence[float] | None = None
    ) -> pd.DataFrame:
        """Risk differences, treatment minus comparator, at the usual days or at `days`.

        Parameters
        ----------
        treatment, comparator : str
            Two of the curves.
        days : sequence of numbers, optional
            30, 90, 180, 365 and 730 by default; NaN where an arm was not followed that far.

        Returns
        -------
        DataFrame
            `treatment comparator day estimate se ci_low ci_high p_value`: differences of
            proportions with Wald intervals.

        Raises
        ------
        InputError
            If there is no such curve.
        """
        for name, arm in (("treatment", treatment), ("comparator", comparator)):
            if arm not in self.curves:
                raise refuse_argument("differences", name, arm, ", ".join(self.curves))
        found = self.at(USUAL_DAYS if days is None else days).set_index(self.by)
        t, c = found.loc[[treatment]], found.loc[[comparator]]
        difference = t["estimate"].to_numpy(float) - c["estimate"].to_numpy(float)
        se = np.hypot(t["se"].to_numpy(float), c["se"].to_numpy(float))
        se = np.where(se > 0, se, np.nan)
        z = float(ndtri((1 + self.level) / 2))
        return pd.DataFrame(
            {"treatment": treatment, "comparator": comparator, "day": t["day"].to_numpy(float),
             "estimate": difference, "se": se, "ci_low": difference - z * se,
             "ci_high": difference + z * se, "p_value": 2 * ndtr(-np.abs(difference / se))}
        )  # fmt: skip

    def to_frame(self) -> pd.DataFrame:
        """`at` the usual days (30, 90, 180, 365, 730) that were reached."""
        last = max(curve.time[-1] for curve in self.curves.values())
        found = self.at([day for day in USUAL_DAYS if day <= last] or [last])
        return found.assign(synthetic=self.synthetic)

    def __str__(self) -> str:
        frame = self.to_frame()
        said = [
            f"{row[self.by]} {numbers.percent(row['estimate'])} "
            f"({numbers.percent(row['ci_low'])} to {numbers.percent(row['ci_high'])})"
            for _, row in frame.loc[frame["day"] == frame["day"].max()].iterrows()
        ]
        test = "" if np.isnan(self.gray_p_value) else f"; Gray {numbers.p_value(self.gray_p_value)}"
        how = " (propensity-weighted)" if self.weighted else ""
        mark = " Synthetic data." if self.synthetic else ""
        return (
            f"Cumulative incidence{how} of {self.event.replace('_', ' ')} at day "
            f"{frame['day'].max():g}, {100 * self.level:g}% interval: {'; '.join(said)}{test}.{mark}"
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        arms = html_table(self.arms, caption="How follow-up ended")
        return f"{html_table(self.to_frame(), caption=str(self))}{notes}{arms}"

    def plot(self, *, ax: "Axes | None" = None) -> "Axes":
        """Steps by arm with bands, numbers at risk below."""
        last = max(curve.time[-1] for curve in self.curves.values())
        steps = {}
        for arm, curve in self.curves.items():
            low, high = interval(
                curve.incidence, curve.se, transform=self.transform, level=self.level
            )
            steps[arm] = (curve.time, curve.incidence, low, high)
        ticks = np.linspace(0, last, 5).round()
        at_risk = {arm: curve.at(ticks)[2] for arm, curve in self.curves.items()}
        return draw_incidence(
            steps, ticks=ticks, at_risk=at_risk, label=self.event.replace("_", " "), ax=ax,
            mark="synthetic" if self.synthetic else "",
        )  # fmt: skip
