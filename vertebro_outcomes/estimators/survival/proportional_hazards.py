"""Partial likelihood over risk sets: Newton's maximum, information, score residuals."""

from dataclasses import dataclass

import numpy as np

from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints
from vertebro_outcomes.estimators.survival.risk_sets import RiskSets, per_group

MOST_STEPS = 50
FLAT = 1e-11  # relative change of the log-likelihood that ends the search
STEEPEST = 15.0  # a log hazard ratio per standard deviation beyond this has run to infinity


@dataclass(frozen=True)
class Moments:
    """What one pass over the risk sets gives at `beta`. Sums over tied events are per event time."""

    log_likelihood: float
    score: Floats
    information: Floats
    risk: Floats  # exp(x beta), sorted, without weights
    step: Floats  # hazard increments
    tied_step: Floats  # the part of them that the tied events themselves are spared (Efron)
    step_mean: Floats  # hazard increments times the mean of x over the risk set
    tied_step_mean: Floats
    centre: Floats  # mean of x over the risk set, averaged over the tied events


def moments(sets: RiskSets, x: Floats, beta: Floats, scale: Floats | None = None) -> Moments:
    """One pass; `scale` multiplies each event time's share of score and information."""
    eta = x @ beta
    risk = np.exp(eta)
    total = sets.weight * sets.alike
    weighted = total * risk
    wx = weighted[:, None] * x
    s0, s1, w = sets.at_risk(weighted), sets.at_risk(wx), sets.mean_weight
    d0, d1 = sets.at_events(weighted), sets.at_events(wx)
    ties = _tied_sums(sets, s0, d0)
    step, tied = w * ties.a0, w * ties.a1
    v = w if scale is None else w * scale
    lived = sets.lived_through(v * ties.a0) - sets.own(v * ties.a1)
    cross = (s1 * (v * ties.b1)[:, None]).T @ d1
    spread = (s1 * (v * ties.b0)[:, None]).T @ s1 + (d1 * (v * ties.b2)[:, None]).T @ d1
    information = (wx * lived[:, None]).T @ x - (spread - cross - cross.T)
    own = total * sets.event if scale is None else total * sets.own(scale)
    return Moments(
        log_likelihood=float((total * sets.event) @ eta - w @ ties.log),
        score=own @ x - (weighted * lived) @ x, information=information, risk=risk, step=step,
        tied_step=tied,
        step_mean=w[:, None] * (s1 * ties.b0[:, None] - d1 * ties.b1[:, None]),
        tied_step_mean=w[:, None] * (s1 * ties.b1[:, None] - d1 * ties.b2[:, None]),
        centre=(s1 * ties.a0[:, None] - d1 * ties.a1[:, None]) / sets.events[:, None],
    )  # fmt: skip


@dataclass(frozen=True)
class _TiedSums:
    """Sums over the d tied events of a time, k = 0 to d - 1, with f = k/d and v = s0 - f d0."""

    log: Floats  # log v
    a0: Floats  # 1/v
    a1: Floats  # f/v
    b0: Floats  # 1/v^2
    b1: Floats  # f/v^2
    b2: Floats  # f^2/v^2


def _tied_sums(sets: RiskSets, s0: Floats, d0: Floats) -> _TiedSums:
    d, none = sets.events, np.zeros(s0.size)
    if not sets.efron or not np.any(d > 1):
        return _TiedSums(d * np.log(s0), d / s0, none, d / s0**2, none, none)
    n = d.astype(np.int64)
    group = np.repeat(np.arange(n.size), n)
    f = (np.arange(group.size) - np.repeat(np.cumsum(n) - n, n)) / d[group]
    v = s0[group] - f * d0[group]
    first = np.cumsum(n) - n  # events stand together by time
    a, b = 1.0 / v, 1.0 / v**2
    return _TiedSums(
        *(np.add.reduceat(part, first) for part in (np.log(v), a, f * a, b, f * b, f * f * b))
    )


def maximise(sets: RiskSets, x: Floats) -> tuple[Floats, Moments, Moments, bool]:
    """beta, moments there, moments at 0, whether a finite maximum was found."""
    beta = np.zeros(x.shape[1])
    null = now = moments(sets, x, beta)
    converged = False
    for _ in range(MOST_STEPS):
        try:
            step = np.linalg.solve(now.information, now.score)
        except np.linalg.LinAlgError:
            return beta, now, null, False
        following = now
        for _halving in range(30):
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                following = moments(sets, x, beta + step)
            if following.log_likelihood >= now.log_likelihood - FLAT * abs(now.log_likelihood):
                break
            step = step / 2
        gained = abs(following.log_likelihood - now.log_likelihood)
        beta, now = beta + step, following
        if not np.all(np.isfinite(beta)) or np.max(np.abs(beta), initial=0.0) > STEEPEST:
            return beta, now, null, False
        if gained <= FLAT * max(abs(now.log_likelihood), 1e-8) and np.max(np.abs(step)) < 1e-8:
            converged = True
            break
    return beta, now, null, converged


def score_residuals(sets: RiskSets, x: Floats, at: Moments) -> Floats:
    """Weighted score residual of one patient of each row, in sorted order."""
    seen = np.where(sets.event[:, None], x, 0.0) - sets.own(at.centre)
    lived = sets.lived_through(at.step) - sets.own(at.tied_step)
    lived_mean = sets.lived_through(at.step_mean) - sets.own(at.tied_step_mean)
    expected = at.risk[:, None] * (x * lived[:, None] - lived_mean)
    return np.asarray(sets.weight[:, None] * (seen - expected))


def sandwich(
    pull: Floats, alike: Floats, *, cluster: Ints | None = None, person: Ints | None = None
) -> Floats:
    """Sum of squared contributions: by cluster if given, otherwise by patient.

    Each row stands for `alike` independent patients, of whom `pull` is one's contribution; rows with
    the same `person` belong to the same patients.
    """
    if cluster is not None:
        total = summed_by(cluster, alike[:, None] * pull)
        return np.asarray(total.T @ total)
    if person is not None:
        _, first = np.unique(person, return_index=True)
        pull, alike = summed_by(person, pull), alike[first]
    return np.asarray(pull.T @ (alike[:, None] * pull))


def summed_by(cluster: Ints | None, rows: Floats) -> Floats:
    """Rows added up per cluster; untouched without clusters."""
    if cluster is None:
        return rows
    _, code = np.unique(cluster, return_inverse=True)
    return per_group(code, rows, int(code.max()) + 1)


def standardised(x: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Columns with mean 0 and SD 1, and the SDs: the maximum is the same, the arithmetic safer."""
    mean = np.average(x, axis=0, weights=weight)
    sd = np.sqrt(np.average((x - mean) ** 2, axis=0, weights=weight))
    return (x - mean) / np.where(sd > 0, sd, 1.0), sd


def usable(time: Floats, event: Bools) -> bool:
    """Whether there is anything to fit."""
    return bool(time.size and event.any() and np.all(np.isfinite(time)))
