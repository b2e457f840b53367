"""OMOP CDM 5.4 in CSV: people, periods, diagnoses, procedures, scores, deaths and observations."""

import gzip
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pandas as pd

from vertebro_outcomes.simulate.exports.calendar import Frames, plus
from vertebro_outcomes.simulate.exports.layout import (
    MARK_TEXT,
    ExportFormat,
    ExportTable,
    Layout,
    Place,
    Spelling,
    number_text,
    text_cells,
)
from vertebro_outcomes.simulate.exports.omop_codes import (
    FRACTURES,
    GENDER,
    PAIN_VAS,
    PROCEDURES,
    by_codes,
)
from vertebro_outcomes.simulate.exports.omop_observations import observations
from vertebro_outcomes.spine import POSITION

_SPELLING: Final = Spelling(
    date=lambda when: when.strftime("%Y-%m-%d"), number=number_text, impossible_date="2016-02-31"
)
_LARGE_ROWS: Final = 20_000  # above this a table is written gzipped
CDM_SOURCE: Final = {
    "cdm_source_name": f"SYNTHETIC registry. {MARK_TEXT}", "cdm_source_abbreviation": "SYNTHETIC",
    "cdm_version": "v5.4", "cdm_version_concept_id": "0",
}  # fmt: skip


def _layout(frames: Frames) -> Layout:
    coded = by_codes(frames)
    rows, feeds, places = observations(frames, coded=coded)
    tables = {
        "person": _people(frames),
        "care_site": _sites(frames),
        "observation_period": _periods(frames),
        "visit_occurrence": _visits(frames),
        "condition_occurrence": _conditions(frames),
        "procedure_occurrence": _procedures(frames),
        "measurement": _measurements(frames, coded=coded),
        "observation": rows,
        "death": _deaths(frames["patients"]),
        "cdm_source": pd.DataFrame([CDM_SOURCE]),
    }
    mapping: dict[str, Any] = {"name": "synthetic registry", "synthetic": True}
    if not coded:
        tables["episode"] = _episodes(frames["episodes"])
        mapping |= {"entry": "mapping", "episodes": "several"}
        feeds = [_episode_feed(), *feeds]
    instruments = list(dict.fromkeys(frames["scores"]["instrument"]))
    feeds += _unasked_feeds(frames["scores"], coded=coded)
    mapping["codes"] = {"scores": {_score_code(name): name for name in instruments}}
    named = {key: ExportTable(_file(key, cells), cells) for key, cells in tables.items()}
    for feed in feeds:
        feed["source"] = named[feed["source"]].source
    places |= {
        ("patients", "sex"): Place("person", "gender_concept_id"),
        ("patients", "death_date"): Place("death", "death_date"),
        ("scores", "date"): Place("measurement", "measurement_date"),
        **{
            ("scores", name): Place(
                "measurement", "value_as_number", {"measurement_source_value": _score_code(name)}
            )
            for name in instruments
        },
    }
    if coded:
        status = {"condition_status_source_value": "index"}
        index = Place("condition_occurrence", "condition_start_date", status)
        places["episodes", "fracture_date"] = index
    patient = dict.fromkeys(named, "person_id")
    return Layout(named, {**mapping, "feed": feeds}, patient, places, _SPELLING)


def _file(key: str, cells: pd.DataFrame) -> str:
    return f"{key}.csv.gz" if len(cells) > _LARGE_ROWS else f"{key}.csv"


def _score_code(instrument: str) -> str:
    return PAIN_VAS if instrument == "pain_vas" else instrument


def _text(values: pd.Series) -> pd.Series:
    return text_cells(values, truth=("1", "0"))


def _numbered(name: str, columns: Mapping[str, Any], *, concepts: bool = True) -> pd.DataFrame:
    frame = pd.DataFrame(columns)
    made = {f"{name}_id": [str(n) for n in range(1, len(frame) + 1)], **frame}
    if concepts:
        made |= {f"{name.removesuffix('_occurrence')}_concept_id": "0"}
    return pd.DataFrame(made).astype(object)


def _people(frames: Frames) -> pd.DataFrame:
    patients = frames["patients"]
    first = frames["episodes"].drop_duplicates("patient_id").set_index("patient_id")["start"]
    start = patients["patient_id"].map(first)
    days = (patients["age_years"].fillna(0.0) * 365.25).round()
    birth = plus(start, -days)
    known = patients["age_years"].notna()
    names = {name: str(n) for n, name in enumerate(sorted(patients["site"].dropna().unique()), 1)}
    return pd.DataFrame(
        {
            "person_id": patients["patient_id"],
            "gender_concept_id": patients["sex"].map(GENDER).fillna("0"),
            "year_of_birth": birth.dt.year.astype(str).where(known, None),
            "month_of_birth": birth.dt.month.astype(str).where(known, None),
            "day_of_birth": birth.dt.day.astype(str).where(known, None),
            "race_concept_id": "0",
            "ethnicity_concept_id": "0",
            "care_site_id": patients["site"].map(names),
        }
    ).astype(object)


def _sites(frames: Frames) -> pd.DataFrame:
    names = sorted(frames["patients"]["site"].dropna().unique())
    ids = [str(n) for n in range(1, len(names) + 1)]
    return pd.DataFrame({"care_site_id": ids, "care_site_name": names})


def _periods(frames: Frames) -> pd.DataFrame:
    episodes = frames["episodes"]
    first = episodes["start"]
    for word in ("fracture", "presentation"):
        date = episodes[f"{word}_date"]
        first = first.where(~(date < first), date)
    spans = pd.DataFrame(
        {"person": episodes["patient_id"], "a": first, "z": episodes["followup_end_date"]}
    )
    spans = spans.groupby("person", as_index=False).agg(a=("a", "min"), z=("z", "max"))
    columns = {
        "person_id": spans["person"],
        "observation_period_start_date": _text(spans["a"]),
        "observation_period_end_date": _text(spans["z"]),
    }
    return _numbered("observation_period", columns, concepts=False)


def _visits(frames: Frames) -> pd.DataFrame:
    done = frames["episodes"].dropna(subset=["treatment_date"])
    when = _text(done["treatment_date"])
    columns = {"person_id": done["patient_id"], "visit_start_date": when, "visit_end_date": when}
    return _numbered("visit_occurrence", columns)


def _conditions(frames: Frames) -> pd.DataFrame:
    """Index fractures and new ones, by ICD-10-CM code; some source values are padded."""
    dates = frames["episodes"].set_index("episode_id")["fracture_date"]
    index = frames["levels"][["patient_id", "episode_id", "level"]].assign(
        date=lambda t: t["episode_id"].map(dates), status="index"
    )
    new = frames["fractures"][["patient_id", "level", "date"]].assign(status="new")
    whole = pd.concat([index.drop(columns="episode_id"), new], ignore_index=True)
    whole = whole.dropna(subset=["date", "level"]).sort_values(
        ["patient_id", "date", "level"], ignore_index=True
    )
    code = whole["level"].map(FRACTURES)
    columns = {
        "person_id": whole["patient_id"],
        "condition_start_date": _text(whole["date"]),
        "condition_source_value": code.where(whole.index % 7 != 0, code + "  "),
        "condition_status_source_value": whole["status"],
    }
    return _numbered("condition_occurrence", columns)


def _procedures(frames: Frames) -> pd.DataFrame:
    """One procedure per treated episode, by the region of its first treated level."""
    levels = frames["levels"].assign(place=lambda t: t["level"].map(POSITION))
    first = levels.sort_values("place").drop_duplicates("episode_id").set_index("episode_id")
    done = frames["episodes"].dropna(subset=["treatment_date"]).reset_index(drop=True)
    region = done["episode_id"].map(first["level"]).fillna("L").str[0]
    pairs = zip(done["treatment"], region, strict=True)
    columns = {
        "person_id": done["patient_id"],
        "procedure_date": _text(done["treatment_date"]),
        "procedure_source_value": [PROCEDURES.get(pair, str(pair[0])) for pair in pairs],
    }
    return _numbered("procedure_occurrence", columns)


def _measurements(frames: Frames, *, coded: bool) -> pd.DataFrame:
    scores = frames["scores"].sort_values(["patient_id", "date", "instrument"], ignore_index=True)
    columns = {
        "person_id": scores["patient_id"],
        "measurement_date": _text(scores["date"]),
        "value_as_number": _text(scores["value"]),
        "measurement_source_value": _score_codes(scores),
    }
    if not coded:
        columns["measurement_event_id"] = scores["episode_id"].map(episode_numbers(frames))
    return _numbered("measurement", columns)


def _score_codes(scores: pd.DataFrame) -> pd.Series:
    """The code of the score; where it was not asked or does not apply the code says so."""
    code = scores["instrument"].map(_score_code)
    said = scores["status"].isin(_UNASKED) & scores["value"].isna()
    return code.where(~said, code + ", " + scores["status"].astype(str))


def _unasked_feeds(scores: pd.DataFrame, *, coded: bool) -> list[dict[str, Any]]:
    said = scores[scores["status"].isin(_UNASKED) & scores["value"].isna()]
    keys = {"patient_id": "person_id", "date": "measurement_date"}
    keys |= {} if coded else {"episode_id": "measurement_event_id"}
    return [
        {
            "source": "measurement",
            "table": "scores",
            "where": {"measurement_source_value": f"{_score_code(name)}, {status}".lower()},
            "needs": ["instrument"],
            "columns": {
                **keys,
                "instrument": {"constant": name},
                "value": "value_as_number",
                "status": {"constant": status},
            },
        }
        for name, status in sorted(set(zip(said["instrument"], said["status"], strict=True)))
    ]


_UNASKED: Final = ("not_asked", "not_applicable")


def episode_numbers(frames: Frames) -> dict[str, str]:
    """Episodes by whole numbers, as a CDM wants its ids."""
    ids = frames["episodes"]["episode_id"]
    return {episode: str(n) for n, episode in enumerate(ids, start=1)}


def _deaths(patients: pd.DataFrame) -> pd.DataFrame:
    dead = patients.dropna(subset=["death_date"])
    return pd.DataFrame(
        {"person_id": dead["patient_id"], "death_date": _text(dead["death_date"])}
    ).reset_index(drop=True)


def _episodes(episodes: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "episode_id": [str(n) for n in range(1, len(episodes) + 1)],
            "person_id": episodes["patient_id"],
            "episode_concept_id": "0",
            "episode_start_date": _text(episodes["start"]),
            "episode_end_date": _text(episodes["followup_end_date"]),
            "episode_number": episodes["number"].astype(str),
            "episode_source_value": episodes["treatment"],
        }
    ).astype(object)


def _episode_feed() -> dict[str, Any]:
    columns = {
        "patient_id": "person_id", "episode_id": "episode_id",
        "treatment": "episode_source_value", "followup_end_date": "episode_end_date",
    }  # fmt: skip
    return {"source": "episode", "table": "episodes", "columns": columns}


def _write(layout: Layout, folder: Path) -> None:
    for table in layout.tables.values():
        text = table.cells.to_csv(index=False, lineterminator="\n").encode("utf-8")
        path = folder / table.source
        path.write_bytes(gzip.compress(text, 9, mtime=0) if path.suffix == ".gz" else text)


EXPORT = ExportFormat(
    "omop",
    "OMOP CDM 5.4 in CSV, with a mapping for what codes do not say",
    _layout,
    _write,
)
