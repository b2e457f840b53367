"""Events that come back: mean number per patient with death as end, and rate ratios."""

from dataclasses import dataclass

import numpy as np

from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints
from vertebro_outcomes.estimators.survival.counting import before, count, step_at, survival_steps
from vertebro_outcomes.estimators.survival.cox import HazardFit, Ties, fit_cox
from vertebro_outcomes.estimators.survival.proportional_hazards import summed_by
from vertebro_outcomes.estimators.survival.ranks import ranks
from vertebro_outcomes.estimators.survival.risk_sets import per_group


@dataclass(frozen=True)
class MeanCountCurve:
    """Mean number of events per patient at the distinct days; `moved` gives its variance."""

    time: Floats
    mean: Floats
    n_at_risk: Floats
    end: Floats  # per patient
    weight: Floats
    cluster: Ints | None
    common: Floats  # influence on the mean while still followed, without own events
    own: Floats  # per event: what it adds to the influence of its patient
    own_day: Floats
    own_patient: Ints
    slope: Floats  # per patient: how the influence goes on with the mean after the end

    def at(self, days: Floats) -> tuple[Floats, Floats, Floats]:
        """Mean count, its standard error and the number at risk at `days`."""
        n = np.r_[self.n_at_risk, 0.0][np.searchsorted(self.time, days, side="left")]
        se = np.array([self._se(float(day)) for day in days])
        return step_at(self.time, self.mean, days, 0.0), se, n

    def _se(self, day: float) -> float:
        until = np.minimum(self.end, day)
        here = np.array([day])
        rest = step_at(self.time, self.mean, here, 0.0) - step_at(self.time, self.mean, until, 0.0)
        seen = self.own_day <= day
        own = np.bincount(self.own_patient[seen], self.own[seen], minlength=until.size)
        each = step_at(self.time, self.common, until, 0.0) + own
        each = each + np.where(self.end <= day, self.slope, 0.0) * rest
        total = summed_by(self.cluster, (self.weight * each)[:, None])
        return float(np.sqrt(np.sum(total**2)))


def fit_mean_count(
    end: Floats,
    died: Bools,
    *,
    event_patient: Ints,
    event_day: Floats,
    weight: Floats | None = None,
    cluster: Ints | None = None,
) -> MeanCountCurve:
    """Mean cumulative count of events: sum of S(u-) dN(u) / Y(u), S the share still alive.

    Parameters
    ----------
    end : array (n,)
        Last day of each patient; an event on that day still counts.
    died : array of bool (n,)
        Whether death ended it.
    event_patient, event_day : arrays (m,)
        Row of the patient in `end`, and day, at most `end` of that patient.

    Reference
    ---------
    Ghosh and Lin 2000, doi:10.1111/j.0006-341X.2000.00554.x, equation 2; Dong et al. 2015,
    doi:10.1093/aje/kwu289 (mean cumulative count). Variance: sum of squared influences.
    """
    w = np.ones(end.size) if weight is None else weight
    days = ranks(np.r_[end, event_day])[0]
    deaths = count(end, died.astype(np.int64), of=1, weight=w)
    at = np.searchsorted(deaths.time, days, side="left")
    n = deaths.n_at_risk[np.minimum(at, deaths.time.size - 1)]
    dying = np.zeros(days.size)
    dying[np.searchsorted(days, deaths.time)] = deaths.any_event
    s_before = step_at(deaths.time, survival_steps(deaths), np.nextafter(days, -np.inf), 1.0)
    events = per_group(np.searchsorted(days, event_day), w[event_patient], days.size)
    mean = np.cumsum(s_before * events / n)
    stays = np.where(n - dying > 1e-12 * n, n - dying, np.inf)
    lived = np.cumsum(dying / n / stays)  # influence on log S of a patient still alive
    common = np.cumsum(s_before * events / n * (before(lived, 0.0) - 1 / n))
    last = np.searchsorted(days, end)
    slope = lived[last] - np.where(died, (1 / stays)[last], 0.0)
    return MeanCountCurve(
        days, mean, n, end, w, cluster, common,
        (s_before / n)[np.searchsorted(days, event_day)], event_day, event_patient, slope,
    )  # fmt: skip


def fit_rate_ratio(
    end: Floats,
    *,
    event_patient: Ints,
    event_day: Floats,
    x: Floats,
    weight: Floats | None = None,
    cluster: Ints | None = None,
    ties: Ties = "breslow",
) -> HazardFit:
    """Log ratios of the rate of recurrent events; `robust` is the variance to use.

    Each patient is at risk from 0 to `end`, whatever happened before (Andersen and Gill); with the
    sandwich by patient the marginal rate needs no model of the dependence (LWYY). Without death in
    the model this is the rate while alive.

    Reference
    ---------
    Andersen and Gill 1982, doi:10.1214/aos/1176345976; Lin, Wei, Yang and Ying 2000,
    doi:10.1111/1467-9868.00259.
    """
    rows = np.arange(end.size)
    order = np.lexsort((event_day, event_patient))
    who, day = event_patient[order], event_day[order]
    unfinished = np.ones(end.size, dtype=bool)
    unfinished[who[day == end[who]]] = False
    patient = np.r_[who, rows[unfinished]]
    stop = np.r_[day, end[unfinished]]
    happened = np.r_[np.ones(day.size, dtype=bool), np.zeros(int(unfinished.sum()), dtype=bool)]
    order = np.lexsort((stop, patient))
    patient, stop, happened = patient[order], stop[order], happened[order]
    start = np.r_[0.0, np.where(np.diff(patient) == 0, stop[:-1], 0.0)]
    by = rows if cluster is None else cluster
    return fit_cox(
        stop, happened, x=x[patient], entry=start, cluster=by[patient], ties=ties,
        weight=None if weight is None else weight[patient],
    )  # fmt: skip
