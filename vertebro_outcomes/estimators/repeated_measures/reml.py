"""Unstructured covariance by restricted maximum likelihood: Fisher scoring, gated on the gradient."""

from dataclasses import dataclass

import numpy as np

from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.repeated_measures.derivatives import (
    RestrictedLikelihood,
    basis,
    restricted_likelihood,
)
from vertebro_outcomes.estimators.repeated_measures.pattern_sums import PatternSums
from vertebro_outcomes.estimators.unanswerable import UnanswerableError

MOST_STEPS = 200
# Squared length of the score in units of its own standard error. The standard errors of a fit that
# merely stops moving can be far off, so a fit counts only when its score is zero to this precision.
GRADIENT_GOAL = 1e-20
GRADIENT_LIMIT = 1e-9
_SMALLEST_EIGENVALUE = 1e-3  # of the starting correlation matrix
_SINGULAR = 1e-8  # smallest eigenvalue of a fitted correlation matrix
_EXACT = 1e-14  # residual variance as a share of the mean square of the scores
_COLLINEAR = 1e-11  # smallest eigenvalue of the scaled X'X
_NO_MAXIMUM = (
    "the covariance of the visits has no maximum-likelihood estimate "
    "(too few patients for so many visits, or scores that determine each other)"
)


@dataclass(frozen=True)
class RemlFit:
    """`Sigma` (T, T), `at` the likelihood there, `steps` taken, `decrement` the gate's value."""

    Sigma: Floats
    at: RestrictedLikelihood
    steps: int
    decrement: float

    @property
    def beta(self) -> Floats:
        """Coefficients."""
        return self.at.beta

    @property
    def covariance(self) -> Floats:
        """Model-based covariance of `beta`."""
        return self.at.Phi

    @property
    def loglik(self) -> float:
        """Restricted log-likelihood, constant (N - p) log 2 pi included, log|X'X| not."""
        return self.at.loglik


def fit_reml(sums: PatternSums) -> RemlFit:
    """Maximise the restricted likelihood over all covariance matrices of the visits.

    Parameters
    ----------
    sums : PatternSums

    Returns
    -------
    RemlFit

    Raises
    ------
    UnanswerableError
        Columns are collinear, two visits were never seen in one patient, or there is no maximum
        with a positive definite covariance.

    Reference
    ---------
    Jennrich & Schluchter (1986), Biometrics 42:805-820, doi:10.2307/2530695, section 3.
    """
    _refuse_the_undetermined(sums)
    fit = _maximise(sums)
    sd = np.sqrt(np.diag(fit.Sigma))
    if np.linalg.eigvalsh(fit.Sigma / np.outer(sd, sd))[0] < _SINGULAR:
        raise UnanswerableError(_NO_MAXIMUM)
    return fit


def _maximise(sums: PatternSums) -> RemlFit:
    Sigma, now = _start(sums)
    E = basis(Sigma.shape[0])
    decrement = np.inf
    for step in range(MOST_STEPS):
        decrement, direction = _direction(now)
        if decrement < GRADIENT_GOAL:
            return RemlFit(Sigma, now, step, decrement)
        moved = _line_search(sums, Sigma, now, np.einsum("a,ajk->jk", direction, E))
        if moved is None:
            if decrement < GRADIENT_LIMIT:
                return RemlFit(Sigma, now, step, decrement)
            break
        Sigma, now = moved
    if decrement < GRADIENT_LIMIT:
        return RemlFit(Sigma, now, MOST_STEPS, decrement)
    raise UnanswerableError(_NO_MAXIMUM)


def _direction(now: RestrictedLikelihood) -> tuple[float, Floats]:
    """Fisher scoring far from the maximum, Newton close to it; squared length of the score."""
    step = np.linalg.lstsq(now.expected_information, now.score, rcond=None)[0]
    decrement = float(now.score @ step)
    if decrement < 1e-2:
        try:
            np.linalg.cholesky(now.observed_information)
            step = np.linalg.solve(now.observed_information, now.score)
        except np.linalg.LinAlgError:
            pass
    return max(decrement, 0.0), np.asarray(step, dtype=np.float64)


def _line_search(
    sums: PatternSums, Sigma: Floats, now: RestrictedLikelihood, change: Floats
) -> tuple[Floats, RestrictedLikelihood] | None:
    size, slack = 1.0, 1e-13 * abs(now.loglik)
    decrement = _direction(now)[0]
    for _ in range(40):
        tried = Sigma + size * change
        there = restricted_likelihood(sums, tried)
        if there is not None and there.loglik >= now.loglik - slack:
            gains = there.loglik > now.loglik + slack
            if gains or _direction(there)[0] < decrement:
                return tried, there
        size /= 2.0
    return None


def _refuse_the_undetermined(sums: PatternSums) -> None:
    together = sums.n_together
    if (together < 2).any():
        raise UnanswerableError("two of the visits were seen together in fewer than two patients")
    xx = np.einsum("kjjab->ab", sums.moments)[:-1, :-1]
    size = np.sqrt(np.diag(xx))
    if (size == 0).any() or np.linalg.eigvalsh(xx / np.outer(size, size))[0] < _COLLINEAR:
        raise UnanswerableError("a covariate is constant or follows from the others")


def _start(sums: PatternSums) -> tuple[Floats, RestrictedLikelihood]:
    """Residual products of ordinary least squares, pulled to positive definiteness."""
    T = sums.seen.shape[1]
    first = restricted_likelihood(sums, np.eye(T))
    if first is None:
        raise UnanswerableError("a covariate is constant or follows from the others")
    S = first.residual_products.sum(axis=0) / sums.n_together
    size = np.einsum("kjj->j", sums.moments[:, :, :, -1, -1]) / np.diag(sums.n_together)
    if (np.diag(S) <= _EXACT * size).any():
        raise UnanswerableError("the scores of a visit follow exactly from the covariates")
    sd = np.sqrt(np.diag(S))
    values, vectors = np.linalg.eigh(S / np.outer(sd, sd))
    R = vectors @ np.diag(np.maximum(values, _SMALLEST_EIGENVALUE)) @ vectors.T
    Sigma = R * np.outer(sd, sd)
    now = restricted_likelihood(sums, Sigma)
    if now is None:
        raise UnanswerableError("a covariate is constant or follows from the others")
    return Sigma, now
