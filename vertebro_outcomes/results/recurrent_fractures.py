"""All new fractures in two arms: mean number per patient, ratio of rates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from markupsafe import escape
from scipy.special import ndtri

from vertebro_outcomes.display import numbers
from vertebro_outcomes.display.figures.incidence import draw_incidence
from vertebro_outcomes.display.tables import html_table
from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.survival.aalen_johansen import NO_SPREAD
from vertebro_outcomes.estimators.survival.recurrent import MeanCountCurve
from vertebro_outcomes.results.days_asked import Reading, read_at

if TYPE_CHECKING:
    from matplotlib.axes import Axes

USUAL_DAYS: Final = (30, 90, 180, 365, 730)


@dataclass(frozen=True, eq=False, repr=False)
class RecurrentFractures:
    """`estimate` is the log ratio of the rates while alive, `curves` the mean counts by arm."""

    treatment: str
    comparator: str
    event: str
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
    adjust: str
    coefficients: pd.DataFrame
    curves: Mapping[str, MeanCountCurve]
    notes: tuple[str, ...] = ()
    synthetic: bool = False

    def at(self, days: Sequence[float]) -> pd.DataFrame:
        """Mean number of fractures per patient by each day, death ending the count.

        Returns
        -------
        DataFrame
            `treatment day estimate se ci_low ci_high n_at_risk`, limits on the log scale.

        Raises
        ------
        InputError
            If a day is no number or lies before day 0.
        """
        return read_at(days, self.curves, self._read)

    def _read(self, curve: MeanCountCurve, days: Floats) -> Reading:
        z = float(ndtri((1 + self.level) / 2))
        mean, se, _ = curve.at(days)
        mean = np.where(days > curve.end.max(), np.nan, mean)
        with np.errstate(divide="ignore", invalid="ignore"):
            # no interval where all patients fare alike: no spread is left to tell it from
            factor = np.exp(np.where(se > NO_SPREAD, z * se / mean, np.nan))
        n = [int((curve.end >= day).sum()) for day in days]
        return mean, se, mean / factor, mean * factor, n

    def to_frame(self) -> pd.DataFrame:
        """`at` the usual days (30, 90, 180, 365, 730)."""
        return self.at(USUAL_DAYS).assign(synthetic=self.synthetic)

    def __str__(self) -> str:
        size, low, high = (
            numbers.ratio(float(np.exp(v))) for v in (self.estimate, self.ci_low, self.ci_high)
        )
        how = "" if self.adjust == "none" else f", {self.adjust.replace('_', ' ')}"
        mark = " Synthetic data." if self.synthetic else ""
        return (
            f"All new {self.event.replace('_', ' ')} events, {self.treatment} against "
            f"{self.comparator}: rate ratio {size} ({low} to {high}), "
            f"{numbers.p_value(self.p_value)}{how}, {self.events_t} in {self.n_t} vs "
            f"{self.events_c} in {self.n_c} patients, {100 * self.level:g}% interval.{mark}"
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return (
            f"{html_table(self.to_frame(), caption=str(self))}{notes}"
            f"{html_table(self.coefficients, caption='Log ratios of rates')}"
        )

    def plot(self, *, ax: "Axes | None" = None) -> "Axes":
        """Mean number per 100 patients by arm, numbers at risk below."""
        last = max(float(curve.end.max()) for curve in self.curves.values())
        grid, ticks = np.unique(np.linspace(0, last, 60).round()), np.linspace(0, last, 5).round()
        steps, at_risk = {}, {}
        for arm in self.curves:
            rows = (
                self.at(grid.tolist()).set_index("treatment").loc[arm].dropna(subset=["estimate"])
            )
            steps[arm] = (
                rows["day"].to_numpy(float), rows["estimate"].to_numpy(float),
                rows["ci_low"].to_numpy(float), rows["ci_high"].to_numpy(float),
            )  # fmt: skip
            at_risk[arm] = (
                self.at(ticks.tolist()).set_index("treatment").loc[arm, "n_at_risk"].to_numpy(float)
            )
        return draw_incidence(
            steps, ticks=ticks, at_risk=at_risk, ax=ax, mark="synthetic" if self.synthetic else "",
            label=f"{self.event.replace('_', ' ')} events per 100 patients",
        )  # fmt: skip
