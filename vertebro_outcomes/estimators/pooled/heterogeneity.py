"""Between-study variance tau², for many meta-analyses at once.

Notation: y effects, v sampling variances, w = 1/(v + tau²), S1 = Σw, S2 = Σw², mu = Σwy/S1, r = y - mu.
Rows are meta-analyses, columns are studies; an absent study has y = 0 and v = inf, so its weight is 0.

References
----------
Veroniki et al. (2016), Res Synth Methods 7:55-79, doi:10.1002/jrsm.1164, section 2 (the estimators);
Viechtbauer (2005), J Educ Behav Stat 30:261-293, doi:10.3102/10769986030003261 (likelihood scores);
Viechtbauer (2007), Stat Med 26:37-52, doi:10.1002/sim.2514 (Q-profile interval).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
from scipy import special

from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints
from vertebro_outcomes.estimators.pooled.second_maximum import leave_zero
from vertebro_outcomes.estimators.roots import solve_decreasing

Tau2Method = Literal["EE", "DL", "HE", "HS", "SJ", "ML", "REML", "EB", "PM"]
TAU2_METHODS: Final[tuple[Tau2Method, ...]] = get_args(Tau2Method)


@dataclass(frozen=True)
class Tau2Fit:
    """tau² of every row (shape B, on the squared effect scale) and whether its search ended."""

    tau2: Floats
    converged: Bools


def absent_as_infinite(y: Floats, v: Floats) -> tuple[Floats, Floats, Ints]:
    """NaN entries -> effect 0 with infinite variance; also the number of studies per row."""
    y = np.atleast_2d(np.asarray(y, dtype=float))
    v = np.atleast_2d(np.asarray(v, dtype=float))
    missing = np.isnan(y) | np.isnan(v)
    if missing.any():
        y, v = np.where(missing, 0.0, y), np.where(missing, np.inf, v)
    return y, v, y.shape[1] - missing.sum(axis=1)


def estimate_tau2(y: Floats, v: Floats, *, method: Tau2Method) -> Tau2Fit:
    """Between-study variance of every row.

    Parameters
    ----------
    y, v : arrays of shape (B, k)
        Effects and their sampling variances (> 0); NaN marks an absent study.
    method
        One of `TAU2_METHODS`; "EE" (common effect) gives 0. "EB" and "PM" solve the same equation
        Q(tau²) = k - 1. Rows with a single study give 0.
    """
    y, v, k = absent_as_infinite(y, v)
    done = np.ones(len(y), dtype=bool)
    if method == "EE":
        return Tau2Fit(np.zeros(len(y)), done)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if method in _CLOSED_FORM:
            tau2 = np.maximum(_CLOSED_FORM[method](y, v, k), 0.0)
        else:
            tau2, done = _ITERATIVE[method](y, v, k)
    return Tau2Fit(np.where(k > 1, tau2, np.where(k == 1, 0.0, np.nan)), done | (k < 2))


def tau2_interval(y: Floats, v: Floats, *, level: float) -> tuple[Floats, Floats]:
    """Q-profile interval for tau²: Q(tau²) equals chi-square quantiles on k - 1 df. NaN for k < 2."""
    y, v, k = absent_as_infinite(y, v)
    tail = (1.0 - level) / 2.0
    bounds = []
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        for upper_tail in (tail, 1.0 - tail):
            target = special.chdtri(np.maximum(k - 1, 1), upper_tail)
            bounds.append(np.where(k > 1, _solve_q(y, v, k, target)[0], np.nan))
    return bounds[0], bounds[1]


def _weighted(y: Floats, v: Floats, tau2: Floats) -> tuple[Floats, Floats, Floats]:
    """Weights, their row sums, and residuals from the weighted mean."""
    w = 1.0 / (v + tau2[:, None])
    s1 = w.sum(axis=1)
    mu = np.einsum("ij,ij->i", w, y) / s1
    return w, s1, y - mu[:, None]


def weight_spread(w: Floats, s1: Floats) -> Floats:
    """Σw - Σw²/Σw as Σw(Σw - w)/Σw, in which one overwhelming weight does not swallow the others."""
    rows, largest = np.arange(len(w)), w.argmax(axis=1)
    others = w.copy()
    others[rows, largest] = 0.0
    rest = others.sum(axis=1)
    among = np.einsum("ij,ij->i", others, s1[:, None] - others)
    return (among + w[rows, largest] * rest) / s1


def _unweighted_spread(y: Floats, v: Floats, k: Ints) -> Floats:
    """Σ(y - ȳ)² over the studies present."""
    deviation = np.where(np.isfinite(v), y - (y.sum(axis=1) / k)[:, None], 0.0)
    return np.einsum("ij,ij->i", deviation, deviation)


def _dersimonian_laird(y: Floats, v: Floats, k: Ints) -> Floats:
    w, s1, r = _weighted(y, v, np.zeros(len(y)))
    q = np.einsum("ij,ij,ij->i", w, r, r)
    return (q - (k - 1)) / weight_spread(w, s1)


def _hedges(y: Floats, v: Floats, k: Ints) -> Floats:
    mean_variance = np.where(np.isfinite(v), v, 0.0).sum(axis=1) / k
    return _unweighted_spread(y, v, k) / (k - 1) - mean_variance


def _hunter_schmidt(y: Floats, v: Floats, k: Ints) -> Floats:
    w, s1, r = _weighted(y, v, np.zeros(len(y)))
    return (np.einsum("ij,ij,ij->i", w, r, r) - k) / s1


def _sidik_jonkman(y: Floats, v: Floats, k: Ints) -> Floats:
    start = _unweighted_spread(y, v, k) / k
    w, _, r = _weighted(y, v, np.where(start > 0, start, 1.0))
    q = np.einsum("ij,ij,ij->i", w, r, r)
    return np.where(start > 0, start * q / (k - 1), 0.0)


def _solve_q(y: Floats, v: Floats, k: Ints, target: Floats) -> tuple[Floats, Bools]:
    """tau² at which the generalised Q statistic, a convex falling function, meets its target."""

    def excess(tau2: Floats, rows: Ints) -> tuple[Floats, Floats]:
        w, _, r = _weighted(y[rows], v[rows], tau2)
        wr = w * r
        return np.einsum("ij,ij->i", wr, r) - target[rows], np.einsum("ij,ij->i", wr, wr)

    start = np.maximum(_dersimonian_laird(y, v, k), 0.0)
    return solve_decreasing(excess, start=np.where(k > 1, start, 0.0), scale=_scale(v))


def _paule_mandel(y: Floats, v: Floats, k: Ints) -> tuple[Floats, Bools]:
    return _solve_q(y, v, k, (k - 1).astype(float))


def _likelihood(restricted: bool) -> Callable[[Floats, Floats, Ints], tuple[Floats, Bools]]:
    """Score and curvature of the (restricted) log-likelihood in tau², solved from Hedges' start."""

    def estimate(y: Floats, v: Floats, k: Ints) -> tuple[Floats, Bools]:
        def score(tau2: Floats, rows: Ints) -> tuple[Floats, Floats]:
            w, s1, r = _weighted(y[rows], v[rows], tau2)
            w2, wr = w * w, w * r
            s2 = w2.sum(axis=1)
            a2 = np.einsum("ij,ij->i", wr, wr)
            a3 = np.einsum("ij,ij,ij->i", wr, wr, w)
            b2 = np.einsum("ij,ij->i", w2, r)
            u = a2 - s1
            falls = 2.0 * a3 - s2 - 2.0 * b2 * b2 / s1  # minus the derivative of u
            if restricted:
                u = u + s2 / s1
                falls = falls + 2.0 * np.einsum("ij,ij->i", w2, w) / s1 - (s2 / s1) ** 2
            return u, falls

        def height(tau2: Floats, rows: Ints) -> Floats:
            w, s1, r = _weighted(y[rows], v[rows], tau2)
            value = np.log(np.where(w > 0, w, 1.0)).sum(axis=1) - np.einsum("ij,ij,ij->i", w, r, r)
            return 0.5 * (value - np.log(s1) if restricted else value)

        start = np.where(k > 1, np.maximum(_hedges(y, v, k), 0.0), 0.0)
        tau2, done = solve_decreasing(score, start=start, scale=_scale(v))
        return leave_zero(
            tau2,
            done,
            score=score,
            log_likelihood=height,
            start=start,
            reach=4.0 * start,
            scale=_scale(v),
        )

    return estimate


def _scale(v: Floats) -> Floats:
    """The smallest sampling variance of a row: the resolution to which tau² is found."""
    return v.min(axis=1)


_CLOSED_FORM: Final[dict[str, Callable[[Floats, Floats, Ints], Floats]]] = {
    "DL": _dersimonian_laird,
    "HE": _hedges,
    "HS": _hunter_schmidt,
    "SJ": _sidik_jonkman,
}
_ITERATIVE: Final[dict[str, Callable[[Floats, Floats, Ints], tuple[Floats, Bools]]]] = {
    "ML": _likelihood(restricted=False),
    "REML": _likelihood(restricted=True),
    "EB": _paule_mandel,
    "PM": _paule_mandel,
}
