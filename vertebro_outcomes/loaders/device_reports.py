"""Spontaneous device reports (FDA MAUDE), flat or JSON: a listing, never a rate."""

import csv
import io
import json
from pathlib import Path
from typing import Any, Final

import pandas as pd

from vertebro_outcomes.errors import LoadError, Problem

# Canonical column -> names in flat files and in JSON.
COLUMNS: Final = {
    "report_number": ("report_number",),
    "event_type": ("event_type",),
    "date_received": ("date_received",),
    "brand_name": ("brand_name",),
    "device_name": ("device_name", "generic_name"),
    "manufacturer": ("manufacturer_d_name", "manufacturer_name"),
    "patient_outcomes": ("sequence_number_outcome", "patient_outcome"),
}
REQUIRED: Final = ("report_number", "event_type", "date_received", "brand_name")
NO_RATE: Final = "Spontaneous reports have no denominator: counts of reports, not rates."


def read_device_reports(path: str | Path) -> pd.DataFrame:
    """Device reports of one file, one row per report and device.

    Parameters
    ----------
    path : str or Path
        A flat file (commas or pipes, quotes doubled or tripled) or JSON (a list of reports, or an
        object with `results`).

    Returns
    -------
    DataFrame
        `report_number event_type date_received brand_name device_name manufacturer
        patient_outcomes`; dates from YYYYMMDD, YYYY-MM-DD or MM/DD/YYYY; blanks are NA.

    Raises
    ------
    LoadError
        If the file cannot be read, lacks a column or holds an impossible date.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        raise _refuse(path, "no readable text file", "a CSV, pipe-separated or JSON file") from None
    rows = _from_json(text, path) if text.lstrip()[:1] in ("{", "[") else _from_flat(text)
    if not rows:
        raise _refuse(path, "no reports", "at least one report")
    missing = [name for name in REQUIRED if not any(_has(rows[0], n) for n in COLUMNS[name])]
    if missing:
        raise _refuse(path, f"no column {', '.join(missing)}", ", ".join(REQUIRED))
    frame = pd.DataFrame(
        {name: [_cell(row, names) for row in rows] for name, names in COLUMNS.items()}, dtype="str"
    )
    frame = frame.replace({"": pd.NA})
    frame["date_received"] = _dates(frame["date_received"], path)
    return frame


def list_device_reports(reports: pd.DataFrame) -> pd.DataFrame:
    """Number of reports by event and product: `event_type brand_name n_reports`.

    Reports are not occurrences and have no denominator (`NO_RATE`).
    """
    found = reports.fillna({"event_type": "not given", "brand_name": "not given"})
    counted = found.groupby(["event_type", "brand_name"])["report_number"].nunique()
    listed = counted.rename("n_reports").reset_index()
    order = ["event_type", "n_reports", "brand_name"]
    return listed.sort_values(order, ascending=[True, False, True], ignore_index=True)


def _from_flat(text: str) -> list[dict[str, Any]]:
    header = text.partition("\n")[0]
    separator = max(",|", key=header.count)
    lines = text.replace('"""', '"') if '"""' in text else text
    return [
        {str(key).strip().lower(): (value or "").strip() for key, value in row.items() if key}
        for row in csv.DictReader(io.StringIO(lines), delimiter=separator)
    ]


def _from_json(text: str, path: str | Path) -> list[dict[str, Any]]:
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}: {error.msg}"
        raise _refuse(path, place, "JSON with a list of reports") from None
    reports = found.get("results") if isinstance(found, dict) else found
    if not isinstance(reports, list) or not all(isinstance(row, dict) for row in reports):
        raise _refuse(path, "no list of reports", "a list, or an object with results")
    rows = []
    for report in reports:
        outcomes = [w for p in report.get("patient") or [] for w in _listed(p)]
        for device in report.get("device") or [{}]:
            inside = {key: value for key, value in device.items() if not isinstance(value, dict)}
            rows.append({**inside, **report, "patient_outcome": "; ".join(outcomes)} | inside)
    return rows


def _listed(patient: dict[str, Any]) -> list[str]:
    words = patient.get("sequence_number_outcome") or []
    return [str(word) for word in (words if isinstance(words, list) else [words])]


def _has(row: dict[str, Any], name: str) -> bool:
    return name in row


def _cell(row: dict[str, Any], names: tuple[str, ...]) -> str:
    values = (row.get(name) for name in names)
    return next((str(value).strip() for value in values if value not in (None, "")), "")


def _dates(written: pd.Series, path: str | Path) -> pd.Series:
    dates = pd.Series(pd.NaT, index=written.index, dtype="datetime64[ns]")
    for form in ("%Y%m%d", "%Y-%m-%d", "%m/%d/%Y"):
        dates = dates.fillna(pd.to_datetime(written, format=form, errors="coerce"))
    wrong = dates.isna() & written.notna()
    if wrong.any():
        found = f"{wrong.sum()} dates such as {written[wrong].iloc[0]!r} in date_received"
        raise _refuse(path, found, "YYYYMMDD, YYYY-MM-DD or MM/DD/YYYY")
    return dates


def _refuse(path: str | Path, found: str, allowed: str) -> LoadError:
    problem = Problem(Path(path).name, found, allowed)
    return LoadError(str(path), [problem], "save the reports as downloaded and try again")
