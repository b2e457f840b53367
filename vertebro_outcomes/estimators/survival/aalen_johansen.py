"""Cumulative incidence with competing events, and the share free of any event."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from scipy.special import ndtri

from vertebro_outcomes.estimators.arrays import Floats, Ints
from vertebro_outcomes.estimators.survival.counting import (
    Counts,
    before,
    count,
    step_at,
    survival_steps,
    times,
)
from vertebro_outcomes.estimators.survival.ranks import ordered, ranks

IncidenceVariance = Literal["infinitesimal_jackknife", "aalen"]
Transform = Literal["log", "log-log", "plain"]
NO_SPREAD: Final = 1e-12  # a standard error of a probability below this is rounding


@dataclass(frozen=True)
class Influence:
    """How much each patient moves F(t): common(t) while at risk, fixed - slope F(t) afterwards."""

    common: Floats
    fixed: Floats  # per cell of the counts, (times, 3)
    slope: Floats


@dataclass(frozen=True)
class IncidenceCurve:
    """Cumulative incidence of one cause at the distinct times."""

    time: Floats
    incidence: Floats
    se: Floats
    n_at_risk: Floats
    free_of_any: Floats

    def at(self, days: Floats) -> tuple[Floats, Floats, Floats]:
        """Incidence, its standard error and the number at risk at `days`."""
        rows = np.searchsorted(self.time, days, side="left")
        n = np.r_[self.n_at_risk, 0.0][rows]
        value = step_at(self.time, self.incidence, days, 0.0)
        return value, step_at(self.time, self.se, days, 0.0), n


def fit_aalen_johansen(
    time: Floats,
    cause: Ints,
    *,
    of: int = 1,
    weight: Floats | None = None,
    cluster: Ints | None = None,
    variance: IncidenceVariance = "infinitesimal_jackknife",
    alike: Floats | None = None,
) -> IncidenceCurve:
    """Aalen-Johansen estimator of the cumulative incidence of cause `of`.

    A row stands for `alike` patients with the same time, cause and weight.

    ``infinitesimal_jackknife`` is the variance `survival::survfit` gives for several states (sum
    of squared influences, by cluster if given); ``aalen`` the counting-process variance of
    `cmprsk::cuminc`, for unweighted patients.

    Reference: Aalen and Johansen 1978, Scand J Stat 5:141; Aalen 1978, doi:10.1214/aos/1176344198.
    """
    total = times(weight, alike)
    counts = count(time, cause, of=of, weight=total)
    s = survival_steps(counts)
    s_before = before(s, 1.0)
    f = np.cumsum(s_before * counts.of_cause / counts.n_at_risk)
    if variance == "aalen":
        var = _aalen_variance(counts, f, s_before)
    else:
        moved = influence(counts)
        if cluster is None:
            # squared weight of each row, times the patients alike
            square = None if weight is None or total is None else total * weight
            squares = counts.table if square is None else counts.per_cell(square)
            var = _sum_of_squares(f, moved, squares)
        else:
            w = np.ones(time.size) if total is None else total
            var = _clustered_squares(counts, f, moved, w, cluster)
    return IncidenceCurve(counts.time, f, np.sqrt(np.maximum(var, 0.0)), counts.n_at_risk, s)


def influence(counts: Counts) -> Influence:
    """Derivative of F(t) by the weight of each patient, in closed form."""
    n, d = counts.n_at_risk, counts.any_event
    s_before = before(survival_steps(counts), 1.0)
    h = counts.of_cause / n
    stays = np.where(n - d > 1e-12 * n, n - d, np.inf)
    f = np.cumsum(s_before * h)
    # A(s): sum of (dN - Y h)/(n (1 - h)); common(t): the same patient still at risk at t
    lived = -np.cumsum(d / n / stays)
    lost = s_before * h
    at_risk_now = -s_before * h / n
    common = np.cumsum(-lost * before(lived, 0.0) + at_risk_now)
    slope = lived[:, None] + np.outer(1 / stays, [0.0, 1.0, 1.0])
    at_exit = common[:, None] + np.outer(s_before / n, [0.0, 0.0, 1.0])
    return Influence(common, at_exit + slope * f[:, None], slope)


def _sum_of_squares(f: Floats, moved: Influence, squares: Floats) -> Floats:
    """`squares`: the squared weights in each cell."""

    def left(values: Floats) -> Floats:
        return np.asarray(np.cumsum(np.sum(squares * values, axis=1)))

    inside = np.sum(squares) - left(np.ones(squares.shape))
    gone = (
        left(moved.fixed**2) - 2 * f * left(moved.fixed * moved.slope) + f**2 * left(moved.slope**2)
    )
    return np.asarray(inside * moved.common**2 + gone)


def _clustered_squares(
    counts: Counts, f: Floats, moved: Influence, w: Floats, cluster: Ints
) -> Floats:
    """Sum over clusters of (common(t) x weight at risk + sum fixed - F(t) x sum slope)^2.

    The six products of the three sums change only when a patient of the cluster leaves.
    """
    names, number = ranks(cluster)
    order = ordered(counts.code, counts.time.size)
    order = order[ordered(number[order], names.size)]
    number, cell, w = number[order], counts.cell[order], w[order]
    fixed, slope = moved.fixed.ravel()[cell], moved.slope.ravel()[cell]
    whole = np.bincount(number, w)
    gone = np.stack([-w, w * fixed, -w * slope])
    after = np.cumsum(gone, axis=1)
    first = np.flatnonzero(np.r_[True, np.diff(number) != 0])
    after -= np.repeat(after[:, first] - gone[:, first], np.diff(np.r_[first, number.size]), axis=1)
    after[0] += whole[number]
    ahead = np.c_[np.zeros(3), after[:, :-1]]
    ahead[:, first] = np.stack([whole, np.zeros(names.size), np.zeros(names.size)])
    by = np.stack([moved.common, np.ones(f.size), f])
    total = np.zeros(f.size)
    for a in range(3):
        for b in range(3):
            change = after[a] * after[b] - ahead[a] * ahead[b]
            run = np.cumsum(np.bincount(cell // 3, change, minlength=f.size))
            start = np.sum(whole**2) if a == b == 0 else 0.0
            total += by[a] * by[b] * (start + run)
    return total


def _aalen_variance(counts: Counts, f: Floats, s_before: Floats) -> Floats:
    """Martingale variance, events of each kind with their hypergeometric factor; sums in F(t)."""
    n, d, mine = counts.n_at_risk, counts.any_event, counts.of_cause
    other = d - mine
    stays = np.where(n > d, s_before * (n - d) / n, np.inf)  # S(s)
    one = _tied(mine, n) * s_before**2 / n**2
    two = _tied(other, n) * s_before**2 / n**2
    # kind 1 moves F(t) by S(s-)(1 - (F(t) - F(s))/S(s)), kind 2 by -S(s-)(F(t) - F(s))/S(s)
    slope = 1 / stays
    level = 1 + f * slope
    both = (one + two) * slope**2
    linear = one * level * slope + two * f * slope**2
    constant = one * level**2 + two * (f * slope) ** 2
    return np.asarray(f**2 * np.cumsum(both) - 2 * f * np.cumsum(linear) + np.cumsum(constant))


def _tied(events: Floats, n: Floats) -> Floats:
    return np.asarray(events * np.where(events > 1, 1 - (events - 1) / np.maximum(n - 1, 1.0), 1.0))


def interval(
    estimate: Floats, se: Floats, *, transform: Transform = "log", level: float = 0.95
) -> tuple[Floats, Floats]:
    """Confidence limits of a probability, computed on the scale of `transform`.

    ``log`` is what `survfit` prints; no limit leaves 0 to 1; undefined where the estimate is 0, and
    wherever no spread is left (all had the event, or all patients are of one cluster).
    """
    z = float(ndtri((1 + level) / 2))
    with np.errstate(divide="ignore", invalid="ignore"):
        if transform == "plain":
            low, high = estimate - z * se, estimate + z * se
        elif transform == "log":
            low, high = estimate * np.exp(-z * se / estimate), estimate * np.exp(z * se / estimate)
        else:
            width = z * se / (estimate * np.log(estimate))
            low, high = estimate ** np.exp(-width), estimate ** np.exp(width)
    known = se > NO_SPREAD
    low, high = np.maximum(low, 0.0), np.minimum(high, 1.0)
    return np.where(known, low, np.nan), np.where(known, high, np.nan)
