"""Cumulative logit model of ordered categories by Newton's method."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import sparse, special

from vertebro_outcomes.estimators.arrays import Floats, Ints
from vertebro_outcomes.estimators.unanswerable import UnanswerableError

MOST_STEPS: Final = 100
DECREMENT_GOAL: Final = 1e-16  # of Newton's decrement, relative to 1 + |log-likelihood|
INFINITE: Final = 25.0  # a log odds ratio per standard deviation beyond it has run away
_COLLINEAR: Final = 1e-10
RUN_AWAY: Final = (
    "arms, or values of a covariate, whose scores do not overlap: the odds ratio is infinite"
)


@dataclass(frozen=True)
class CumulativeLogit:
    """`coef` belongs to the columns of x, `cuts` (K - 1, q) to the categories.

    `covariance` of `coef` is the inverse of the observed information, `sandwich` is robust.
    """

    coef: Floats
    cuts: Floats
    covariance: Floats
    sandwich: Floats
    loglik: float
    steps: int


def fit_cumulative_logit(
    category: Ints, x: Floats, *, by_cut: Floats | None = None, start: Floats | None = None
) -> CumulativeLogit:
    """Logit P(Y <= k) = cut_k - x b; columns of `by_cut` have a coefficient of their own at each cut.

    Parameters
    ----------
    category : array of int (n,)
        0 to K - 1, every one of them seen.
    x : array (n, p)
        Covariates without an intercept.
    by_cut : array (n, q), optional
        Covariates whose effect differs between cuts (partial proportional odds).
    start : array, optional
        Cuts (K - 1, 1) to begin at.

    Returns
    -------
    CumulativeLogit

    Raises
    ------
    UnanswerableError
        If a column follows from the others, or a coefficient is infinite.

    Reference
    ---------
    McCullagh (1980), J R Stat Soc B 42:109-142, doi:10.1111/j.2517-6161.1980.tb01109.x; partial
    proportional odds: Peterson & Harrell (1990), J R Stat Soc C 39:205-217, doi:10.2307/2347760.
    """
    z = np.ones((len(x), 1)) if by_cut is None else np.column_stack([np.ones(len(x)), by_cut])
    centre, scale = x.mean(axis=0), x.std(axis=0)
    if (scale <= 1e-12 * np.maximum(np.abs(centre), 1.0)).any():
        raise UnanswerableError("a covariate is constant or follows from the others")
    x = (x - centre) / scale
    if x.shape[1] and np.linalg.eigvalsh(x.T @ x / len(x))[0] < _COLLINEAR:
        raise UnanswerableError("a covariate is constant or follows from the others")
    n_cuts = int(category.max())
    upper, lower = (_design(category - shift, z, n_cuts) for shift in (0, 1))
    theta = np.zeros(n_cuts * z.shape[1] + x.shape[1])
    if start is None:
        share = np.cumsum(np.bincount(category))[:-1] / len(category)
        theta[: n_cuts * z.shape[1] : z.shape[1]] = special.logit(share)
    else:
        theta[: n_cuts * z.shape[1] : z.shape[1]] = start[:, 0]
    data = _Data(category, upper, lower, x, n_cuts)
    theta, loglik, steps = _climb(data, theta)
    m = n_cuts * z.shape[1]
    _, slope_u, slope_l, curves = _parts(data, theta)
    inverse = np.linalg.inv(_information(data, *curves))
    each = _scores(data, slope_u, slope_l) @ inverse[:, m:]
    cuts = theta[:m].reshape(n_cuts, z.shape[1]).copy()
    cuts[:, 0] += float(theta[m:] @ (centre / scale))
    return CumulativeLogit(
        coef=theta[m:] / scale,
        cuts=cuts,
        covariance=inverse[m:, m:] / np.outer(scale, scale),
        sandwich=(each.T @ each) / np.outer(scale, scale),
        loglik=loglik,
        steps=steps,
    )


@dataclass(frozen=True)
class _Data:
    category: Ints
    upper: sparse.csr_array
    lower: sparse.csr_array
    x: Floats
    n_cuts: int


def _design(cut: Ints, z: Floats, n_cuts: int) -> sparse.csr_array:
    """Rows of z at the columns of each patient's cut; empty beyond the scale."""
    rows = np.flatnonzero((cut >= 0) & (cut < n_cuts))
    q = z.shape[1]
    columns = cut[rows, None] * q + np.arange(q)
    return sparse.csr_array(
        (z[rows].ravel(), (np.repeat(rows, q), columns.ravel())), shape=(len(z), n_cuts * q)
    )


def _parts(data: _Data, theta: Floats) -> tuple[float, Floats, Floats, tuple[Floats, ...]]:
    """Log-likelihood, slopes by the upper and lower linear predictor, and second derivatives."""
    m = data.upper.shape[1]
    eta = data.x @ theta[m:]
    u = np.where(data.category < data.n_cuts, data.upper @ theta[:m] - eta, np.inf)
    low = np.where(data.category > 0, data.lower @ theta[:m] - eta, -np.inf)
    gap = u - low
    if not (gap > 0).all():
        none = np.empty(0)
        return -np.inf, none, none, ()
    # P = F(u) F(-l) (1 - exp(l - u)): no difference of nearly equal numbers
    loglik = special.log_expit(u) + special.log_expit(-low) + np.log(-np.expm1(-gap))
    odds = np.exp(-gap) / -np.expm1(-gap)
    bend = odds * (1.0 + odds)
    slope_u = special.expit(-u) + odds
    slope_l = -special.expit(low) - odds
    uu = special.expit(u) * special.expit(-u) + bend
    ll = special.expit(low) * special.expit(-low) + bend
    return float(loglik.sum()), slope_u, slope_l, (uu, ll, bend)


def _scores(data: _Data, slope_u: Floats, slope_l: Floats) -> Floats:
    """Slope of each patient's log-likelihood by every parameter."""
    cuts = data.upper.multiply(slope_u[:, None]) + data.lower.multiply(slope_l[:, None])
    return np.hstack([cuts.toarray(), -data.x * (slope_u + slope_l)[:, None]])


def _information(data: _Data, uu: Floats, ll: Floats, ul: Floats) -> Floats:
    """Minus the second derivatives."""
    U, L, x = data.upper, data.lower, data.x
    cross = (U.T @ L.multiply(ul[:, None])).toarray()
    cuts = (U.T @ U.multiply(uu[:, None])).toarray() + (L.T @ L.multiply(ll[:, None])).toarray()
    cuts -= cross + cross.T
    mixed = -(U.T @ (x * (uu - ul)[:, None])) - (L.T @ (x * (ll - ul)[:, None]))
    own = x.T @ (x * (uu + ll - 2.0 * ul)[:, None])
    return np.asarray(np.block([[cuts, mixed], [mixed.T, own]]))


def _climb(data: _Data, theta: Floats) -> tuple[Floats, float, int]:
    m = data.upper.shape[1]
    loglik, slope_u, slope_l, curves = _parts(data, theta)
    for step in range(MOST_STEPS):
        slope = np.concatenate(
            [
                data.upper.T @ slope_u + data.lower.T @ slope_l,
                -(data.x.T @ (slope_u + slope_l)),
            ]
        )
        try:
            move = np.linalg.solve(_information(data, *curves), slope)
        except np.linalg.LinAlgError:
            raise UnanswerableError(RUN_AWAY) from None
        if float(slope @ move) < DECREMENT_GOAL * (1.0 + abs(loglik)):
            last = _parts(data, theta + move)[0]  # the step that squares what is left of the error
            return theta + move, last, step
        size = 1.0
        for _ in range(40):
            tried = theta + size * move
            found = _parts(data, tried)
            if found[0] >= loglik - 1e-13 * abs(loglik):
                break
            size /= 2.0
        else:
            return theta, loglik, step  # no step rises any more: rounding
        theta, (loglik, slope_u, slope_l, curves) = tried, found
        by_cut = theta[:m].reshape(data.n_cuts, -1)[:, 1:]
        if max(np.abs(theta[m:]).max(initial=0.0), np.abs(by_cut).max(initial=0.0)) > INFINITE:
            raise UnanswerableError(RUN_AWAY)
    raise UnanswerableError(RUN_AWAY)
