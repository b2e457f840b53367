"""An effect by the values of a modifier: bands, or a curve, and the test of interaction."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from markupsafe import escape

from vertebro_outcomes.display import numbers
from vertebro_outcomes.display.style import BLUE, HOUSE, RULE
from vertebro_outcomes.display.tables import html_table

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MULTIPLICITY = (
    "One modifier, one test of interaction: where several modifiers are examined, their p-values need "
    "adjustment, and intervals within bands are no tests of a difference."
)


@dataclass(frozen=True, eq=False, repr=False)
class EffectBy:
    """Treatment minus comparator by a modifier.

    Attributes
    ----------
    effects : DataFrame
        Bands: `band n_t n_c estimate se ci_low ci_high`. Curve: `value estimate se ci_low ci_high`,
        with pointwise intervals, between the 5th and 95th percentile of the modifier.
    interaction : DataFrame
        Bands: difference of the effect in each band from the first. A straight line: change of the
        effect per unit. Spline: without an estimate (a curve has no single slope).
        `term estimate se ci_low ci_high p_value`.
    f_value, f_df, df, p_value : float
        Wald test that the effect is the same everywhere; `df` is infinite for weights.
    p_nonlinear : float
        Test of the curvature, NaN unless a spline.
    attrition : DataFrame
        `step n_t n_c left_t left_c`.
    withheld : str
        Why there are no estimates; empty if there are.
    """

    outcome: str
    label: str
    unit: str
    treatment: str
    comparator: str
    day: int
    modifier: str
    shape: str
    method: str
    variance: str
    level: float
    n_t: int
    n_c: int
    effects: pd.DataFrame
    interaction: pd.DataFrame
    f_value: float
    f_df: int
    df: float
    p_value: float
    p_nonlinear: float
    covariates: tuple[str, ...]
    attrition: pd.DataFrame
    notes: tuple[str, ...] = (MULTIPLICITY,)
    withheld: str = ""
    synthetic: bool = False

    def without_numbers(self, because: str) -> "EffectBy":
        """The same without estimates: diagnostics failed, in the words of `because`."""
        blank = ["estimate", "se", "ci_low", "ci_high"]
        nan = float("nan")
        return replace(
            self, withheld=because,
            effects=self.effects.assign(**dict.fromkeys(blank, nan)),
            interaction=self.interaction.assign(**dict.fromkeys([*blank, "p_value"], nan)),
            f_value=nan, p_value=nan, p_nonlinear=nan,
        )  # fmt: skip

    def to_frame(self) -> pd.DataFrame:
        """The effects, one row per band or point of the curve, with the test of interaction."""
        return self.effects.assign(
            modifier=self.modifier,
            p_interaction=self.p_value,
            withheld=self.withheld,
            synthetic=self.synthetic,
        )

    def __str__(self) -> str:
        if np.isinf(self.df):
            test = f"chi-square({self.f_df}) = {numbers.number(self.f_df * self.f_value)}"
        else:
            test = f"F({self.f_df}, {numbers.count(self.df)}) = {numbers.number(self.f_value)}"
        tested = f"{self._sizes()}; interaction {test}, {numbers.p_value(self.p_value)}"
        if self.withheld:
            tested = "effects withheld"
        said = (
            f"{self.label[:1].upper()}{self.label[1:]}, day {self.day}: {self.treatment} minus "
            f"{self.comparator} by {self.modifier.replace('_', ' ')}: {tested}; "
            f"n = {numbers.count(self.n_t)} vs {numbers.count(self.n_c)}, {self.method.replace('_', ' ')}, "
            f"{self.variance} variance, {100 * self.level:g}% intervals."
        )
        return " ".join([said, *self.notes])

    __repr__ = __str__

    def _sizes(self) -> str:
        rows = self.effects
        if self.shape != "bands":
            rows = rows.iloc[[0, len(rows) // 2, -1]]
        return "; ".join(
            f"{row[rows.columns[0]] if self.shape == 'bands' else 'at ' + numbers.as_given(row['value'])}: "
            + numbers.estimate_with_interval(
                row["estimate"], (row["ci_low"], row["ci_high"]), unit=self.unit
            )
            for _, row in rows.iterrows()
        )

    def _repr_html_(self) -> str:
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return "".join(
            [
                html_table(self.effects, caption=str(self)),
                notes,
                html_table(self.interaction, caption="Interaction"),
                html_table(self.attrition, caption="Who was analysed"),
            ]
        )

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Effects of the bands with their intervals, or the curve with its pointwise interval."""
        from matplotlib import rc_context
        from matplotlib.figure import Figure

        frame, unit = self.effects, f" ({self.unit})" if self.unit else ""
        effect = f"{self.treatment} minus {self.comparator}, {self.label}{unit}"
        name = self.modifier.replace("_", " ")
        with rc_context(HOUSE):
            if ax is None:
                ax = Figure(figsize=(6.0, 4.0), layout="constrained").add_subplot()
            if self.shape == "bands":
                y = list(range(len(frame)))
                ax.hlines(y, frame["ci_low"], frame["ci_high"], color=BLUE, lw=1.4)
                ax.plot(frame["estimate"], y, "D", color=BLUE, ms=5)
                ax.axvline(0.0, color=RULE, lw=0.8, zorder=0)
                ax.set_yticks(y, [f"{r.band}\n{r.n_t} vs {r.n_c}" for r in frame.itertuples()])
                ax.invert_yaxis()
                ax.set_xlabel(effect)
                ax.set_ylabel(name)
            else:
                ax.fill_between(
                    frame["value"], frame["ci_low"], frame["ci_high"], color=BLUE, alpha=0.2, lw=0
                )
                ax.plot(frame["value"], frame["estimate"], color=BLUE, lw=1.4)
                ax.axhline(0.0, color=RULE, lw=0.8, zorder=0)
                ax.set_xlabel(name)
                ax.set_ylabel(effect)
            if self.withheld:
                ax.set_title("effects withheld", loc="left")
            if self.synthetic:
                ax.set_title("synthetic", loc="right")
        return ax
