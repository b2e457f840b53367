"""Weighted least squares of effects on moderators at a given tau², for many regressions at once.

Notation: y effects, v sampling variances, X moderators (k x p), w = 1/(v + tau²), W = diag(w),
M = X'WX, b = M⁻¹X'Wy, r = y - Xb, P = W - WXM⁻¹X'W. P is never formed: every trace is a sum over
studies and p x p matrices, so the cost is linear in k.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints

WORST_CONDITION: Final = 1e12  # of M for orthonormal X; beyond it a coefficient is not determined


@dataclass(frozen=True)
class Regressions:
    """Data of B regressions: y, v (B, k), x (B, k, p) with orthonormal columns.

    An absent study has y = 0, x = 0 and v = inf. `triangle` (B, p, p) turns coefficients of the
    moderators as given into those of the orthonormal ones.
    """

    y: Floats
    v: Floats
    x: Floats
    triangle: Floats
    present: Bools

    @property
    def k(self) -> Ints:
        """Number of studies in each regression."""
        return np.asarray(self.present.sum(axis=1))

    def rows(self, chosen: Ints) -> "Regressions":
        """The chosen regressions."""
        return Regressions(
            self.y[chosen],
            self.v[chosen],
            self.x[chosen],
            self.triangle[chosen],
            self.present[chosen],
        )


@dataclass(frozen=True)
class WeightedFit:
    """w, r (B, k); M⁻¹ (B, p, p) and b (B, p) in orthonormal moderators, NaN where not determined."""

    w: Floats
    bread: Floats
    b: Floats
    r: Floats

    @property
    def q(self) -> Floats:
        """Σ w r² = y'Py."""
        return np.einsum("ij,ij,ij->i", self.w, self.r, self.r)


def regressions(y: Floats, v: Floats, x: Floats) -> Regressions:
    """Bring data to the form of `Regressions`.

    Parameters
    ----------
    y, v : arrays of shape (B, k)
        Effects and sampling variances; NaN marks an absent study.
    x : array of shape (k, p) or (B, k, p)
        Moderators, one column per coefficient.
    """
    y = np.atleast_2d(np.asarray(y, dtype=float))
    v = np.atleast_2d(np.asarray(v, dtype=float))
    present = ~(np.isnan(y) | np.isnan(v))
    orthonormal, triangle = np.linalg.qr(np.asarray(x, dtype=float))
    shape = (len(y), *orthonormal.shape[-2:])
    return Regressions(
        y=np.where(present, y, 0.0),
        v=np.where(present, v, np.inf),
        x=np.where(present[:, :, None], np.broadcast_to(orthonormal, shape), 0.0),
        triangle=np.broadcast_to(triangle, (len(y), *triangle.shape[-2:])),
        present=present,
    )


def weighted_fit(data: Regressions, w: Floats) -> WeightedFit:
    """Least squares with the weights `w` (B, k)."""
    bread = invert(moment(data.x, w))
    b = np.einsum("ijl,il->ij", bread, np.einsum("ikj,ik->ij", data.x, w * data.y))
    return WeightedFit(w, bread, b, data.y - np.einsum("ikj,ij->ik", data.x, b))


def moment(x: Floats, w: Floats) -> Floats:
    """X'WX of every regression, shape (B, p, p)."""
    return np.matmul(np.swapaxes(x, 1, 2), w[:, :, None] * x)


def invert(matrix: Floats) -> Floats:
    """Inverses of (B, p, p) symmetric matrices after scaling; NaN where one is singular."""
    size = np.sqrt(np.einsum("ijj->ij", matrix))
    size = np.where(size > 0, size, 1.0)
    scaled = matrix / size[:, :, None] / size[:, None, :]
    finite = np.asarray(np.isfinite(scaled).all(axis=(1, 2)), dtype=bool)
    scaled = np.where(finite[:, None, None], scaled, 0.0)
    values, vectors = np.linalg.eigh(scaled)
    determined = np.asarray(values[:, 0] * WORST_CONDITION > values[:, -1], dtype=bool)
    sound = finite & determined
    inverse = np.einsum(
        "ijl,il,iml->ijm", vectors, 1.0 / np.where(sound[:, None], values, np.nan), vectors
    )
    return np.asarray(inverse / size[:, :, None] / size[:, None, :])


def traces(data: Regressions, fit: WeightedFit) -> tuple[Floats, Floats]:
    """tr(P) and tr(PP)."""
    w2 = fit.w * fit.w
    first = np.matmul(fit.bread, moment(data.x, w2))
    second = np.matmul(fit.bread, moment(data.x, w2 * fit.w))
    tr_p = fit.w.sum(axis=1) - np.einsum("ijj->i", first)
    tr_pp = (
        w2.sum(axis=1) - 2.0 * np.einsum("ijj->i", second) + np.einsum("ijl,ilj->i", first, first)
    )
    return tr_p, tr_pp


def quadratic_forms(data: Regressions, fit: WeightedFit) -> tuple[Floats, Floats]:
    """Return y'PPy and y'PPPy."""
    wr = fit.w * fit.r
    c = np.einsum("ikj,ik->ij", data.x, fit.w * wr)
    ppp = np.einsum("ik,ik,ik->i", fit.w, wr, wr) - np.einsum("ij,ijl,il->i", c, fit.bread, c)
    return np.einsum("ik,ik->i", wr, wr), ppp
