"""Residual between-study variance tau² beside moderators, for many regressions at once.

Notation as in `weighted_regression`. The estimators are those of `heterogeneity` with P built from
the moderators, written for any X, with or without an intercept.

References
----------
Viechtbauer, López-López, Sánchez-Meca and Marín-Martínez (2015), Psychol Methods 20:360-374,
doi:10.1037/met0000023; Raudenbush (2009), in Cooper et al. (eds), The Handbook of Research Synthesis;
Viechtbauer (2007), Stat Med 26:37-52, doi:10.1002/sim.2514 (Q-profile interval).
"""

from collections.abc import Callable
from typing import Final

import numpy as np
from scipy import special

from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints
from vertebro_outcomes.estimators.pooled.heterogeneity import Tau2Fit, Tau2Method
from vertebro_outcomes.estimators.pooled.second_maximum import leave_zero
from vertebro_outcomes.estimators.pooled.weighted_regression import (
    Regressions,
    WeightedFit,
    moment,
    quadratic_forms,
    traces,
    weighted_fit,
)
from vertebro_outcomes.estimators.roots import solve_decreasing


def residual_tau2(data: Regressions, *, method: Tau2Method) -> Tau2Fit:
    """Residual tau² of every regression; 0 where k = p, NaN where k < p."""
    done = np.ones(len(data.y), dtype=bool)
    if method == "EE":
        return Tau2Fit(np.zeros(len(data.y)), done)
    left = data.k - data.x.shape[2]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if method in _CLOSED_FORM:
            tau2 = np.maximum(_CLOSED_FORM[method](data), 0.0)
            done = ~np.isinf(tau2)  # one overwhelming weight leaves nothing to divide by
            tau2 = np.where(done, tau2, np.nan)
        else:
            tau2, done = _ITERATIVE[method](data)
    tau2 = np.where(left > 0, tau2, np.where(left == 0, 0.0, np.nan))
    return Tau2Fit(tau2, done | (left <= 0))


def residual_tau2_interval(data: Regressions, *, level: float) -> tuple[Floats, Floats]:
    """Q-profile interval: the generalised Q equals chi-square quantiles on k - p df."""
    left = data.k - data.x.shape[2]
    tail = (1.0 - level) / 2.0
    bounds = []
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        for upper_tail in (tail, 1.0 - tail):
            target = special.chdtri(np.maximum(left, 1), upper_tail)
            bounds.append(np.where(left > 0, _solve_q(data, target)[0], np.nan))
    return bounds[0], bounds[1]


def tau2_standard_error(data: Regressions, tau2: Floats, *, restricted: bool) -> Floats:
    """Standard error of the REML (restricted) or ML estimate from the expected information."""
    fit = at_tau2(data, tau2)
    information = traces(data, fit)[1] if restricted else np.einsum("ik,ik->i", fit.w, fit.w)
    return np.sqrt(2.0 / np.where(information > 0, information, np.nan))


def at_tau2(data: Regressions, tau2: Floats) -> WeightedFit:
    """Least squares with the weights 1/(v + tau²)."""
    return weighted_fit(data, 1.0 / (data.v + tau2[:, None]))


def _zero(data: Regressions) -> Floats:
    return np.zeros(len(data.y))


def _dersimonian_laird(data: Regressions) -> Floats:
    fit = at_tau2(data, _zero(data))
    return (fit.q - (data.k - data.x.shape[2])) / traces(data, fit)[0]


def _hedges(data: Regressions) -> Floats:
    fit = weighted_fit(data, data.present.astype(float))
    v = np.where(data.present, data.v, 0.0)
    tr_pv = v.sum(axis=1) - np.einsum("ijl,ilj->i", fit.bread, moment(data.x, v))
    return (fit.q - tr_pv) / (data.k - data.x.shape[2])


def _hunter_schmidt(data: Regressions) -> Floats:
    fit = at_tau2(data, _zero(data))
    return (fit.q - data.k) / fit.w.sum(axis=1)


def _sidik_jonkman(data: Regressions) -> Floats:
    deviation = np.where(data.present, data.y - (data.y.sum(axis=1) / data.k)[:, None], 0.0)
    start = np.einsum("ik,ik->i", deviation, deviation) / data.k
    q = at_tau2(data, np.where(start > 0, start, 1.0)).q
    return np.where(start > 0, start * q / (data.k - data.x.shape[2]), 0.0)


def _solve_q(data: Regressions, target: Floats) -> tuple[Floats, Bools]:
    def excess(tau2: Floats, rows: Ints) -> tuple[Floats, Floats]:
        part = data.rows(rows)
        fit = at_tau2(part, tau2)
        return fit.q - target[rows], quadratic_forms(part, fit)[0]

    return _solve(data, excess, start=_dersimonian_laird(data))


def _paule_mandel(data: Regressions) -> tuple[Floats, Bools]:
    return _solve_q(data, (data.k - data.x.shape[2]).astype(float))


def _likelihood(restricted: bool) -> Callable[[Regressions], tuple[Floats, Bools]]:
    """Score y'PPy - tr(P) (ML: tr(W)) and minus its derivative 2y'PPPy - tr(PP) (ML: tr(WW))."""

    def estimate(data: Regressions) -> tuple[Floats, Bools]:
        def score(tau2: Floats, rows: Ints) -> tuple[Floats, Floats]:
            part = data.rows(rows)
            fit = at_tau2(part, tau2)
            pp, ppp = quadratic_forms(part, fit)
            if restricted:
                tr_1, tr_2 = traces(part, fit)
            else:
                tr_1, tr_2 = fit.w.sum(axis=1), np.einsum("ik,ik->i", fit.w, fit.w)
            return pp - tr_1, 2.0 * ppp - tr_2

        def height(tau2: Floats, rows: Ints) -> Floats:
            part = data.rows(rows)
            fit = at_tau2(part, tau2)
            value = np.log(np.where(fit.w > 0, fit.w, 1.0)).sum(axis=1) - fit.q
            if restricted:
                value = value - np.linalg.slogdet(moment(part.x, fit.w))[1]
            return np.asarray(0.5 * value)

        start = _hedges(data)
        tau2, done = _solve(data, score, start=start)
        return leave_zero(
            tau2,
            done,
            score=score,
            log_likelihood=height,
            start=start,
            reach=4.0 * np.abs(start),
            scale=data.v.min(axis=1),
        )

    return estimate


def _solve(
    data: Regressions,
    equation: Callable[[Floats, Ints], tuple[Floats, Floats]],
    *,
    start: Floats,
) -> tuple[Floats, Bools]:
    """The equation's root from a moment estimate; regressions without one stay at 0."""
    usable = (data.k > data.x.shape[2]) & np.isfinite(start)
    start = np.where(usable, np.maximum(start, 0.0), 0.0)
    tau2, done = solve_decreasing(equation, start=start, scale=data.v.min(axis=1))
    return np.where(usable, tau2, np.nan), done | ~usable


_CLOSED_FORM: Final[dict[str, Callable[[Regressions], Floats]]] = {
    "DL": _dersimonian_laird,
    "HE": _hedges,
    "HS": _hunter_schmidt,
    "SJ": _sidik_jonkman,
}
_ITERATIVE: Final[dict[str, Callable[[Regressions], tuple[Floats, Bools]]]] = {
    "ML": _likelihood(restricted=False),
    "REML": _likelihood(restricted=True),
    "EB": _paule_mandel,
    "PM": _paule_mandel,
}
