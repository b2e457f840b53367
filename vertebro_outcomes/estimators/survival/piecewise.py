"""Piecewise-constant hazards of many units per patient, fitted on counts and time at risk.

Units (vertebrae) of a patient share one of few covariate patterns; events and time by interval and
pattern are sufficient for the hazard ratios, whatever the number of rows. Only the variance by
patient, and the frailty, look at the rows again, block by block.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import gammaln, polygamma, psi

from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.survival.units import Units, cells

MOST_STEPS: Final = 60
STEEPEST: Final = 25.0
NO_FRAILTY: Final = 1e-6  # a variance of the frailty below this is none
START_THETA: Final = 0.5


@dataclass(frozen=True)
class PiecewiseFit:
    """Log rates per unit of time in each interval first, then log hazard ratios.

    `robust` sums scores by patient; `theta` is the variance of the frailty (NaN if none was fitted).
    """

    beta: Floats
    covariance: Floats
    robust: Floats
    theta: float
    theta_se: float
    log_likelihood: float
    n_rows: int
    n_events: int
    converged: bool


def fit_piecewise(units: Units) -> PiecewiseFit:
    """Piecewise-exponential proportional hazards by maximum likelihood, sandwich by patient.

    Reference: Friedman 1982, doi:10.1214/aos/1176345694; the Poisson likelihood of the cells is
    that of the rows up to a constant (Laird and Olivier 1981, doi:10.2307/2287816).
    """
    events, time = cells(units)
    beta, information, value, converged = _poisson(events, time, units.z)
    n = int(sum(units.times(rows).sum() for rows in units.blocks()))
    d = int(events.sum())
    if not converged:
        nan = np.full((beta.size, beta.size), np.nan)
        return PiecewiseFit(nan[0], nan, nan, np.nan, np.nan, np.nan, n, d, converged=False)
    bread = np.asarray(np.linalg.inv(information), dtype=float)
    meat = np.zeros_like(bread)
    for rows in units.blocks():
        score = _scores(units, rows, beta)
        meat += score.T @ (_of_patients(units, rows)[:, None] * score)
    return PiecewiseFit(
        beta, bread, bread @ meat @ bread, np.nan, np.nan, value, n, d, converged=True
    )


def fit_shared_frailty(units: Units) -> PiecewiseFit:
    """The same rates times a gamma frailty of each patient (mean 1, variance theta).

    The frailty integrates out in closed form; beta and log theta are maximised together.
    `covariance` is the inverse information of beta with theta estimated.

    Reference: Clayton 1978, doi:10.1093/biomet/65.1.141; Wienke 2010, Frailty Models in Survival
    Analysis, section 4.2.
    """
    plain = fit_piecewise(units)
    if not plain.converged:
        return plain
    p = plain.beta.size
    at = np.r_[plain.beta, np.log(START_THETA)]
    value, slope, curve = _marginal(units, at)
    converged = False
    for _ in range(MOST_STEPS):
        step = np.linalg.solve(_positive(-curve), slope)
        step[-1] = np.clip(step[-1], -2.0, 2.0)
        following = at, value, slope, curve
        for _halving in range(30):
            following = (at + step, *_marginal(units, at + step))
            if following[1] >= value - 1e-10 * abs(value):
                break
            step = step / 2
        small = abs(following[1] - value) <= 1e-11 * abs(value) and np.max(np.abs(step)) < 1e-5
        at, value, slope, curve = following
        if np.exp(at[-1]) < NO_FRAILTY:
            return PiecewiseFit(**{**plain.__dict__, "theta": 0.0})
        if small:
            converged = True
            break
    covariance = np.asarray(np.linalg.inv(_positive(-curve)), dtype=float)
    theta = float(np.exp(at[-1]))
    return PiecewiseFit(
        at[:p], covariance[:p, :p], plain.robust, theta, theta * float(np.sqrt(covariance[p, p])),
        value, plain.n_rows, plain.n_events, converged=converged,
    )  # fmt: skip


def _poisson(events: Floats, time: Floats, z: Floats) -> tuple[Floats, Floats, float, bool]:
    """Newton on the cells; the first step starts from the crude rates."""
    k, p = events.shape[0], z.shape[1]
    beta = np.zeros(k + p)
    beta[:k] = np.log(np.maximum(events.sum(axis=1), 0.5) / np.maximum(time.sum(axis=1), 1e-12))
    value = -np.inf
    information = np.eye(k + p)
    for _ in range(MOST_STEPS):
        expected = time * np.exp(beta[:k, None] + z @ beta[k:])
        following = float(np.sum(events * (beta[:k, None] + z @ beta[k:])) - expected.sum())
        left = events - expected
        slope = np.r_[left.sum(axis=1), left.sum(axis=0) @ z]
        information = _information(expected, z)
        try:
            step = np.linalg.solve(information, slope)
        except np.linalg.LinAlgError:
            return beta, information, value, False
        if not np.all(np.isfinite(step)):
            return beta, information, value, False
        if np.max(np.abs(step)) < 1e-9:
            whole = np.linalg.cond(information / np.sqrt(np.outer(*[np.diag(information)] * 2)))
            return beta, information, following, bool(whole < 1e12)
        value = following
        beta = beta + step * min(1.0, 3.0 / np.max(np.abs(step)))
        if np.max(np.abs(beta[k:] * np.ptp(z, axis=0)), initial=0.0) > STEEPEST:
            return beta, information, value, False
    return beta, information, value, False


def _information(expected: Floats, z: Floats) -> Floats:
    k, p = expected.shape[0], z.shape[1]
    out = np.zeros((k + p, k + p))
    out[:k, :k] = np.diag(expected.sum(axis=1))
    out[:k, k:] = expected @ z
    out[k:, :k] = out[:k, k:].T
    out[k:, k:] = (z * expected.sum(axis=0)[:, None]).T @ z
    return out


def _expected(units: Units, rows: slice, beta: Floats) -> Floats:
    k = units.starts.size
    risk = np.exp(units.z @ beta[k:])[units.pattern[rows]]
    return np.asarray(units.exposure(rows) * np.exp(beta[:k]) * risk[:, None])


def _per_patient(units: Units, rows: slice, by_interval: Floats) -> Floats:
    """Sums by patient of rows times (interval indicators, covariates)."""
    first = np.flatnonzero(np.r_[True, np.diff(units.patient[rows]) != 0])
    total = by_interval.sum(axis=1)
    parts = [np.add.reduceat(by_interval, first, axis=0)]
    parts += [
        np.add.reduceat(total * column[units.pattern[rows]], first)[:, None] for column in units.z.T
    ]
    return np.hstack(parts)


def _of_patients(units: Units, rows: slice) -> Floats:
    """How many patients each patient of the block stands for."""
    first = np.flatnonzero(np.r_[True, np.diff(units.patient[rows]) != 0])
    return units.times(rows)[first]


def _scores(units: Units, rows: slice, beta: Floats) -> Floats:
    left = -_expected(units, rows, beta)
    hit = np.flatnonzero(units.event[rows])
    left[hit, units.interval(rows)[hit]] += 1.0
    return _per_patient(units, rows, left)


def _marginal(units: Units, at: Floats) -> tuple[float, Floats, Floats]:
    """Log-likelihood with the frailty integrated out, its slope and curvature in (beta, log theta)."""
    k = units.starts.size
    beta, nu = at[:-1], float(np.exp(-at[-1]))
    size = beta.size
    value, slope, curve = 0.0, np.zeros(size + 1), np.zeros((size + 1, size + 1))
    weighted = np.zeros((k, units.z.shape[0]))
    linear = units.z @ beta[k:]
    for rows in units.blocks():
        expected, pattern = _expected(units, rows, beta), units.pattern[rows]
        h = _per_patient(units, rows, expected)
        hit = np.flatnonzero(units.event[rows])
        place = units.interval(rows)[hit]
        first = np.flatnonzero(np.r_[True, np.diff(units.patient[rows]) != 0])
        number = np.cumsum(np.r_[True, np.diff(units.patient[rows]) != 0]) - 1
        d = np.add.reduceat(units.event[rows].astype(float), first)
        total = h[:, :k].sum(axis=1)
        omega = (d + nu) / (total + nu)
        own, f = units.times(rows)[hit], units.times(rows)[first]
        value += float(own @ (beta[place] + linear[pattern[hit]]))
        value += float(f @ (gammaln(d + nu) - gammaln(nu) + nu * np.log(nu)))
        value -= float(f @ ((d + nu) * np.log(total + nu)))
        slope[:k] += np.bincount(place, own, minlength=k)
        slope[k:size] += own @ units.z[pattern[hit]]
        slope[:size] -= (f * omega) @ h
        by_nu = f @ (psi(d + nu) - psi(nu) + np.log(nu) + 1 - np.log(total + nu) - omega)
        again = polygamma(1, d + nu) - polygamma(1, nu) + 1 / nu - (2 - omega) / (total + nu)
        slope[size] -= nu * by_nu
        curve[size, size] += nu**2 * (f @ again) + nu * by_nu
        curve[:size, size] += nu * (f * (1 - omega) / (total + nu)) @ h
        curve[:size, :size] += (h * (f * omega / (total + nu))[:, None]).T @ h
        share = (f * omega)[number]
        for j in range(k):
            weighted[j] += np.bincount(pattern, share * expected[:, j], minlength=linear.size)
    curve[size, :size] = curve[:size, size]
    curve[:size, :size] -= _information(weighted, units.z)
    return value, slope, curve


def _positive(matrix: Floats) -> Floats:
    """The matrix, lifted until it is positive definite."""
    lift, unit = 0.0, np.diag(np.maximum(np.abs(np.diag(matrix)), 1e-8))
    for _ in range(40):
        try:
            np.linalg.cholesky(matrix + lift * unit)
            break
        except np.linalg.LinAlgError:
            lift = max(2 * lift, 1e-3)
    return np.asarray(matrix + lift * unit)
