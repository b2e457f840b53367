"""True effects, from potential outcomes of a large population: no model is fitted."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import pandas as pd

from vertebro_outcomes.simulate.estimands import Curve, HazardRatio, weighted_mean
from vertebro_outcomes.simulate.fractures import distance_to_index
from vertebro_outcomes.simulate.mortality import log_hazard_ratios
from vertebro_outcomes.simulate.parameters import EVENT_RISK, VISITS
from vertebro_outcomes.simulate.potential import Block, draw_block
from vertebro_outcomes.simulate.scenarios import SCENARIOS
from vertebro_outcomes.simulate.treatment import ARMS

COLUMNS: Final = ("outcome", "treatment", "comparator", "day", "measure", "estimand", "value")
_POPULATION_SEED: Final = 20_240_601
_POPULATION_BLOCKS: Final = 32  # 131,072 patients
_DAYS: Final = (30, 90, 180, 365, 730, 1095, 1460, 1825)
_PAIRS: Final = ((1, 0), (2, 0), (2, 1))
NEVER: Final = np.inf
_LONG: Final = ("new_vertebral_fracture", "adjacent_fracture")


@dataclass(frozen=True)
class Truth:
    """The true effects of one scenario; `estimand` is the population they are averaged over.

    ATE: patients who receive either treatment; ATT: those who receive `treatment`; ATO: overlap
    weights; conditional: given all covariates. Score differences are among all patients as if
    nobody died; fractures count death as a competing event.
    """

    scenario: str
    table: pd.DataFrame
    n_population: int
    synthetic: bool = True

    def to_frame(self) -> pd.DataFrame:
        """`outcome treatment comparator day measure estimand value`, one row per estimand."""
        return self.table.copy()

    def value(
        self, outcome: str, *, treatment: str, comparator: str, day: int, measure: str,
        estimand: str = "ATE",
    ) -> float:  # fmt: skip
        """One number of the table; NaN where it is not defined."""
        t = self.table
        hit = t[
            (t.outcome == outcome)
            & (t.treatment == treatment)
            & (t.comparator == comparator)
            & (t.day == day)
            & (t.measure == measure)
            & (t.estimand == estimand)
        ]
        return float(hit["value"].iloc[0]) if len(hit) else float("nan")

    def __str__(self) -> str:
        return (
            f"Truth of scenario {self.scenario} (synthetic): {len(self.table)} estimands from the "
            f"potential outcomes of {self.n_population:,} patients"
        )

    __repr__ = __str__


@dataclass(frozen=True)
class _ArmTimes:
    """Days to death and to events under one arm, infinite where it never happens."""

    scores: dict[str, np.ndarray]
    death: np.ndarray
    events: dict[str, np.ndarray]


@cache
def true_effects(scenario: str) -> Truth:
    """The truth of a scenario, computed once per process."""
    blocks = [
        draw_block(_POPULATION_SEED, number, SCENARIOS[scenario])
        for number in range(_POPULATION_BLOCKS)
    ]
    table = truth_table(blocks)
    return Truth(scenario, table, sum(len(b.intended) for b in blocks))


def truth_table(blocks: list[Block]) -> pd.DataFrame:
    """Every estimand in the population made of `blocks`."""
    chances = np.concatenate([b.chances for b in blocks])
    arms = [_arm_times(blocks, arm) for arm in range(len(ARMS))]
    rows: list[tuple[object, ...]] = []
    for t, c in _PAIRS:
        p_t, p_c = chances[:, t], chances[:, c]
        weights = {"ATE": p_t + p_c, "ATT": p_t, "ATO": p_t * p_c / (p_t + p_c)}
        for estimand, weight in weights.items():
            for outcome, day, measure, value in _pair(arms[t], arms[c], weight):
                rows.append((outcome, ARMS[t], ARMS[c], day, measure, estimand, value))
        rows += _conditional(blocks[0], t, c)
    whole = np.ones(len(chances))
    for arm, times in enumerate(arms):
        curve = Curve(times.death, whole)
        rows += [
            ("death", ARMS[arm], "", day, "survival", "ATE", 1 - curve.at(day)) for day in _DAYS
        ]
        for name, when in times.events.items():
            risk = Curve(when, whole)
            rows += [(name, ARMS[arm], "", day, "CIF", "ATE", risk.at(day)) for day in _DAYS]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"day": "int64"})


def _conditional(block: Block, t: int, c: int) -> list[tuple[object, ...]]:
    early, late = log_hazard_ratios(block.scenario)
    if not np.array_equal(early, late):
        return []
    ratio = float(np.exp(early[t] - early[c]))
    return [("death", ARMS[t], ARMS[c], day, "HR", "conditional", ratio) for day in _DAYS]


def _pair(t: _ArmTimes, c: _ArmTimes, weight: np.ndarray) -> Iterator[tuple[str, int, str, float]]:
    for name, score in t.scores.items():
        for place, day in enumerate(VISITS):
            difference = score[:, place] - c.scores[name][:, place]
            yield name, day, "MD", weighted_mean(difference, weight)
    dead_t, dead_c = Curve(t.death, weight), Curve(c.death, weight)
    ratio = HazardRatio((t.death, c.death), weight, longest=_DAYS[-1])
    for day in _DAYS:
        yield from _risks("death", day, dead_t.at(day), dead_c.at(day))
        yield "death", day, "survival difference", dead_c.at(day) - dead_t.at(day)
        yield "death", day, "RMST difference", dead_t.mean_free(day) - dead_c.mean_free(day)
        yield "death", day, "HR", ratio.at(day)
    for name in t.events:
        when_t, when_c = t.events[name], c.events[name]
        risk_t, risk_c = Curve(when_t, weight), Curve(when_c, weight)
        long = name in _LONG
        for day in _DAYS if long else _DAYS[:1]:
            yield from _risks(name, day, risk_t.at(day), risk_c.at(day))
            yield name, day, "CIF difference", risk_t.at(day) - risk_c.at(day)
        if long:
            sub = HazardRatio((when_t, when_c), weight, longest=_DAYS[-1])
            ends = (np.minimum(when_t, t.death), np.minimum(when_c, c.death))
            seen = (np.isfinite(when_t), np.isfinite(when_c))
            cause = HazardRatio(ends, weight, longest=_DAYS[-1], event=seen)
            for day in _DAYS:
                yield name, day, "subHR", sub.at(day)
                yield name, day, "HR", cause.at(day)


def _risks(name: str, day: int, t: float, c: float) -> Iterator[tuple[str, int, str, float]]:
    yield name, day, "RD", t - c
    yield name, day, "RR", t / c if c > 0 else float("nan")


def _arm_times(blocks: list[Block], arm: int) -> _ArmTimes:
    parts = [(b, b.under(arm)) for b in blocks]
    scores = {
        name: np.concatenate([o.scores[name] for _, o in parts]) for name in parts[0][1].scores
    }
    death = np.concatenate([np.ceil(o.death) for _, o in parts])
    events = {}
    for place, name in enumerate(EVENT_RISK):
        day = np.concatenate([o.events[:, place] for _, o in parts]).astype(float)
        events[name] = np.where((day < 0) | (day > death), NEVER, day)
    new = np.concatenate([np.ceil(o.fractures.min(axis=1)) for _, o in parts])
    near = np.concatenate(
        [
            np.ceil(np.where(distance_to_index(b.patients) == 1, o.fractures, np.inf).min(axis=1))
            for b, o in parts
        ]
    )
    events["new_vertebral_fracture"] = np.where(new > death, NEVER, new)
    events["adjacent_fracture"] = np.where(near > death, NEVER, near)
    return _ArmTimes(scores, death, events)
