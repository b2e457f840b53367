"""A truth under the names a load gives, so that both can be compared cell by cell."""

import pandas as pd

import vertebro_outcomes as vo
from vertebro_outcomes.loaders.pseudonyms import pseudonym
from vertebro_outcomes.simulate.exports.calendar import export_ids
from vertebro_outcomes.simulate.exports.layout import NOT_CARRIED

KEY = b"a key for tests"
AS_RECORDED = [column for table, column in NOT_CARRIED if table == "scores"]


def two_episodes(*, n_patients, seed, pairs=15, scenario="confounded"):
    """A simulated cohort in which some patients have the course of another as second episode."""
    cohort, _ = vo.simulate_registry(n_patients=n_patients, seed=seed, scenario=scenario)
    frames = {name: cohort.frame(name) for name in vo.TABLES}
    patients = frames["patients"]
    alive = patients.loc[patients["death_day"].isna(), "patient_id"].tolist()[: 2 * pairs]
    becomes = dict(zip(alive[1::2], alive[::2], strict=True))
    frames["patients"] = patients[~patients["patient_id"].isin(becomes)]
    for name in set(frames) - {"patients"}:
        frames[name] = frames[name].assign(
            patient_id=lambda t: t["patient_id"].map(lambda who: becomes.get(who, who))
        )
    frames["patients"] = frames["patients"].reset_index(drop=True)
    frames["patients"].loc[[3, 7], "sex"] = "other"
    frames["patients"].loc[[2, 5], ["bmi", "smoker", "etiology"]] = None
    # A later episode begins when the one before has ended, in whatever year that is.
    episodes = frames["episodes"]
    later = episodes["episode_id"] != episodes["patient_id"]
    frames["episodes"] = episodes.assign(index_year=episodes["index_year"].mask(later))
    scores = frames["scores"].reset_index(drop=True)
    for place, status in enumerate(("missing", "not_asked", "not_applicable")):
        blank = scores.index[(scores["status"] == "observed") & (scores.index % 97 == place)]
        scores.loc[blank, "value"] = None
        scores.loc[blank, "status"] = status
    frames["scores"] = scores
    return vo.Cohort.from_frames(**frames, name="two episodes", synthetic=True)


def as_loaded(cohort):
    """The tables of a truth with pseudonyms, and episodes numbered per patient."""
    episodes = cohort.frame("episodes").sort_values(["patient_id", "episode_id"])
    place = episodes.groupby("patient_id").cumcount() + 1
    people = {
        who: pseudonym(number, KEY)
        for who, number in export_ids(cohort.frame("patients")["patient_id"]).items()
    }
    named = {
        episode: f"E{people[who][1:]}-{n}"
        for episode, who, n in zip(
            episodes["episode_id"], episodes["patient_id"], place, strict=True
        )
    }
    tables = {}
    for name in vo.TABLES:
        table = cohort.frame(name)
        table["patient_id"] = table["patient_id"].map(people)
        if "episode_id" in table.columns:
            table["episode_id"] = table["episode_id"].map(named)
        tables[name] = in_order(table)
    return tables


def in_order(table):
    """Without what only a record has, rows sorted by all their cells."""
    table = table.drop(columns=[c for c in AS_RECORDED if c in table.columns])
    return table.sort_values(list(table.columns), ignore_index=True)


def assert_same(truth, loaded):
    """Every cell of every table, but for what no export carries."""
    for name, expected in as_loaded(truth).items():
        found = loaded.frame(name)
        if name == "episodes":  # the year of a later one is the export's own, see `two_episodes`
            later = ~found["episode_id"].str.endswith("-1")
            found["index_year"] = found["index_year"].mask(later)
        found = in_order(found)
        assert len(expected)
        pd.testing.assert_frame_equal(found, expected, check_exact=True)
