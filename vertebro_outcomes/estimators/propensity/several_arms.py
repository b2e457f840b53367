"""Weighted means of several arms whose variance knows that the propensities were estimated."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from vertebro_outcomes.estimators.arrays import Floats, Ints
from vertebro_outcomes.estimators.propensity.logistic import fit_multinomial
from vertebro_outcomes.estimators.propensity.weights import ArmsWeightKind, multinomial_weights

ArmsVariance = Literal["sandwich", "sandwich_site", "fixed_propensity"]


@dataclass(frozen=True)
class ArmsFit:
    """One mean per arm; `influence` (n, K) is each patient's share in mean - truth."""

    mean: Floats
    influence: Floats
    weights: Floats
    propensity: Floats

    def contrast(self, t: int, c: int, *, cluster: Ints | None = None) -> tuple[float, float]:
        """Difference of two arms and its standard error."""
        psi: Floats = self.influence[:, t] - self.influence[:, c]
        if cluster is not None:
            psi = np.asarray(np.bincount(cluster, weights=psi), dtype=np.float64)
        return float(self.mean[t] - self.mean[c]), float(np.sqrt(psi @ psi))


def fit_weighted_arms(
    y: Floats, arm: Ints, x: Floats, *, kind: ArmsWeightKind, fixed: bool = False
) -> ArmsFit:
    """Means of all arms in one target population.

    Parameters
    ----------
    y : array (n,)
    arm : array of int (n,)
        0 to K - 1.
    x : array (n, p)
        Covariates without an intercept.
    kind : {"overlap", "ate", "matching"}
        Target population.
    fixed : bool
        Take the weights as known.

    Returns
    -------
    ArmsFit

    Raises
    ------
    UnanswerableError
        If the covariates separate the arms.

    Reference
    ---------
    Li & Li (2019), Ann Appl Stat 13:2389-2415, doi:10.1214/19-AOAS1282, section 3.
    """
    model = fit_multinomial(x, arm)
    p, K = model.probability, model.probability.shape[1]
    w = multinomial_weights(p, arm, kind=kind)
    mine = arm[:, None] == np.arange(K)
    share = mine * (w / np.bincount(arm, weights=w)[arm])[:, None]
    mean = share.T @ y
    psi = share * (y[:, None] - mean)
    if not fixed:
        z = np.column_stack([np.ones(len(y)), x])
        slopes = _slopes(p, mine, kind=kind)
        score = np.hstack([z * (mine[:, [a]] - p[:, [a]]) for a in range(1, K)])
        H = np.vstack([z.T @ (psi * slopes[:, [a - 1]]) for a in range(1, K)])
        psi = psi + score @ (model.covariance @ H)
    return ArmsFit(mean, psi, w, p)


def _slopes(p: Floats, mine: Floats, *, kind: ArmsWeightKind) -> Floats:
    """Derivative of each patient's log weight by the linear predictors of arms 1 to K - 1."""
    own = np.asarray(mine, dtype=float)[:, 1:]
    if kind == "ate":
        return np.asarray(p[:, 1:] - own)
    if kind == "overlap":
        h = 1.0 / (1.0 / p).sum(axis=1)
        return np.asarray(h[:, None] / p[:, 1:] - own)
    smallest = p.argmin(axis=1)[:, None] == np.arange(1, p.shape[1])
    return np.asarray(smallest - own)
