"""Semicolons, decimal commas, day-first dates, Latin-1: a German spreadsheet export."""

from pathlib import Path
from typing import Final

import pandas as pd

from vertebro_outcomes.simulate.exports.calendar import Frames
from vertebro_outcomes.simulate.exports.layout import (
    ExportFormat,
    Layout,
    Spelling,
    number_text,
    text_cells,
)
from vertebro_outcomes.simulate.exports.sheets import Words, sheet_layout

DATES: Final = "%d.%m.%Y"
_FILES: Final = {
    "patients": "patienten.csv",
    "episodes": "behandlungen.csv",
    "levels": "wirbel.csv",
    "scores": "besuche.csv",
    "events": "komplikationen.csv",
    "fractures": "folgefrakturen.csv",
}
_HEADERS: Final = {
    ("", "patient_id"): "PatNr", ("", "episode_id"): "Fall", ("", "site"): "Klinik",
    ("", "sex"): "Geschlecht", ("", "age_years"): "Alter", ("", "bmi"): "BMI",
    ("", "bmd_t_score"): "T-Score", ("", "steroid_use"): "Kortison", ("", "smoker"): "Raucher",
    ("", "charlson"): "Charlson", ("", "prior_fractures"): "Vorfrakturen",
    ("", "osteoporosis_drug"): "Osteoporosemedikation", ("", "etiology"): "Ätiologie",
    ("", "death_date"): "Todesdatum", ("", "treatment"): "Maßnahme", ("", "day0"): "Tag 0",
    ("", "fracture_date"): "Frakturdatum", ("", "presentation_date"): "Aufnahmedatum",
    ("", "treatment_date"): "OP-Datum", ("", "enrolment_date"): "Einschlussdatum",
    ("", "fracture_age_days"): "Frakturalter", ("", "inpatient"): "stationär",
    ("", "n_levels"): "Anzahl Höhen", ("", "cement_ml"): "Zement (ml)", ("", "approach"): "Zugang",
    ("", "followup_end_date"): "Letzter Kontakt", ("", "level"): "Höhe",
    ("", "treated"): "behandelt", ("", "leakage"): "Zementaustritt",
    ("", "leakage_detected_by"): "Bildgebung", ("", "height_loss_pct"): "Höhenverlust (%)",
    ("", "kyphosis_pre_deg"): "Kyphose prä", ("", "kyphosis_post_deg"): "Kyphose post",
    ("", "cleft"): "Spalt", ("", "date"): "Datum", ("", "type"): "Komplikation",
    ("", "severity"): "Schweregrad", ("", "symptomatic"): "symptomatisch",
    ("", "related"): "Zusammenhang", ("", "detected_by"): "Nachweis", ("", "adjacent"): "benachbart",
    ("", "pain_vas"): "VAS", ("", "pain_nrs"): "NRS", ("", "odi"): "ODI", ("", "rmdq"): "RMDQ",
    ("", "eq5d"): "EQ-5D", ("", "synthetic"): "synthetic",
}  # fmt: skip
_CODES: Final = {
    "sex": {"female": "w", "male": "m", "other": "d"},
    "treatment": {"VP": "Vertebroplastie", "KP": "Kyphoplastie", "NSM": "konservativ"},
    "etiology": {
        "osteoporotic": "osteoporotisch", "malignant": "maligne", "traumatic": "traumatisch",
    },
    "leakage": {"none": "keiner", "disc": "Bandscheibe", "venous": "Vene"},
    "leakage_detected_by": {"fluoroscopy": "Durchleuchtung", "radiograph": "Röntgen"},
    "detected_by": {
        "clinical": "klinisch", "fluoroscopy": "Durchleuchtung", "radiograph": "Röntgen",
    },
}  # fmt: skip
_ABSENT: Final = {
    "missing": "fehlt", "not_asked": "n.gefragt", "not_applicable": "entfällt", "dead": "tot",
}  # fmt: skip


def _cells(values: pd.Series, column: str) -> pd.Series:
    if column == "score":
        return values.map(
            lambda v: v if isinstance(v, str) else None if pd.isna(v) else number_text(v, ",")
        )
    return text_cells(values, decimal=",", dates=DATES, truth=("ja", "nein"))


WORDS: Final = Words(
    source=lambda table: _FILES[table],
    headers=_HEADERS,
    codes=_CODES,
    absent=_ABSENT,
    cells=_cells,
    options={"dates": "day_first", "decimal": ","},
)
_SPELLING: Final = Spelling(
    date=lambda when: when.strftime(DATES),
    number=lambda value: number_text(value, ","),
    impossible_date="31.02.2016",
)


def _layout(frames: Frames) -> Layout:
    return sheet_layout(frames, WORDS, _SPELLING)


def _write(layout: Layout, folder: Path) -> None:
    for table in layout.tables.values():
        table.cells.to_csv(
            folder / table.source, sep=";", index=False, encoding="cp1252", lineterminator="\r\n"
        )


EXPORT = ExportFormat("csv", "semicolon CSV: decimal comma, day first, Latin-1", _layout, _write)
