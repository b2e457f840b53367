"""Patients, episodes, levels, visits, events and new fractures as sheets in the words of a clinic."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import pandas as pd

from vertebro_outcomes.simulate.exports.calendar import Frames
from vertebro_outcomes.simulate.exports.layout import (
    MARK_COLUMN,
    ExportTable,
    Layout,
    Place,
    Spelling,
)

COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "patients": (
        "patient_id", "site", "sex", "age_years", "bmi", "bmd_t_score", "steroid_use", "smoker",
        "charlson", "prior_fractures", "osteoporosis_drug", "etiology", "death_date",
    ),
    "episodes": (
        "patient_id", "episode_id", "treatment", "day0", "fracture_date", "presentation_date",
        "treatment_date", "enrolment_date", "fracture_age_days", "inpatient", "n_levels",
        "cement_ml", "approach", "followup_end_date",
    ),
    "levels": (
        "patient_id", "episode_id", "level", "treated", "cement_ml", "leakage",
        "leakage_detected_by", "height_loss_pct", "kyphosis_pre_deg", "kyphosis_post_deg", "cleft",
    ),
    "events": (
        "patient_id", "episode_id", "type", "date", "severity", "symptomatic", "related", "level",
        "detected_by",
    ),
    "fractures": (
        "patient_id", "episode_id", "level", "date", "adjacent", "symptomatic", "detected_by",
    ),
}  # fmt: skip
CHILDREN: Final = ("levels", "events", "fractures")
# Day 0 is the first of these dates that an episode has, unless the export says otherwise.
DAY0_ORDER: Final = ("treatment", "presentation", "enrolment", "fracture")


@dataclass(frozen=True)
class Words:
    """How a clinic names things; what is not named keeps its canonical name.

    `absent` are the codes of a score that was not taken, by reason; `entries` say more about a
    column to the mapping.
    """

    source: Callable[[str], str]  # table -> file or sheet
    headers: Mapping[tuple[str, str], str] = field(default_factory=dict)
    codes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    absent: Mapping[str, Any] = field(default_factory=dict)
    cells: Callable[[pd.Series, str], pd.Series] = lambda values, _: values
    first_line: int = 2
    options: Mapping[str, Any] = field(default_factory=dict)  # top keys of the mapping
    entries: Mapping[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)

    def header(self, table: str, column: str) -> str:
        """The header of a canonical column."""
        plain = self.headers.get(("", column), column)
        return self.headers.get((table, column), plain)


def sheet_layout(frames: Frames, words: Words, spelling: Spelling) -> Layout:
    """Sheets of `frames` (with dates) and the mapping that reads them back."""
    several = bool(frames["episodes"]["patient_id"].duplicated().any())
    plain = {name: columns_of(frames[name], name, several=several) for name in COLUMNS}
    visits, instruments = visits_of(frames["scores"], words.absent, several=several)
    tables: dict[str, ExportTable] = {}
    places: dict[tuple[str, str], Place] = {}
    feeds: list[dict[str, Any]] = []
    for name, frame in plain.items():
        cells = pd.DataFrame(
            {
                words.header(name, c): words.cells(_coded(frame[c], c, words), c)
                for c in frame.columns
            }
        )
        tables[name] = _table(cells, name, words)
        feeds.append(_feed(name, words, frame.columns))
        places |= {(name, c): Place(name, words.header(name, c)) for c in frame.columns}
    cells = pd.DataFrame(
        {
            words.header("scores", c): words.cells(
                visits[c], "score" if c in instruments else c
            )
            for c in visits.columns
        }
    )  # fmt: skip
    tables["scores"] = _table(cells, "scores", words)
    keys = [c for c in ("patient_id", "episode_id", "date") if c in visits.columns]
    for name in instruments:
        feeds.append(_score_feed(name, keys, words))
        places["scores", name] = Place("scores", words.header("scores", name))
    places |= {("scores", c): Place("scores", words.header("scores", c)) for c in keys}
    top = {"name": "synthetic registry", "synthetic": True, **words.options}
    patient = {name: words.header(name, "patient_id") for name in tables}
    return Layout(tables, {**top, "feed": feeds}, patient, places, spelling)


def _table(cells: pd.DataFrame, name: str, words: Words) -> ExportTable:
    cells[words.headers.get(("", MARK_COLUMN), MARK_COLUMN)] = words.cells(
        pd.Series(1, index=cells.index), MARK_COLUMN
    )
    return ExportTable(words.source(name), cells, words.first_line)


def columns_of(frame: pd.DataFrame, name: str, *, several: bool) -> pd.DataFrame:
    """The columns that hold something, in a fixed order of rows."""
    if name == "episodes":
        frame = frame.assign(
            enrolment_date=frame["start"].where(frame["day0"].isin(("enrolment", "given")))
        )
    wanted = [
        c
        for c in COLUMNS[name]
        if c in frame.columns and (frame[c].notna().any() or c in ("patient_id", "level", "date"))
    ]
    if not several and "episode_id" in wanted:
        wanted.remove("episode_id")
    if name == "episodes":
        wanted = [c for c in wanted if not _goes_without_saying(frame, c)]
    keys = [c for c in ("patient_id", "episode_id", "date", "type", "level") if c in wanted]
    return frame[wanted].sort_values(keys, ignore_index=True)


def _goes_without_saying(episodes: pd.DataFrame, column: str) -> bool:
    """The age of a fracture that its date gives; the day 0 that the order of dates gives."""
    if column == "fracture_age_days":
        return bool((episodes[column] == -episodes["fracture_day"]).fillna(False).all())
    if column == "day0":
        usual = pd.Series(pd.NA, index=episodes.index, dtype=object)
        for word in DAY0_ORDER:
            known = episodes[f"{word}_date"].notna()
            usual = usual.where(usual.notna() | ~known, word)
        return bool((usual == episodes["day0"]).all())
    return False


def visits_of(
    scores: pd.DataFrame, absent: Mapping[str, Any], *, several: bool
) -> tuple[pd.DataFrame, list[str]]:
    """One row per patient and day with a column per instrument; absences carry their code."""
    keys = ["patient_id", *(["episode_id"] if several else []), "date"]
    values = scores["value"].astype(object)
    reason = scores["status"].where(values.isna()).fillna("missing")
    values = values.where(values.notna(), reason.map(dict(absent)))
    wide = (
        scores[[*keys, "instrument"]]
        .assign(value=values)
        .pivot(index=keys, columns="instrument", values="value")
    )
    instruments = list(dict.fromkeys(scores["instrument"]))
    return wide[instruments].reset_index().rename_axis(columns=None), instruments


def _coded(values: pd.Series, column: str, words: Words) -> pd.Series:
    codes = words.codes.get(column)
    if codes is None:
        return values
    return values.map(lambda word: codes.get(word, word), na_action="ignore")


def _feed(name: str, words: Words, columns: Sequence[str]) -> dict[str, Any]:
    made = {}
    for column in columns:
        codes = {str(code): word for word, code in words.codes.get(column, {}).items()}
        made[column] = _entry(name, column, words, {"codes": codes} if codes else {})
    return {"source": words.source(name), "table": name, "columns": made}


def _entry(table: str, column: str, words: Words, more: Mapping[str, Any]) -> Any:
    header = words.header(table, column)
    said = {**words.entries.get(("", column), {}), **words.entries.get((table, column), {}), **more}
    return {"column": header, **said} if said else header


def _score_feed(instrument: str, keys: Sequence[str], words: Words) -> dict[str, Any]:
    columns: dict[str, Any] = {key: _entry("scores", key, words, {}) for key in keys}
    columns["instrument"] = {"constant": instrument}
    missing = {str(code): reason for reason, code in words.absent.items()}
    columns["value"] = {"column": words.header("scores", instrument), "missing": missing}
    return {"source": words.source("scores"), "table": "scores", "columns": columns}
