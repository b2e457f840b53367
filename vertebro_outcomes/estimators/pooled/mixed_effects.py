"""Mixed-effects meta-regression (and pooling, with X = 1), for many regressions at once.

References
----------
Viechtbauer (2010), J Stat Softw 36(3), doi:10.18637/jss.v036.i03, section 2 (model and tests);
Knapp and Hartung (2003), Stat Med 22:2693-2710, doi:10.1002/sim.1482 (HKSJ with moderators).
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints
from vertebro_outcomes.estimators.pooled.heterogeneity import Tau2Fit, Tau2Method
from vertebro_outcomes.estimators.pooled.inverse_variance import Interval
from vertebro_outcomes.estimators.pooled.moderated_heterogeneity import at_tau2, residual_tau2
from vertebro_outcomes.estimators.pooled.weighted_regression import (
    regressions,
    traces,
)


@dataclass(frozen=True)
class MixedEffectsFit:
    """Arrays over B regressions with p coefficients and k studies, analysis scale.

    `covariance_wald` is M⁻¹; `spread` is Σwr²/(k - p), its Knapp-Hartung multiplier. `q` and
    `typical_variance` use the weights 1/v. `hat` is the leverage of each study.
    """

    k: Ints
    beta: Floats
    covariance_wald: Floats
    spread: Floats
    tau2: Floats
    q: Floats
    typical_variance: Floats
    weights: Floats
    hat: Floats
    converged: Bools
    common_effect: bool

    @property
    def df(self) -> Ints:
        """Studies minus coefficients."""
        return np.asarray(self.k - self.beta.shape[1])

    def multiplier(self, *, ci: Interval) -> Floats:
        """What the Wald covariance is multiplied with; 1 where no degree of freedom is left."""
        if ci == "wald":
            return np.ones(len(self.k))
        spread = np.maximum(self.spread, 1.0) if ci == "hksj_adhoc" else self.spread
        return np.where(self.df > 0, spread, 1.0)

    def covariance(self, *, ci: Interval) -> Floats:
        """Covariance of the coefficients, shape (B, p, p)."""
        return self.covariance_wald * self.multiplier(ci=ci)[:, None, None]

    def quantile(self, *, ci: Interval, level: float) -> Floats:
        """Half-width of an interval in standard errors: normal, or t on k - p with HKSJ."""
        tail = (1.0 - level) / 2.0
        z = np.full(len(self.k), -special.ndtri(tail))
        if ci == "wald":
            return z
        return np.where(self.df > 0, -special.stdtrit(np.maximum(self.df, 1), tail), z)

    def i2_pct(self) -> Floats:
        """I² in percent; from Q with a common effect."""
        with np.errstate(divide="ignore", invalid="ignore"):
            if self.common_effect:
                share = np.where(self.q > self.df, (self.q - self.df) / self.q, 0.0)
            else:
                share = self.tau2 / (self.tau2 + self.typical_variance)
        return np.where(self.df > 0, 100.0 * share, np.where(self.df == 0, 0.0, np.nan))

    def h2(self) -> Floats:
        """H²; Q/(k - p) with a common effect."""
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = (
                self.q / self.df if self.common_effect else 1 + self.tau2 / self.typical_variance
            )
        return np.where(self.df > 0, ratio, np.where(self.df == 0, 1.0, np.nan))


def fit_mixed_effects(
    y: Floats, v: Floats, *, x: Floats, method: Tau2Method, tau2: Floats | None = None
) -> MixedEffectsFit:
    """Regress every row of `y` on the moderators `x`.

    Parameters
    ----------
    y, v : arrays of shape (B, k)
        Effects and sampling variances (> 0); NaN marks an absent study.
    x : array of shape (k, p) or (B, k, p)
        Moderators, a column of ones for the intercept.
    method
        How residual tau² is estimated; "EE" leaves it out.
    tau2 : array of length B, optional
        Use these values instead of estimating them.
    """
    data = regressions(y, v, x)
    if tau2 is None:
        found = residual_tau2(data, method=method)
    else:
        found = Tau2Fit(np.asarray(tau2, dtype=float), np.ones(len(tau2), dtype=bool))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        sampling = at_tau2(data, np.zeros(len(data.y)))
        fit = at_tau2(data, found.tau2)
        df = data.k - data.x.shape[2]
        back = np.linalg.inv(data.triangle)
        half = np.einsum("ikj,ijl->ikl", data.x, fit.bread)
        return MixedEffectsFit(
            k=data.k,
            beta=np.einsum("ijl,il->ij", back, fit.b),
            covariance_wald=np.einsum("ijl,ilm,inm->ijn", back, fit.bread, back),
            spread=fit.q / df,
            tau2=found.tau2,
            q=sampling.q,
            typical_variance=df / traces(data, sampling)[0],
            weights=fit.w,
            hat=fit.w * np.einsum("ikj,ikj->ik", half, data.x),
            converged=found.converged,
            common_effect=method == "EE",
        )
