"""Permutation tests for meta-regression, and sign flips for a model with nothing but the mean.

References
----------
Higgins and Thompson (2004), Stat Med 23:1663-1682, doi:10.1002/sim.1752 (moderators);
Follmann and Proschan (1999), Biometrics 55:732-737, doi:10.1111/j.0006-341X.1999.00732.x (the mean).
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints
from vertebro_outcomes.estimators.pooled.heterogeneity import Tau2Method
from vertebro_outcomes.estimators.pooled.inverse_variance import Interval
from vertebro_outcomes.estimators.pooled.mixed_effects import MixedEffectsFit, fit_mixed_effects
from vertebro_outcomes.estimators.pooled.weighted_regression import invert

AS_LARGE: Final = 1.5e-8  # statistics this close count as equal, as rounding would separate ties
AT_ONCE: Final = 200_000  # array cells refitted together


@dataclass(frozen=True)
class PermutationFit:
    """Two-sided p-value per coefficient and of the joint test; NaN joint without tested terms."""

    p_values: Floats
    q_p_value: float
    n_permutations: int
    exact: bool


def permute(
    y: Floats,
    v: Floats,
    *,
    x: Floats,
    tested: Bools,
    method: Tau2Method,
    ci: Interval,
    most: int,
    seed: int,
) -> PermutationFit:
    """Refit with the rows of the moderators permuted (signs of the effects flipped if X = 1).

    All distinct permutations are used if there are at most `most`; otherwise the data as they are
    and `most` - 1 random ones.
    """
    mean_only = x.shape[1] == 1 and bool((x == x[0]).all())
    pattern = np.unique(x, axis=0, return_inverse=True)[1].ravel()
    total = 2 ** len(y) if mean_only else _count(pattern)
    exact = total <= most
    rng = np.random.default_rng(seed)
    if mean_only:
        arrangements = _signs(len(y), most=most, exact=exact, rng=rng)
    elif exact:
        first = {int(code): i for i, code in reversed(list(enumerate(pattern)))}
        codes = np.array(list(_distinct(sorted(pattern.tolist()))))
        arrangements = np.vectorize(first.__getitem__)(codes)
    else:
        shuffled = [rng.permutation(len(y)) for _ in range(most - 1)]
        arrangements = np.array([np.arange(len(y)), *shuffled])
    observed = _statistics(y, v, x, tested=tested, method=method, ci=ci)
    block = max(1, AT_ONCE // x.size)
    larger, joint, usable = np.zeros(x.shape[1]), 0, 0
    for start in range(0, len(arrangements), block):
        chosen = arrangements[start : start + block]
        ys, xs = (chosen * y, x) if mean_only else (y, x[chosen])
        z, q = _statistics(ys, v, xs, tested=tested, method=method, ci=ci)
        sound = np.isfinite(z).all(axis=1)
        usable += int(sound.sum())
        larger += (z[sound] >= observed[0][0] - AS_LARGE).sum(axis=0)
        joint += int((q[sound] >= observed[1][0] - AS_LARGE).sum())
    q_p_value = joint / usable if tested.any() else math.nan
    return PermutationFit(larger / usable, q_p_value, len(arrangements), exact)


def wald_test(fit: MixedEffectsFit, tested: Bools, *, ci: Interval) -> Floats:
    """Wald statistic b'V⁻¹b of the tested coefficients; NaN where V is singular."""
    b = fit.beta[:, tested]
    v = fit.covariance(ci=ci)[:, tested][:, :, tested]
    return np.asarray(np.einsum("ij,ijl,il->i", b, invert(v), b))


def _statistics(
    y: Floats, v: Floats, x: Floats, *, tested: Bools, method: Tau2Method, ci: Interval
) -> tuple[Floats, Floats]:
    """|estimate / se| of each coefficient, and the joint Wald statistic."""
    b = len(x) if x.ndim == 3 else len(np.atleast_2d(y))
    shape = (b, y.shape[-1])
    fit = fit_mixed_effects(
        np.broadcast_to(y, shape), np.broadcast_to(v, shape), x=x, method=method
    )
    se = np.sqrt(np.einsum("ipp->ip", fit.covariance(ci=ci)))
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.abs(fit.beta / se)
    z[~fit.converged] = np.nan
    return z, wald_test(fit, tested, ci=ci) if tested.any() else np.zeros(b)


def _count(pattern: Ints) -> int:
    total = math.factorial(len(pattern))
    for size in np.bincount(pattern):
        total //= math.factorial(int(size))
    return total


def _distinct(codes: list[int]) -> Iterator[list[int]]:
    """All distinct orderings of a sorted list, in lexicographic order."""
    while True:
        yield codes.copy()
        i = next((i for i in range(len(codes) - 2, -1, -1) if codes[i] < codes[i + 1]), None)
        if i is None:
            return
        j = next(j for j in range(len(codes) - 1, i, -1) if codes[j] > codes[i])
        codes[i], codes[j] = codes[j], codes[i]
        codes[i + 1 :] = codes[:i:-1]


def _signs(k: int, *, most: int, exact: bool, rng: np.random.Generator) -> Floats:
    if exact:
        bits = (np.arange(2**k)[:, None] >> np.arange(k)) & 1
        return np.asarray(1.0 - 2.0 * bits)
    flips = 1.0 - 2.0 * rng.integers(0, 2, size=(most - 1, k))
    return np.vstack([np.ones(k), flips])
