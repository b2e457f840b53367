"""Units and occurrences from whole tables in pandas: the plain way that counts of the engine meet."""

import pandas as pd

from vertebro_outcomes.comparisons.occurrences import KEYS, NOT_COMPLICATIONS
from vertebro_outcomes.comparisons.population import words_of


def count_units(cohort, *, treatment, unit, extra=()):
    """One row per unit of the treatment, with the `extra` columns of patients or episodes."""
    episodes, patients = cohort.frame("episodes"), cohort.frame("patients")
    if treatment is not None:
        episodes = episodes[episodes["treatment"].isin(words_of(treatment))]
    further = [c for c in patients.columns if c == "patient_id" or c not in episodes.columns]
    people = episodes.merge(patients[further], on="patient_id")
    columns = ["patient_id", "episode_id", *extra]
    if unit == "levels":
        levels = cohort.frame("levels")
        levels = levels[levels["treated"].fillna(True).astype(bool)]
        people = people.merge(levels[KEYS[unit]].drop_duplicates(), on="episode_id")
        columns.append("level")
    return people[columns].reset_index(drop=True)


def occurrences(cohort):
    """Complications and new fractures; a fracture is an event of its type."""
    events, fractures = cohort.frame("events"), cohort.frame("fractures")
    next_to = fractures["adjacent"].astype("boolean").fillna(False).astype(bool)
    fractures = fractures.assign(
        type=next_to.map({True: "adjacent_fracture", False: "new_vertebral_fracture"}),
        severity=None,
    )
    columns = ["patient_id", "episode_id", "level", "type", "day", "severity", "symptomatic"]
    parts = [events[~events["type"].isin(NOT_COMPLICATIONS)], fractures]
    both = pd.concat(
        [part[[*columns, "detected_by"]].astype(object) for part in parts], ignore_index=True
    )
    both["symptomatic"] = both["symptomatic"].astype("boolean").fillna(False).astype(bool)
    both["day"] = pd.to_numeric(both["day"]).astype("Float64").astype(float)
    return both
