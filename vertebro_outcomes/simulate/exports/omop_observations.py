"""What diagnosis and procedure codes do not say, as OBSERVATION rows with a feed for each kind.

`observation_source_value` names the kind, `value_as_number` or `value_source_value` hold the value,
`qualifier_source_value` the vertebra.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import pandas as pd

from vertebro_outcomes.simulate.exports.calendar import Frames
from vertebro_outcomes.simulate.exports.layout import Place, text_cells
from vertebro_outcomes.tables.cohort_tables import TABLES

PATIENT: Final = (
    "age_years", "bmi", "bmd_t_score", "steroid_use", "smoker", "charlson", "prior_fractures",
    "osteoporosis_drug", "etiology",
)  # fmt: skip
EPISODE: Final = ("inpatient", "n_levels", "cement_ml", "approach")
LEVEL: Final = (
    "treated", "cement_ml", "leakage", "leakage_detected_by", "height_loss_pct",
    "kyphosis_pre_deg", "kyphosis_post_deg", "cleft",
)  # fmt: skip
EVENT: Final = ("severity", "symptomatic", "related", "detected_by")
FRACTURE: Final = ("adjacent", "symptomatic", "detected_by")
COLUMNS: Final = (
    "person_id", "observation_date", "observation_source_value", "value_as_number",
    "value_source_value", "qualifier_source_value", "observation_event_id",
)  # fmt: skip
Kind = tuple[pd.DataFrame, dict[str, Any], dict[tuple[str, str], Place]]


def observations(
    frames: Frames, *, coded: bool
) -> tuple[pd.DataFrame, list[dict[str, Any]], dict[tuple[str, str], Place]]:
    """All rows, the feeds that read them, and where each canonical column stands."""
    ids = {e: str(n) for n, e in enumerate(frames["episodes"]["episode_id"], start=1)}
    parts: list[pd.DataFrame] = []
    feeds: list[dict[str, Any]] = []
    places: dict[tuple[str, str], Place] = {}
    for kinds in (
        _of_patients(frames),
        _of_episodes(frames, coded=coded),
        _of_levels(frames),
        _of_happenings(frames["events"], "events", "complication", EVENT),
        _of_happenings(frames["fractures"], "fractures", "new_fracture", FRACTURE),
    ):
        for rows, feed, at in kinds:
            parts.append(rows)
            feeds.append(feed if coded or feed["table"] == "patients" else _of_episode(feed))
            places |= {key: place for key, place in at.items() if key not in places}
    whole = pd.concat(parts, ignore_index=True)
    whole["observation_event_id"] = whole["episode_id"].map(ids)
    wanted = [c for c in COLUMNS if c != "observation_event_id" or not coded]
    whole = whole.sort_values(["person_id", "observation_date"], kind="stable", ignore_index=True)
    whole = whole.reindex(columns=wanted).astype(object)
    whole = whole.where(whole.notna(), None)
    whole.insert(0, "observation_id", [str(n) for n in range(1, len(whole) + 1)])
    return whole, feeds, places


def _of_episode(feed: dict[str, Any]) -> dict[str, Any]:
    return {**feed, "columns": {**feed["columns"], "episode_id": "observation_event_id"}}


def _is_text(table: str, column: str) -> bool:
    return TABLES[table][column].type == "text"


def _text(values: pd.Series) -> pd.Series:
    return text_cells(values, truth=("1", "0"))


def _kind(
    table: str, name: str, rows: pd.DataFrame, columns: dict[str, Any], at: dict[str, str]
) -> Kind:
    """`columns` are the feed's; `at` says in which column of OBSERVATION each one stands."""
    where = {"observation_source_value": name}
    feed = {
        "source": "observation",
        "table": table,
        "where": where,
        "columns": {"patient_id": "person_id", **columns},
    }
    places = {(table, c): Place("observation", column, where) for c, column in at.items()}
    return rows.assign(observation_source_value=name), feed, places


def _base(frame: pd.DataFrame, dates: pd.Series) -> pd.DataFrame:
    episode = frame.get("episode_id")
    return pd.DataFrame(
        {
            "person_id": frame["patient_id"],
            "observation_date": _text(dates),
            "episode_id": episode,
        }
    )


def _of_patients(frames: Frames) -> Iterator[Kind]:
    patients = frames["patients"]
    first = frames["episodes"].drop_duplicates("patient_id").set_index("patient_id")["start"]
    base = _base(patients, patients["patient_id"].map(first))
    for column in (c for c in PATIENT if patients[c].notna().any()):
        yield _value("patients", column, column, base, patients[column])
    other = patients["sex"].where(patients["sex"] == "other")  # no gender concept says so
    if other.notna().any():
        yield _value("patients", "sex", "sex", base, other)


def _value(
    table: str, name: str, column: str, base: pd.DataFrame, values: pd.Series, **more: Any
) -> Kind:
    held = "value_source_value" if _is_text(table, column) else "value_as_number"
    rows = base.assign(**{held: _text(values)})[values.notna()]
    at = {column: held, **more}
    return _kind(table, name, rows, {column: held, **more}, at)


def _of_episodes(frames: Frames, *, coded: bool) -> Iterator[Kind]:
    episodes = frames["episodes"]
    base = _base(episodes, episodes["start"])
    dates = ["presentation"] if coded else ["presentation", "fracture", "treatment"]
    for word in dates:
        rows = _base(episodes, episodes[f"{word}_date"]).dropna(subset=["observation_date"])
        name = f"{word}_date"
        cell = {name: "observation_date"}
        if len(rows):
            yield _kind("episodes", name, rows, cell, cell)
    for column in EPISODE:
        if episodes[column].notna().any():
            yield _value("episodes", column, column, base, episodes[column])
    for word in ("presentation", "fracture", "enrolment", "given"):
        rows = base[(episodes["day0"] == word) & _unusual(episodes)]
        if len(rows):
            dated = {"enrolment_date": "observation_date"} if word in ("enrolment", "given") else {}
            yield _kind("episodes", f"day0_{word}", rows, {"day0": {"constant": word}, **dated}, {})


def _unusual(episodes: pd.DataFrame) -> pd.Series:
    """Day 0 is not the first of treatment, presentation and fracture that has a date."""
    usual = pd.Series("", index=episodes.index)
    for word in ("fracture", "presentation", "treatment"):
        usual = usual.where(episodes[f"{word}_date"].isna(), word)
    return usual != episodes["day0"]


def _of_levels(frames: Frames) -> Iterator[Kind]:
    levels = frames["levels"]
    starts = frames["episodes"].set_index("episode_id")["start"]
    base = _base(levels, levels["episode_id"].map(starts))
    base["qualifier_source_value"] = levels["level"]
    level = {"level": "qualifier_source_value"}
    filled = [c for c in LEVEL if levels[c].notna().any()]
    for column in filled:
        yield _value("levels", f"level_{column}", column, base, levels[column], **level)
    bare = levels[filled].isna().all(axis=1)
    if bare.any():
        yield _kind("levels", "level", base[bare], level, level)


def _of_happenings(
    rows: pd.DataFrame, table: str, name: str, about: Sequence[str]
) -> Iterator[Kind]:
    """Complications and new fractures: one kind per combination of what is said about them."""
    base = _base(rows, rows["date"])
    base["qualifier_source_value"] = rows["level"]
    cells: dict[str, Any] = {"date": "observation_date", "level": "qualifier_source_value"}
    if table == "events":
        base["value_source_value"] = rows["type"]
        cells["type"] = "value_source_value"
    said = pd.DataFrame({column: _text(rows[column]) for column in about}, index=rows.index)
    said = said.astype(object).where(said.notna(), None)
    for words in sorted({tuple(line) for line in said.to_numpy()}, key=str):
        known = {c: w for c, w in zip(about, words, strict=True) if w is not None}
        here = pd.Series([tuple(line) == words for line in said.to_numpy()], index=rows.index)
        tail = "".join(f", {column} {word}" for column, word in known.items())
        constants = {column: {"constant": word} for column, word in known.items()}
        yield _kind(table, (name + tail).lower(), base[here], {**cells, **constants}, cells)
