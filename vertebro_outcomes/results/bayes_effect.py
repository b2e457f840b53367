"""A pooled effect as a posterior distribution."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from vertebro_outcomes.display import numbers
from vertebro_outcomes.display.figures.posterior import draw_posterior
from vertebro_outcomes.display.tables import html_table
from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.pooled.bayes_normal import (
    BayesNormalFit,
    MeanPrior,
    shrink_studies,
)
from vertebro_outcomes.estimators.pooled.normal_mixture import NormalMixture
from vertebro_outcomes.measures import MEASURES
from vertebro_outcomes.results.pooled_effect import ExcludedStudy, Scale

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CredibleInterval = Literal["equal_tailed", "shortest"]
Of = Literal["mean", "new_study"]


@dataclass(frozen=True, eq=False, repr=False)
class BayesEffect:
    """Posterior of the mean effect, of tau and of the effect in a new study, analysis scale.

    `estimate` and `se` are posterior mean and standard deviation of the mean effect (`mean`, `sd`),
    `median` its median; `interval` says which kind `ci_low` to `ci_high`, `tau_ci_low` to
    `tau_ci_high` and `prediction_low` to `prediction_high` are. Bayes factors above 1 speak for the
    null hypothesis. `posterior` holds the distributions themselves.
    """

    measure: str
    tau_prior: str
    mean_prior: MeanPrior
    interval: CredibleInterval
    level: float
    k: int
    labels: tuple[str, ...]
    effects: Floats
    variances: Floats
    posterior: BayesNormalFit
    excluded: tuple[ExcludedStudy, ...] = ()
    notes: tuple[str, ...] = ()
    method: str = "bayes"

    @cached_property
    def mean(self) -> float:
        """Posterior mean of the mean effect; NaN where the posterior has none."""
        return float(self.posterior.mu.mean())

    @cached_property
    def median(self) -> float:
        """Posterior median of the mean effect."""
        return float(self.posterior.mu.quantile(0.5))

    @cached_property
    def sd(self) -> float:
        """Posterior standard deviation of the mean effect; infinite where it is not finite."""
        return float(self.posterior.mu.sd())

    @property
    def estimate(self) -> float:
        """Posterior mean, or the median where there is no mean."""
        return self.median if np.isnan(self.mean) else self.mean

    @property
    def se(self) -> float:
        """Posterior standard deviation, as a standard error is read."""
        return self.sd

    @cached_property
    def equal_tailed(self) -> tuple[float, float]:
        """Credible interval of the mean effect with the same probability beyond either end."""
        return _equal_tailed(self.posterior.mu, self.level)

    @cached_property
    def shortest(self) -> tuple[float, float]:
        """Shortest credible interval of the mean effect."""
        return self.posterior.mu.shortest(self.level)

    @property
    def ci_low(self) -> float:
        """Lower end of the credible interval of the mean effect."""
        return (self.shortest if self.interval == "shortest" else self.equal_tailed)[0]

    @property
    def ci_high(self) -> float:
        """Upper end of the credible interval of the mean effect."""
        return (self.shortest if self.interval == "shortest" else self.equal_tailed)[1]

    @cached_property
    def tau(self) -> float:
        """Posterior median of the between-study standard deviation."""
        return self.posterior.tau.quantile(0.5)

    @property
    def tau_median(self) -> float:
        """Posterior median of tau."""
        return self.tau

    @property
    def tau2(self) -> float:
        """Posterior median of tau²."""
        return self.tau**2

    @cached_property
    def tau_mean(self) -> float:
        """Posterior mean of tau; infinite where the tail is too heavy."""
        return self.posterior.tau.mean()

    @cached_property
    def tau_sd(self) -> float:
        """Posterior standard deviation of tau."""
        return self.posterior.tau.sd()

    @cached_property
    def tau_equal_tailed(self) -> tuple[float, float]:
        """Equal-tailed credible interval of tau."""
        tail = (1.0 - self.level) / 2.0
        return self.posterior.tau.quantile(tail), self.posterior.tau.quantile(1.0 - tail)

    @cached_property
    def tau_shortest(self) -> tuple[float, float]:
        """Shortest credible interval of tau."""
        return self.posterior.tau.shortest(self.level)

    @property
    def tau_ci_low(self) -> float:
        """Lower end of the credible interval of tau."""
        return (self.tau_shortest if self.interval == "shortest" else self.tau_equal_tailed)[0]

    @property
    def tau_ci_high(self) -> float:
        """Upper end of the credible interval of tau."""
        return (self.tau_shortest if self.interval == "shortest" else self.tau_equal_tailed)[1]

    @cached_property
    def _prediction(self) -> tuple[float, float]:
        if self.interval == "shortest":
            return self.posterior.new_study.shortest(self.level)
        return _equal_tailed(self.posterior.new_study, self.level)

    @property
    def prediction_low(self) -> float:
        """Lower end of the interval for the effect in a new study."""
        return self._prediction[0]

    @property
    def prediction_high(self) -> float:
        """Upper end of the interval for the effect in a new study."""
        return self._prediction[1]

    @property
    def bf_no_effect(self) -> float:
        """Bayes factor of "mean effect 0" against its prior; NaN for a flat prior."""
        return self.posterior.bf_no_effect

    @property
    def bf_no_heterogeneity(self) -> float:
        """Bayes factor of "tau 0" against its prior; NaN for a flat prior."""
        return self.posterior.bf_no_heterogeneity

    def prob_below(self, x: float, *, of: Of = "mean") -> float:
        """Posterior probability that the effect (of="mean") or a new study's is below x."""
        return float(self._distribution(of).cdf(x))

    def prob_above(self, x: float, *, of: Of = "mean") -> float:
        """Posterior probability that the effect (of="mean") or a new study's is above x."""
        return float(self._distribution(of).sf(x))

    def _distribution(self, of: Of) -> NormalMixture:
        return self.posterior.new_study if of == "new_study" else self.posterior.mu

    @cached_property
    def shrinkage(self) -> pd.DataFrame:
        """Each study's own effect given all studies: `study effect se estimate sd ci_low ci_high`.

        `effect` and `se` are as reported, the rest is the posterior (equal-tailed interval).
        """
        own = shrink_studies(self.posterior, self.effects, self.variances)
        tail = (1.0 - self.level) / 2.0
        return pd.DataFrame(
            {
                "study": list(self.labels),
                "effect": self.effects,
                "se": np.sqrt(self.variances),
                "estimate": own.mean(),
                "median": own.quantile(0.5),
                "sd": own.sd(),
                "ci_low": own.quantile(tail),
                "ci_high": own.quantile(1.0 - tail),
            }
        )

    @cached_property
    def studies(self) -> pd.DataFrame:
        """The studies that entered: `study effect variance weight_pct` (mean posterior weight)."""
        tau = self.posterior.tau
        w = 1.0 / (self.variances[None, :] + (tau.nodes**2)[:, None])
        share = tau.weights @ (w / w.sum(axis=1, keepdims=True))
        return pd.DataFrame(
            {
                "study": list(self.labels),
                "effect": self.effects,
                "variance": self.variances,
                "weight_pct": 100.0 * share,
            }
        )

    def natural(self, value: float) -> float:
        """An analysis-scale value on the reader's scale (ratio, proportion, score points)."""
        return float(MEASURES[self.measure].to_natural(value, None))

    def to_frame(self, scale: Scale = "analysis") -> pd.DataFrame:
        """One row. On the natural scale se is NaN wherever that scale is not the analysis scale."""
        same = scale == "analysis" or MEASURES[self.measure].scale == "identity"
        read = float if scale == "analysis" else self.natural
        row = {
            "measure": self.measure,
            "scale": scale,
            "method": self.method,
            "interval": self.interval,
            "level": self.level,
            "k": self.k,
            "estimate": read(self.estimate),
            "median": read(self.median),
            "se": self.se if same else float("nan"),
            "ci_low": read(self.ci_low),
            "ci_high": read(self.ci_high),
            "prediction_low": read(self.prediction_low),
            "prediction_high": read(self.prediction_high),
            "tau": self.tau,
            "tau_mean": self.tau_mean,
            "tau_sd": self.tau_sd,
            "tau_ci_low": self.tau_ci_low,
            "tau_ci_high": self.tau_ci_high,
            "bf_no_effect": self.bf_no_effect,
            "bf_no_heterogeneity": self.bf_no_heterogeneity,
            "tau_prior": self.tau_prior,
            "mean_prior": self._mean_prior_words(),
        }
        return pd.DataFrame([row])

    def __str__(self) -> str:
        size = numbers.estimate_with_interval(
            self.natural(self.estimate),
            (self.natural(self.ci_low), self.natural(self.ci_high)),
            measure=self.measure,
        )
        limits = self.natural(self.prediction_low), self.natural(self.prediction_high)
        tau_limits = self.tau_ci_low, self.tau_ci_high
        parts = [
            f"{MEASURES[self.measure].label} {size}",
            f"{100 * self.level:g}% credible interval ({self.interval.replace('_', '-')})",
            f"{self.k} {'study' if self.k == 1 else 'studies'}",
            f"prediction interval {numbers.interval(limits, self.measure)}",
            f"\N{GREEK SMALL LETTER TAU} {numbers.number(self.tau)} {numbers.interval(tau_limits)}",
            f"priors: \N{GREEK SMALL LETTER TAU} {self.tau_prior}; mean {self._mean_prior_words()}",
        ]
        if self.excluded:
            parts.append(f"{len(self.excluded)} left out")
        return ", ".join(parts)

    __repr__ = __str__

    def _mean_prior_words(self) -> str:
        prior = self.mean_prior
        return f"normal({prior.mean:g}, SD {prior.sd:g})" if prior.proper else "flat (improper)"

    def _repr_html_(self) -> str:
        row = self.to_frame().iloc[0]
        frame = pd.DataFrame({"quantity": list(row.index), "value": row.tolist()})
        return str(html_table(frame, caption=str(self)))

    def plot(self, *, ax: "Axes | None" = None) -> "Axes":
        """Posterior and prior density of the mean effect, and the predictive density."""
        return draw_posterior(
            posterior=self.posterior.mu.density,
            predictive=self.posterior.new_study.density,
            interval=(self.ci_low, self.ci_high),
            reach=(self.prediction_low, self.prediction_high),
            prior=(self.mean_prior.mean, self.mean_prior.sd) if self.mean_prior.proper else None,
            label=MEASURES[self.measure].label,
            no_effect=MEASURES[self.measure].no_effect,
            log=MEASURES[self.measure].scale == "log",
            ax=ax,
        )


def _equal_tailed(distribution: NormalMixture, level: float) -> tuple[float, float]:
    tail = (1.0 - level) / 2.0
    return float(distribution.quantile(tail)), float(distribution.quantile(1.0 - tail))
