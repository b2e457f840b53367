"""Events and numbers at risk at each distinct time."""

from dataclasses import dataclass

import numpy as np

from vertebro_outcomes.estimators.arrays import Floats, Ints
from vertebro_outcomes.estimators.survival.risk_sets import per_group


@dataclass(frozen=True)
class Counts:
    """Weighted counts at the distinct times; `code` says at which of them each patient leaves."""

    time: Floats
    code: Ints
    n_at_risk: Floats
    any_event: Floats
    of_cause: Floats  # the cause asked for


def count(time: Floats, cause: Ints, *, of: int, weight: Floats | None = None) -> Counts:
    """Counts of events `of` and of all events; cause 0 is censored."""
    w = np.ones(time.size) if weight is None else weight
    distinct, code = np.unique(time, return_inverse=True)
    size = distinct.size
    left = per_group(code, w, size)
    n = np.cumsum(left[::-1])[::-1]
    some = per_group(code, w * (cause > 0), size)
    mine = per_group(code, w * (cause == of), size)
    return Counts(distinct, code, n, some, mine)


def times(weight: Floats | None, alike: Floats | None, n: int) -> Floats:
    """How much each row counts: the weight of a patient times the patients alike."""
    w = np.ones(n) if weight is None else weight
    return w if alike is None else w * alike


def before(values: Floats, first: float) -> Floats:
    """A running value just before each time."""
    return np.r_[first, values[:-1]]


def step_at(time: Floats, values: Floats, days: Floats, first: float) -> Floats:
    """A right-continuous step function at `days`."""
    return np.asarray(np.r_[first, values][np.searchsorted(time, days, side="right")])


def survival_steps(counts: Counts) -> Floats:
    """Kaplan-Meier curve of being free of any event."""
    gone = np.minimum(counts.any_event / counts.n_at_risk, 1.0)
    return np.asarray(np.cumprod(1 - gone))
