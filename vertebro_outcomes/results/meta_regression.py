"""How effects change with moderators."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
from markupsafe import escape

from vertebro_outcomes.display import numbers
from vertebro_outcomes.display.tables import html_table
from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.pooled.heterogeneity import Tau2Method
from vertebro_outcomes.estimators.pooled.inverse_variance import Interval
from vertebro_outcomes.estimators.pooled.moderated_heterogeneity import residual_tau2_interval
from vertebro_outcomes.estimators.pooled.permutation import permute
from vertebro_outcomes.estimators.pooled.weighted_regression import regressions
from vertebro_outcomes.estimators.t_interval import t_quantile
from vertebro_outcomes.measures import MEASURES
from vertebro_outcomes.results.bubble_plot import bubble_plot
from vertebro_outcomes.results.moderator_design import ModeratorDesign
from vertebro_outcomes.results.permutation_test import PermutationTest
from vertebro_outcomes.results.pooled_effect import ExcludedStudy, Scale

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_PERMUTATIONS: Final = 10_000


@dataclass(frozen=True, eq=False, repr=False)
class MetaRegression:
    """A mixed-effects meta-regression, on the analysis scale (log for ratios, logit for PLO ...).

    `coefficients` is indexed by term: `estimate se ci_low ci_high statistic df p_value` (df infinite
    for the normal distribution). `q_moderators` tests all terms but the intercept: chi-square on
    `q_moderators_df`, an F value with `q_moderators_df2` below it where that is finite.
    `tau2` is what the moderators leave unexplained, `tau2_without` the value without them, `r2_pct`
    the share explained (0 to 100). `weights_pct` sum to 100.
    """

    measure: str
    formula: str
    method: Tau2Method
    ci: Interval
    level: float
    dialect: str
    k: int
    coefficients: pd.DataFrame
    covariance: pd.DataFrame
    tau2: float
    tau2_se: float
    tau2_without: float
    r2_pct: float
    i2_pct: float
    h2: float
    q_residual: float
    q_residual_df: int
    q_residual_p_value: float
    q_moderators: float
    q_moderators_df: int
    q_moderators_df2: float
    q_moderators_p_value: float
    robust: str | None
    n_clusters: int | None
    labels: tuple[str, ...]
    effects: Floats
    variances: Floats
    weights_pct: Floats
    x: Floats
    design: ModeratorDesign
    degrees: Any
    excluded: tuple[ExcludedStudy, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def terms(self) -> tuple[str, ...]:
        """Names of the coefficients."""
        return self.design.terms

    @cached_property
    def _tau2_limits(self) -> tuple[float, float]:
        if self.method == "EE":
            return float("nan"), float("nan")
        data = regressions(self.effects[None, :], self.variances[None, :], self.x)
        low, high = residual_tau2_interval(data, level=self.level)
        return float(low[0]), float(high[0])

    @property
    def tau2_ci_low(self) -> float:
        """Lower limit for residual tau² (Q-profile)."""
        return self._tau2_limits[0]

    @property
    def tau2_ci_high(self) -> float:
        """Upper limit for residual tau² (Q-profile)."""
        return self._tau2_limits[1]

    def predict(
        self, new: pd.DataFrame | None = None, *, scale: Scale = "analysis"
    ) -> pd.DataFrame:
        """The mean effect at given moderators, with the interval for a new study's effect.

        Parameters
        ----------
        new : DataFrame, optional
            The moderators of the formula, one row per prediction; the studies themselves if left out.
        scale : {"analysis", "natural"}
            On the natural scale `se` is NaN wherever that is another scale.

        Returns
        -------
        DataFrame
            `estimate se ci_low ci_high prediction_low prediction_high`, the index of `new`.
        """
        x = self.x if new is None else self.design.matrix(new)
        v = self.covariance.to_numpy()
        estimate = x @ self.coefficients["estimate"].to_numpy()
        se = np.sqrt(np.einsum("ij,jl,il->i", x, v, x))
        quantile = t_quantile(np.array([self.degrees(row) for row in x]), level=self.level)
        reach = quantile * np.sqrt(se**2 + self.tau2)
        known = np.nan if self.method == "EE" else 1.0
        frame = pd.DataFrame(
            {
                "estimate": estimate,
                "se": se,
                "ci_low": estimate - quantile * se,
                "ci_high": estimate + quantile * se,
                "prediction_low": known * (estimate - reach),
                "prediction_high": known * (estimate + reach),
            },
            index=pd.Index(self.labels, name="study") if new is None else new.index,
        )
        if scale == "natural" and MEASURES[self.measure].scale != "identity":
            frame = frame.apply(MEASURES[self.measure].to_natural)
            frame["se"] = np.nan
        return frame

    def permutation_test(self, *, most: int = MOST_PERMUTATIONS, seed: int = 1) -> PermutationTest:
        """Test every coefficient by permuting the moderators over the studies.

        All distinct permutations are used if there are at most `most`, otherwise that many random
        ones drawn with `seed`. With nothing but an intercept, signs of the effects are flipped.
        """
        fit = permute(
            self.effects,
            self.variances,
            x=self.x,
            tested=joint_terms(self.terms),
            method=self.method,
            ci=self.ci,
            most=most,
            seed=seed,
        )
        return PermutationTest(
            formula=self.formula,
            p_values=pd.Series(fit.p_values, index=pd.Index(self.terms, name="term")),
            q_p_value=fit.q_p_value,
            n_permutations=fit.n_permutations,
            exact=fit.exact,
            seed=seed,
        )

    def to_frame(self) -> pd.DataFrame:
        """One row per term: `term estimate se ci_low ci_high statistic df p_value`, analysis scale."""
        return self.coefficients.reset_index()

    def __str__(self) -> str:
        kind = MEASURES[self.measure]
        scale = f"{kind.scale} " if kind.scale != "identity" else ""
        slopes = "; ".join(
            f"{term} {numbers.number(row['estimate'], 3)} "
            f"{numbers.interval((row['ci_low'], row['ci_high']), decimals=3)}, "
            f"{numbers.p_value(row['p_value'])}"
            for term, row in self.coefficients.iterrows()
            if term != "Intercept" or len(self.coefficients) == 1
        )
        parts = [
            f"Meta-regression of the {scale}{kind.label} on {self.formula.strip(' ~')} "
            f"({self.method}{_CI_WORDS[self.ci]}{f', {self.robust} by cluster' if self.robust else ''}), "
            f"{self.k} studies: {slopes} ({100 * self.level:g}% intervals)"
        ]
        parts.append(f"moderators {numbers.p_value(self.q_moderators_p_value)}")
        if not np.isnan(self.r2_pct):
            parts.append(f"R² = {numbers.number(self.r2_pct, 0)}%")
        left = numbers.heterogeneity(
            tau2=self.tau2,
            i2_pct=self.i2_pct,
            q=self.q_residual,
            q_df=self.q_residual_df,
            q_p_value=self.q_residual_p_value,
        )
        parts.append(f"left unexplained: {left}")
        if self.excluded:
            parts.append(f"{len(self.excluded)} left out")
        return "; ".join(parts)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        table = html_table(self.to_frame(), caption=str(self), row_header="term")
        left_out = "".join(f"<li>{escape(e.study)}: {escape(e.reason)}</li>" for e in self.excluded)
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        return f"{table}{f'<p>Left out:</p><ul>{left_out}</ul>' if left_out else ''}{notes}"

    def plot(self, moderator: str | None = None, *, ax: "Axes | None" = None) -> "Axes":
        """Bubble plot: effects against one numeric moderator, areas by weight, line with interval.

        Other numeric moderators are held at their mean, others at their most frequent value.
        """
        return bubble_plot(self, moderator, ax=ax)


def joint_terms(terms: tuple[str, ...]) -> np.ndarray:
    """The terms of the joint test: all but the intercept, or the intercept if it stands alone."""
    if len(terms) == 1:
        return np.array([True])
    return np.array([term != "Intercept" for term in terms])


_CI_WORDS = {"wald": "", "hksj": ", HKSJ", "hksj_adhoc": ", HKSJ with ad hoc correction"}
