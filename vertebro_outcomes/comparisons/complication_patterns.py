"""Patients of two arms and their complications, counted where the tables live.

What reaches Python has one row per pattern of arm, covariates and stratum, and for each type of event
the patients of the pattern who had it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from vertebro_outcomes.comparisons.covariates import CONFOUNDERS, MOST_MISSING
from vertebro_outcomes.comparisons.driver_budget import MOST_ROWS
from vertebro_outcomes.comparisons.event_counts import NOT_COMPLICATIONS
from vertebro_outcomes.comparisons.first_of_arms import first_of_arms
from vertebro_outcomes.comparisons.follow_up import ALIKE
from vertebro_outcomes.comparisons.hazard_models import NOT_COVARIATES
from vertebro_outcomes.comparisons.population import types_of_columns, words_of
from vertebro_outcomes.errors import InputError, Problem, list_some, refuse_argument
from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.tables.cohort import Cohort
from vertebro_outcomes.tables.cohort_tables import EPISODES, PATIENTS
from vertebro_outcomes.tables.engine import count
from vertebro_outcomes.tables.typed_frames import to_pandas

if TYPE_CHECKING:
    import ibis.expr.types as ir

ANY: Final = "any"
_TREATED: Final = "_treated"


@dataclass(frozen=True)
class Patterns:
    """Patients by pattern (`people`, with `treated` and `n_alike`), and who had which event.

    `had[type]` are the patients of each pattern with an event of the type.
    """

    people: pd.DataFrame
    had: Mapping[str, Floats]

    def of(self, kind: str) -> Floats:
        return self.had.get(kind, np.zeros(len(self.people)))


class TwoArmsOnEngine:
    """The first episode of each patient in either arm, and the columns an answer may need."""

    def __init__(self, cohort: Cohort, arms: tuple[str, str], function: str) -> None:
        self.cohort, self.arms, self.function = cohort, arms, function
        self._refuse_unseen()

    def _refuse_unseen(self) -> None:
        held = self.cohort.episodes.select("treatment").distinct().to_pyarrow()["treatment"]
        seen = sorted(word for word in held.to_pylist() if word is not None)
        for arm in reversed(self.arms):
            if not set(words_of(arm)) & set(seen):
                words = ", ".join(seen) or "no arm at all"
                raise refuse_argument(self.function, "treatment or comparator", arm, words)

    def people(self, columns: Sequence[str], notes: list[str]) -> "ir.Table":
        """One row per patient with `_treated` and `columns`."""
        first, later = first_of_arms(
            self.cohort, self.arms, columns=columns, function=self.function
        )
        if sum(later):
            notes.append(f"{sum(later)} later episodes of a patient do not count.")
        told = first.mutate(**{_TREATED: first.treatment.isin(words_of(self.arms[0]))})
        sizes = told.group_by(_TREATED).aggregate(n=told.count()).to_pyarrow()
        n = dict(zip(sizes[_TREATED].to_pylist(), sizes["n"].to_pylist(), strict=True))
        for arm, mine in zip(self.arms, (True, False), strict=True):
            if not n.get(mine):
                found = "no patient has it as first treatment"
                problem = Problem(f"arm {arm}", found, "some patients")
                raise InputError(f"{self.function}()", [problem], "choose other arms")
        return told

    def usual(self, people: "ir.Table") -> tuple[str, ...]:
        """Declared confounders that vary and are nearly complete."""
        there = [name for name in CONFOUNDERS if name in people.columns]
        facts = {f"n {c}": people[c].count() for c in there}
        facts |= {f"values {c}": people[c].nunique() for c in there}
        found = people.aggregate(_all=people.count(), **facts).to_pyarrow().to_pylist()[0]
        n = found["_all"]
        return tuple(
            c for c in there
            if 1 - found[f"n {c}"] / n <= MOST_MISSING and found[f"values {c}"] > 1
        )  # fmt: skip

    def check_covariates(self, names: Sequence[str]) -> None:
        """Refuse what is no column of patients or episodes."""
        allowed = [c for c in types_of_columns(self.cohort) if c not in NOT_COVARIATES]
        for name in names:
            if name not in allowed:
                raise refuse_argument(
                    self.function, "covariates", name, list_some(allowed, most=30)
                )

    def refuse_stratum(self, stratum: str) -> None:
        """No such column, or nothing in it: the columns with values."""
        columns = list(types_of_columns(self.cohort))
        first, _ = first_of_arms(self.cohort, self.arms, columns=columns, function=self.function)
        found = first.aggregate(**{c: first[c].count() for c in first.columns}).to_pyarrow()
        filled = [c for c in columns if c in first.columns and found[c][0].as_py()]
        raise refuse_argument(self.function, "stratum", stratum, list_some(filled, most=40))

    def patterns(
        self, people: "ir.Table", keys: Sequence[str], *, within_days: float | None,
        notes: list[str],
    ) -> Patterns:  # fmt: skip
        """Counts of the patients and of those with each complication, by arm and `keys`.

        Raises
        ------
        InputError
            If there are too many patterns, no complication at all, or one before day 0.
        """
        by = [_TREATED, *keys]
        counted = people.group_by(by).aggregate(**{ALIKE: people.count()}).order_by(by)
        frame = _frame(counted.limit(MOST_ROWS + 1))
        if len(frame) > MOST_ROWS:
            found = f"more than {MOST_ROWS:,} patterns of {', '.join(keys)}"
            problem = Problem("argument covariates", found, "columns with few different values")
            step = "round measurements, or name fewer columns"
            raise InputError(f"{self.function}()", [problem], step)
        seen = self._events(people.select("episode_id", *by), within_days, notes)
        whole = seen.group_by(by).aggregate(n=seen.episode_id.nunique())
        by_type = seen.group_by([*by, "type"]).aggregate(n=seen.episode_id.nunique())
        hits = pd.concat([_frame(whole).assign(type=ANY), _frame(by_type)], ignore_index=True)
        place = frame[by].assign(_place=np.arange(len(frame)))
        hits = hits.merge(place, on=by, how="left")
        had = {}
        for kind, rows in hits.groupby("type", sort=True):
            at = rows["_place"].to_numpy(np.int64)
            n = rows["n"].to_numpy(np.float64)
            had[str(kind)] = np.zeros(len(frame))
            had[str(kind)][at] = n
        people_of = frame.rename(columns={_TREATED: "treated"}).astype({ALIKE: float})
        return Patterns(people_of, had)

    def _events(
        self, people: "ir.Table", within_days: float | None, notes: list[str]
    ) -> "ir.Table":
        events = self.cohort.events
        events = events.filter(events.type.notin(NOT_COMPLICATIONS))
        if not count(events.limit(1)):
            problem = Problem("table events", "no complication was recorded", "at least one event")
            step = "load the events; an empty table does not show that there were none"
            raise InputError(f"{self.function}()", [problem], step)
        seen = events.select("episode_id", "type", "day").inner_join(people, "episode_id")
        facts = seen.aggregate(
            early=(seen.day < 0).fill_null(False).sum(),
            undated=seen.day.isnull().sum(),  # noqa: PD003
        )
        found: Any = facts.to_pyarrow().to_pylist()[0]
        if found["early"]:
            problem = Problem(
                "table events, column day", f"{found['early']} before day 0", "0 or later"
            )
            raise InputError(f"{self.function}()", [problem], "correct these days in the source")
        if within_days is None:
            return seen
        if found["undated"]:
            notes.append(f"{found['undated']} events without a day are not counted.")
        return seen.filter((seen.day <= within_days).fill_null(False))


def _frame(table: "ir.Table") -> pd.DataFrame:
    return to_pandas(table.to_pyarrow(), PATIENTS, EPISODES)
