"""An export before it is written: tables of cells, what its mapping says, where errors can be put."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pandas as pd

from vertebro_outcomes.simulate.exports.calendar import Frames

MARK_TEXT: Final = "SYNTHETIC. Made by a simulation; no person stands behind any row."
MARK_COLUMN: Final = "synthetic"
# What no export holds, and why; everything else comes back cell by cell.
NOT_CARRIED: Final = {
    ("scores", "value_raw"): "the reader fills in what it found: in an export, the value itself",
    ("scores", "scale_raw"): "the reader fills in the scale that the export is declared on",
    ("absences", "reason"): "only scores say why they are blank",
    ("episodes", "followup_end_day"): "where blank, the reader takes death or the last record",
    ("episodes", "index_year"): "where blank, the reader finds that of the invented calendar",
}


@dataclass(frozen=True)
class ExportTable:
    """Cells as they will be written; `first_line` is the line a reader gives the first row."""

    source: str
    cells: pd.DataFrame
    first_line: int = 2


@dataclass(frozen=True)
class Place:
    """Where a canonical column stands: a table, its column, the rows that are meant.

    `decimal` is the mark of this column where it differs from that of the export.
    """

    table: str
    column: str
    where: Mapping[str, str] = field(default_factory=dict)
    decimal: str = ""


@dataclass(frozen=True)
class Spelling:
    """How a format writes a date and a number, and the date that cannot be."""

    date: Callable[[pd.Timestamp], Any]
    number: Callable[[float], Any]
    impossible_date: Any


@dataclass(frozen=True)
class Layout:
    """Tables by key, the mapping beside them, and where each canonical column is found.

    `patient` names the column of the patient in each table; `places` are keyed by canonical table
    and column, for scores by instrument.
    """

    tables: dict[str, ExportTable]
    mapping: Mapping[str, Any]
    patient: Mapping[str, str]
    places: Mapping[tuple[str, str], Place]
    spelling: Spelling
    extra: Mapping[str, str] = field(
        default_factory=dict
    )  # file name -> text, such as a dictionary


@dataclass(frozen=True)
class ExportFormat:
    """One way of writing a registry."""

    name: str
    meaning: str
    layout: Callable[[Frames], Layout]
    write: Callable[[Layout, Path], None]


def text_cells(
    values: pd.Series, *, decimal: str = ".", dates: str = "%Y-%m-%d", truth: tuple[str, str]
) -> pd.Series:
    """Typed values as the text of a delimited file; blank is None."""
    kind = values.dtype
    if pd.api.types.is_datetime64_any_dtype(kind):
        made = values.dt.strftime(dates)
    elif pd.api.types.is_bool_dtype(kind):
        made = values.map({True: truth[0], False: truth[1]})
    elif pd.api.types.is_integer_dtype(kind):
        made = values.map(lambda v: None if pd.isna(v) else str(int(v)))
    elif pd.api.types.is_float_dtype(kind):
        made = values.map(lambda v: None if pd.isna(v) else number_text(v, decimal))
    else:
        made = values
    return made.astype(object).where(values.notna(), None)


def number_text(value: float, decimal: str = ".") -> str:
    """The shortest text that reads back as the same number."""
    text = str(int(value)) if float(value).is_integer() else repr(float(value))
    return text.replace(".", decimal)
