"""Mean time free of the event, and mean time lost to one cause, up to a horizon."""

from dataclasses import dataclass

import numpy as np

from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints
from vertebro_outcomes.estimators.survival.aalen_johansen import influence
from vertebro_outcomes.estimators.survival.counting import before, count, survival_steps, times
from vertebro_outcomes.estimators.survival.proportional_hazards import summed_by


@dataclass(frozen=True)
class RestrictedMean:
    """Mean days up to the horizon, with its standard error."""

    estimate: float
    se: float


def fit_rmst(
    time: Floats,
    event: Bools,
    *,
    horizon: float,
    weight: Floats | None = None,
    alike: Floats | None = None,
) -> RestrictedMean:
    """Restricted mean survival time: the area under Kaplan-Meier, Greenwood-type variance.

    A row stands for `alike` patients.

    Reference: Royston and Parmar 2013, doi:10.1186/1471-2288-13-152.
    """
    counts = count(time, event.astype(np.int64), of=1, weight=times(weight, alike))
    s = survival_steps(counts)
    area = _area_after(counts.time, s, horizon)
    whole = float(min(counts.time[0], horizon) + area[0])
    n, d = counts.n_at_risk, counts.any_event
    stays = np.where(n - d > 1e-12 * n, n - d, np.inf)
    return RestrictedMean(whole, float(np.sqrt(np.sum(area**2 * d / (n * stays)))))


def fit_rmtl(
    time: Floats,
    cause: Ints,
    *,
    horizon: float,
    of: int = 1,
    weight: Floats | None = None,
    cluster: Ints | None = None,
    alike: Floats | None = None,
) -> RestrictedMean:
    """Restricted mean time lost to cause `of`: the area under its cumulative incidence.

    The variance sums squared influences, by cluster if given. Reference: Andersen 2013,
    doi:10.1002/sim.5903; Conner and Trinquart 2021, doi:10.1002/sim.8896.
    """
    counts = count(time, cause, of=of, weight=times(weight, alike))
    s_before = before(survival_steps(counts), 1.0)
    f = np.cumsum(s_before * counts.of_cause / counts.n_at_risk)
    moved = influence(counts)
    area = _area_after(counts.time, f, horizon)
    widths = np.diff(np.minimum(np.r_[counts.time, np.inf], horizon))
    inside = np.r_[0.0, np.cumsum(moved.common * widths)[:-1]]
    left = np.maximum(horizon - np.minimum(counts.time, horizon), 0.0)
    each = (inside - moved.slope.T * area).T + moved.fixed * left[:, None]
    total = times(weight, alike)
    if cluster is None:
        squares = (
            counts.table if weight is None or total is None else counts.per_cell(weight * total)
        )
        variance = np.sum(squares * each**2)
    else:
        own = each.ravel()[counts.cell]
        pull = own if total is None else total * own
        variance = np.sum(summed_by(cluster, pull[:, None]) ** 2)
    return RestrictedMean(float(area[0]), float(np.sqrt(variance)))


def _area_after(time: Floats, steps: Floats, horizon: float) -> Floats:
    """Area under a right-continuous step function from each time to the horizon."""
    widths = np.diff(np.minimum(np.r_[time, np.inf], horizon))
    return np.asarray(np.cumsum((steps * widths)[::-1])[::-1])
