"""Death in two arms: hazard ratio where it is constant, mean days alive and periods where not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from markupsafe import escape

from vertebro_outcomes.display import numbers
from vertebro_outcomes.display.figures.incidence import draw_incidence
from vertebro_outcomes.display.tables import html_table
from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.survival.aalen_johansen import interval
from vertebro_outcomes.estimators.survival.kaplan_meier import SurvivalCurve
from vertebro_outcomes.results.days_asked import Reading, read_at

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DOUBT: Final = 0.05  # P of the test below which one hazard ratio does not describe the course
USUAL_DAYS: Final = (30, 90, 180, 365, 730)


@dataclass(frozen=True, eq=False, repr=False)
class Mortality:
    """Treatment against comparator.

    Attributes
    ----------
    estimate, se, ci_low, ci_high, p_value : float
        Log hazard ratio of death.
    proportional_hazards : DataFrame
        `term chi2 df p_value`: tests that the hazard ratios are constant.
    periods : DataFrame
        `days estimate se ci_low ci_high p_value`: log hazard ratio in each period.
    rmst : DataFrame
        `measure estimate se ci_low ci_high p_value`: mean days alive up to `horizon_days` by arm,
        their difference, and the log of their ratio.
    immortal_time : str
        Why the clocks of the arms may not start together; empty if they do.
    """

    treatment: str
    comparator: str
    estimate: float
    se: float
    ci_low: float
    ci_high: float
    p_value: float
    level: float
    n_t: int
    n_c: int
    deaths_t: int
    deaths_c: int
    covariates: tuple[str, ...]
    adjust: str
    coefficients: pd.DataFrame
    proportional_hazards: pd.DataFrame
    periods: pd.DataFrame
    rmst: pd.DataFrame
    horizon_days: float
    curves: Mapping[str, SurvivalCurve]
    immortal_time: str = ""
    notes: tuple[str, ...] = ()
    synthetic: bool = False

    @property
    def proportional(self) -> bool:
        """Whether the test leaves one hazard ratio standing."""
        return not self.proportional_hazards["p_value"].iloc[0] < DOUBT

    def at(self, days: Sequence[float]) -> pd.DataFrame:
        """Survival at days after day 0.

        Returns
        -------
        DataFrame
            `treatment day estimate se ci_low ci_high n_at_risk`, limits on the log-log scale; NaN
            past the last patient.

        Raises
        ------
        InputError
            If a day is no number or lies before day 0.
        """
        return read_at(days, self.curves, self._read)

    def _read(self, curve: SurvivalCurve, days: Floats) -> Reading:
        value, se, n = curve.at(days)
        beyond = (days > curve.time[-1]) & (curve.survival[-1] > 0)
        value, se = np.where(beyond, np.nan, value), np.where(beyond, np.nan, se)
        low, high = interval(value, se, transform="log-log", level=self.level)
        return value, se, low, high, np.rint(n).astype(int)

    def to_frame(self) -> pd.DataFrame:
        """One row per measure: hazard ratio, ratios by period, means and their contrasts."""
        size = {name: getattr(self, name) for name in ("estimate", "se", "ci_low", "ci_high")}
        first = pd.DataFrame([{"measure": "log hazard ratio", **size, "p_value": self.p_value}])
        pieces = self.periods.assign(measure="log hazard ratio, days " + self.periods["days"])
        means = self.rmst.assign(
            measure=f"mean days alive to day {self.horizon_days:g}: " + self.rmst["measure"]
        )
        frame = pd.concat([first, pieces.drop(columns="days"), means], ignore_index=True)
        arms = {"treatment": self.treatment, "comparator": self.comparator}
        counts = {k: getattr(self, k) for k in ("n_t", "n_c", "deaths_t", "deaths_c")}
        return frame.assign(**arms, **counts, synthetic=self.synthetic)

    def __str__(self) -> str:
        mean = self.rmst.iloc[2]
        days = numbers.estimate_with_interval(
            mean["estimate"], (mean["ci_low"], mean["ci_high"]), unit="days", decimals=1
        )
        p = numbers.p_value(float(self.proportional_hazards["p_value"].iloc[0]))
        single = f"hazard ratio {_ratio(pd.Series(vars(self)))}, {numbers.p_value(self.p_value)}"
        alive = f"mean days alive to day {self.horizon_days:g} differ by {days}"
        if self.proportional:
            said = f"{single}; {alive}; hazard ratio constant over time: {p}"
        else:
            by = "; ".join(
                f"days {row['days']}: {_ratio(row)}" for _, row in self.periods.iterrows()
            )
            said = f"{alive}; the hazard ratio changes with time ({p}), by period {by}"
        how = "" if self.adjust == "none" else f", {self.adjust.replace('_', ' ')}"
        clock = " Exposed to immortal time (see notes)." if self.immortal_time else ""
        mark = " Synthetic data." if self.synthetic else ""
        return (
            f"Death, {self.treatment} against {self.comparator}: {said}{how}; {self.deaths_t:,} of "
            f"{self.n_t:,} vs {self.deaths_c:,} of {self.n_c:,} patients, "
            f"{100 * self.level:g}% interval.{clock}{mark}"
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        tests = html_table(self.proportional_hazards, caption="Is the hazard ratio constant?")
        return (
            f"{html_table(self.to_frame(), caption=str(self))}{notes}"
            f"{html_table(self.at(USUAL_DAYS), caption='Survival')}{tests}"
        )

    def plot(self, *, ax: "Axes | None" = None) -> "Axes":
        """Share dead by day (one minus Kaplan-Meier) with numbers at risk below."""
        steps, last = {}, max(float(curve.time[-1]) for curve in self.curves.values())
        for arm, curve in self.curves.items():
            low, high = interval(curve.survival, curve.se, transform="log-log", level=self.level)
            steps[arm] = (curve.time, 1 - curve.survival, 1 - high, 1 - low)
        ticks = np.linspace(0, last, 5).round()
        at_risk = {arm: curve.at(ticks)[2] for arm, curve in self.curves.items()}
        mark = "synthetic" if self.synthetic else ""
        return draw_incidence(steps, ticks=ticks, at_risk=at_risk, label="dead", ax=ax, mark=mark)


def _ratio(row: pd.Series) -> str:
    size, low, high = (
        numbers.ratio(float(np.exp(row[c]))) for c in ("estimate", "ci_low", "ci_high")
    )
    return f"{size} ({low} to {high})"
