"""Pooled effects by subgroup and the test between them."""

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from vertebro_outcomes.display import numbers
from vertebro_outcomes.display.style import BLUE, RULE
from vertebro_outcomes.display.tables import html_table
from vertebro_outcomes.measures import MEASURES
from vertebro_outcomes.results.pooled_effect import ExcludedStudy, PooledEffect, Scale

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False, repr=False)
class Subgroups:
    """A `PooledEffect` per subgroup (`groups`), all studies together (`overall`), and whether the
    subgroups differ: `q_between` on `q_between_df` (chi-square, or F with `q_between_df2` below it
    where that is finite). With `common_tau2` the subgroups share one tau².
    """

    by: str
    groups: Mapping[str, PooledEffect]
    overall: PooledEffect
    common_tau2: bool
    q_between: float
    q_between_df: int
    q_between_df2: float
    q_between_p_value: float
    excluded: tuple[ExcludedStudy, ...] = ()

    def __getitem__(self, group: str) -> PooledEffect:
        return self.groups[group]

    def to_frame(self, scale: Scale = "analysis") -> pd.DataFrame:
        """A row per `subgroup`, then "all studies", in the columns of `PooledEffect.to_frame`."""
        rows = [*self.groups.items(), ("all studies", self.overall)]
        frame = pd.concat([fit.to_frame(scale) for _, fit in rows], ignore_index=True)
        frame.insert(0, "subgroup", [name for name, _ in rows])
        return frame

    def __str__(self) -> str:
        said = "; ".join(f"{name}: {_said(fit)}, k = {fit.k}" for name, fit in self.groups.items())
        statistic = "Q" if np.isinf(self.q_between_df2) else "F"
        return (
            f"{MEASURES[self.overall.measure].label} by {self.by} ({self.overall.method}, "
            f"{'one tau²' if self.common_tau2 else 'tau² by subgroup'}): {said}; test for subgroup "
            f"differences {statistic} = {numbers.number(self.q_between, 2)}, "
            f"df = {self.q_between_df} ({numbers.p_value(self.q_between_p_value)})"
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = [*self.groups.items(), ("all studies", self.overall)]
        heading = f"{MEASURES[self.overall.measure].label} ({100 * self.overall.level:g}% CI)"
        frame = pd.DataFrame(
            {
                self.by: [name for name, _ in rows],
                "Studies": [fit.k for _, fit in rows],
                heading: [_said(fit) for _, fit in rows],
                "τ²": [numbers.variance_component(fit.tau2) for _, fit in rows],
                "I²": [f"{numbers.number(fit.i2_pct, 0)}%" for _, fit in rows],
            }
        )
        notes = "".join(
            f"<p>{escape(name)}: {escape(note)}</p>" for name, fit in rows for note in fit.notes
        )
        return html_table(frame, caption=str(self), numeric=tuple(frame.columns[1:])) + notes

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """The subgroup effects with their intervals, and all studies below."""
        from matplotlib.figure import Figure

        frame = self.to_frame(scale="natural")
        y = np.arange(len(frame))
        axes = ax if ax is not None else Figure(figsize=(6, 1 + 0.35 * len(frame))).subplots()
        axes.hlines(y, frame["ci_low"], frame["ci_high"], color=BLUE, lw=1.4)
        axes.plot(frame["estimate"], y, "D", color=BLUE, ms=5)
        kind = MEASURES[self.overall.measure]
        if not np.isnan(kind.no_effect):
            axes.axvline(float(kind.to_natural(kind.no_effect)), color=RULE, lw=0.8, zorder=0)
        if kind.is_ratio:
            axes.set_xscale("log")
        axes.set_yticks(y, frame.iloc[:, 0].tolist())
        axes.invert_yaxis()
        axes.set_xlabel(kind.label)
        return axes


def _said(fit: PooledEffect) -> str:
    limits = fit.natural(fit.ci_low), fit.natural(fit.ci_high)
    return numbers.estimate_with_interval(fit.natural(fit.estimate), limits, measure=fit.measure)
