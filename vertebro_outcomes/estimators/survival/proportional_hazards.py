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
    """What one pass over the risk sets gives at `beta`."""

    log_likelihood: float
    score: Floats
    information: Floats
    risk: Floats  # exp(x beta), sorted, without weights
    step: Floats  # per event row: hazard increment
    mean: Floats  # per event row: weighted mean of x over the risk set


def moments(sets: RiskSets, x: Floats, beta: Floats, scale: Floats | None = None) -> Moments:
    """One pass; `scale` multiplies each event time's share of score and information."""
    eta = x @ beta
    risk = np.exp(eta)
    weighted = sets.weight * risk
    g, f = sets.group, sets.fraction
    d0 = sets.at_risk(weighted)[g] - f * sets.at_events(weighted)[g]
    wx = weighted[:, None] * x
    d1 = sets.at_risk(wx)[g] - f[:, None] * sets.at_events(wx)[g]
    w_bar = sets.mean_weight[g]
    step, mean = w_bar / d0, d1 / d0[:, None]
    share = w_bar if scale is None else w_bar * scale[g]
    hazard = hazard_lived(sets, step if scale is None else step * scale[g])
    own = sets.weight * sets.event if scale is None else sets.weight * sets.own(scale)
    information = (wx * hazard[:, None]).T @ x - (mean * share[:, None]).T @ mean
    score = own @ x - weighted * hazard @ x
    value = float((sets.weight * sets.event) @ eta - w_bar @ np.log(d0))
    return Moments(value, score, information, risk, step, mean)


def hazard_lived(sets: RiskSets, step: Floats) -> Floats:
    """Per patient: hazard increments lived through; a tied event counts by Efron's share."""
    size = sets.time.size
    part = sets.fraction if step.ndim == 1 else sets.fraction[:, None]
    whole = per_group(sets.group, step, size)
    tied = per_group(sets.group, part * step, size)
    return np.asarray(sets.lived_through(whole) - sets.own(tied))


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
    """Weighted score residual of each patient, in sorted order."""
    size = sets.time.size
    events = np.bincount(sets.group, minlength=size)
    centre = per_group(sets.group, at.mean, size) / events[:, None]
    seen = np.where(sets.event[:, None], x, 0.0) - sets.own(centre)
    lived = hazard_lived(sets, at.step)
    lived_mean = hazard_lived(sets, at.step[:, None] * at.mean)
    expected = at.risk[:, None] * (x * lived[:, None] - lived_mean)
    return np.asarray(sets.weight[:, None] * (seen - expected))


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
