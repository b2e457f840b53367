"""Risk-adjusted CUSUM: every patient has a predicted risk, and what a bad outcome adds depends on it.

A sum of many different scores is a chain on a fine lattice. Each score's probability is shared between
the two lattice points beside it so that its mean is kept, which makes the error of the lattice one of
the second order.

References
----------
Steiner, Cook, Farewell and Treasure 2000, Biostatistics 1:441-452, doi:10.1093/biostatistics/1.4.441
(equations 2.1 and 2.2, run lengths by a Markov chain over the distribution of risks).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.linalg import solve_banded

from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints
from vertebro_outcomes.estimators.rates.cusum import CusumPath, shifted_rate

STEP: Final = 0.002  # of the lattice, in units of the log-likelihood ratio
MOST_STATES: Final = 20_000


@dataclass(frozen=True)
class RiskScores:
    """What an event and none add for each patient in turn, for odds times `odds_ratio`."""

    risk: Floats
    odds_ratio: float
    event: Floats
    none: Floats

    @property
    def shifted(self) -> Floats:
        """The risks if all odds are `odds_ratio` times as large."""
        return shifted_rate(self.risk, self.odds_ratio)


def risk_scores(risk: Floats, odds_ratio: float) -> RiskScores:
    """log(R/(1 - p + R p)) for an event and log(1/(1 - p + R p)) for none.

    Parameters
    ----------
    risk : array (n,)
        Predicted probabilities p, between 0 and 1, in the order of the patients.
    odds_ratio : float
        R, the change that the chart looks for.
    """
    below = np.log1p(risk * (odds_ratio - 1))
    return RiskScores(risk, odds_ratio, np.log(odds_ratio) - below, -below)


@dataclass(frozen=True)
class _Moves:
    """Distribution of one patient's score: whole steps and their probabilities."""

    steps: Ints
    chance: Floats


def _moves(scores: RiskScores, chance: Floats) -> _Moves:
    """Of a patient drawn from those of `scores`; `chance` of the event, one per patient."""
    value = np.concatenate([scores.event, scores.none]) / STEP
    share = np.concatenate([chance, 1 - chance]) / len(chance)
    low = np.floor(value)
    up = value - low
    steps = np.concatenate([low, low + 1]).astype(np.int64)
    shares = np.concatenate([share * (1 - up), share * up])
    distinct, place = np.unique(steps, return_inverse=True)
    total = np.bincount(place, weights=shares)
    chance_of = np.asarray(total, dtype=np.float64)
    return _Moves(distinct[total > 0].astype(np.int64), chance_of[total > 0])


def risk_run_length(scores: RiskScores, *, limit: float, chance: Floats) -> float:
    """Mean number of patients until the sum reaches `limit`, from 0.

    Parameters
    ----------
    scores : RiskScores
        Risks whose distribution stands for that of the patients to come.
    limit : float
        Above 0.
    chance : array (n,)
        True probabilities: `scores.risk` in control, `scores.shifted` out of it.
    """
    n, moves = _states(limit), _moves(scores, chance)
    lower, upper = max(0, -int(moves.steps.min())), max(0, int(moves.steps.max()))
    lower, upper = min(lower, n - 1), min(upper, n - 1)
    band = np.zeros((lower + upper + 1, n))
    band[upper] = 1.0
    state = np.arange(n)
    for step, share in zip(moves.steps, moves.chance, strict=True):
        to = np.maximum(state + step, 0)
        stays = to < n
        band[upper + state[stays] - to[stays], to[stays]] -= share
    return float(solve_banded((lower, upper), band, np.ones(n))[0])


def risk_alarm_probability(scores: RiskScores, *, limit: float, chance: Floats) -> float:
    """Chance that the sum reaches `limit` among these patients in their order, from 0."""
    n = _states(limit)
    held = np.zeros(n)
    held[0] = 1.0
    for event, none, p in zip(scores.event, scores.none, chance, strict=True):
        held = p * _shared(held, event / STEP) + (1 - p) * _shared(held, none / STEP)
    return float(min(1.0, max(0.0, 1.0 - held.sum())))


def _states(limit: float) -> int:
    return max(1, round(limit / STEP))


def _shared(held: Floats, move: float) -> Floats:
    """Probabilities after a move that lies between two whole steps."""
    low = int(np.floor(move))
    up = move - low
    return (1 - up) * _moved(held, low) + up * _moved(held, low + 1)


def _moved(held: Floats, move: int) -> Floats:
    """What reaches the end is gone, what falls below 0 is at 0."""
    out = np.zeros_like(held)
    if move >= 0:
        out[move:] = held[: max(len(held) - move, 0)]
        return out
    out[: max(len(held) + move, 0)] = held[-move:]
    out[0] += held[:-move].sum()
    return out


def risk_limit_for_run_length(scores: RiskScores, *, at_least: float) -> float | None:
    """The lowest limit with a mean in-control run length of `at_least`; None beyond the lattice."""
    return _lowest(
        lambda limit: risk_run_length(scores, limit=limit, chance=scores.risk) >= at_least
    )


def risk_limit_for_alarms(scores: RiskScores, *, at_most: float) -> float | None:
    """The lowest limit with an alarm probability of `at_most` among these patients."""
    return _lowest(
        lambda limit: risk_alarm_probability(scores, limit=limit, chance=scores.risk) <= at_most
    )


def _lowest(enough: Callable[[float], bool]) -> float | None:
    low, high = 0, 256
    while not enough(high * STEP):
        low, high = high, 2 * high
        if high > MOST_STATES:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle * STEP) else (middle, high)
    return high * STEP


def risk_cusum_path(event: Bools, scores: RiskScores, *, limit: float) -> CusumPath:
    """The sum after each outcome in their order; it starts again after a signal."""
    value, signal = np.zeros(len(event)), np.zeros(len(event), dtype=bool)
    at = 0.0
    for place, had in enumerate(event):
        at = max(0.0, at + (scores.event[place] if had else scores.none[place]))
        value[place], signal[place] = at, at >= limit
        if at >= limit:
            at = 0.0
    return CusumPath(value, signal)
