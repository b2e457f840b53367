"""Effects nested in studies: what varies between studies and what within."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from markupsafe import escape

from vertebro_outcomes.display import numbers
from vertebro_outcomes.display.style import BLUE, RULE
from vertebro_outcomes.display.tables import html_table
from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.pooled.clusters import Clusters
from vertebro_outcomes.estimators.pooled.multilevel import Likelihood
from vertebro_outcomes.estimators.pooled.profile_likelihood import profile_interval
from vertebro_outcomes.measures import MEASURES
from vertebro_outcomes.results.pooled_effect import ExcludedStudy, Scale

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, eq=False, repr=False)
class MultilevelEffect:
    """A three-level model, on the analysis scale.

    `coefficients` is indexed by term: `estimate se ci_low ci_high statistic df p_value`; `estimate`
    and its companions belong to the first term (the pooled effect without moderators).
    `sigma2_between` is the variance between clusters, `sigma2_within` that between the effects of one
    cluster; the I² are their shares of the total with the typical sampling variance. `q` is the
    residual heterogeneity statistic. `prediction_low` and `prediction_high` are for one effect of a
    new cluster. `q_moderators` is chi-square, or F where `q_moderators_df2` is finite.
    """

    measure: str
    formula: str
    method: Likelihood
    ci: str
    level: float
    cluster: str
    rho: float
    robust: str | None
    k: int
    n_clusters: int
    coefficients: pd.DataFrame
    covariance: pd.DataFrame
    sigma2_between: float
    sigma2_within: float
    sigma2_between_se: float
    sigma2_within_se: float
    i2_between_pct: float
    i2_within_pct: float
    q: float
    q_df: int
    q_p_value: float
    q_moderators: float
    q_moderators_df: int
    q_moderators_df2: float
    q_moderators_p_value: float
    prediction_low: float
    prediction_high: float
    log_likelihood: float
    aic: float
    labels: tuple[str, ...]
    clusters: tuple[str, ...]
    effects: Floats
    variances: Floats
    data: Clusters
    excluded: tuple[ExcludedStudy, ...] = ()
    notes: tuple[str, ...] = ()

    def _first(self, column: str) -> float:
        return float(self.coefficients[column].iloc[0])

    @property
    def estimate(self) -> float:
        """Estimate of the first term."""
        return self._first("estimate")

    @property
    def se(self) -> float:
        """Standard error of the first term."""
        return self._first("se")

    @property
    def ci_low(self) -> float:
        """Lower limit of the first term."""
        return self._first("ci_low")

    @property
    def ci_high(self) -> float:
        """Upper limit of the first term."""
        return self._first("ci_high")

    @property
    def statistic(self) -> float:
        """Estimate over standard error of the first term."""
        return self._first("statistic")

    @property
    def p_value(self) -> float:
        """Two-sided p-value of the first term."""
        return self._first("p_value")

    def variance_intervals(self) -> pd.DataFrame:
        """Profile-likelihood intervals: rows `between` and `within`, `estimate ci_low ci_high`."""
        sigma2 = np.array([self.sigma2_between, self.sigma2_within])
        limits = [
            profile_interval(self.data, sigma2, component=i, method=self.method, level=self.level)
            for i in (0, 1)
        ]
        return pd.DataFrame(
            {
                "estimate": sigma2,
                "ci_low": [low for low, _ in limits],
                "ci_high": [high for _, high in limits],
            },
            index=pd.Index(["between", "within"], name="component"),
        )

    def to_frame(self, scale: Scale = "analysis") -> pd.DataFrame:
        """One row per term. On the natural scale se is NaN wherever that is another scale."""
        frame = self.coefficients.reset_index()
        if scale == "natural" and MEASURES[self.measure].scale != "identity":
            for name in ("estimate", "ci_low", "ci_high"):
                frame[name] = MEASURES[self.measure].to_natural(frame[name].to_numpy())
            frame["se"] = np.nan
        return frame

    def __str__(self) -> str:
        kind = MEASURES[self.measure]
        if list(self.coefficients.index) == ["Intercept"]:
            read = kind.to_natural
            limits = float(read(self.ci_low)), float(read(self.ci_high))
            size = numbers.estimate_with_interval(
                float(read(self.estimate)), limits, measure=self.measure
            )
            said = f"{kind.label} {size}"
        else:
            said = f"{kind.label}, analysis scale: " + "; ".join(
                f"{term} {numbers.number(row['estimate'], 3)} "
                f"{numbers.interval((row['ci_low'], row['ci_high']), decimals=3)}"
                for term, row in self.coefficients.iterrows()
            )
        return (
            f"{said}, {100 * self.level:g}% interval, three-level model ({self.method}"
            f"{f', {self.robust}' if self.robust else ''}), {self.k} effects in {self.n_clusters} "
            f"{self.cluster} clusters, variance between {numbers.variance_component(self.sigma2_between)} "
            f"(I² = {numbers.number(self.i2_between_pct, 0)}%), within "
            f"{numbers.variance_component(self.sigma2_within)} "
            f"(I² = {numbers.number(self.i2_within_pct, 0)}%)"
            f"{f', {len(self.excluded)} left out' if self.excluded else ''}"
        )

    __repr__ = __str__

    def _repr_html_(self) -> str:
        table = html_table(self.to_frame(), caption=str(self), row_header="term")
        left_out = "".join(f"<li>{escape(e.study)}: {escape(e.reason)}</li>" for e in self.excluded)
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return f"{table}{f'<p>Left out:</p><ul>{left_out}</ul>' if left_out else ''}{notes}"

    def plot(self, ax: "Axes | None" = None) -> Any:
        """The effects of each cluster on one line, with the model's estimate."""
        from matplotlib.figure import Figure

        names = list(dict.fromkeys(self.clusters))
        axes = ax if ax is not None else Figure(figsize=(6, 1 + 0.3 * len(names))).subplots()
        kind = MEASURES[self.measure]
        place = np.array([names.index(name) for name in self.clusters])
        axes.plot(kind.to_natural(self.effects), place, "o", mfc="none", color=BLUE, ms=4)
        if list(self.coefficients.index) == ["Intercept"]:
            low, high = (float(kind.to_natural(x)) for x in (self.ci_low, self.ci_high))
            axes.axvspan(low, high, color=BLUE, alpha=0.15, lw=0)
        if not np.isnan(kind.no_effect):
            axes.axvline(float(kind.to_natural(kind.no_effect)), color=RULE, lw=0.8, zorder=0)
        if kind.is_ratio:
            axes.set_xscale("log")
        axes.set_yticks(np.arange(len(names)), names)
        axes.invert_yaxis()
        axes.set_xlabel(kind.label)
        return axes
