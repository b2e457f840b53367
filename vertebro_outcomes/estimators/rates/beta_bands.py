"""Where a proportion lies: posterior probability of a band, from a beta prior."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import special

from vertebro_outcomes.estimators.arrays import Floats, Ints
from vertebro_outcomes.estimators.rates.one_proportion import proportion_of_totals
from vertebro_outcomes.estimators.survival.proportional_hazards import summed_by

# Parameters of the beta prior. Jeffreys: Brown, Cai and DasGupta 2001, doi:10.1214/ss/1009213286;
# uniform: Bayes 1763, doi:10.1098/rstl.1763.0053.
PRIORS: Final = {"jeffreys": (0.5, 0.5), "uniform": (1.0, 1.0)}


@dataclass(frozen=True)
class BetaPosterior:
    """Beta distribution of a proportion."""

    a: float
    b: float

    def limits(self, level: float) -> tuple[float, float]:
        """Equal tails."""
        tail = (1 - level) / 2
        low, high = (float(special.betaincinv(self.a, self.b, t)) for t in (tail, 1 - tail))
        return low, high

    def band(self, low: float, high: float) -> tuple[float, float, float]:
        """Probability below, inside and above a band."""
        below = float(special.betainc(self.a, self.b, low))
        above = float(special.betaincc(self.a, self.b, high))
        return below, 1.0 - below - above, above


@dataclass(frozen=True)
class LogitNormal:
    """A proportion whose logit is normal: a pooled mean, or what a further study would find."""

    mean: float
    sd: float

    def band(self, low: float, high: float) -> tuple[float, float, float]:
        """Probability below, inside and above a band."""
        below = float(special.ndtr((special.logit(low) - self.mean) / self.sd))
        above = float(special.ndtr(-(special.logit(high) - self.mean) / self.sd))
        return below, 1.0 - below - above, above


def posterior_of_totals(
    events: Floats, units: Floats, *, alike: Floats, prior: str
) -> BetaPosterior:
    """Posterior of the share of units with the event; units of one cluster count less.

    With several units per cluster, events and units are divided by the design effect of the
    clustered proportion where it is above 1 (Rao and Scott 1992, doi:10.2307/2532311).

    Parameters
    ----------
    events, units : array
        Units with the event, and units, of a cluster.
    alike : array
        How many clusters have these numbers.
    prior : str
        A name of `PRIORS`.
    """
    n, x, clusters = float(alike @ units), float(alike @ events), float(alike.sum())
    size = n
    if clusters < n:
        fit = proportion_of_totals(events, units, alike=alike)
        p = fit.estimate
        size = clusters if np.isnan(fit.se) else min(n, p * (1 - p) / fit.se**2)
    a, b = PRIORS[prior]
    return BetaPosterior(a + x * size / n, b + (n - x) * size / n)


def beta_posterior(had: Floats, cluster: Ints, *, prior: str) -> BetaPosterior:
    """The same from units one by one.

    Parameters
    ----------
    had : array
        1 for units with the event, else 0.
    cluster : array
        Number of the cluster of each unit, from 0.
    prior : str
        A name of `PRIORS`.
    """
    totals = summed_by(cluster, np.column_stack([had, np.ones(had.size)]))
    alike = np.ones(totals.shape[0])
    return posterior_of_totals(totals[:, 0], totals[:, 1], alike=alike, prior=prior)
