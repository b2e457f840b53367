"""Scores after a patient left, imputed as if the patient had gone on like the reference arm."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints
from vertebro_outcomes.estimators.contrasts.mmrm import visit_design
from vertebro_outcomes.estimators.repeated_measures.pattern_sums import (
    patterns_of,
    sums_of_patients,
)
from vertebro_outcomes.estimators.repeated_measures.reml import fit_reml
from vertebro_outcomes.estimators.unanswerable import UnanswerableError

AfterLeaving = Literal["own_arm", "jump_to_reference", "copy_reference", "copy_increments"]
# Every chain starts at the restricted maximum likelihood estimates, so it forgets its start soon (assumed;
# a test holds the draws against the likelihood).
BURN_IN: Final = 100
_NUMBERS_AT_ONCE: Final = 4_000_000  # memory: chains are run in batches of so many numbers


@dataclass(frozen=True)
class Visits:
    """`y` (n, T) in the order of the visits, NaN where not seen; `x` (n, p) without gaps."""

    y: Floats
    treated: Bools
    x: Floats

    @property
    def u(self) -> Floats:
        """Regressors of every visit: intercept, arm, covariates."""
        return np.column_stack([np.ones(len(self.y)), self.treated.astype(float), self.x])

    @property
    def last(self) -> Ints:
        """Visits up to and with the last one that was seen; 0 if none was."""
        seen = ~np.isnan(self.y)
        T = seen.shape[1]
        return np.where(seen.any(axis=1), T - np.argmax(seen[:, ::-1], axis=1), 0).astype(np.int64)


def impute_visits(
    data: Visits, *, how: AfterLeaving, m: int, rng: np.random.Generator, burn_in: int = BURN_IN
) -> Iterator[Floats]:
    """Completed copies of `data.y`, one after another.

    Parameters
    ----------
    data : Visits
    how : {"own_arm", "jump_to_reference", "copy_reference", "copy_increments"}
        What the visits after the last one seen are like in treated patients; gaps before it, and
        everything in the comparator arm, is missing at random in the patient's own arm.
    m : int
        Copies, each from a chain of its own.
    rng : Generator
    burn_in : int
        Steps of a chain.

    Returns
    -------
    iterator of array (n, T)
        No more copies are held than are drawn together.

    Raises
    ------
    UnanswerableError
        At once, if the mixed model is not determined by the data.

    Notes
    -----
    The model is that of `mmrm` with every coefficient by visit and one unstructured covariance for
    both arms. Coefficients and covariance are drawn by data augmentation under the prior
    |Sigma|^(-(T + 1) / 2), started at the restricted maximum likelihood estimates.

    Reference
    ---------
    Carpenter, Roger & Kenward (2013), J Biopharm Stat 23:1352-1371,
    doi:10.1080/10543406.2013.834911, section 4; data augmentation: Schafer (1997), Analysis of
    Incomplete Multivariate Data, section 5.4, doi:10.1201/9780367803025.
    """
    B, Sigma = fitted_parameters(data)
    n, T = data.y.shape
    q = data.u.shape[1]
    if n - q < T:
        raise UnanswerableError(f"{n} patients are too few for {T} visits with {q} coefficients")
    at_once = max(1, _NUMBERS_AT_ONCE // max(data.y.size, 1))
    sizes = [min(at_once, m - first) for first in range(0, m, at_once)]
    chains = (Chains(data, np.tile(B, (k, 1, 1)), np.tile(Sigma, (k, 1, 1))) for k in sizes)
    return (copy for chain in chains for copy in chain.run(burn_in, how, rng))


def fitted_parameters(data: Visits) -> tuple[Floats, Floats]:
    """Coefficients (q, T) and covariance (T, T) by restricted maximum likelihood.

    Raises
    ------
    UnanswerableError
        If they are not determined.
    """
    u, T = data.u, data.y.shape[1]
    fit = fit_reml(sums_of_patients(data.y, u, visit_design(T, [True] * u.shape[1])))
    return fit.beta.reshape(u.shape[1], T), fit.Sigma


def reference_means(own: Floats, reference: Floats, last: Ints, how: AfterLeaving) -> Floats:
    """Means (..., n, T) from which the visits after the last one seen are drawn.

    Parameters
    ----------
    own, reference : array (..., n, T)
        Means of the patient's own arm, and of the reference arm at the patient's covariates.
    last : array of int (n,)
        Visits up to the last one seen.
    how : str

    Returns
    -------
    array (..., n, T)

    Reference
    ---------
    Carpenter, Roger & Kenward (2013), doi:10.1080/10543406.2013.834911, section 4.2.
    """
    T = own.shape[-1]
    before = np.arange(T) < last[:, None]
    if how == "own_arm":
        return own
    if how == "copy_reference":
        return reference
    if how == "jump_to_reference":
        return np.where(before, own, reference)
    # without any visit the arms start from the same baseline: nothing to carry over
    at = np.broadcast_to(np.maximum(last - 1, 0)[:, None], (*own.shape[:-1], 1))
    gained = np.take_along_axis(own - reference, at, axis=-1)
    return np.where(before, own, reference + np.where(last[:, None] > 0, gained, 0.0))


def conditional(Sigma: Floats, known: Ints, wanted: Ints) -> tuple[Floats, Floats]:
    """Slopes of the wanted visits on the known ones, and the root of what they leave open."""
    S = Sigma[..., known[:, None], known]
    cross = Sigma[..., wanted[:, None], known]
    slopes = np.swapaxes(np.linalg.solve(S, np.swapaxes(cross, -1, -2)), -1, -2)
    left = Sigma[..., wanted[:, None], wanted] - slopes @ np.swapaxes(cross, -1, -2)
    root = np.linalg.cholesky((left + np.swapaxes(left, -1, -2)) / 2.0)
    return slopes, np.asarray(root, dtype=np.float64)


class Chains:
    """Parallel chains: completed scores (c, n, T), coefficients (c, q, T), covariances (c, T, T)."""

    def __init__(self, data: Visits, B: Floats, Sigma: Floats) -> None:
        self.data, self.u, self.B, self.Sigma = data, data.u, B, Sigma
        self.y = np.tile(data.y, (len(B), 1, 1))
        self.seen, self.which = patterns_of(data.y)
        self.XtXi = np.linalg.inv(self.u.T @ self.u)
        self.root = np.linalg.cholesky(self.XtXi)

    def run(self, steps: int, how: AfterLeaving, rng: np.random.Generator) -> Floats:
        for _ in range(steps):
            self._draw_scores(rng)
            self._draw_parameters(rng)
        self._draw_scores(rng)
        if how != "own_arm":
            self._draw_after_leaving(how, rng)
        return self.y

    def _draw_scores(self, rng: np.random.Generator) -> None:
        means = self.u @ self.B
        for pattern in np.flatnonzero(~self.seen.all(axis=1)):
            known, wanted = (np.flatnonzero(self.seen[pattern] == there) for there in (True, False))
            self._draw(means, np.flatnonzero(self.which == pattern), known, wanted, rng)

    def _draw_parameters(self, rng: np.random.Generator) -> None:
        n, T = self.data.y.shape
        hat = self.XtXi @ (self.u.T @ self.y)
        residual = self.y - self.u @ hat
        L = np.linalg.cholesky(np.swapaxes(residual, 1, 2) @ residual)
        c, free = len(self.B), n - self.u.shape[1]
        A = np.tril(rng.standard_normal((c, T, T)), -1)  # Bartlett: A A' is a standard Wishart
        A[:, np.arange(T), np.arange(T)] = np.sqrt(rng.chisquare(free - np.arange(T), size=(c, T)))
        half = np.swapaxes(np.linalg.solve(A, np.swapaxes(L, 1, 2)), 1, 2)
        self.Sigma = half @ np.swapaxes(half, 1, 2)
        noise = rng.standard_normal(hat.shape)
        self.B = hat + self.root @ noise @ np.swapaxes(np.linalg.cholesky(self.Sigma), 1, 2)

    def _draw_after_leaving(self, how: AfterLeaving, rng: np.random.Generator) -> None:
        """Treated patients again, given what was seen and the gaps filled before they left."""
        last, T = self.data.last, self.y.shape[2]
        other = self.u.copy()
        other[:, 1] = 0.0
        means = reference_means(self.u @ self.B, other @ self.B, last, how)
        for k in np.unique(last[self.data.treated & (last < T)]):
            rows = np.flatnonzero(self.data.treated & (last == k))
            self._draw(means, rows, np.arange(k), np.arange(k, T), rng)

    def _draw(
        self, means: Floats, rows: Ints, known: Ints, wanted: Ints, rng: np.random.Generator
    ) -> None:
        slopes, root = conditional(self.Sigma, known, wanted)
        own = np.ix_(np.arange(len(self.y)), rows, known)
        away = self.y[own] - means[own]
        noise = rng.standard_normal((len(self.y), len(rows), len(wanted)))
        spot = np.ix_(np.arange(len(self.y)), rows, wanted)
        self.y[spot] = (
            means[spot] + away @ np.swapaxes(slopes, 1, 2) + noise @ np.swapaxes(root, 1, 2)
        )
