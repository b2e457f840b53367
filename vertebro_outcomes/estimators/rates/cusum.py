"""Charts of single outcomes over time: log-likelihood ratio CUSUM with exact run lengths, and VLAD.

The scores are whole multiples of a small step, so that the chart is a Markov chain with finitely
many states and its run lengths are exact.

References
----------
Steiner, Cook, Farewell and Treasure 2000, Biostatistics 1:441-452,
doi:10.1093/biostatistics/1.4.441 (scores); Brook and Evans 1972, Biometrika 59:539-549,
doi:10.1093/biomet/59.3.539 (run lengths); Lovegrove et al. 1997, Lancet 350:1128-1130,
doi:10.1016/S0140-6736(97)06507-0 (VLAD).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, overload

import numpy as np

from vertebro_outcomes.estimators.arrays import Bools, Floats

# Scores are rounded to multiples of at most this: below 0.2 % of the score of an event at rates
# and odds ratios of clinical size.
LARGEST_STEP: Final = 0.002
MOST_STATES: Final = 200_000


@dataclass(frozen=True)
class Scores:
    """Whole numbers of steps that an event and its absence add, of `step` each."""

    event: int
    none: int
    step: float


@dataclass(frozen=True)
class CusumPath:
    """After each outcome: the sum (in steps), whether it signalled (the next starts from 0)."""

    value: Floats
    signal: Bools


def cusum_scores(rate: float, odds_ratio: float) -> Scores:
    """Log-likelihood ratio of odds times `odds_ratio` against `rate`, of an event and of none.

    With R the odds ratio and p the rate: log(R/(1 - p + R p)) and log(1/(1 - p + R p)).
    """
    below = math.log1p(rate * (odds_ratio - 1))
    event, none = math.log(odds_ratio) - below, -below
    smaller = min(abs(event), abs(none))
    step = smaller / math.ceil(smaller / LARGEST_STEP)
    return Scores(round(event / step), round(none / step), step)


@overload
def shifted_rate(rate: float, odds_ratio: float) -> float: ...
@overload
def shifted_rate(rate: Floats, odds_ratio: float) -> Floats: ...
def shifted_rate(rate: float | Floats, odds_ratio: float) -> float | Floats:
    """The rate, or the risk of every patient, whose odds are `odds_ratio` times those of `rate`."""
    return odds_ratio * rate / (1 - rate + odds_ratio * rate)


def run_length(scores: Scores, *, limit: int, rate: float) -> float:
    """Mean number of outcomes until the sum reaches `limit` steps, from 0, if `rate` is true.

    L(s) = 1 + rate L(s + event) + (1 - rate) L(s + none), sums below 0 are 0, L = 0 at the limit.
    """
    from scipy.sparse import csc_matrix, identity
    from scipy.sparse.linalg import spsolve

    state = np.arange(limit)
    rows, columns, chance = [], [], []
    for move, share in ((scores.event, rate), (scores.none, 1 - rate)):
        to = np.maximum(state + move, 0)
        stays = to < limit
        rows.append(state[stays])
        columns.append(to[stays])
        chance.append(np.full(int(stays.sum()), share))
    where = (np.concatenate(rows), np.concatenate(columns))
    moves = csc_matrix((np.concatenate(chance), where), shape=(limit, limit))
    return float(np.atleast_1d(spsolve(identity(limit, format="csc") - moves, np.ones(limit)))[0])


def alarm_probability(scores: Scores, *, limit: int, rate: float, n: int) -> float:
    """Chance that the sum reaches `limit` steps within n outcomes, from 0, if `rate` is true."""
    held = np.zeros(limit)
    held[0] = 1.0
    for _ in range(n):
        held = rate * _moved(held, scores.event) + (1 - rate) * _moved(held, scores.none)
    return float(max(0.0, 1.0 - held.sum()))


def _moved(held: Floats, move: int) -> Floats:
    """Probabilities after a move; what reaches the end is gone, what falls below 0 is at 0."""
    out = np.zeros_like(held)
    if move >= 0:
        out[move:] = held[: max(len(held) - move, 0)]
        return out
    out[: max(len(held) + move, 0)] = held[-move:]
    out[0] += held[:-move].sum()
    return out


def limit_for_run_length(scores: Scores, *, rate: float, at_least: float) -> int | None:
    """The lowest limit with a mean run length of `at_least`; None beyond `MOST_STATES`."""
    return _lowest(lambda limit: run_length(scores, limit=limit, rate=rate) >= at_least)


def limit_for_alarms(scores: Scores, *, rate: float, n: int, at_most: float) -> int | None:
    """The lowest limit with an alarm probability of `at_most` within n; None beyond `MOST_STATES`."""
    return _lowest(lambda limit: alarm_probability(scores, limit=limit, rate=rate, n=n) <= at_most)


def _lowest(enough: Callable[[int], bool]) -> int | None:
    """The smallest limit that is enough, for a property that holds from some limit on."""
    low, high = 0, 64
    while not enough(high):
        low, high = high, 2 * high
        if high > MOST_STATES:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def cusum_path(event: Bools, scores: Scores, *, limit: int) -> CusumPath:
    """The sum after each outcome in their order; it starts again after a signal."""
    value, signal = np.zeros(len(event)), np.zeros(len(event), dtype=bool)
    at = 0
    for place, had in enumerate(event):
        at = max(0, at + (scores.event if had else scores.none))
        value[place], signal[place] = at, at >= limit
        if at >= limit:
            at = 0
    return CusumPath(value, signal)


def vlad(event: Bools, rate: float | Floats) -> Floats:
    """Variable life-adjusted display: expected (one rate, or each patient's) minus observed so far."""
    return np.asarray(np.cumsum(rate - event.astype(float)))
