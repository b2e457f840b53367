"""Hazard of the subdistribution (Fine and Gray): competing events stay at risk, reweighted."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints
from vertebro_outcomes.estimators.survival.cox import HazardFit, Ties, unfitted
from vertebro_outcomes.estimators.survival.proportional_hazards import (
    Moments,
    maximise,
    sandwich,
    score_residuals,
    standardised,
    usable,
)
from vertebro_outcomes.estimators.survival.risk_sets import RiskSets, risk_sets

CensoringTies = Literal["at_risk", "events_first"]
CensoringWeights = Literal["case", "none"]


def fit_fine_gray(
    time: Floats,
    cause: Ints,
    *,
    x: Floats,
    weight: Floats | None = None,
    stratum: Ints | None = None,
    cluster: Ints | None = None,
    ties: Ties = "breslow",
    censoring_ties: CensoringTies = "at_risk",
    censoring_weights: CensoringWeights = "case",
    alike: Floats | None = None,
) -> HazardFit:
    """Log subdistribution hazard ratios; `cause` 0 censored, 1 the event, 2 and above competing.

    `robust` is the variance of Fine and Gray, which counts that the censoring curve is estimated
    (without strata; with strata the sandwich of the weighted score). The defaults give the numbers
    of `cmprsk::crr`; ``ties="efron", censoring_ties="events_first"`` those of `survival::finegray`
    followed by `coxph` (which leaves case weights out of the
    censoring curve: ``censoring_weights="none"``). A row stands for `alike` equal patients.

    Reference: Fine and Gray 1999, doi:10.1080/01621459.1999.10474144, equations 6 to 8; weighted
    risk sets: Geskus 2011, doi:10.1111/j.1541-0420.2010.01420.x.
    """
    event = cause == 1
    if not usable(time, event):
        return unfitted(x, event)
    sets = risk_sets(
        time, event, weight=weight, stratum=stratum, competing=cause > 1, efron=ties == "efron",
        events_before_censoring=censoring_ties == "events_first",
        censoring_weight=None if censoring_weights == "case" else np.ones(time.size),
        alike=alike,
    )  # fmt: skip
    z, sd = standardised(x, sets)
    if np.any(sd <= 0):
        return unfitted(x, event)
    beta, at, null, converged = maximise(sets, z)
    if not converged:
        return unfitted(x, event)
    pulls = score_residuals(sets, z, at)
    if stratum is None and sets.some_carried and censoring_ties == "at_risk":
        pulls = _with_censoring(pulls, _CensoringPull.of(sets, z, at), sets)
    codes = None if cluster is None else cluster[sets.order]
    bread = np.asarray(np.linalg.inv(at.information), dtype=float)
    robust = sandwich(pulls, sets.alike, bread=bread, cluster=codes)
    scale = np.outer(sd, sd)
    return HazardFit(
        beta / sd, bread / scale, robust / scale, at.log_likelihood, null.log_likelihood,
        int(sets.alike.sum()), int(sets.events.sum()), converged=True,
    )  # fmt: skip


@dataclass(frozen=True)
class _CensoringPull:
    """Psi of Fine and Gray: what estimating the censoring curve adds to each patient's score."""

    ratio: Floats  # (p, all times): q(u) over the number at risk
    lived: Floats  # its integral over the hazard of censoring

    @classmethod
    def of(cls, sets: RiskSets, z: Floats, at: Moments) -> "_CensoringPull":
        size = sets.days.size
        summed = np.zeros((1 + at.beta.size, size))
        gone = np.zeros((2, size))
        for rows in sets.blocks():
            part, total = z[rows].T, sets.total[rows]
            weighted = total * np.exp(at.beta @ part) * sets.carried_by[rows]
            sets.days.add(summed, np.vstack([weighted, weighted * part]), rows)
            sets.days.add(gone, np.vstack([total, total * _censored(sets, rows)]), rows)
        # q(u): patients with a competing event before u times what they still live through from u on
        before = np.cumsum(summed, axis=1) - summed
        steps = sets.carry * np.vstack([at.step, at.step_mean])
        later = np.zeros((len(steps), steps.shape[1] + 1))
        np.cumsum(steps[:, ::-1], axis=1, out=later[:, -2::-1])
        later = later[:, np.r_[0, sets.upto[sets.days.first][:-1]]]  # event times before u
        q = before[1:] * later[0] - before[0] * later[1:]
        left, censored = gone
        ratio = q / np.cumsum(left[::-1])[::-1]
        hazard = censored / np.cumsum(left[::-1])[::-1]
        return cls(ratio, np.cumsum(ratio * hazard, axis=1))


def _censored(sets: RiskSets, rows: slice) -> Bools:
    return ~(sets.event[rows] | sets.carried[rows])


def _with_censoring(
    pulls: Iterator[tuple[slice, Floats]], psi: _CensoringPull, sets: RiskSets
) -> Iterator[tuple[slice, Floats]]:
    for rows, pull in pulls:
        day = sets.day[rows]
        more = _censored(sets, rows) * psi.ratio[:, day] - psi.lived[:, day]
        yield rows, pull + sets.weight[rows] * more
