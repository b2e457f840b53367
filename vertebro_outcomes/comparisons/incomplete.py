"""What is known of the patients of both arms, and what is not: the numbers an imputation starts from."""

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pandas as pd

from vertebro_outcomes.comparisons.completion import (
    Standing,
    refuse_blank_predictors,
    refuse_unseen,
    standing,
    with_scores,
)
from vertebro_outcomes.comparisons.covariates import (
    check_names,
    columns_of,
    encode,
    text_levels,
    usual_covariates,
)
from vertebro_outcomes.comparisons.population import Population
from vertebro_outcomes.comparisons.requests import Request
from vertebro_outcomes.comparisons.windows import (
    last_before,
    nearest_in_window,
    schedule,
    visit_matrix,
)
from vertebro_outcomes.estimators.arrays import Floats, Ints
from vertebro_outcomes.estimators.imputation.chained import Block

# Patients of the smaller arm with a score, for each predictor of an imputation; other visits beyond that
# are left out, the farthest first (assumed).
PATIENTS_PER_PREDICTOR: Final = 5


@dataclass(frozen=True)
class Incomplete:
    """`z` (n, p) of the patients in `rows`, one block per variable; `target` is the score asked for.

    `days` are the other visits whose scores help to predict; `unused_days` had to stay out.
    """

    people: Population
    rows: Ints
    z: Floats
    blocks: tuple[Block, ...]
    days: tuple[int, ...]
    unused_days: tuple[int, ...]
    levels: dict[str, list[str]]
    stands: Standing

    def block(self, name: str) -> Block | None:
        """A variable by name."""
        return next((b for b in self.blocks if b.name == name), None)

    @property
    def _target(self) -> int:
        return next(b.start for b in self.blocks if b.name == "score")

    def completed(self, z: Floats, request: Request) -> Population:
        """The patients with imputed scores, baselines and covariates among their own."""
        gone = np.isnan(self.z[:, self._target])
        treated = self.people.treated[self.rows[gone]]
        y = z[gone, self._target] + np.where(treated, *request.missing.delta)
        added = [(self.rows[gone], request.day, y)]
        before = self.block("baseline")
        if before is not None:
            blank = np.isnan(self.z[:, before.start])
            added.append((self.rows[blank], 0, z[blank, before.start]))
        people = self.people
        filled = {
            b.name: self._column(b, z)
            for b in self.blocks
            if b.name in people.frame and np.isnan(self.z[:, b.start]).any()
        }
        return with_scores(replace(people, frame=people.frame.assign(**filled)), *added)

    def _column(self, block: Block, z: Floats) -> Any:
        """A column of the cohort with its blanks filled."""
        own = self.people.frame[block.name]
        blank = np.isnan(self.z[:, block.start])
        at = self.rows[blank]
        if block.name in self.levels:
            words = np.array(self.levels[block.name], dtype=object)
            place = (z[blank, block.columns] @ np.arange(1, block.stop - block.start + 1)).round()
            filled = own.astype(object).where(own.notna(), None)
            filled.iloc[at] = words[place.astype(int)]
            return filled
        numbers = own.astype("Float64").to_numpy(float, na_value=np.nan)
        numbers[at] = z[blank, block.start]
        if pd.api.types.is_bool_dtype(own.dtype):
            return pd.array(numbers > 0.5, dtype="boolean")
        return numbers


def incomplete(people: Population, request: Request) -> Incomplete:
    """Scores and covariates with their gaps; who died without the score is not among them.

    Raises
    ------
    InputError
        If an arm has too few patients with the score.
    """
    plan = request.missing
    baseline = last_before(people.row, people.day, people.value, n=people.n)
    y = nearest_in_window(
        people.row, people.day, people.value, n=people.n, target=request.day, window=request.window
    )
    stands = standing(people, y, last_day=request.window[1])
    refuse_unseen(y, people.treated, request)
    usual, _ = usual_covariates(people, baseline)
    terms = request.terms(usual, has_baseline=not np.isnan(baseline).all())
    check_names(people, terms)
    check_names(people, plan.predictors)
    refuse_blank_predictors(people, request)
    parts: list[tuple[str, Floats]] = []
    levels: dict[str, list[str]] = {}
    for name in dict.fromkeys([*columns_of(terms), *columns_of(plan.predictors)]):
        values = people.frame[name] if name != "baseline" else None
        if values is None or values.isna().all():
            continue
        parts.append((name, encode(values, name, knots=0)[0]))
        if text_levels(values):
            levels[name] = text_levels(values)
    if not np.isnan(baseline).all():
        parts.insert(0, ("baseline", baseline[:, None]))
    own = sum(block.shape[1] for _, block in parts) + 1
    seen = min(int((~np.isnan(y[arm])).sum()) for arm in (people.treated, ~people.treated))
    days, left, visits = _other_visits(people, request, most=seen // PATIENTS_PER_PREDICTOR - own)
    parts += [(f"day {d}", visits[:, [j]]) for j, d in enumerate(days)]
    parts.append(("score", y[:, None]))
    rows = np.arange(people.n) if request.death == "composite" else np.flatnonzero(~stands.dead)
    z = np.column_stack([block for _, block in parts])[rows]
    return Incomplete(people, rows, z, _blocks(parts, request), days, left, levels, stands)


def _blocks(parts: list[tuple[str, Floats]], request: Request) -> tuple[Block, ...]:
    blocks, at = [], 0
    for name, values in parts:
        is_score = name in ("baseline", "score") or name.startswith("day ")
        model = request.missing.imputation if is_score else "pmm"
        blocks.append(Block(name, at, at + values.shape[1], model))
        at += values.shape[1]
    return tuple(blocks)


def _other_visits(
    people: Population, request: Request, *, most: int
) -> tuple[tuple[int, ...], tuple[int, ...], Floats]:
    """Visits after day 0 that share no score with the one asked for, the nearest `most` of them."""
    windows = schedule(people.row, people.day, n=people.n, asked=request.day)
    low, high = request.window
    apart = {d: w for d, w in windows.items() if w[1] < low or w[0] > high}
    if not apart:
        return (), (), np.empty((people.n, 0))
    matrix = visit_matrix(people.row, people.day, people.value, n=people.n, visits=apart)
    days = list(apart)
    few = 2 * PATIENTS_PER_PREDICTOR
    seen = ~np.isnan(matrix)
    often = [
        j
        for j in range(len(days))
        if min(seen[people.treated, j].sum(), seen[~people.treated, j].sum()) >= few
    ]
    near = sorted(often, key=lambda j: abs(np.log(days[j] / request.day)))[: max(most, 0)]
    used = sorted(near)
    left = tuple(days[j] for j in range(len(days)) if j not in used)
    return tuple(days[j] for j in used), left, matrix[:, used]
