"""An emulated target trial: two strategies contrasted from one time zero."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from markupsafe import escape

from vertebro_outcomes.display.figures.incidence import draw_incidence
from vertebro_outcomes.display.numbers import effect, interval
from vertebro_outcomes.display.tables import html_table
from vertebro_outcomes.errors import refuse_argument
from vertebro_outcomes.results.comparison import Comparison

if TYPE_CHECKING:
    from matplotlib.axes import Axes

EmulatedPlot = Literal["balance", "weights", "risk"]


@dataclass(frozen=True, eq=False, repr=False)
class EmulatedTrial(Comparison):
    """A comparison of strategies; `n_t` and `n_c` kept to theirs to the end of the grace period.

    Attributes
    ----------
    grace_days : int
        Days after presentation within which the treatment strategy had to start.
    biased : bool
        True for the naive analysis that starts the clock of the treated at their procedure.
    value_t, value_c : float
        Risk by `day` (0 to 1), or mean score at `day`, under each strategy.
    risk_ratio : (float, float, float)
        Estimate and interval; NaN for scores.
    weight_table : DataFrame
        `arm n mean sd min p1 median p99 max truncated_at n_truncated`.
    curves : DataFrame or None
        `arm day risk`: cumulative incidence under each strategy.
    """

    grace_days: int = 0
    biased: bool = False
    value_t: float = np.nan
    value_c: float = np.nan
    risk_ratio: tuple[float, float, float] = (np.nan, np.nan, np.nan)
    weight_table: pd.DataFrame = field(default_factory=pd.DataFrame)
    curves: pd.DataFrame | None = None

    def to_frame(self) -> pd.DataFrame:
        """One row: that of a comparison, and the values under both strategies."""
        ratio, low, high = self.risk_ratio
        frame = super().to_frame()
        return frame.assign(
            grace_days=self.grace_days, value_t=self.value_t, value_c=self.value_c,
            risk_ratio=ratio, risk_ratio_ci_low=low, risk_ratio_ci_high=high, biased=self.biased,
        )  # fmt: skip

    def __str__(self) -> str:
        said = super().__str__()
        if not np.isnan(self.risk_ratio[0]):
            ratio = f"{effect(self.risk_ratio[0], 'RR')} {interval(self.risk_ratio[1:], 'RR')}"
            said += f" Risk ratio {ratio}."
        return f"[biased] {said}" if self.biased else said

    __repr__ = __str__

    def _repr_html_(self) -> str:
        trial = html_table(self.protocol, caption="Target trial: protocol and emulation")
        weights = html_table(self.weight_table, caption="Weights of those who kept to a strategy")
        mark = f"<p><strong>{escape(self.notes[0])}</strong></p>" if self.biased else ""
        return f"{mark}{super()._repr_html_()}{weights}{trial}"

    def plot(self, *, kind: EmulatedPlot = "balance", ax: "Axes | None" = None) -> "Axes":  # type: ignore[override]
        """Love plot, weights, or the risk under both strategies.

        Parameters
        ----------
        kind : {"balance", "weights", "risk"}
        ax : Axes, optional
            Drawn into; a new figure if not given.

        Returns
        -------
        Axes

        Raises
        ------
        InputError
            For a figure this outcome has nothing for.
        """
        allowed = ["balance", "weights"] + ([] if self.curves is None else ["risk"])
        if kind not in allowed:
            raise refuse_argument("EmulatedTrial.plot", "kind", kind, ", ".join(allowed))
        drawn = self._draw_risk(ax) if kind == "risk" else super().plot(kind=kind, ax=ax)
        if self.biased:
            drawn.set_title("Biased: the clock of the treated starts at their procedure")
        return drawn

    def _draw_risk(self, ax: "Axes | None") -> "Axes":
        assert self.curves is not None
        steps = {}
        for arm, name in (("treatment", self.treatment), ("comparator", self.comparator)):
            rows = self.curves[self.curves["arm"] == arm]
            risk = rows["risk"].to_numpy(float)
            steps[name] = (rows["day"].to_numpy(float), risk, risk, risk)
        ticks = np.linspace(0, self.day, 5).round()
        drawn = draw_incidence(steps, ticks=ticks, at_risk={}, label=self.label, ax=ax)
        start = "the start of each arm's own clock" if self.biased else "presentation"
        drawn.set_xlabel(f"days from {start}")
        return drawn
