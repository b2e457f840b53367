"""An Excel workbook: one sheet per table, merged title rows, dates as cells and as serial numbers."""

import io
import re
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pandas as pd

from vertebro_outcomes.simulate.exports.calendar import Frames
from vertebro_outcomes.simulate.exports.layout import MARK_TEXT, ExportFormat, Layout, Spelling
from vertebro_outcomes.simulate.exports.sheets import Words, sheet_layout

BOOK: Final = "registry.xlsx"
TITLE_ROWS: Final = 2
_SHEETS: Final = {
    "patients": "Patients", "episodes": "Treatments", "levels": "Levels", "scores": "Visits",
    "events": "Complications", "fractures": "New fractures",
}  # fmt: skip
_HEADERS: Final = {
    ("", "patient_id"): "Patient ID", ("", "episode_id"): "Case No", ("", "site"): "Hospital",
    ("", "sex"): "Sex", ("", "age_years"): "Age (years)", ("", "bmi"): "BMI (kg/m2)",
    ("", "bmd_t_score"): "BMD T-score", ("", "death_date"): "Date of death",
    ("", "treatment"): "Treatment", ("", "fracture_date"): "Fracture date",
    ("", "presentation_date"): "Presentation date", ("", "treatment_date"): "Procedure date",
    ("", "followup_end_date"): "Last contact", ("", "cement_ml"): "Cement (ml)",
    ("", "level"): "Level", ("", "leakage"): "Leakage", ("scores", "date"): "Visit date",
    ("fractures", "date"): "New fracture date", ("events", "date"): "Date of complication",
    ("", "type"): "Complication", ("", "pain_vas"): "Pain VAS (0-10)", ("", "odi"): "ODI (%)",
}  # fmt: skip
_CODES: Final = {
    "treatment": {"VP": "vertebroplasty", "KP": "kyphoplasty", "NSM": "conservative"},
    "sex": {"female": "F", "male": "M", "other": "X"},
}
_ABSENT: Final = {
    "missing": "missed", "not_asked": "not asked", "not_applicable": "n. appl.", "dead": "died",
}  # fmt: skip
_EPOCH: Final = pd.Timestamp("1899-12-30")
_PINNED: Final = "2020-01-01T00:00:00Z"
_ZIP_DATE: Final = (1980, 1, 1, 0, 0, 0)


def _cells(values: pd.Series, column: str) -> pd.Series:
    kind = values.dtype
    if pd.api.types.is_datetime64_any_dtype(kind):
        if column == "date":  # formatted as a number: the reader sees the serial
            made = (values - _EPOCH).dt.days.astype("Int64")
        else:
            made = values.map(lambda when: when.to_pydatetime(), na_action="ignore")
    elif pd.api.types.is_bool_dtype(kind):
        made = values.map({True: "yes", False: "no"})
    else:
        made = values
    made = made.astype(object).where(values.notna(), None)
    return made.map(_plain, na_action="ignore")


def _plain(value: Any) -> Any:
    """Numbers as Python's own: a workbook stores 12.0 as 12."""
    if isinstance(value, str | datetime) or value is None:
        return value
    return int(value) if float(value).is_integer() else float(value)


WORDS: Final = Words(
    source=lambda table: f"{BOOK}[{_SHEETS[table]}]",
    headers=_HEADERS,
    codes=_CODES,
    absent=_ABSENT,
    cells=_cells,
    first_line=TITLE_ROWS + 2,
    entries={("", "date"): {"dates": "excel"}},
)
_SPELLING: Final = Spelling(
    date=lambda when: when.to_pydatetime(), number=_plain, impossible_date="31.02.2016"
)


def _layout(frames: Frames) -> Layout:
    return sheet_layout(frames, WORDS, _SPELLING)


def _write(layout: Layout, folder: Path) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    del book["Sheet"]
    for name, table in layout.tables.items():
        sheet = book.create_sheet(_SHEETS[name])
        sheet.append([f"Registry of vertebral fractures: {_SHEETS[name]}"])
        sheet.append([MARK_TEXT])
        for row in range(1, TITLE_ROWS + 1):
            sheet.merge_cells(start_row=row, start_column=1, end_row=row, end_column=3)
        sheet.append(list(table.cells.columns))
        cells = table.cells.astype(object)
        for line in cells.where(cells.notna(), None).to_numpy():
            sheet.append(line.tolist())
        for cell in (cell for row in sheet.iter_rows() for cell in row if cell.data_type == "f"):
            cell.data_type = "s"  # text that begins with "=" stays text
    book.properties.title = MARK_TEXT
    content = io.BytesIO()
    book.save(content)
    (folder / BOOK).write_bytes(pinned_workbook(content.getvalue()))


def pinned_workbook(content: bytes) -> bytes:
    """The same workbook without the times at which it was made."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "docProps/core.xml":
                stamp = rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*"
                data = re.sub(stamp, rb"\g<1>" + _PINNED.encode(), data)
            entry = zipfile.ZipInfo(name, _ZIP_DATE)
            entry.create_system = 0
            new.writestr(entry, data, zipfile.ZIP_DEFLATED, 9)
    return made.getvalue()


EXPORT = ExportFormat(
    "excel", "Excel: several sheets, title rows, dates as cells and as numbers", _layout, _write
)
