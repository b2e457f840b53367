"""What a change of treatment, or death, before the day of a score does to the score."""

from dataclasses import replace

import numpy as np
import pandas as pd

from vertebro_outcomes.comparisons.population import Population
from vertebro_outcomes.errors import InputError, Problem
from vertebro_outcomes.estimators.arrays import Bools, Floats
from vertebro_outcomes.tables.cohort import Cohort
from vertebro_outcomes.tables.event_types import Instrument


def without_scores_after_crossover(cohort: Cohort, people: Population) -> Population:
    """Scores after the first change of treatment are set aside, as if they had not been seen."""
    events = cohort.events.filter(cohort.events.type == "crossover").select("patient_id", "day")
    first = events.to_pyarrow().to_pandas().groupby("patient_id")["day"].min()
    changed = pd.to_numeric(people.frame["patient_id"].map(first), errors="coerce")
    day = changed.astype("Float64").to_numpy(float, na_value=np.inf)
    kept = people.day <= day[people.row]
    return replace(people, row=people.row[kept], day=people.day[kept], value=people.value[kept])


def with_worst_score_of_the_dead(
    people: Population, y: Floats, *, outcome: str, instrument: Instrument, last_day: int
) -> Floats:
    """Who died by `last_day` without a score gets the bad end of the scale."""
    if "death_day" not in people.frame:
        return y
    death = pd.to_numeric(people.frame["death_day"], errors="coerce").astype("Float64")
    dead = death.to_numpy(float, na_value=np.inf) <= last_day
    return np.where(np.isnan(y) & dead, worst_score(outcome, instrument), y)


def worst_score(outcome: str, instrument: Instrument) -> float:
    """The bad end of the scale of an instrument.

    Raises
    ------
    InputError
        If it has no bad end.
    """
    end = instrument.high if instrument.better == "lower" else instrument.low
    if instrument.better not in ("lower", "higher") or end is None:
        problem = Problem(
            "Design death", f"composite with {outcome}", "an outcome with a better end"
        )
        raise InputError("compare()", [problem], "use death='while_alive'")
    return float(end)


def crossover_note(cohort: Cohort, people: Population, kept: Bools, *, day: int) -> str:
    """How many analysed patients of each arm changed treatment by `day`; empty if nobody did."""
    if people.crossed is not None:
        changed = (people.crossed <= day) & kept
    else:
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
