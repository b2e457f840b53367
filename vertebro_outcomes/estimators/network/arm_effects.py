"""The arms of one study on the analysis scale, so that effects of its pairs add up.

Every arm gets a position p and a variance s; a pair has effect p_i - p_j and variance
s_i + s_j + c (p_i - p_j)². c is 0 except for standardised means, whose arms share one estimate of the
standard deviation: c = 1/(2N).

Reference: Crippa and Orsini (2016), BMC Med Res Methodol 16:91, doi:10.1186/s12874-016-0189-0,
for standardised means of several arms.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.effect_sizes.means import small_sample_factor


@dataclass(frozen=True)
class ArmEffects:
    """Positions and variances of arms, and the coefficient c of the module's docstring."""

    position: Floats
    variance: Floats
    shared: float = 0.0

    def pair(self, i: int, j: int) -> tuple[float, float]:
        """Effect of arm i against arm j, and its variance."""
        with np.errstate(invalid="ignore"):  # infinite positions: undefined, NaN
            effect = self.position[i] - self.position[j]
            variance = self.variance[i] + self.variance[j] + self.shared * effect**2
        return float(effect), float(variance)


Arms = tuple[Floats, ...]


def log_odds(arms: Arms) -> ArmEffects:
    """`events n` -> log odds."""
    events, n = arms
    return ArmEffects(np.log(events / (n - events)), 1 / events + 1 / (n - events))


def log_risk(arms: Arms) -> ArmEffects:
    """`events n` -> log risk."""
    events, n = arms
    return ArmEffects(np.log(events / n), 1 / events - 1 / n)


def risk(arms: Arms) -> ArmEffects:
    """`events n` -> risk."""
    events, n = arms
    return ArmEffects(events / n, events * (n - events) / n**3)


def log_rate(arms: Arms) -> ArmEffects:
    """`events time` -> log rate."""
    events, time = arms
    return ArmEffects(np.log(events / time), 1 / events)


def rate(arms: Arms) -> ArmEffects:
    """`events time` -> rate."""
    events, time = arms
    return ArmEffects(events / time, events / time**2)


def mean(arms: Arms) -> ArmEffects:
    """`mean sd n` -> mean."""
    values, sd, n = arms
    return ArmEffects(values, sd**2 / n)


def log_mean(arms: Arms) -> ArmEffects:
    """`mean sd n` -> log of the size of the mean; undefined unless all means have one sign."""
    values, sd, n = arms
    one_sign = (values > 0).all() or (values < 0).all()
    position = np.log(np.abs(values)) if one_sign else np.full(len(n), np.nan)
    return ArmEffects(position, sd**2 / (n * values**2))


def standardised_mean(arms: Arms) -> ArmEffects:
    """`mean sd n` -> mean over the standard deviation pooled over all arms, times Hedges' factor."""
    values, sd, n = arms
    df = n.sum() - len(n)
    pooled = np.sqrt(((n - 1) * sd**2).sum() / df)
    factor = small_sample_factor(np.array([df]))[0]
    return ArmEffects(factor * values / pooled, 1 / n, 1 / (2 * n.sum()))


ARM_EFFECTS: Final[dict[str, Callable[[Arms], ArmEffects]]] = {
    "OR": log_odds,
    "RR": log_risk,
    "RD": risk,
    "MD": mean,
    "SMD": standardised_mean,
    "ROM": log_mean,
    "IRR": log_rate,
    "IRD": rate,
}
