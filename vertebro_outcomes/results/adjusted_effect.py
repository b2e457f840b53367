"""Pooled effects after correction for studies that are missing: trim-and-fill, selection model."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from vertebro_outcomes.display import numbers
from vertebro_outcomes.display.figures.funnel import draw_funnel
from vertebro_outcomes.display.tables import html_table
from vertebro_outcomes.measures import MEASURES
from vertebro_outcomes.results.pooled_effect import ExcludedStudy, PooledEffect, Scale

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False, repr=False)
class TrimAndFill:
    """The pool with `k_added` studies filled in on `side` ("left": small effects are missing).

    `adjusted` is that pool, `unadjusted` the pool of the studies as they are; `filled` lists the added
    rows (`study effect variance se mirrors`). `estimate`, `se`, `ci_low`, `ci_high`, `tau2`, `p_value`
    are those of `adjusted`; `k` counts the studies that exist.
    """

    estimator: str
    side: str
    k: int
    k_added: int
    k_added_se: float
    adjusted: PooledEffect
    unadjusted: PooledEffect
    filled: pd.DataFrame
    notes: tuple[str, ...] = ()

    @property
    def estimate(self) -> float:
        """Pooled effect with the filled studies."""
        return self.adjusted.estimate

    @property
    def se(self) -> float:
        """Standard error of `estimate`."""
        return self.adjusted.se

    @property
    def ci_low(self) -> float:
        """Lower limit of `estimate`."""
        return self.adjusted.ci_low

    @property
    def ci_high(self) -> float:
        """Upper limit of `estimate`."""
        return self.adjusted.ci_high

    @property
    def p_value(self) -> float:
        """P-value of `estimate`."""
        return self.adjusted.p_value

    @property
    def tau2(self) -> float:
        """Between-study variance with the filled studies."""
        return self.adjusted.tau2

    @property
    def method(self) -> str:
        """tau² estimator of both pools."""
        return self.adjusted.method

    @property
    def excluded(self) -> tuple[ExcludedStudy, ...]:
        """Studies that did not enter, and why."""
        return self.unadjusted.excluded

    @property
    def studies(self) -> pd.DataFrame:
        """Existing and filled studies: `study effect variance se filled`."""
        there = self.unadjusted.studies[["study", "effect", "variance"]]
        both = pd.concat([there, self.filled[["study", "effect", "variance"]]], ignore_index=True)
        both["se"] = both["variance"] ** 0.5
        both["filled"] = [False] * len(there) + [True] * len(self.filled)
        return both

    def to_frame(self, scale: Scale = "analysis") -> pd.DataFrame:
        """Two rows: `pool` "unadjusted" and "filled", then the columns of `PooledEffect.to_frame`."""
        rows = pd.concat(
            [self.unadjusted.to_frame(scale), self.adjusted.to_frame(scale)], ignore_index=True
        )
        rows.insert(0, "pool", ["unadjusted", "filled"])
        rows.insert(1, "k_added", [0, self.k_added])
        rows.insert(2, "side", [self.side, self.side])
        rows.insert(3, "estimator", [self.estimator, self.estimator])
        return rows

    def __str__(self) -> str:
        count = f"{self.k_added} {'study' if self.k_added == 1 else 'studies'}"
        se = f"SE {numbers.number(self.k_added_se, 1)}"
        return f"trim and fill ({self.estimator}): {count} added on the {self.side} ({se}), {self.adjusted}"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return str(html_table(self.to_frame(), caption=str(self)))

    def plot(self, *, ax: "Axes | None" = None) -> "Axes":
        """Contour-enhanced funnel plot; filled studies are hollow."""
        return draw_funnel(self.studies, measure=self.adjusted.measure, centre=self.estimate, ax=ax)


@dataclass(frozen=True, eq=False, repr=False)
class SelectedEffect:
    """Three-parameter selection model, maximum likelihood, analysis scale.

    `weight` is the chance of a study with a one-sided p-value above `alpha` to be seen, relative to one
    below; 1 means no selection. `lrt` tests it against 1 with one degree of freedom (`lrt_p_value`).
    `unadjusted_estimate` and `unadjusted_tau2` are the ML fit without selection.
    """

    measure: str
    alternative: str
    alpha: float
    level: float
    k: int
    n_significant: int
    estimate: float
    se: float
    ci_low: float
    ci_high: float
    statistic: float
    p_value: float
    tau2: float
    tau2_se: float
    weight: float
    weight_se: float
    weight_ci_low: float
    weight_ci_high: float
    lrt: float
    lrt_p_value: float
    log_likelihood: float
    unadjusted_estimate: float
    unadjusted_tau2: float
    studies: pd.DataFrame
    excluded: tuple[ExcludedStudy, ...] = ()
    notes: tuple[str, ...] = ()
    method: str = "ML"

    def to_frame(self, scale: Scale = "analysis") -> pd.DataFrame:
        """One row. On the natural scale se is NaN wherever that scale is not the analysis scale."""
        names = [
            "measure", "alternative", "alpha", "level", "k", "n_significant", "estimate", "se", "ci_low",
            "ci_high", "statistic", "p_value", "tau2", "tau2_se", "weight", "weight_se", "weight_ci_low",
            "weight_ci_high", "lrt", "lrt_p_value", "log_likelihood", "unadjusted_estimate",
            "unadjusted_tau2",
        ]  # fmt: skip
        row = {name: getattr(self, name) for name in names}
        if scale == "natural":
            for name in ("estimate", "ci_low", "ci_high", "unadjusted_estimate"):
                row[name] = self._natural(row[name])
            if MEASURES[self.measure].scale != "identity":
                row["se"] = float("nan")
        return pd.DataFrame([row])

    def _natural(self, value: float) -> float:
        return float(MEASURES[self.measure].to_natural(value, None))

    def __str__(self) -> str:
        size = numbers.estimate_with_interval(
            self._natural(self.estimate),
            (self._natural(self.ci_low), self._natural(self.ci_high)),
            measure=self.measure,
        )
        weight = numbers.estimate_with_interval(
            self.weight, (self.weight_ci_low, self.weight_ci_high)
        )
        side = "above" if self.alternative == "greater" else "below"
        return (
            f"selection model (one-sided p {self.alpha:g} for effects {side} 0): "
            f"{MEASURES[self.measure].label} {size}, weight of other studies {weight}, likelihood ratio "
            f"test {numbers.number(self.lrt)} ({numbers.p_value(self.lrt_p_value)}), {self.k} studies"
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        row = self.to_frame().iloc[0]
        frame = pd.DataFrame({"quantity": list(row.index), "value": row.tolist()})
        return str(html_table(frame, caption=str(self)))

    def plot(self, *, ax: "Axes | None" = None) -> "Axes":
        """Contour-enhanced funnel plot around the corrected effect."""
        return draw_funnel(self.studies, measure=self.measure, centre=self.estimate, ax=ax)
