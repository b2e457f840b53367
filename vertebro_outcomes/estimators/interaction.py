"""Least squares with a robust covariance of all coefficients, and linear questions to them."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.unanswerable import UnanswerableError

_COLLINEAR = 1e-10  # smallest singular value of the scaled design
_FULL_LEVERAGE = 1e-9
_NO_SPREAD = 1e-20  # residual sum of squares, of that of the scores: rounding


@dataclass(frozen=True)
class LinearFit:
    """Coefficients with their covariance; `df` are n - p; `weights` those of the patients, if any."""

    beta: Floats
    cov: Floats
    df: float
    weights: Floats | None = None

    def at(self, L: Floats) -> tuple[Floats, Floats, Floats]:
        """Estimates, standard errors and degrees of freedom; L asks the first coefficients."""
        wide = self._wide(L)
        se = np.sqrt(np.einsum("ij,jk,ik->i", wide, self.cov, wide))
        return wide @ self.beta, se, np.full(len(L), self.df)

    def wald(self, L: Floats) -> tuple[float, int, float, float]:
        """F statistic, its degrees of freedom, and the p-value of L beta = 0."""
        L = self._wide(L)
        b, q = L @ self.beta, len(L)
        F = float(b @ np.linalg.solve(L @ self.cov @ L.T, b)) / q
        p = special.chdtrc(q, q * F) if np.isinf(self.df) else special.fdtrc(q, self.df, F)
        return F, q, self.df, float(p)

    def _wide(self, L: Floats) -> Floats:
        return np.hstack([L, np.zeros((len(L), len(self.beta) - L.shape[1]))])


def fit_linear(y: Floats, X: Floats, *, variance: str = "hc3") -> LinearFit:
    """Least squares of y on X.

    Parameters
    ----------
    y, X : array
        Scores and the whole design, with its intercept.
    variance : {"hc3", "hc2", "model"}
        Heteroscedasticity-consistent, or the usual one of least squares.

    Raises
    ------
    UnanswerableError
        If a column follows from the others, or there are too few patients.

    Reference
    ---------
    MacKinnon & White (1985), J Econometrics 29:305-325, doi:10.1016/0304-4076(85)90158-7.
    """
    n, p = X.shape
    if n <= p:
        raise UnanswerableError(f"{n} patients are too few for {p} coefficients")
    scale = np.sqrt((X**2).mean(axis=0))
    if (scale == 0).any():
        raise UnanswerableError("a covariate is constant or follows from the others")
    Z = X / scale
    R = np.linalg.qr(Z, mode="r")
    if np.linalg.svd(R, compute_uv=False)[-1] < np.sqrt(n) * _COLLINEAR:
        raise UnanswerableError("a covariate is constant or follows from the others")
    half = np.linalg.inv(R)
    gram = half @ half.T
    beta = gram @ (Z.T @ y)
    beta += gram @ (Z.T @ (y - Z @ beta))
    e = y - Z @ beta
    if float(e @ e) <= _NO_SPREAD * max(float(y @ y), 1e-300):
        raise UnanswerableError("the scores follow exactly from arm and covariates")
    left = np.maximum(1.0 - np.einsum("ij,ij->i", Z @ half, Z @ half), _FULL_LEVERAGE)
    if variance == "model":
        cov = gram * float(e @ e) / (n - p)
    else:
        weight = e**2 / (left**2 if variance == "hc3" else left)
        lever = Z @ gram
        cov = lever.T @ (lever * weight[:, None])
    return LinearFit(beta / scale, cov / np.outer(scale, scale), float(n - p))
