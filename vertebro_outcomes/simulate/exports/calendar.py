"""Days from day 0 -> dates of an invented calendar, so that an export holds dates as clinics do."""

from collections.abc import Mapping
from datetime import date
from typing import Final

import numpy as np
import pandas as pd

FIRST_DAY: Final = date(2012, 1, 1)
SPREAD_DAYS: Final = 1461  # day 0 of patients without a year falls within four years
# A further episode begins this long after the last record of the one before (the loaders count
# records of the month before day 0 to the new episode).
PAUSE_DAYS: Final = 31
Frames = Mapping[str, pd.DataFrame]


def export_ids(patient_ids: pd.Series) -> dict[str, str]:
    """Whole numbers, as every format can hold: those in the ids where they tell patients apart."""
    digits = patient_ids.str.extract(r"(\d+)$", expand=False).str.lstrip("0")
    if digits.isna().any() or (digits == "").any() or digits.duplicated().any():
        digits = pd.Series([str(n) for n in range(1, len(patient_ids) + 1)])
    return dict(zip(patient_ids, digits, strict=True))


def with_export_ids(frames: Frames) -> dict[str, pd.DataFrame]:
    """The frames under the ids of the export."""
    ids = export_ids(frames["patients"]["patient_id"])
    return {
        name: frame.assign(patient_id=frame["patient_id"].map(ids))
        for name, frame in frames.items()
    }


def dated(frames: Frames, *, seed: int) -> dict[str, pd.DataFrame]:
    """The frames with `date` columns beside the days, and `number` counting a patient's episodes."""
    made = {name: frame.reset_index(drop=True).copy() for name, frame in frames.items()}
    episodes = made["episodes"].sort_values(["patient_id", "episode_id"], ignore_index=True)
    episodes["number"] = episodes.groupby("patient_id").cumcount() + 1
    episodes["start"] = _starts(made, episodes, np.random.default_rng(seed))
    for word in ("fracture", "presentation", "treatment"):
        episodes[f"{word}_date"] = plus(episodes["start"], episodes[f"{word}_day"])
    episodes["followup_end_date"] = plus(episodes["start"], episodes["followup_end_day"])
    firsts = episodes[episodes["number"] == 1].set_index("patient_id")
    patients = made["patients"]
    first_day = patients["patient_id"].map(firsts["start"])
    patients["death_date"] = plus(first_day, patients["death_day"])
    starts = episodes.set_index("episode_id")["start"]
    for name in ("levels", "scores", "events", "fractures"):
        table = made[name]
        own = table["patient_id"].map(firsts["episode_id"])
        table["episode_id"] = table["episode_id"].where(table["episode_id"].notna(), own)
        if "day" in table.columns:
            table["date"] = plus(table["episode_id"].map(starts), table["day"])
    return {**made, "episodes": episodes, "patients": patients}


def plus(start: pd.Series, days: pd.Series) -> pd.Series:
    """Dates so many days after others; missing where either is."""
    return pd.to_datetime(start) + _timedelta(days)


def _timedelta(days: pd.Series) -> pd.Series:
    plain = days.astype("Float64").to_numpy(dtype=float, na_value=np.nan)
    absent = np.isnan(plain)
    whole = np.where(absent, 0, plain).astype(np.int64).astype("timedelta64[D]")
    whole[absent] = np.timedelta64("NaT", "D")
    return pd.Series(whole.astype("timedelta64[ns]"), index=days.index)


def _starts(made: Frames, episodes: pd.DataFrame, rng: np.random.Generator) -> pd.Series:
    """Day 0 of each episode; a later one starts when the records of the one before have ended."""
    ids = episodes["patient_id"].drop_duplicates()
    offset = pd.Series(rng.integers(0, SPREAD_DAYS, len(ids)), index=ids.to_numpy())
    year = episodes.drop_duplicates("patient_id").set_index("patient_id")["index_year"]
    own = pd.to_datetime(year.astype("string"), format="%Y") - pd.Timestamp(FIRST_DAY)
    in_year = own.dt.days + offset % 365
    offset = offset.where(in_year.isna(), in_year)
    last = episodes["followup_end_day"].astype("Float64").fillna(0.0)
    for name in ("scores", "events", "fractures"):
        seen = made[name].groupby("episode_id")["day"].max()
        found = episodes["episode_id"].map(seen).astype("Float64").fillna(0.0)
        last = last.where(last > found, found)
    before = -episodes["fracture_day"].astype("Float64").fillna(0.0).clip(upper=0)
    length = (last + PAUSE_DAYS).clip(lower=90) + before.groupby(episodes["patient_id"]).shift(-1)
    waited = length.groupby(episodes["patient_id"]).shift(1).fillna(0.0)
    elapsed = waited.groupby(episodes["patient_id"]).cumsum()
    days = episodes["patient_id"].map(offset).astype("Float64") + elapsed
    return pd.Timestamp(FIRST_DAY) + _timedelta(days)
