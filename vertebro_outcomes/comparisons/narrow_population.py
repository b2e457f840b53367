"""One row per patient, put together where the tables live: what one comparison reads, and no more.

Of the scores of an outcome a comparison at one day reads two: the last up to day 0 and the nearest
to the day. The engine picks them, so that the other scores, the identifiers and the columns that
nobody names never leave it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from vertebro_outcomes.comparisons.covariates import CONFOUNDERS, columns_of
from vertebro_outcomes.comparisons.driver_budget import MOST_ROWS, MOST_SCORES, refuse_beyond
from vertebro_outcomes.comparisons.first_of_arms import first_of_arms
from vertebro_outcomes.comparisons.intercurrent import without_scores_after_crossover
from vertebro_outcomes.comparisons.population import (
    AtDay,
    Population,
    as_pandas,
    in_order,
    population_in,
    refuse_absent,
    types_of_columns,
    words_of,
)
from vertebro_outcomes.comparisons.requests import REPEATED, Request
from vertebro_outcomes.estimators.arrays import Floats, Ints
from vertebro_outcomes.tables.cohort import Cohort
from vertebro_outcomes.tables.engine import count, hand_back
from vertebro_outcomes.tables.trial_coding import AS_CODED

if TYPE_CHECKING:
    import ibis.expr.types as ir

_ALWAYS: Final = ("treatment", "day0", "treatment_day", "death_day")
_BASELINE, _SCORE, _CROSSED = "_baseline", "_score", "_crossed"


@dataclass(frozen=True)
class Needs:
    """Columns of patients and episodes, and the day whose scores are read; all days without one."""

    columns: tuple[str, ...]
    day: int
    window: tuple[int, int] | None
    until_crossover: bool = False


def needs_of(request: Request, *more: str) -> Needs:
    """What a comparison reads of a patient; `more` are further columns."""
    predictors = columns_of(request.missing.predictors)
    named = (*columns_of(request.chosen or ()), *request.tuning.exact, *predictors, *more)
    every_day = request.method.name in REPEATED or request.missing.how != "observed"
    site = ("site",) if request.variance.endswith("_site") else ()
    return Needs(
        columns=tuple(dict.fromkeys((*_ALWAYS, *CONFOUNDERS, *site, *named))),
        day=request.day,
        window=None if every_day else request.window,
        until_crossover=request.crossover == "hypothetical",
    )


def requested_population(cohort: Cohort, request: Request, *more: str) -> Population:
    """The patients of both arms, as narrow as the request allows.

    What is filled in for scores that nobody saw, or weighs those seen, reads the scores of all days.

    Raises
    ------
    InputError
        If an arm has no patient, or more would be fetched than the budget allows.
    """
    return narrow_population(
        cohort, outcome=request.outcome, arms=request.arms, needs=needs_of(request, *more)
    )


def narrow_population(
    cohort: Cohort,
    *,
    outcome: str,
    arms: Sequence[str],
    needs: Needs,
    function: str = "compare",
) -> Population:
    """The patients of the arms with the columns and scores they are asked for.

    `treated` had the first of the arms.

    Raises
    ------
    InputError
        If an arm has no patient, or more would be fetched than the budget allows.
    """
    columns = types_of_columns(cohort)
    if any(name.endswith(AS_CODED) for name in columns):  # a trial's own coding stands for others
        people = population_in(cohort, outcome=outcome, arms=arms, function=function)
        return without_scores_after_crossover(cohort, people) if needs.until_crossover else people
    first, later = first_of_arms(
        cohort, arms, columns=needs.columns, function=function, most=MOST_ROWS
    )
    crossed = crossing_days(cohort)
    if crossed is not None:
        first = first.left_join(crossed, first.patient_id == crossed["_who"]).drop("_who")
    scores = scores_of(cohort, outcome)
    if needs.until_crossover and crossed is not None:
        own = first.select("episode_id", _CROSSED)
        seen = scores.inner_join(own, "episode_id")
        until: Any = seen[_CROSSED].isnull() | (seen.day <= seen[_CROSSED])
        scores = seen.filter(until).select("episode_id", "day", "value")
    wanted = [c for c in needs.columns if c in first.columns]
    extra = [] if crossed is None else [_CROSSED]
    if needs.window is None:
        long = _all_days(first, scores, outcome=outcome, function=function)
        table = first.order_by("patient_id").select(*wanted, *extra).to_pyarrow()
    else:
        empty: Ints = np.empty(0, dtype=np.int64)
        long = empty, empty, np.empty(0)
        picked = picked_scores(scores, needs.day, needs.window)
        wide = first.left_join(picked, first.episode_id == picked["_of"])
        wide = wide.order_by("patient_id")
        table = wide.select(*wanted, *extra, _BASELINE, _SCORE).to_pyarrow()
    hand_back(cohort.scores)
    frame = as_pandas(table, {c: columns[c].to_pyarrow() for c in columns if c in needs.columns})
    treated = frame["treatment"].isin(words_of(arms[0])).to_numpy(dtype=bool)
    refuse_absent(cohort, frame, arms, function)
    row, day, value = long
    return Population(
        frame=frame, treated=treated, row=row, day=day, value=value, later_episodes=later,
        episodes_of=frozenset(cohort.episodes.columns), known=tuple(columns),
        at_day=None if needs.window is None else AtDay(
            needs.day, needs.window, floats_of(table, _BASELINE), floats_of(table, _SCORE),
            lambda: days_with(first, scores),
        ),
        crossed=np.full(len(frame), np.nan) if crossed is None else floats_of(table, _CROSSED),
    )  # fmt: skip


def crossing_days(cohort: Cohort) -> "ir.Table | None":
    """The day of the first change of treatment by patient; None where nobody changed."""
    events = cohort.events
    changes = events.filter((events.type == "crossover") & events.day.notnull())
    if not count(changes.limit(1)):
        return None
    first = changes.group_by("patient_id").aggregate(**{_CROSSED: changes.day.min()})
    return first.select(_CROSSED, _who=first.patient_id)


def scores_of(cohort: Cohort, outcome: str) -> "ir.Table":
    """Every score of the outcome that is a number on a day."""
    scores = cohort.scores
    value = scores.value.cast("float64")
    usable: Any = scores.day.notnull() & scores.value.notnull()
    usable = usable & ~value.isnan() & ~value.isinf()
    wanted = scores.filter((scores.instrument == outcome) & usable)
    return wanted.select("episode_id", "day", value=wanted.value.cast("float64"))


def picked_scores(scores: "ir.Table", day: int, window: tuple[int, int]) -> "ir.Table":
    """Of each episode the last score up to day 0, and the one nearest to `day`, the earlier of two."""
    before, inside = scores.day <= 0, scores.day.between(*window)
    mine = scores.filter(before | inside)
    before, inside = mine.day <= 0, mine.day.between(*window)
    away: Any = 2 * (mine.day - day).abs() + (mine.day > day).cast("int64")
    found = mine.group_by("episode_id").aggregate(
        **{_BASELINE: mine.value.argmax(mine.day, where=before)},
        **{_SCORE: mine.value.argmin(away, where=inside)},
    )
    return found.select(_BASELINE, _SCORE, _of=found.episode_id)


def _all_days(
    first: "ir.Table", scores: "ir.Table", *, outcome: str, function: str
) -> tuple[Ints, Ints, Floats]:
    """Row of the patient, day and value of every score."""
    import ibis

    n = count(scores)
    refuse_beyond(n, MOST_SCORES, where=f"scores of {outcome}", what="rows", function=function)
    place = ibis.row_number().over(order_by="patient_id")
    rows = first.select("episode_id", _row=place.cast("int64"))
    mine = scores.inner_join(rows, "episode_id").select("_row", "day", "value")
    table = mine.to_pyarrow()
    row, day, value = (table[name].to_numpy() for name in ("_row", "day", "value"))
    return in_order(row, day, value)


def days_with(first: "ir.Table", scores: "ir.Table") -> Ints:
    """Every day after day 0 with a score of these patients."""
    after = scores.filter(scores.day > 0)
    days = after.semi_join(first, "episode_id").select("day").distinct().to_pyarrow()["day"]
    return np.sort(np.asarray(days.to_numpy(), dtype=np.int64))


def floats_of(table: Any, name: str) -> Floats:
    """A column of an Arrow table, NaN where it is blank."""
    return np.asarray(table[name].to_numpy(), dtype=np.float64)
