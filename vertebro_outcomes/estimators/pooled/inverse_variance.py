"""Inverse-variance pooling with a common or a random effect, for many meta-analyses at once.

References
----------
Higgins and Thompson (2002), Stat Med 21:1539-1558, doi:10.1002/sim.1186 (I², H²);
Knapp and Hartung (2003), Stat Med 22:2693-2710, doi:10.1002/sim.1482 (HKSJ variance);
Röver, Knapp and Friede (2015), BMC Med Res Methodol 15:99, doi:10.1186/s12874-015-0091-1 (ad hoc);
Higgins, Thompson and Spiegelhalter (2009), J R Stat Soc A 172:137-159,
doi:10.1111/j.1467-985X.2008.00552.x (prediction interval).
"""

from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
from scipy import special

from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints
from vertebro_outcomes.estimators.pooled.heterogeneity import (
    Tau2Fit,
    Tau2Method,
    absent_as_infinite,
    estimate_tau2,
    weight_spread,
)

Interval = Literal["wald", "hksj", "hksj_adhoc"]
Prediction = Literal["z", "t_k1", "t_k2", "none"]
I2Definition = Literal["typical_variance", "q"]
INTERVALS: Final[tuple[Interval, ...]] = get_args(Interval)
PREDICTIONS: Final[tuple[Prediction, ...]] = get_args(Prediction)


@dataclass(frozen=True)
class InverseVarianceFit:
    """Arrays of length B (one per meta-analysis), on the analysis scale.

    `se_wald` is the model-based standard error, `se_hksj` the Hartung-Knapp-Sidik-Jonkman one.
    `weights` (B, k) are 1/(v + tau²), 0 for an absent study. `q` and what follows from it use the
    weights 1/v.
    """

    k: Ints
    estimate: Floats
    se_wald: Floats
    se_hksj: Floats
    tau2: Floats
    q: Floats
    typical_variance: Floats
    weights: Floats
    converged: Bools
    common_effect: bool

    def i2_pct(self, *, definition: I2Definition = "typical_variance") -> Floats:
        """I² in percent (0 to 100); with a common effect it can only come from Q."""
        df = np.maximum(self.k - 1, 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            if definition == "q" or self.common_effect:
                share = np.where(self.q > df, (self.q - df) / self.q, 0.0)
            else:
                share = self.tau2 / (self.tau2 + self.typical_variance)
        return np.where(self.k > 1, 100.0 * share, np.where(self.k == 1, 0.0, np.nan))

    def h2(self, *, definition: I2Definition = "typical_variance") -> Floats:
        """H²: total over sampling variance (1 without heterogeneity; Q/df with a common effect)."""
        with np.errstate(divide="ignore", invalid="ignore"):
            if definition == "q" or self.common_effect:
                ratio = self.q / (self.k - 1)
            else:
                ratio = 1.0 + self.tau2 / self.typical_variance
        return np.where(self.k > 1, ratio, np.where(self.k == 1, 1.0, np.nan))

    def standard_error(self, *, ci: Interval) -> Floats:
        """Standard error that goes with the interval; a single study keeps its own."""
        if ci == "wald":
            return self.se_wald
        se = np.maximum(self.se_hksj, self.se_wald) if ci == "hksj_adhoc" else self.se_hksj
        return np.where(self.k > 1, se, self.se_wald)

    def quantile(self, *, ci: Interval, level: float) -> Floats:
        """Half-width of the interval in standard errors: normal for Wald, t on k - 1 for HKSJ."""
        tail = (1.0 - level) / 2.0
        z = -special.ndtri(tail)
        if ci == "wald":
            return np.full(len(self.k), z)
        return np.where(self.k > 1, -special.stdtrit(np.maximum(self.k - 1, 1), tail), z)

    def prediction_half_width(
        self, *, prediction: Prediction | None, ci: Interval, level: float
    ) -> Floats:
        """Half-width of the interval for the effect in a new study; NaN where it is not defined."""
        if prediction == "none" or self.common_effect:
            return np.full(len(self.k), np.nan)
        if prediction is None:
            quantile = self.quantile(ci=ci, level=level)
        else:
            quantile = _prediction_quantile(self.k, prediction=prediction, level=level)
        return quantile * np.sqrt(self.tau2 + self.standard_error(ci=ci) ** 2)


def fit_inverse_variance(
    y: Floats, v: Floats, *, method: Tau2Method, tau2: Floats | None = None
) -> InverseVarianceFit:
    """Pool every row of `y` by inverse variance.

    Parameters
    ----------
    y, v : arrays of shape (B, k)
        Effects and their sampling variances (> 0); NaN marks an absent study.
    method
        How tau² is estimated; "EE" is the common-effect model.
    tau2 : array of length B, optional
        Use these values of tau² instead of estimating them.
    """
    if tau2 is None:
        found = estimate_tau2(y, v, method=method)
    else:
        found = Tau2Fit(np.asarray(tau2, dtype=float), np.ones(len(tau2), dtype=bool))
    t = found.tau2
    y, v, k = absent_as_infinite(y, v)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        w0 = 1.0 / v
        s1 = w0.sum(axis=1)
        centred = y - (np.einsum("ij,ij->i", w0, y) / s1)[:, None]
        q = np.einsum("ij,ij,ij->i", w0, centred, centred)
        typical = (k - 1) / weight_spread(w0, s1)
        w = 1.0 / (v + t[:, None])
        total = w.sum(axis=1)
        estimate = np.einsum("ij,ij->i", w, y) / total
        rest = y - estimate[:, None]
        se_hksj = np.sqrt(np.einsum("ij,ij,ij->i", w, rest, rest) / ((k - 1) * total))
        return InverseVarianceFit(
            k=k,
            estimate=estimate,
            se_wald=1.0 / np.sqrt(total),
            se_hksj=se_hksj,
            tau2=t,
            q=np.where(k > 0, q, np.nan),
            typical_variance=typical,
            weights=w,
            converged=found.converged,
            common_effect=method == "EE",
        )


def _prediction_quantile(k: Ints, *, prediction: Prediction, level: float) -> Floats:
    tail = (1.0 - level) / 2.0
    if prediction == "z":
        return np.full(len(k), -special.ndtri(tail))
    df = k - (1 if prediction == "t_k1" else 2)
    return np.where(df > 0, -special.stdtrit(np.maximum(df, 1), tail), np.nan)
