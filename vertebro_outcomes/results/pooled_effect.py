"""A pooled effect with everything a reader needs to judge it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import pandas as pd
from markupsafe import escape
from scipy import special

from vertebro_outcomes.display import numbers
from vertebro_outcomes.display.figures.forest import Better, forest
from vertebro_outcomes.display.tables import html_table
from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.pooled.heterogeneity import tau2_interval
from vertebro_outcomes.measures import MEASURES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Scale = Literal["analysis", "natural"]

METHOD_WORDS: Final = {
    "mantel_haenszel": "Mantel-Haenszel",
    "peto": "Peto",
    "glmm": "generalised linear mixed model",
    "beta_binomial": "beta-binomial",
    "firth": "Firth",
}


@dataclass(frozen=True)
class ExcludedStudy:
    """A study that did not enter the pool, and why."""

    study: str
    reason: str


@dataclass(frozen=True, eq=False, repr=False)
class PooledEffect:
    """Several studies as one effect, on the analysis scale (log for ratios, logit for PLO ...).

    `effects`, `variances` and `weights_pct` (0 to 100, sum 100) hold one value per study that
    entered, in the order of `labels`. `method` is the tau² estimator or the pooling method, `ci` the
    kind of interval, `dialect` the software whose defaults were used. What is not defined is NaN;
    `notes` says why.
    """

    measure: str
    method: str
    ci: str
    level: float
    dialect: str
    k: int
    estimate: float
    se: float
    ci_low: float
    ci_high: float
    statistic: float
    p_value: float
    tau2: float
    i2_pct: float
    h2: float
    q: float
    q_df: int
    q_p_value: float
    prediction_low: float
    prediction_high: float
    labels: tuple[str, ...]
    effects: Floats
    variances: Floats
    weights_pct: Floats
    excluded: tuple[ExcludedStudy, ...] = ()
    notes: tuple[str, ...] = ()
    harmonic_n: float | None = None
    tau2_method: bool = field(default=True)

    @cached_property
    def _tau2_limits(self) -> tuple[float, float]:
        if not self.tau2_method or self.method == "EE" or self.k < 2:
            return float("nan"), float("nan")
        low, high = tau2_interval(self.effects, self.variances, level=self.level)
        return float(low[0]), float(high[0])

    @property
    def tau2_ci_low(self) -> float:
        """Lower limit for tau² (Q-profile), NaN where tau² is not estimated."""
        return self._tau2_limits[0]

    @property
    def tau2_ci_high(self) -> float:
        """Upper limit for tau² (Q-profile), NaN where tau² is not estimated."""
        return self._tau2_limits[1]

    @cached_property
    def studies(self) -> pd.DataFrame:
        """The studies that entered: `study effect variance weight_pct`, analysis scale."""
        return pd.DataFrame(
            {
                "study": list(self.labels),
                "effect": self.effects,
                "variance": self.variances,
                "weight_pct": self.weights_pct,
            }
        )

    @property
    def studies_natural(self) -> pd.DataFrame:
        """The studies with their intervals: `study effect ci_low ci_high weight_pct`, reader's scale."""
        half = special.ndtri((1 + self.level) / 2) * np.sqrt(self.variances)
        read = MEASURES[self.measure].to_natural
        return pd.DataFrame(
            {
                "study": list(self.labels),
                "effect": read(self.effects, self.harmonic_n),
                "ci_low": read(self.effects - half, self.harmonic_n),
                "ci_high": read(self.effects + half, self.harmonic_n),
                "weight_pct": self.weights_pct,
            }
        )

    def natural(self, value: float) -> float:
        """An analysis-scale value on the reader's scale (ratio, proportion, score points)."""
        return float(MEASURES[self.measure].to_natural(value, self.harmonic_n))

    def to_frame(self, scale: Scale = "analysis") -> pd.DataFrame:
        """One row. On the natural scale se is NaN wherever that scale is not the analysis scale."""
        same = scale == "analysis" or MEASURES[self.measure].scale == "identity"
        read = float if scale == "analysis" else self.natural
        row = {
            "measure": self.measure,
            "scale": scale,
            "method": self.method,
            "ci": self.ci,
            "level": self.level,
            "dialect": self.dialect,
            "k": self.k,
            "estimate": read(self.estimate),
            "se": self.se if same else float("nan"),
            "ci_low": read(self.ci_low),
            "ci_high": read(self.ci_high),
            "statistic": self.statistic,
            "p_value": self.p_value,
            "prediction_low": read(self.prediction_low),
            "prediction_high": read(self.prediction_high),
            "tau2": self.tau2,
            "tau2_ci_low": self.tau2_ci_low,
            "tau2_ci_high": self.tau2_ci_high,
            "i2_pct": self.i2_pct,
            "h2": self.h2,
            "q": self.q,
            "q_df": self.q_df,
            "q_p_value": self.q_p_value,
        }
        return pd.DataFrame([row])

    def __str__(self) -> str:
        kind = MEASURES[self.measure]
        size = numbers.estimate_with_interval(
            self.natural(self.estimate),
            (self.natural(self.ci_low), self.natural(self.ci_high)),
            measure=self.measure,
        )
        parts = [f"{kind.label} {size}", f"{100 * self.level:g}% interval", self._model_words()]
        parts.append(f"{self.k} {'study' if self.k == 1 else 'studies'}")
        if not np.isnan(self.prediction_low) and self.k > 1:
            limits = self.natural(self.prediction_low), self.natural(self.prediction_high)
            parts.append(f"prediction interval {numbers.interval(limits, self.measure)}")
        if self.k > 1:
            parts.append(
                numbers.heterogeneity(
                    tau2=self.tau2,
                    i2_pct=self.i2_pct,
                    q=self.q,
                    q_df=self.q_df,
                    q_p_value=self.q_p_value,
                )
            )
        if self.excluded:
            parts.append(f"{len(self.excluded)} left out")
        return ", ".join(part for part in parts if part)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        said = [
            numbers.estimate_with_interval(effect, (low, high), measure=self.measure)
            for effect, low, high in self.studies_natural[["effect", "ci_low", "ci_high"]].values
        ]
        weights = [numbers.percent(weight / 100) for weight in self.weights_pct]
        heading = f"{MEASURES[self.measure].label} ({100 * self.level:g}% CI)"
        frame = pd.DataFrame({"Study": list(self.labels), heading: said, "Weight": weights})
        table = html_table(frame, caption=str(self), numeric=(heading, "Weight"))
        left_out = "".join(f"<li>{escape(e.study)}: {escape(e.reason)}</li>" for e in self.excluded)
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return f"{table}{f'<p>Left out:</p><ul>{left_out}</ul>' if left_out else ''}{notes}"

    def plot(
        self,
        *,
        arms: Sequence[str] = (),
        better: Better | None = None,
        unit: str = "",
        ax: "Axes | None" = None,
    ) -> "Axes":
        """Forest plot.

        Parameters
        ----------
        arms : pair of str
            Treatment and comparator, for the labels on both sides of the line of no effect.
        better : {"lower", "higher"}, optional
            Which direction is good for patients; with it the labels say "favours".
        unit : str
            Unit of a difference or a mean.
        ax : Axes, optional
            Drawn into; a new figure of fitting size if not given.

        Returns
        -------
        Axes
        """
        return forest(
            self.studies_natural,
            self.summary_natural,
            measure=self.measure,
            arms=arms,
            better=better,
            unit=unit,
            ax=ax,
        )

    @property
    def summary_natural(self) -> dict[str, Any]:
        """What a forest plot prints below the studies, reader's scale."""
        words = self._model_words()
        row: dict[str, Any] = self.to_frame(scale="natural").iloc[0].to_dict()
        return row | {"label": f"{words[0].upper()}{words[1:]}"}

    def _model_words(self) -> str:
        if self.method == "EE":
            return "common effect"
        if not self.tau2_method:
            return METHOD_WORDS.get(self.method, self.method.replace("_", " "))
        kind = {"wald": "", "hksj": ", HKSJ", "hksj_adhoc": ", HKSJ with ad hoc correction"}
        return f"random effects ({self.method}{kind.get(self.ci, '')})"
