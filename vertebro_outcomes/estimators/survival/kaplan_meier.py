"""Share of patients free of the event."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints
from vertebro_outcomes.estimators.survival.aalen_johansen import fit_aalen_johansen
from vertebro_outcomes.estimators.survival.counting import count, step_at, survival_steps, times


@dataclass(frozen=True)
class SurvivalCurve:
    """Kaplan-Meier curve at the distinct times."""

    time: Floats
    survival: Floats
    se: Floats
    n_at_risk: Floats

    def at(self, days: Floats) -> tuple[Floats, Floats, Floats]:
        """Survival, its standard error and the number at risk at `days`."""
        n = np.r_[self.n_at_risk, 0.0][np.searchsorted(self.time, days, side="left")]
        value = step_at(self.time, self.survival, days, 1.0)
        return value, step_at(self.time, self.se, days, 0.0), n


def fit_kaplan_meier(
    time: Floats,
    event: Bools,
    *,
    weight: Floats | None = None,
    cluster: Ints | None = None,
    variance: Literal["greenwood", "infinitesimal_jackknife"] = "greenwood",
    alike: Floats | None = None,
) -> SurvivalCurve:
    """Kaplan-Meier estimator; Greenwood's variance reads weights as counts of patients.

    A row stands for `alike` patients.

    Reference: Kaplan and Meier 1958, doi:10.1080/01621459.1958.10501452; Greenwood 1926.
    """
    cause = event.astype(np.int64)
    if variance == "infinitesimal_jackknife":
        curve = fit_aalen_johansen(time, cause, weight=weight, cluster=cluster, alike=alike)
        return SurvivalCurve(curve.time, curve.free_of_any, curve.se, curve.n_at_risk)
    counts = count(time, cause, of=1, weight=times(weight, alike))
    s = survival_steps(counts)
    n, d = counts.n_at_risk, counts.any_event
    stays = np.where(n - d > 1e-12 * n, n - d, np.inf)
    se = s * np.sqrt(np.cumsum(d / (n * stays)))
    return SurvivalCurve(counts.time, s, np.where(s > 0, se, np.nan), n)
