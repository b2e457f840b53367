"""Patients of both arms with their missing scores filled in, once for every imputation."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from vertebro_outcomes.comparisons.population import Population
from vertebro_outcomes.comparisons.preparation import Prepared
from vertebro_outcomes.comparisons.requests import Request
from vertebro_outcomes.comparisons.sample import FEWEST, died_without_score
from vertebro_outcomes.errors import InputError, Problem
from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints
from vertebro_outcomes.estimators.two_arms import ContrastFit


@dataclass(frozen=True)
class Completion:
    """`populations` is empty where nothing was missing; counts are treatment and comparator.

    `n` scores were imputed of `of` patients; `dead` patients without the score were not.
    """

    populations: Iterable[Population]
    n: tuple[int, int] = (0, 0)
    of: tuple[int, int] = (0, 0)
    dead: int = 0
    said: tuple[str, ...] = ()


@dataclass(frozen=True)
class Analysis:
    """A fit that handled missing scores, the patients as they were analysed, and what is said about it.

    `variance` is the word for it where it is not the one asked for.
    """

    prepared: Prepared
    fit: ContrastFit
    notes: tuple[str, ...]
    variance: str = ""


@dataclass(frozen=True)
class Standing:
    """Who has the score asked for, who died without it, who is alive without it."""

    y: Floats
    dead: Bools

    @property
    def unseen(self) -> Bools:
        return np.asarray(np.isnan(self.y) & ~self.dead, dtype=bool)

    def counts(self, treated: Bools) -> tuple[tuple[int, int], tuple[int, int]]:
        """Imputed, and alive, in each arm."""
        arms = (treated, ~treated)
        unseen, alive = self.unseen, ~self.dead
        n, of = ([int((group & arm).sum()) for arm in arms] for group in (unseen, alive))
        return (n[0], n[1]), (of[0], of[1])


def standing(people: Population, y: Floats, *, last_day: int) -> Standing:
    """From the scores of the day, NaN where there is none."""
    return Standing(y, died_without_score(people, ~np.isnan(y), last_day=last_day))


def with_scores(people: Population, *added: tuple[Ints, int, Floats]) -> Population:
    """Further scores: rows of their patients, one day, values."""
    rows, days, values = [people.row], [people.day], [people.value]
    for row, day, value in added:
        rows.append(row)
        days.append(np.full(len(row), day, dtype=np.int64))
        values.append(value)
    return replace(
        people,
        row=np.concatenate(rows),
        day=np.concatenate(days),
        value=np.concatenate(values),
    )


def refuse_blank_predictors(people: Population, request: Request) -> None:
    """Refuse predictors that nobody has: an imputation would quietly do without them.

    Raises
    ------
    InputError
        With every such column.
    """
    problems = [
        Problem(f"predictor {name}", "not recorded for anybody", "a column with values")
        for name in request.missing.predictors
        if name in people.frame and people.frame[name].isna().all()
    ]
    if problems:
        raise InputError("compare()", problems, "leave it out, or record it")


def refuse_unseen(y: Floats, treated: Bools, request: Request) -> None:
    """Refuse an arm in which hardly anybody has the score.

    Raises
    ------
    InputError
        With the arm, the window and the number.
    """
    for arm, mine in zip(request.arms, (treated, ~treated), strict=True):
        n = int((~np.isnan(y[mine])).sum())
        if n <= FEWEST:
            low, high = request.window
            found = f"{n} patients have {request.outcome} from day {low} to {high}"
            problem = Problem(f"arm {arm}, day {request.day}", found, f"at least {FEWEST + 1}")
            step = "choose a day with scores, or wider window_days: nothing can be imputed from nothing"
            raise InputError("compare()", [problem], step)
