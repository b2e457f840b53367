"""Sheets for statistical packages: short names, numeric codes with value labels, typed dates."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, Final

import pandas as pd

from vertebro_outcomes.simulate.exports.layout import ExportTable, Spelling
from vertebro_outcomes.simulate.exports.sheets import Words
from vertebro_outcomes.tables.cohort_tables import TABLES
from vertebro_outcomes.tables.event_types import DETECTION, EVENT_TYPES, LEAKAGE_SITES

HEADERS: Final = {
    ("", "patient_id"): "patnr", ("", "episode_id"): "epi", ("", "age_years"): "age",
    ("", "bmd_t_score"): "tscore", ("", "steroid_use"): "steroid", ("", "charlson"): "cci",
    ("", "prior_fractures"): "priorfx", ("", "osteoporosis_drug"): "opdrug",
    ("", "death_date"): "dod", ("", "treatment"): "treat", ("", "fracture_date"): "fxdate",
    ("", "presentation_date"): "presdate", ("", "treatment_date"): "opdate",
    ("", "enrolment_date"): "incldate", ("", "fracture_age_days"): "fxage",
    ("", "n_levels"): "nlevels", ("", "cement_ml"): "cement",
    ("", "followup_end_date"): "lastdate", ("", "leakage_detected_by"): "leakhow",
    ("", "height_loss_pct"): "hloss", ("", "kyphosis_pre_deg"): "kypre",
    ("", "kyphosis_post_deg"): "kypost", ("scores", "date"): "vdate", ("events", "date"): "evdate",
    ("fractures", "date"): "newfx", ("", "type"): "event", ("", "detected_by"): "seenby",
    ("", "pain_vas"): "vas", ("", "pain_nrs"): "nrs",
}  # fmt: skip
TRUTH: Final = {1: "no", 2: "yes"}


def _numbered(words: Any, first: int = 1) -> dict[str, int]:
    return {word: code for code, word in enumerate(words, start=first)}


def _codes_of(table: str, column: str) -> dict[str, int]:
    return _numbered(TABLES[table][column].codes)


CODES: Final[dict[str, dict[str, int]]] = {
    "sex": _codes_of("patients", "sex"),
    "etiology": _codes_of("patients", "etiology"),
    "treatment": _codes_of("episodes", "treatment"),
    "day0": _codes_of("episodes", "day0"),
    "approach": _codes_of("episodes", "approach"),
    "leakage": _numbered(LEAKAGE_SITES, 0),
    "leakage_detected_by": _numbered(DETECTION),
    "detected_by": _numbered(DETECTION),
    "severity": _codes_of("events", "severity"),
    "type": _numbered(EVENT_TYPES),
}


def typed_cells(values: pd.Series, column: str) -> pd.Series:
    """Floats, dates or text; blank is None. A score keeps its letter or code of absence."""
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        made = values.dt.date
    elif pd.api.types.is_bool_dtype(values.dtype) or pd.api.types.is_numeric_dtype(values.dtype):
        made = values.astype("Float64")
    elif column == "score" or column in CODES:
        made = values.map(lambda v: float(v) if isinstance(v, int | float) else v)
    else:
        made = values
    return made.astype(object).where(values.notna(), None)


SPELLING: Final = Spelling(
    date=lambda when: when.date(), number=float, impossible_date=date(2205, 1, 1)
)


def coded_words(suffix: str, absent: Mapping[str, Any]) -> Words:
    """One file per table."""
    return Words(
        source=lambda table: f"{table}{suffix}",
        headers=HEADERS,
        codes=CODES,  # type: ignore[arg-type]  # numbers, not texts, are written
        absent=absent,
        cells=typed_cells,
        first_line=1,
    )


def value_labels(table: ExportTable) -> dict[str, dict[Any, str]]:
    """Header -> code -> label, for the coded columns of a table."""
    named = {HEADERS.get(("", column), column): words for column, words in CODES.items()}
    return {
        header: {float(code): word for word, code in named[header].items()}
        for header in table.cells.columns
        if header in named
    }


def for_writer(table: ExportTable) -> pd.DataFrame:
    """Columns typed as the writer needs them: numbers as float64 where nothing else is in them."""
    made = {}
    for name, values in table.cells.items():
        plain = values.astype(object).where(values.notna(), None)
        numeric = plain.map(lambda v: v is None or isinstance(v, int | float)).all()
        if numeric:
            made[name] = pd.Series([float("nan") if v is None else float(v) for v in plain])
        else:
            made[name] = plain
    return pd.DataFrame(made)


def pinned(path: Path, stamp: bytes, at: int) -> None:
    """Overwrite the clock time that the writer put into a file."""
    content = path.read_bytes()
    path.write_bytes(content[:at] + stamp + content[at + len(stamp) :])
