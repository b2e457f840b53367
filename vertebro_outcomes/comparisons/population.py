"""Who is compared: the episodes of both arms with scores, covariates and death, as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from vertebro_outcomes.errors import InputError, Problem
from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints
from vertebro_outcomes.tables.cohort import Cohort

# Augmentation not split by type holds its types.
TYPES_OF: Final = {"VA": ("VA", "VP", "KP", "VAI")}
_ORDER = ("treatment_date", "presentation_date", "fracture_date", "episode_id")


def words_of(arm: str) -> tuple[str, ...]:
    """The treatments that an arm stands for."""
    return TYPES_OF.get(arm, (arm,))


@dataclass(frozen=True)
class Population:
    """One row per patient (the first episode in either arm), in the order of patient_id.

    `row`, `day`, `value` are the scores of the outcome: the row of their patient, day and value.
    """

    frame: pd.DataFrame
    treated: Bools
    row: Ints
    day: Ints
    value: Floats
    later_episodes: tuple[int, int]
    episodes_of: frozenset[str]  # columns that come from table episodes

    @property
    def n(self) -> int:
        return len(self.frame)


def population(cohort: Cohort, *, outcome: str, treatment: str, comparator: str) -> Population:
    """The patients of both arms.

    Raises
    ------
    InputError
        If an arm has no patient.
    """
    arms = (*words_of(treatment), *words_of(comparator))
    episodes = cohort.episodes.filter(cohort.episodes.treatment.isin(arms))
    people = _first_episodes(cohort, episodes, outcome=outcome, treatment=treatment)
    treated, found = people.treated, people.frame["treatment"].unique().tolist() or "neither"
    for arm, n in ((treatment, int(treated.sum())), (comparator, int((~treated).sum()))):
        if n == 0:
            problem = Problem(
                f"arm {arm}", "no patient has this treatment", "at least two patients"
            )
            raise InputError(
                "compare()", [problem], f"choose arms that the cohort has (found: {found})"
            )
    return people


def patients_of(cohort: Cohort, *, outcome: str, treatment: str) -> Population:
    """Every patient, whatever the treatment of the first episode; `treated` had this one.

    Raises
    ------
    InputError
        If nobody had it.
    """
    people = _first_episodes(cohort, cohort.episodes, outcome=outcome, treatment=treatment)
    if not people.treated.any():
        found = people.frame["treatment"].unique().tolist()
        problem = Problem(f"arm {treatment}", "no patient has this treatment", "some patients")
        raise InputError(
            "compare()", [problem], f"choose arms that the cohort has (found: {found})"
        )
    return people


def patients_in(cohort: Cohort, *, outcome: str, arms: Sequence[str]) -> tuple[Population, Ints]:
    """The patients of several arms, and the number of each one's arm.

    Raises
    ------
    InputError
        If an arm has no patient.
    """
    of = {word: place for place, arm in enumerate(arms) for word in words_of(arm)}
    episodes = cohort.episodes.filter(cohort.episodes.treatment.isin(list(of)))
    people = _first_episodes(cohort, episodes, outcome=outcome, treatment=arms[0])
    arm = people.frame["treatment"].map(of).to_numpy(dtype=np.int64)
    for place, name in enumerate(arms):
        if not (arm == place).any():
            problem = Problem(f"arm {name}", "no patient has this treatment", "at least two")
            found = people.frame["treatment"].unique().tolist() or "neither"
            step = f"choose arms that the cohort has (found: {found})"
            raise InputError("compare_arms()", [problem], step)
    return people, arm


def _first_episodes(cohort: Cohort, episodes: Any, *, outcome: str, treatment: str) -> Population:
    """One row per patient in the order of patient_id: joined and sorted where the tables live."""
    first, later = _split(episodes, treatment)
    own = [c for c in cohort.patients.columns if c not in episodes.columns]
    patients = cohort.patients.select(*own, _patient=cohort.patients.patient_id)
    both = first.left_join(patients, first.patient_id == patients["_patient"])
    joined = _pandas(both.drop("_patient").order_by("patient_id"))
    treated = joined["treatment"].isin(words_of(treatment)).to_numpy(dtype=bool)
    row, day, value = _scores(cohort, outcome, joined)
    return Population(
        frame=joined,
        treated=treated,
        row=row,
        day=day,
        value=value,
        later_episodes=later,
        episodes_of=frozenset(episodes.columns),
    )


def _split(episodes: Any, treatment: str) -> tuple[Any, tuple[int, int]]:
    """The first episode of every patient, and how many later ones there are."""
    import ibis

    size = episodes.aggregate(n=episodes.count(), patients=episodes.patient_id.nunique())
    counted = size.to_pyarrow().to_pylist()[0]
    if counted["n"] == counted["patients"]:  # nothing to rank: the usual case, and the large one
        return episodes, (0, 0)
    by = [episodes[name].asc(nulls_first=False) for name in _ORDER if name in episodes.columns]
    place = ibis.row_number().over(group_by="patient_id", order_by=by)
    ranked = episodes.mutate(_place=place)
    later = _later(ranked.filter(ranked["_place"] > 0), treatment)
    return ranked.filter(ranked["_place"] == 0).drop("_place"), later


def _later(episodes: Any, treatment: str) -> tuple[int, int]:
    """Further episodes of the same patients, of the treatment and of others."""
    counted = episodes.group_by("treatment").aggregate(n=episodes.count()).to_pyarrow().to_pylist()
    own = sum(line["n"] for line in counted if line["treatment"] in words_of(treatment))
    return int(own), int(sum(line["n"] for line in counted) - own)


def _scores(cohort: Cohort, outcome: str, frame: pd.DataFrame) -> tuple[Ints, Ints, Floats]:
    scores = cohort.scores
    wanted = scores.filter((scores.instrument == outcome) & scores.value.notnull())  # noqa: PD004
    found = wanted.select("episode_id", "day", "value").to_pyarrow()
    at = pd.Index(frame["episode_id"]).get_indexer(found["episode_id"].to_pandas())
    day = found["day"].to_numpy()
    value = found["value"].to_numpy().astype(np.float64)
    known = (at >= 0) & np.isfinite(value) & pd.notna(day)
    row, day = at[known].astype(np.int64), np.asarray(day[known], dtype=np.int64)
    order = np.lexsort((day, row))
    return row[order], day[order], value[known][order]


def crossover_note(cohort: Cohort, people: Population, kept: Bools, *, day: int) -> str:
    """How many analysed patients of each arm changed treatment by `day`; empty if nobody did."""
    events = cohort.events
    crossed = events.filter((events.type == "crossover") & (events.day <= day))
    ids = crossed.select("patient_id").distinct().to_pyarrow()["patient_id"].to_pylist()
    changed = people.frame["patient_id"].isin(ids).to_numpy(dtype=bool) & kept
    n_t, n_c = int((changed & people.treated).sum()), int((changed & ~people.treated).sum())
    if n_t + n_c == 0:
        return ""
    return (
        f"{n_t} vs {n_c} patients crossed over to another treatment by day {day}; they count with the "
        "treatment they started with."
    )


def _pandas(table: Any) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pyarrow().to_pandas()
    return frame
