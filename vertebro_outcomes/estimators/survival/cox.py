"""Cox's proportional hazards: Efron or Breslow ties, weights, strata, clusters."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import chdtrc

from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints
from vertebro_outcomes.estimators.survival.proportional_hazards import (
    maximise,
    moments,
    score_residuals,
    standardised,
    summed_by,
    usable,
)
from vertebro_outcomes.estimators.survival.risk_sets import RiskSets, risk_sets

Ties = Literal["efron", "breslow"]


@dataclass(frozen=True)
class HazardsTest:
    """Score test that a coefficient does not change with time, per column and for all."""

    chi2: Floats
    p_value: Floats
    chi2_global: float
    df: int
    p_global: float


@dataclass(frozen=True)
class HazardFit:
    """Log hazard ratios. `covariance` is model-based, `robust` the sandwich (by cluster if given)."""

    beta: Floats
    covariance: Floats
    robust: Floats
    log_likelihood: float
    log_likelihood_null: float
    n: int
    n_events: int
    converged: bool
    proportional: HazardsTest | None = None


def fit_cox(
    time: Floats,
    event: Bools,
    *,
    x: Floats,
    weight: Floats | None = None,
    stratum: Ints | None = None,
    cluster: Ints | None = None,
    ties: Ties = "efron",
    test_proportional: bool = False,
    entry: Floats | None = None,
) -> HazardFit:
    """Maximum partial likelihood.

    With `entry` each row is at risk after its entry up to its time (counting process): delayed
    entry, recurrent events, and hazard ratios by period are all fitted this way.

    Reference: Cox 1972, doi:10.1111/j.2517-6161.1972.tb00899.x; Efron 1977,
    doi:10.1080/01621459.1977.10480613; sandwich by cluster: Lin and Wei 1989,
    doi:10.1080/01621459.1989.10478874; test of proportional hazards: Grambsch and Therneau 1994,
    doi:10.1093/biomet/81.3.515, as a score test with the whole information matrix.
    """
    w = np.ones(time.size) if weight is None else weight
    strata = np.zeros(time.size, dtype=np.int64) if stratum is None else stratum
    if not usable(time, event):
        return unfitted(x, event)
    sets = risk_sets(time, event, weight=w, stratum=strata, efron=ties == "efron", entry=entry)
    z, sd = standardised(x, w)
    z = z[sets.order]
    fitted = fit_sorted(sets, z, sd, cluster)
    if not (test_proportional and fitted.converged):
        return fitted
    test = test_proportional_hazards(sets, z, fitted.beta * sd, kaplan_meier_scale(time, event))
    return HazardFit(**{**fitted.__dict__, "proportional": test})


def fit_sorted(sets: RiskSets, z: Floats, sd: Floats, cluster: Ints | None) -> HazardFit:
    """Fit standardised, sorted columns and bring the answer back to their units."""
    n_events = int(sets.event.sum())
    if np.any(sd <= 0):
        return unfitted(z, sets.event)
    beta, at, null, converged = maximise(sets, z)
    if not converged:
        return unfitted(z, sets.event)
    bread = np.linalg.inv(at.information)
    codes = None if cluster is None else cluster[sets.order]
    pull = summed_by(codes, score_residuals(sets, z, at)) @ bread
    scale = np.outer(sd, sd)
    return HazardFit(
        beta / sd, bread / scale, pull.T @ pull / scale, at.log_likelihood, null.log_likelihood,
        sets.event.size, n_events, converged=True,
    )  # fmt: skip


def unfitted(x: Floats, event: Bools) -> HazardFit:
    """No finite maximum: everything undefined."""
    p = x.shape[1]
    nan = np.full((p, p), np.nan)
    return HazardFit(
        np.full(p, np.nan), nan, nan, np.nan, np.nan, event.size, int(event.sum()), converged=False
    )


def kaplan_meier_scale(time: Floats, event: Bools) -> tuple[Floats, Floats]:
    """Event times, and 1 - KM just before each: the usual time scale of the test."""
    distinct, code = np.unique(time, return_inverse=True)
    d = np.bincount(code, event)
    left = np.bincount(code)
    n = time.size - np.r_[0, np.cumsum(left)[:-1]]
    before = np.r_[1.0, np.cumprod(1 - d / n)[:-1]]
    return distinct[d > 0], 1 - before[d > 0]


def test_proportional_hazards(
    sets: RiskSets, z: Floats, beta: Floats, scale: tuple[Floats, Floats]
) -> HazardsTest:
    """Score test for x g(t) added to the model, at the fitted beta."""
    g = scale[1][np.searchsorted(scale[0], sets.time)]
    g = g - np.mean(g[sets.group])
    if np.ptp(g) == 0:  # all events on one day: nothing can change with time
        nan = np.full(z.shape[1], np.nan)
        return HazardsTest(nan, nan, np.nan, z.shape[1], np.nan)
    i00 = moments(sets, z, beta).information
    middle = moments(sets, z, beta, scale=g)
    i11 = moments(sets, z, beta, scale=g * g).information
    u = middle.score
    p = u.size
    full = i11 - middle.information @ np.linalg.solve(i00, middle.information)
    chi2 = np.array([u[j] ** 2 / _schur(i00, middle.information, i11, j) for j in range(p)])
    total = float(u @ np.linalg.solve(full, u))
    return HazardsTest(chi2, chdtrc(1, chi2), total, p, float(chdtrc(p, total)))


def _schur(i00: Floats, i01: Floats, i11: Floats, j: int) -> float:
    return float(i11[j, j] - i01[j] @ np.linalg.solve(i00, i01[j]))
