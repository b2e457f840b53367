"""Risks of a rare event in one population under either treatment, and their contrasts.

References
----------
Snowden, Rose & Mortimer (2011), Am J Epidemiol 173:731-738, doi:10.1093/aje/kwq472 (g-computation);
Stefanski & Boos (2002), Am Stat 56:29-38, doi:10.1198/000313002753631330 (stacked equations);
Li, Thomas & Li (2019), Am J Epidemiol 188:250-257, doi:10.1093/aje/kwy201 (overlap weights).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special

from vertebro_outcomes.estimators.arrays import Bools, Floats
from vertebro_outcomes.estimators.propensity.logistic import SEPARATED, fit_logistic
from vertebro_outcomes.estimators.propensity.weighted_contrast import score_influence
from vertebro_outcomes.estimators.propensity.weights import (
    WeightKind,
    balancing_weights,
    weight_slopes,
)
from vertebro_outcomes.estimators.unanswerable import UnanswerableError


@dataclass(frozen=True)
class Risks:
    """Risk under treatment and under comparator (2,), with their covariance (2, 2)."""

    risk: Floats
    covariance: Floats

    def contrast(self, measure: Literal["RD", "RR", "OR"]) -> tuple[float, float]:
        """Estimate and standard error by the delta method; RR and OR as logarithms."""
        r = self.risk
        if measure == "RD":
            value, slope = r[0] - r[1], np.array([1.0, -1.0])
        elif measure == "RR":
            value, slope = np.log(r[0] / r[1]), np.array([1 / r[0], -1 / r[1]])
        else:
            value = special.logit(r[0]) - special.logit(r[1])
            slope = np.array([1.0, -1.0]) / (r * (1 - r))
        return float(value), float(np.sqrt(slope @ self.covariance @ slope))


def standardised_risks(
    x: Floats, treated: Bools, event: Bools, *, alike: Floats | None = None
) -> Risks:
    """G-computation: one logistic model of the event, both treatments predicted for everybody.

    The sandwich covariance counts the covariates as sampled.

    Parameters
    ----------
    x : array (n, p)
        Covariates without an intercept.
    treated, event : array of bool (n,)
    alike : array (n,), optional
        Patients that a row stands for; one if not given.

    Raises
    ------
    UnanswerableError
        If the model has no finite estimate, as where an arm has no event.
    """
    a, y, f = treated.astype(float), event.astype(float), _each(x, alike)
    n = f.sum()
    X = np.column_stack([a, x])
    try:
        fit = fit_logistic(X, event, weight=alike)
    except UnanswerableError as reason:
        if str(reason) != SEPARATED:
            raise
        words = "treatment or covariates foretell the event without error in these patients"
        raise UnanswerableError(words) from None
    full = np.column_stack([np.ones(len(x)), X])
    on_coef = (full * (y - fit.probability)[:, None]) @ fit.covariance
    psi, risk = np.empty((len(x), 2)), np.empty(2)
    for place, arm in enumerate((1.0, 0.0)):
        there = full.copy()
        there[:, 1] = arm
        own = special.expit(there @ fit.coef)
        risk[place] = f @ own / n
        slope = (f * own * (1 - own)) @ there / n
        psi[:, place] = on_coef @ slope + (own - risk[place]) / n
    return Risks(risk, (f[:, None] * psi).T @ psi)


def weighted_risks(
    x: Floats, treated: Bools, event: Bools, *, kind: WeightKind = "overlap",
    alike: Floats | None = None,
) -> Risks:  # fmt: skip
    """Weighted shares with the event; the sandwich covariance knows the propensity was estimated.

    A row stands for `alike` patients, for one if not given.

    Raises
    ------
    UnanswerableError
        If the arms are separated by the covariates.
    """
    model = fit_logistic(x, treated, weight=alike)
    e, y, f = model.probability, event.astype(float), _each(x, alike)
    w, slopes = balancing_weights(e, treated, kind=kind), weight_slopes(e, treated, kind=kind)
    psi, risk = np.empty((len(x), 2)), np.empty(2)
    for place, mine in enumerate((treated, ~treated)):
        own = np.where(mine, w, 0.0)
        total = (f * own).sum()
        risk[place] = (f * own) @ y / total
        rest = (y - risk[place]) / total
        slope = f * np.where(mine, slopes, 0.0) * rest
        psi[:, place] = own * rest + score_influence(x, treated - e, model.covariance, slope)
    return Risks(risk, (f[:, None] * psi).T @ psi)


def _each(x: Floats, alike: Floats | None) -> Floats:
    return np.ones(len(x)) if alike is None else alike
