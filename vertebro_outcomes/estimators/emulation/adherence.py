"""Clones of every patient, one per strategy: how long each keeps to it, and the weights for those who do."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints
from vertebro_outcomes.estimators.emulation.course import Course
from vertebro_outcomes.estimators.propensity.logistic import SEPARATED, fit_logistic
from vertebro_outcomes.estimators.survival.cox import fit_cox
from vertebro_outcomes.estimators.unanswerable import UnanswerableError

# Weights above this quantile of their arm are set to it: Cole & Hernan (2008), Am J Epidemiol
# 168:656-664, doi:10.1093/aje/kwn164 (they show 1st and 99th percentile as a usual choice).
TRUNCATED_AT: Final = 0.99


@dataclass(frozen=True)
class StartHazard:
    """Probability of not having started a treatment by a day: exp(-cumulative(day) ratio_i)."""

    days: Floats
    cumulative: Floats
    ratio: Floats
    marginal: Floats

    def log_weight(self, upto: Floats) -> Floats:
        """-log of that probability, per patient up to an own day."""
        return self._step(self.cumulative, upto) * self.ratio

    def log_stabiliser(self, upto: float) -> float:
        """The same without covariates."""
        return float(self._step(self.marginal, np.array([upto]))[0])

    def _step(self, values: Floats, upto: Floats) -> Floats:
        padded = np.concatenate([[0.0], values])
        return np.asarray(padded[np.searchsorted(self.days, upto, side="right")])


def start_hazard(time: Floats, started: Bools, x: Floats) -> StartHazard:
    """Cox model of the start of a treatment, Breslow's cumulative baseline hazard.

    Raises
    ------
    UnanswerableError
        If the covariates tell who starts.

    Reference
    ---------
    Breslow (1972), J R Stat Soc B 34:216-217.
    """
    ratio = np.ones(len(time))
    if x.shape[1] and started.any():
        fit = fit_cox(time, started, x=x, ties="breslow")
        if not fit.converged:
            raise UnanswerableError(SEPARATED)
        ratio = np.exp((x - x.mean(axis=0)) @ fit.beta)
    days = np.unique(time[started])
    order = np.argsort(time, kind="stable")
    first = np.searchsorted(time[order], days, side="left")
    at_risk = np.cumsum(ratio[order][::-1])[::-1]
    n = len(time) - first
    d = np.bincount(np.searchsorted(days, time[started]), minlength=len(days))
    return StartHazard(days, np.cumsum(d / at_risk[first]), ratio, np.cumsum(d / n))


@dataclass(frozen=True)
class Clones:
    """One arm: last day at risk (-1: never), how it ended, and weights that grow until `settled`.

    The weight on day u is exp(hazard up to min(u, stop)), times `jump` after the grace period,
    divided by its own average; none is above `cap`.
    """

    last: Floats
    cause: Ints
    hazard: StartHazard
    stop: Floats
    jump: Floats
    grace: float
    settled: float
    share: float
    cap: float = np.inf

    def weight_on(self, day: Floats | float) -> Floats:
        """Stabilised, truncated weights of all patients on a day (or on a day of their own)."""
        upto = np.broadcast_to(np.asarray(day, dtype=float), self.last.shape)
        capped = np.minimum(upto, self.settled)
        log_w = self.hazard.log_weight(np.minimum(capped, self.stop))
        log_w = log_w - self.hazard._step(self.hazard.marginal, capped)
        w = np.exp(log_w) * np.where(upto > self.grace, self.jump * self.share, 1.0)
        return np.asarray(np.minimum(w, self.cap))

    def kept_to(self, day: float) -> Bools:
        """Patients at risk after a day."""
        return np.asarray(self.last > day)


def clones_of(course: Course, *, truncate: float = TRUNCATED_AT) -> tuple[Clones, Clones]:
    """The treatment strategy (start by the end of the grace period) and the comparator strategy.

    Parameters
    ----------
    course : Course
    truncate : float
        Quantile of the weights of each arm above which they are cut; 1 cuts nothing.

    Returns
    -------
    (Clones, Clones)

    Raises
    ------
    UnanswerableError
        If nobody keeps to a strategy, or the covariates tell who does.

    Reference
    ---------
    Hernan & Robins (2016), Am J Epidemiol 183:758-764, doi:10.1093/aje/kwv254 (grace period);
    Maringe et al. (2020), Int J Epidemiol 49:1719-1729, doi:10.1093/ije/dyaa057 (weights).
    """
    arms = _treatment_arm(course), _comparator_arm(course)
    return _truncated(arms[0], truncate), _truncated(arms[1], truncate)


def _treatment_arm(c: Course) -> Clones:
    """Everybody up to a third treatment; after the grace period those who started in it."""
    G = float(c.grace)
    in_time = (c.own <= G) & (c.own <= c.other)
    strays = (c.other <= G) & (c.other < c.own)
    last = np.where(strays, np.minimum(c.time, c.other - 1.0), c.time)
    last = np.where(in_time | strays, last, np.minimum(last, G))
    until = np.minimum(np.minimum(c.time, c.own), np.minimum(c.other, G))
    hazard = start_hazard(until, strays & (c.other <= c.time), c.x)
    deciding = (c.time > G) & ~strays
    if not (deciding & in_time).any() or not (deciding & ~in_time).any():
        raise UnanswerableError(_nobody(deciding & in_time, G))
    weight = np.exp(hazard.log_weight(np.minimum(np.minimum(c.own, G), G)))
    p, marginal = _probability(c.x, in_time, deciding, weight)
    return Clones(
        last=last, cause=np.where(last == c.time, c.cause, 0), hazard=hazard,
        stop=np.where(in_time, c.own, np.inf), jump=1.0 / p, grace=G, settled=G, share=marginal,
    )  # fmt: skip


def _probability(
    x: Floats, in_time: Bools, deciding: Bools, weight: Floats
) -> tuple[Floats, float]:
    """P(started in the grace period | followed beyond it, x), for everybody, and without x."""
    w = weight[deciding]
    marginal = float(w @ in_time[deciding] / w.sum())
    if not x.shape[1]:
        return np.full(len(x), marginal), marginal
    flat = bool(np.ptp(w) == 0)
    model = fit_logistic(x[deciding], in_time[deciding], weight=None if flat else w)
    p = np.ones(len(x))
    p[deciding] = model.probability
    return p, marginal


def _comparator_arm(c: Course) -> Clones:
    """Everybody until a treatment starts, within the grace period or at any day."""
    K = float(c.day if c.never else c.grace)
    strays = c.first <= K
    last = np.where(strays, np.minimum(c.time, c.first - 1.0), c.time)
    started = strays & (c.first <= c.time)
    hazard = start_hazard(np.minimum(np.minimum(c.time, c.first), K), started, c.x)
    if not (last > K).any():
        raise UnanswerableError("nobody was followed without treatment beyond the grace period")
    n = len(c.time)
    return Clones(
        last=last, cause=np.where(last == c.time, c.cause, 0), hazard=hazard,
        stop=np.full(n, np.inf), jump=np.ones(n), grace=float(c.grace), settled=K, share=1.0,
    )  # fmt: skip


def _nobody(treated: Bools, grace: float) -> str:
    if treated.any():
        return f"everybody who was followed beyond day {grace:g} had been treated by then"
    return f"nobody was treated by day {grace:g} and followed beyond it"


def _truncated(arm: Clones, quantile: float) -> Clones:
    kept = arm.kept_to(arm.settled)
    if quantile >= 1 or not kept.any():
        return arm
    cap = float(np.quantile(arm.weight_on(arm.settled + 1.0)[kept], quantile))
    return Clones(**{**arm.__dict__, "cap": cap})
