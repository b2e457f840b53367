"""Sufficient statistics of a repeated-measures model: second moments per missingness pattern.

For patients who were all seen at the same visits the Gaussian likelihood needs only
sum_i z_ij z_ik' with z_ij = (x_ij, y_ij), so the cost of a fit does not grow with their number.
"""

from dataclasses import dataclass

import numpy as np

from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints


@dataclass(frozen=True)
class PatternSums:
    """Moments of a model with `p` coefficients and `T` visits, by pattern of visits that were seen.

    `seen` (k, T), `n` patients (k,), `moments` (k, T, T, p + 1, p + 1): sum over patients of the outer
    product of (x, y) at visit j with (x, y) at visit k, zero where a visit was not seen.
    """

    seen: Bools
    n: Floats
    moments: Floats

    @property
    def n_rows(self) -> float:
        """Scores that entered."""
        return float(self.n @ self.seen.sum(axis=1))

    @property
    def n_patients(self) -> float:
        """Patients with at least one score."""
        return float(self.n.sum())

    @property
    def n_together(self) -> Floats:
        """Patients seen at both visits, (T, T)."""
        seen = self.seen.astype(float)
        return np.asarray((seen * self.n[:, None]).T @ seen)


def patterns_of(y: Floats) -> tuple[Bools, Ints]:
    """Distinct patterns of observed visits of `y` (n, T; NaN = not seen) and the one of each patient."""
    code = (~np.isnan(y)) @ (1 << np.arange(y.shape[1], dtype=np.int64))
    codes, which = np.unique(code, return_inverse=True)
    bits = (codes[:, None] >> np.arange(y.shape[1])) & 1
    return bits.astype(bool), which.astype(np.int64)


def sums_of_patients(y: Floats, u: Floats, design: Floats) -> PatternSums:
    """Sums where covariates do not change over visits: x_ij = design[j] @ u_i.

    Parameters
    ----------
    y : array (n, T)
        Outcome, NaN where it was not seen. Patients without any score do not count.
    u : array (n, q)
        One row per patient, no missing values.
    design : array (T, p, q)
        What a visit makes of a patient's covariates.

    Returns
    -------
    PatternSums
    """
    seen, which = patterns_of(y)
    kept = seen.any(axis=1)
    T, p, q = design.shape
    n, moments = [], []
    for pattern in np.flatnonzero(kept):
        mine = which == pattern
        z = np.column_stack([u[mine], np.where(seen[pattern], y[mine], 0.0)])
        gram = z.T @ z
        lift = np.zeros(
            (T, p + 1, q + T)
        )  # (x, y) at a visit as a linear map of (u, y at all visits)
        lift[:, :p, :q] = design
        lift[np.arange(T), p, q + np.arange(T)] = 1.0
        lift *= seen[pattern][:, None, None]
        half = lift @ gram
        moments.append(np.einsum("jas,kbs->jkab", half, lift, optimize=True))
        n.append(float(mine.sum()))
    return PatternSums(seen[kept], np.array(n), np.array(moments).reshape(-1, T, T, p + 1, p + 1))


def sums_of_rows(y: Floats, x: Floats) -> PatternSums:
    """Sums for any design.

    Parameters
    ----------
    y : array (n, T)
        Outcome, NaN where it was not seen.
    x : array (n, T, p)
        Regressors of every patient and visit; ignored where `y` is NaN.

    Returns
    -------
    PatternSums
    """
    seen, which = patterns_of(y)
    kept = seen.any(axis=1)
    T, p = x.shape[1:]
    n, moments = [], []
    for pattern in np.flatnonzero(kept):
        mine = np.flatnonzero(which == pattern)
        at = np.flatnonzero(seen[pattern])
        z = np.concatenate([x[np.ix_(mine, at)], y[np.ix_(mine, at)][..., None]], axis=2)
        flat = z.reshape(len(mine), -1)
        gram = (flat.T @ flat).reshape(len(at), p + 1, len(at), p + 1).transpose(0, 2, 1, 3)
        moment = np.zeros((T, T, p + 1, p + 1))
        moment[np.ix_(at, at)] = gram
        n.append(float(len(mine)))
        moments.append(moment)
    return PatternSums(seen[kept], np.array(n), np.array(moments).reshape(-1, T, T, p + 1, p + 1))
