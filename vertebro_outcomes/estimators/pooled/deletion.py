"""Deletion diagnostics of a meta-regression (or of the mean, with X = 1).

Everything without study i comes from a refit with tau² estimated anew.

References
----------
Viechtbauer and Cheung (2010), Res Synth Methods 1:112-125, doi:10.1002/jrsm.11 (section 3);
Baujat et al. (2002), Stat Med 21:2641-2652, doi:10.1002/sim.1221.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import special

from vertebro_outcomes.estimators.arrays import Bools, Floats
from vertebro_outcomes.estimators.pooled.heterogeneity import Tau2Method
from vertebro_outcomes.estimators.pooled.inverse_variance import Interval
from vertebro_outcomes.estimators.pooled.mixed_effects import MixedEffectsFit, fit_mixed_effects
from vertebro_outcomes.estimators.pooled.weighted_regression import invert

CELLS_AT_ONCE: Final = 200_000


@dataclass(frozen=True)
class Deletion:
    """Arrays of length k, `dfbetas` (k, p); NaN where the rest does not determine the coefficients."""

    rstudent: Floats
    dffits: Floats
    cook_d: Floats
    cov_r: Floats
    tau2_del: Floats
    q_del: Floats
    hat: Floats
    weight_pct: Floats
    dfbetas: Floats
    baujat_x: Floats
    baujat_y: Floats
    converged: Bools

    @property
    def influential(self) -> Bools:
        """Whether one of these holds: |DFFITS| > 3 sqrt(p / (k - p)); Cook's distance beyond the
        median of chi-square on p df; hat > 3p/k; any |DFBETAS| > 1.
        """
        k, p = self.dfbetas.shape
        with np.errstate(invalid="ignore"):
            return np.asarray(
                (np.abs(self.dffits) > 3.0 * np.sqrt(p / max(k - p, 1)))
                | (special.chdtr(p, np.maximum(self.cook_d, 0.0)) > 0.5)
                | (self.hat > 3.0 * p / k)
                | (np.abs(self.dfbetas) > 1.0).any(axis=1)
            )


def deletion_diagnostics(
    y: Floats, v: Floats, *, x: Floats, method: Tau2Method, ci: Interval
) -> Deletion:
    """Leave out each of k studies in turn.

    Parameters
    ----------
    y, v : arrays of length k
    x : array (k, p)
    method, ci
        tau² estimator and kind of standard error of the model.
    """
    k = len(y)
    full = fit_mixed_effects(y[None], v[None], x=x, method=method)
    block = max(1, CELLS_AT_ONCE // x.size)
    parts = [
        _block(y, v, x, np.arange(i, min(i + block, k)), full=full, method=method, ci=ci)
        for i in range(0, k, block)
    ]
    joined = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    residual = y - x @ full.beta[0]
    return Deletion(
        hat=full.hat[0],
        weight_pct=100.0 * full.weights[0] / full.weights[0].sum(),
        baujat_x=residual**2 / (v + full.tau2[0]),
        converged=joined.pop("converged").astype(bool),
        **joined,
    )


def _block(
    y: Floats,
    v: Floats,
    x: Floats,
    left_out: np.ndarray,
    *,
    full: MixedEffectsFit,
    method: Tau2Method,
    ci: Interval,
) -> dict[str, Floats]:
    b = len(left_out)
    ys, vs = np.tile(y, (b, 1)), np.tile(v, (b, 1))
    gone = ys.copy()
    gone[np.arange(b), left_out] = np.nan
    rest = fit_mixed_effects(gone, vs, x=x, method=method)
    tau2 = np.where(np.isfinite(rest.tau2), rest.tau2, 0.0)
    all_studies = fit_mixed_effects(ys, vs, x=x, method=method, tau2=tau2)
    here, covariance = x[left_out], rest.covariance(ci=ci)
    change = full.beta[0] - rest.beta
    shift = np.einsum("ip,ip->i", here, change)
    of_prediction = np.einsum("ip,ipq,iq->i", here, covariance, here)
    spread = rest.multiplier(ci=ci)
    total = rest.tau2 + v[left_out]
    of_all = full.covariance(ci=ci)[:1]
    with np.errstate(divide="ignore", invalid="ignore"):
        se = np.sqrt(spread * total + of_prediction)
        own = np.einsum("ipp->ip", all_studies.covariance_wald) * spread[:, None]
        return {
            "rstudent": (y[left_out] - np.einsum("ip,ip->i", here, rest.beta)) / se,
            "dffits": shift / np.sqrt(spread * full.hat[0, left_out] * total),
            "cook_d": np.einsum("ip,pq,iq->i", change, invert(of_all)[0], change),
            "cov_r": np.linalg.det(covariance) / np.linalg.det(of_all[0]),
            "tau2_del": rest.tau2,
            "q_del": rest.q,
            "dfbetas": change / np.sqrt(own),
            "baujat_y": shift**2 / of_prediction,
            "converged": rest.converged,
        }
