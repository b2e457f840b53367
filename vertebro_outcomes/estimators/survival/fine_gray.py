"""Hazard of the subdistribution (Fine and Gray): competing events stay at risk, reweighted."""

from typing import Literal

import numpy as np

from vertebro_outcomes.estimators.arrays import Floats, Ints
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
    w = np.ones(time.size) if weight is None else weight
    strata = np.zeros(time.size, dtype=np.int64) if stratum is None else stratum
    event = cause == 1
    if not usable(time, event):
        return unfitted(x, event)
    sets = risk_sets(
        time, event, weight=w, stratum=strata, competing=cause > 1, efron=ties == "efron",
        events_before_censoring=censoring_ties == "events_first",
        censoring_weight=w if censoring_weights == "case" else np.ones(time.size),
        alike=alike,
    )  # fmt: skip
    z, sd = standardised(x, w if alike is None else w * alike)
    z = z[sets.order]
    if np.any(sd <= 0):
        return unfitted(x, event)
    beta, at, null, converged = maximise(sets, z)
    if not converged:
        return unfitted(x, event)
    bread = np.linalg.inv(at.information)
    pull = score_residuals(sets, z, at)
    if stratum is None and sets.carried.any() and censoring_ties == "at_risk":
        pull = pull + _censoring_residuals(sets, z, at, time[sets.order])
    codes = None if cluster is None else cluster[sets.order]
    robust = sandwich(pull @ bread, sets.alike, cluster=codes)
    scale = np.outer(sd, sd)
    return HazardFit(
        beta / sd, bread / scale, robust / scale, at.log_likelihood, null.log_likelihood,
        int(sets.alike.sum()), int(sets.events.sum()), converged=True,
    )  # fmt: skip


def _censoring_residuals(sets: RiskSets, z: Floats, at: Moments, time: Floats) -> Floats:
    """Psi of Fine and Gray: what estimating the censoring curve adds to each patient's score."""
    censored = ~(sets.event | sets.carried)
    u, code = np.unique(time, return_inverse=True)
    total = sets.weight * sets.alike
    weighted = total * at.risk * sets.carried_by
    # q(u): patients with a competing event before u times what they still live through from u on
    before = _exclusive(code, np.column_stack([weighted, weighted[:, None] * z]), u.size)
    steps = np.column_stack([at.step, at.step_mean]) * sets.carry[:, None]
    later = np.vstack([np.cumsum(steps[::-1], axis=0)[::-1], np.zeros((1, steps.shape[1]))])
    later = later[np.searchsorted(sets.time, u, side="left")]
    q = before[:, 1:] * later[:, :1] - before[:, :1] * later[:, 1:]
    n = total.sum() - _exclusive(code, total[:, None], u.size)[:, 0]
    hazard = np.bincount(code, total * censored, minlength=u.size) / n
    ratio = q / n[:, None]
    lived = np.cumsum(ratio * hazard[:, None], axis=0)
    psi = np.where(censored[:, None], ratio[code], 0.0) - lived[code]
    return np.asarray(sets.weight[:, None] * psi)


def _exclusive(code: Ints, values: Floats, size: int) -> Floats:
    """Sums over earlier distinct times."""
    total = np.column_stack([np.bincount(code, v, minlength=size) for v in values.T])
    return np.asarray(np.cumsum(total, axis=0) - total)
