"""Cox's proportional hazards: Efron or Breslow ties, weights, strata, clusters."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import chdtrc

from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints
from vertebro_outcomes.estimators.survival.proportional_hazards import (
    maximise,
    moments,
    sandwich,
    score_residuals,
    standardised,
    usable,
)
from vertebro_outcomes.estimators.survival.ranks import ranks
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
    alike: Floats | None = None,
    person: Ints | None = None,
) -> HazardFit:
    """Maximum partial likelihood.

    With `entry` each row is at risk after its entry up to its time (counting process): delayed
    entry, recurrent events, and hazard ratios by period are all fitted this way. A row stands for
    `alike` patients with the same time, event and columns; the fit is that of the rows written out.
    Rows with the same `person` belong to the same patients.

    Reference: Cox 1972, doi:10.1111/j.2517-6161.1972.tb00899.x; Efron 1977,
    doi:10.1080/01621459.1977.10480613; sandwich by cluster: Lin and Wei 1989,
    doi:10.1080/01621459.1989.10478874; test of proportional hazards: Grambsch and Therneau 1994,
    doi:10.1093/biomet/81.3.515, as a score test with the whole information matrix.
    """
    if not usable(time, event):
        return unfitted(x, event)
    sets = risk_sets(
        time, event, weight=weight, stratum=stratum, efron=ties == "efron", entry=entry, alike=alike
    )
    z, sd = standardised(x, sets)
    fitted = fit_sorted(sets, z, sd, cluster=cluster, person=person)
    if not (test_proportional and fitted.converged):
        return fitted
    scale = kaplan_meier_scale(time, event, alike)
    test = test_proportional_hazards(sets, z, fitted.beta * sd, scale)
    return HazardFit(**{**fitted.__dict__, "proportional": test})


def fit_sorted(
    sets: RiskSets, z: Floats, sd: Floats, *, cluster: Ints | None, person: Ints | None = None
) -> HazardFit:
    """Fit standardised, sorted columns and bring the answer back to their units."""
    if np.any(sd <= 0):
        return unfitted(z, sets.event)
    beta, at, null, converged = maximise(sets, z)
    if not converged:
        return unfitted(z, sets.event)
    bread = np.asarray(np.linalg.inv(at.information), dtype=float)
    codes, same = (None if by is None else by[sets.order] for by in (cluster, person))
    pulls = score_residuals(sets, z, at)
    robust = sandwich(pulls, sets.alike, bread=bread, cluster=codes, person=same)
    scale = np.outer(sd, sd)
    return HazardFit(
        beta / sd, bread / scale, robust / scale, at.log_likelihood, null.log_likelihood,
        int(sets.alike.sum()), int(sets.events.sum()), converged=True,
    )  # fmt: skip


def unfitted(x: Floats, event: Bools) -> HazardFit:
    """No finite maximum: everything undefined."""
    p = x.shape[1]
    nan = np.full((p, p), np.nan)
    return HazardFit(
        np.full(p, np.nan), nan, nan, np.nan, np.nan, event.size, int(event.sum()), converged=False
    )


def kaplan_meier_scale(
    time: Floats, event: Bools, alike: Floats | None = None
) -> tuple[Floats, Floats]:
    """Event times, and 1 - KM just before each: the usual time scale of the test."""
    f = np.ones(time.size) if alike is None else alike
    distinct, code = ranks(time)
    d = np.bincount(code, event * f)
    left = np.bincount(code, f)
    n = np.cumsum(left[::-1])[::-1]
    before = np.r_[1.0, np.cumprod(1 - d / n)[:-1]]
    return distinct[d > 0], 1 - before[d > 0]


def test_proportional_hazards(
    sets: RiskSets, z: Floats, beta: Floats, scale: tuple[Floats, Floats]
) -> HazardsTest:
    """Score test for x g(t) added to the model, at the fitted beta."""
    g = scale[1][np.searchsorted(scale[0], sets.time)]
    g = g - np.average(g, weights=sets.events)
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
