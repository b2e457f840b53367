"""Network meta-analysis: treatment positions by weighted least squares, and tau² by DL or REML.

References
----------
Rücker (2012), Res Synth Methods 3:312-324, doi:10.1002/jrsm.1058 (Laplacian and effective variances);
Jackson, White and Riley (2012), Stat Med 31:3805-3820, doi:10.1002/sim.5453 (generalised DL);
White et al. (2012), Res Synth Methods 3:111-125, doi:10.1002/jrsm.1045 (multivariate REML).
"""

from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np

from vertebro_outcomes.estimators.arrays import Floats, Ints
from vertebro_outcomes.estimators.network.independent_contrasts import IndependentContrasts
from vertebro_outcomes.estimators.roots import solve_decreasing

NetworkMethod = Literal["EE", "DL", "REML", "REML_exact"]
NETWORK_METHODS: Final[tuple[NetworkMethod, ...]] = get_args(NetworkMethod)


@dataclass(frozen=True)
class NetworkFit:
    """Positions mu (sum 0) of the treatments, the pseudo-inverse of their Laplacian, and Q."""

    mu: Floats
    laplacian: Floats
    covariance: Floats
    q: float

    @property
    def estimate(self) -> Floats:
        """Row minus column, every pair."""
        return self.mu[:, None] - self.mu[None, :]

    @property
    def se(self) -> Floats:
        """Standard errors of `estimate`: square roots of the effective variances."""
        d = np.diag(self.covariance)
        squared = d[:, None] + d[None, :] - 2.0 * self.covariance
        np.fill_diagonal(squared, 0.0)
        return np.sqrt(np.maximum(squared, 0.0))


@dataclass(frozen=True)
class Heterogeneity:
    """Q with its degrees of freedom, and tau² (0 where no degree of freedom is left)."""

    q: float
    df: int
    tau2: float
    converged: bool = True


def laplacian_inverse(laplacian: Floats) -> Floats:
    """Pseudo-inverse of a connected Laplacian: shift its null space (the constant vector) away."""
    t = len(laplacian)
    shift = np.full((t, t), max(float(np.trace(laplacian)) / t, np.finfo(float).tiny) / t)
    inverse = np.linalg.inv(laplacian + shift)
    centred = inverse - inverse.mean(axis=0)
    centred -= centred.mean(axis=1)[:, None]
    return 0.5 * (centred + centred.T)


def fit_network(rows: IndependentContrasts, *, tau2: float) -> NetworkFit:
    """Weighted least squares with weights 1/(v + tau²) on a connected network."""
    w = 1.0 / (rows.v + tau2)
    xw = rows.x * w[:, None]
    laplacian = xw.T @ rows.x
    covariance = laplacian_inverse(laplacian)
    mu = covariance @ (xw.T @ rows.y)
    r = rows.y - rows.x @ mu
    return NetworkFit(mu, laplacian, covariance, float(w @ (r * r)) + rows.open_sum)


def basis(x: Floats) -> Floats:
    """Independent columns with the span of `x`: all but one treatment of each connected part."""
    size = np.abs(x)
    linked = size.T @ size > 0
    keep = linked.diagonal().copy()
    unseen = keep.copy()
    while unseen.any():
        first = int(np.argmax(unseen))
        part = linked[first]
        while (wider := linked[part].any(axis=0)).sum() > part.sum():
            part = wider
        keep[first] = False
        unseen &= ~part
    return x[:, keep]


def q_statistic(rows: IndependentContrasts, z: Floats, *, tau2: float = 0.0) -> float:
    """Q of the regression on the columns of `z` (linearly independent)."""
    root = 1.0 / np.sqrt(rows.v + tau2)
    zw, yw = z * root[:, None], rows.y * root
    orthonormal, _ = np.linalg.qr(zw)
    r = yw - orthonormal @ (orthonormal.T @ yw)
    return float(r @ r) + rows.open_sum


def dersimonian_laird(rows: IndependentContrasts, z: Floats) -> Heterogeneity:
    """Generalised DL: Q = df + tau² tr(P), P = W - W Z (Z'WZ)⁻¹ Z'W. `z`: independent columns."""
    q, df = q_statistic(rows, z), len(rows.y) - z.shape[1]
    return Heterogeneity(q, df, max(0.0, (q - df) / moment_trace(rows, z)) if df else 0.0)


def moment_trace(rows: IndependentContrasts, z: Floats) -> float:
    """tr(P) at tau² = 0."""
    w = 1.0 / rows.v
    g, _ = np.linalg.qr(z * np.sqrt(w)[:, None])
    return float(w @ (1.0 - (g * g).sum(axis=1)))


def restricted_likelihood(rows: IndependentContrasts, z: Floats) -> Heterogeneity:
    """REML: y'PPy = tr(P), searched as in a pairwise pool, from the unweighted moment estimate."""
    q, df = q_statistic(rows, z), len(rows.y) - z.shape[1]
    if df == 0:
        return Heterogeneity(q, 0, 0.0)

    def score(tau2: Floats, _: Ints) -> tuple[Floats, Floats]:
        w = 1.0 / (rows.v + tau2[0])
        s = np.sqrt(w)
        g, _ = np.linalg.qr(z * s[:, None])  # P = S (I - GG') S
        leverage = (g * g).sum(axis=1)

        def apart(a: Floats) -> Floats:
            return a - g @ (g.T @ a)

        py = s * apart(s * rows.y)
        u = py @ py - w @ (1.0 - leverage)
        root_ppy = apart(s * py)
        trace_pp = (w * w) @ (1.0 - 2.0 * leverage) + ((g.T * w @ g) ** 2).sum()
        return np.array([u]), np.array([2.0 * root_ppy @ root_ppy - trace_pp])  # minus u'

    root, done = solve_decreasing(
        score, start=np.array([_unweighted_moments(rows, z, df)]), scale=rows.v[[rows.v.argmin()]]
    )
    return Heterogeneity(q, df, float(root[0]), bool(done[0]))


def _unweighted_moments(rows: IndependentContrasts, z: Floats, df: int) -> float:
    """Hedges' estimate of tau²: the unweighted residual sum of squares less what sampling explains."""
    orthonormal, _ = np.linalg.qr(z)
    r = rows.y - orthonormal @ (orthonormal.T @ rows.y)
    explained = rows.v @ (1.0 - (orthonormal**2).sum(axis=1))
    return max(0.0, float(r @ r - explained) / df)


def estimate_tau2(rows: IndependentContrasts, z: Floats, *, method: NetworkMethod) -> Heterogeneity:
    """Q, df and tau² of the regression on `z`; "EE" leaves tau² at 0."""
    if method in {"REML", "REML_exact"}:
        return restricted_likelihood(rows, z)
    found = dersimonian_laird(rows, z)
    return found if method == "DL" else Heterogeneity(found.q, found.df, 0.0)
