"""The same pool again and again: each study left out in turn, or one study after the other."""

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import pandas as pd

from vertebro_outcomes.display import numbers
from vertebro_outcomes.display.style import BLUE, RULE
from vertebro_outcomes.display.tables import html_table
from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.measures import MEASURES
from vertebro_outcomes.results.pooled_effect import ExcludedStudy, Scale

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Kind = Literal["leave_one_out", "cumulative"]
NUMBERS: Final = (
    *("k", "estimate", "se", "ci_low", "ci_high", "statistic", "p_value"),
    *("prediction_low", "prediction_high", "tau2", "i2_pct", "h2", "q", "q_p_value"),
)
ON_EFFECT_SCALE: Final = ("estimate", "ci_low", "ci_high", "prediction_low", "prediction_high")


@dataclass(frozen=True, eq=False, repr=False)
class RepeatedPools:
    """A pool per study, analysis scale; arrays are in the order of `labels`.

    `labels` name the study left out (`kind` "leave_one_out") or added last ("cumulative").
    """

    kind: Kind
    measure: str
    method: str
    ci: str
    level: float
    dialect: str
    labels: tuple[str, ...]
    k: Floats
    estimate: Floats
    se: Floats
    ci_low: Floats
    ci_high: Floats
    statistic: Floats
    p_value: Floats
    prediction_low: Floats
    prediction_high: Floats
    tau2: Floats
    i2_pct: Floats
    h2: Floats
    q: Floats
    q_p_value: Floats
    order: str | None = None
    excluded: tuple[ExcludedStudy, ...] = ()
    notes: tuple[str, ...] = ()

    def to_frame(self, scale: Scale = "analysis") -> pd.DataFrame:
        """One row per pool: `study k estimate se ci_low ci_high statistic p_value ...`.

        `study` is the one left out, or the last one added. On the natural scale `se` is NaN wherever
        that is another scale.
        """
        frame = pd.DataFrame({"study": list(self.labels)} | {n: getattr(self, n) for n in NUMBERS})
        if scale == "natural" and MEASURES[self.measure].scale != "identity":
            for name in ON_EFFECT_SCALE:
                frame[name] = MEASURES[self.measure].to_natural(frame[name].to_numpy())
            frame["se"] = np.nan
        return frame

    def __str__(self) -> str:
        read = MEASURES[self.measure].to_natural
        label = MEASURES[self.measure].label
        if self.kind == "cumulative":
            steps = (0, len(self.labels) - 1)
            first, last = (self._said(i) for i in steps)
            return (
                f"Cumulative {label} ({self.method}) by {self.order or 'row order'}, "
                f"{len(self.labels)} studies: {first} after the first, {last} after the last"
            )
        low, high = (int(i) for i in (np.nanargmin(self.estimate), np.nanargmax(self.estimate)))
        ends = [numbers.effect(float(read(self.estimate[i])), self.measure) for i in (low, high)]
        return (
            f"Leaving out one of {len(self.labels)} studies in turn ({self.method}), the {label} lies "
            f"between {ends[0]} (without {self.labels[low]}) and {ends[1]} (without "
            f"{self.labels[high]}), P between {self.p_value.min():.2g} and {self.p_value.max():.2g}"
        )

    __repr__ = __str__

    def _said(self, i: int) -> str:
        read = MEASURES[self.measure].to_natural
        return numbers.estimate_with_interval(
            float(read(self.estimate[i])),
            (float(read(self.ci_low[i])), float(read(self.ci_high[i]))),
            measure=self.measure,
        )

    def _repr_html_(self) -> str:
        heading = f"{MEASURES[self.measure].label} ({100 * self.level:g}% CI)"
        first = "Left out" if self.kind == "leave_one_out" else "Added"
        frame = pd.DataFrame(
            {
                first: list(self.labels),
                "Studies": [int(k) for k in self.k],
                heading: [self._said(i) for i in range(len(self.labels))],
                "τ²": [numbers.variance_component(float(t)) for t in self.tau2],
                "I²": [f"{numbers.number(float(i), 0)}%" for i in self.i2_pct],
            }
        )
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return html_table(frame, caption=str(self), numeric=tuple(frame.columns[1:])) + notes

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Estimates with their intervals, a line per pool from top to bottom."""
        from matplotlib.figure import Figure

        n = len(self.labels)
        axes = ax if ax is not None else Figure(figsize=(6, 1 + 0.25 * n)).subplots()
        frame = self.to_frame(scale="natural")
        y = np.arange(n)
        axes.hlines(y, frame["ci_low"], frame["ci_high"], color=BLUE, lw=1.2)
        axes.plot(frame["estimate"], y, "s", color=BLUE, ms=4)
        kind = MEASURES[self.measure]
        if not np.isnan(kind.no_effect):
            axes.axvline(float(kind.to_natural(kind.no_effect)), color=RULE, lw=0.8, zorder=0)
        if kind.is_ratio:
            axes.set_xscale("log")
        sign = "−" if self.kind == "leave_one_out" else "+"
        axes.set_yticks(y, [f"{sign} {label}" for label in self.labels])
        axes.invert_yaxis()
        axes.set_xlabel(kind.label)
        return axes
