"""Partial likelihood over risk sets: Newton's maximum, information, score residuals."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints
from vertebro_outcomes.estimators.survival.ranks import ranks
from vertebro_outcomes.estimators.survival.risk_sets import RiskSets, per_group

MOST_STEPS = 50
FLAT = 1e-11  # relative change of the log-likelihood that ends the search
STEEPEST = 15.0  # a log hazard ratio per standard deviation beyond this has run to infinity


@dataclass(frozen=True)
class Moments:
    """What one pass over the risk sets gives at `beta`. Sums over tied events are per event time."""

    beta: Floats
    log_likelihood: float
    score: Floats
    information: Floats
    step: Floats  # hazard increments
    tied_step: Floats  # the part of them that the tied events themselves are spared (Efron)
    step_mean: Floats  # (p, event times): hazard increments times the mean of x over the risk set
    tied_step_mean: Floats
    centre: Floats  # mean of x over the risk set, averaged over the tied events


def moments(sets: RiskSets, x: Floats, beta: Floats, scale: Floats | None = None) -> Moments:
    """Two passes over the rows; `scale` multiplies each event time's share of score and information.

    `x` (n, p) in sorted order is read fastest where each column stands together in memory.
    """
    s, d, gained = _risk_set_sums(sets, x, beta)
    s0, s1, d0, d1, w = s[0], s[1:], d[0], d[1:], sets.mean_weight
    ties = _tied_sums(sets, s0, d0)
    step, tied = w * ties.a0, w * ties.a1
    v = w if scale is None else w * scale
    lived = sets.lived_through((v * ties.a0)[None])
    score, information = np.zeros(beta.size), np.zeros((beta.size, beta.size))
    room = sets.room(beta.size)
    for rows in sets.blocks():
        part = x[rows].T
        at_risk = lived.of(rows)[0]
        having, spared = sets.own((v * ties.a1)[None], rows)
        at_risk[having] -= spared[0]
        at_risk *= sets.total[rows] * np.exp(beta @ part)
        own = sets.total[rows][having]
        if scale is not None:
            own = own * sets.own(scale[None], rows)[1][0]
        score += part[:, having] @ own - part @ at_risk
        information += np.multiply(at_risk, part, out=room[:, : at_risk.size]) @ part.T
    cross = (s1 * (v * ties.b1)) @ d1.T
    spread = (s1 * (v * ties.b0)) @ s1.T + (d1 * (v * ties.b2)) @ d1.T
    return Moments(
        beta=beta, log_likelihood=float(gained - w @ ties.log), score=score,
        information=information - (spread - cross - cross.T), step=step, tied_step=tied,
        step_mean=w * (s1 * ties.b0 - d1 * ties.b1),
        tied_step_mean=w * (s1 * ties.b1 - d1 * ties.b2),
        centre=(s1 * ties.a0 - d1 * ties.a1) / sets.events,
    )  # fmt: skip


def _risk_set_sums(sets: RiskSets, x: Floats, beta: Floats) -> tuple[Floats, Floats, float]:
    """Sums of risk and risk times x (1 + p, event times) over those at risk, over those with the
    event, and the sum of x beta over the latter.
    """
    width = 1 + beta.size
    left, having = sets.sums(width), sets.sums(width)
    carried = sets.sums(width) if sets.some_carried else None
    gained = 0.0
    room, more = sets.room(width), sets.room(width)
    for rows in sets.blocks():
        part = x[rows].T
        eta = beta @ part
        values = room[:, : eta.size]
        np.multiply(sets.total[rows], np.exp(eta), out=values[0])
        np.multiply(values[0], part, out=values[1:])
        sets.leave(left, values, rows)
        if carried is not None:
            later = np.multiply(sets.carried_by[rows], values, out=more[:, : eta.size])
            sets.bins.add(carried, later, rows)
        event = sets.event[rows]
        values *= event
        sets.bins.add(having, values, rows)
        gained += float((sets.total[rows] * event) @ eta)
    return sets.at_risk(left, carried), having[:, sets.bin_after], gained


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


def score_residuals(sets: RiskSets, x: Floats, at: Moments) -> Iterator[tuple[slice, Floats]]:
    """Weighted score residuals (p, m) of one patient of each row, block by block in sorted order."""
    lived = sets.lived_through(np.vstack([at.step, at.step_mean]))
    own = np.vstack([at.tied_step, at.tied_step_mean, at.centre])
    p = at.beta.size
    for rows in sets.blocks():
        part = x[rows].T
        at_risk = lived.of(rows)
        having, mine = sets.own(own, rows)
        at_risk[:, having] -= mine[: 1 + p]
        pull = np.exp(at.beta @ part) * (at_risk[1:] - part * at_risk[0])
        pull[:, having] += part[:, having] - mine[1 + p :]
        yield rows, sets.weight[rows] * pull


def sandwich(
    pulls: Iterable[tuple[slice, Floats]],
    alike: Floats,
    *,
    bread: Floats,
    cluster: Ints | None = None,
    person: Ints | None = None,
) -> Floats:
    """Sum of squared contributions: by cluster if given, otherwise by patient.

    `pulls` are score residuals (p, m) of blocks of rows. Each row stands for `alike` independent
    patients; rows with the same `person` belong to the same patients.
    """
    by = person if cluster is None else cluster
    if by is None:
        meat = np.zeros(bread.shape)
        for rows, pull in pulls:
            meat += (alike[rows] * pull) @ pull.T
        return np.asarray(bread @ meat @ bread)
    names, code = ranks(by)
    total = np.zeros((len(bread), names.size))
    for rows, pull in pulls:
        for sums, one in zip(total, pull if cluster is None else alike[rows] * pull, strict=True):
            np.add.at(sums, code[rows], one)
    total = bread @ total
    if cluster is not None:
        return np.asarray(total @ total.T)
    times = np.empty(names.size)
    times[code] = alike  # the same for all rows of a person
    return np.asarray((times * total) @ total.T)


def summed_by(cluster: Ints | None, rows: Floats) -> Floats:
    """Rows added up per cluster; untouched without clusters."""
    if cluster is None:
        return rows
    names, code = ranks(cluster)
    return per_group(code, rows, names.size)


def standardised(x: Floats, sets: RiskSets) -> tuple[Floats, Floats]:
    """Columns sorted, with mean 0 and SD 1, and the SDs: the maximum is the same, the arithmetic safer.

    The SD of a column without any difference is 0.
    """
    z = np.empty(x.shape[::-1])
    mean, square = np.zeros(len(z)), np.zeros(len(z))
    for rows in sets.blocks():
        z[:, rows] = x[sets.order[rows]].T
        mean += z[:, rows] @ sets.total[rows]
    mean /= sets.total.sum()
    differs = np.zeros(len(z), dtype=bool)
    for rows in sets.blocks():
        part = z[:, rows]
        differs |= np.any(part != x[sets.order[0], :, None], axis=1)
        part -= mean[:, None]
        square += part**2 @ sets.total[rows]
    sd = np.where(differs, np.sqrt(square / sets.total.sum()), 0.0)
    for rows in sets.blocks():
        z[:, rows] /= np.where(sd > 0, sd, 1.0)[:, None]
    return z.T, sd


def usable(time: Floats, event: Bools) -> bool:
    """Whether there is anything to fit."""
    return bool(time.size and event.any() and np.all(np.isfinite(time)))
