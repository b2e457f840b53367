"""The first episode of every patient of some arms, as a table of the engine that holds the cohort."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from vertebro_outcomes.comparisons.driver_budget import refuse_beyond
from vertebro_outcomes.comparisons.population import FIRST_BY, words_of
from vertebro_outcomes.tables.cohort import Cohort

if TYPE_CHECKING:
    import ibis.expr.types as ir


def first_of_arms(
    cohort: Cohort, arms: Sequence[str], *, columns: Sequence[str], function: str,
    most: int | None = None,
) -> tuple["ir.Table", tuple[int, int]]:  # fmt: skip
    """Patient, episode, treatment and those of `columns` that hold something; and how many later
    episodes of these patients do not count, in the first arm and in the others.

    Raises
    ------
    InputError
        If there are more episodes than `most`, for those who fetch them one by one.
    """
    words = [word for arm in arms for word in words_of(arm)]
    episodes = cohort.episodes.filter(cohort.episodes.treatment.isin(words))
    return first_of(cohort, episodes, own=arms[0], columns=columns, function=function, most=most)


def first_of(
    cohort: Cohort, episodes: "ir.Table", *, own: str, columns: Sequence[str], function: str,
    most: int | None = None,
) -> tuple["ir.Table", tuple[int, int]]:  # fmt: skip
    """The same of some episodes; later ones are counted with treatment `own` and without it.

    Raises
    ------
    InputError
        As `first_of_arms`.
    """
    import ibis

    counted = episodes.aggregate(
        _n=episodes.count(), _own=episodes.patient_id.nunique(), **_filled(episodes, columns)
    )
    found = counted.to_pyarrow().to_pylist()[0]
    n, later = found["_n"], (0, 0)
    if most is not None:
        refuse_beyond(n, most, where="cohort", what="episodes of these arms", function=function)
    if found["_own"] < n:
        by = [episodes[c].asc(nulls_first=False) for c in FIRST_BY if c in episodes.columns]
        place = ibis.row_number().over(group_by="patient_id", order_by=by)
        ranked = episodes.mutate(_place=place)
        again = ranked.filter(ranked["_place"] > 0)
        mine = again.treatment.isin(words_of(own)).sum().to_pyarrow().as_py() or 0
        later = int(mine), n - found["_own"] - int(mine)
        episodes = ranked.filter(ranked["_place"] == 0)
    in_episodes = [c for c in columns if found.get(f"_n_{c}")]
    patients = cohort.patients
    filled = patients.aggregate(_n=patients.count(), **_filled(patients, columns))
    held = filled.to_pyarrow().to_pylist()[0]
    also = [c for c in columns if held.get(f"_n_{c}") and c not in cohort.episodes.columns]
    first = episodes.select(*dict.fromkeys(("patient_id", "episode_id", "treatment", *in_episodes)))
    people = patients.select(*also, _patient=patients.patient_id)
    joined = first.left_join(people, first.patient_id == people["_patient"])
    return joined.drop("_patient"), later


def _filled(table: "ir.Table", columns: Sequence[str]) -> dict[str, Any]:
    """How many rows have a value in each of the columns that the table has."""
    return {f"_n_{c}": table[c].count() for c in columns if c in table.columns}
