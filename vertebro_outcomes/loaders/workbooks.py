"""Excel workbooks, SAS, Stata and SPSS files, Parquet: every cell as text, labels kept beside."""

import math
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Final

import pandas as pd

from vertebro_outcomes.errors import LoadError, Problem
from vertebro_outcomes.loaders.delimited import is_group_heading, source_from_table
from vertebro_outcomes.loaders.limits import check_archive, rows_within_limits
from vertebro_outcomes.loaders.merged_cells import Merged, fill_down, merged_down
from vertebro_outcomes.loaders.sources import LINE, Source, source_from_rows
from vertebro_outcomes.tables.engine import count, open_parquet, store

PERCENT_DECIMALS: Final = 10  # 100 * 0.07 is not quite 7


def read_workbook(engine: Any, path: Path) -> list[Source]:
    """Every sheet that is shown and has two rows; merged title rows above the header are left out."""
    sources = []
    found, hidden = _sheets(path)
    unread = tuple(
        f"{path.name}[{title}]: a hidden sheet is not read; show it if it belongs to the data"
        for title in hidden
    )
    for title, rows, merged in found:
        while rows and not any(rows[-1][1]):
            rows.pop()
        filled = [sum(bool(cell) for cell in row) for _, row in rows]
        usual = sorted(filled)[len(filled) // 2] if filled else 0
        top = next((i for i, n in enumerate(filled[:20]) if n >= max(2, usual / 2)), 0)
        top += is_group_heading([row for _, row in rows], top)
        if len(rows) > top:
            name = f"{path.name}[{title}]"
            done = fill_down(rows, merged, top=top)
            source = source_from_table(engine, name, rows, title_rows=top)
            notes = tuple(
                f"{name}: what is merged over rows of {source.columns[column]!r} {said}"
                for column, said in sorted(done.items())
                if column < len(source.columns)
            )
            sources.append(replace(source, notes=(*unread, *notes)))
            unread = ()
    return sources


def _sheets(
    path: Path,
) -> tuple[list[tuple[str, list[tuple[int, list[str]]], list[Merged]]], list[str]]:
    """Title, numbered rows and merged cells of each sheet that is shown, and the titles of the others.

    Macros and links are not followed.
    """
    import openpyxl

    found, hidden = [], []
    try:
        check_archive(path)
        with path.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
            for sheet in book.worksheets:
                if sheet.sheet_state != "visible":
                    hidden.append(sheet.title)
                    continue
                sheet.reset_dimensions()  # the size that a file states may be wrong
                cells = rows_within_limits(path, sheet.iter_rows())
                rows = [
                    (line, [_as_shown(cell) or "" for cell in row])
                    for line, row in enumerate(cells, start=1)
                ]
                merged = merged_down(path, getattr(sheet, "_worksheet_path", ""))
                found.append((sheet.title, rows, merged))
    except LoadError:
        raise
    except Exception as error:  # whatever a foreign reader makes of a damaged file
        raise _unreadable(path, error, "save it again as .xlsx") from None
    return found, hidden


def _as_shown(cell: Any) -> str | None:
    """The text of a cell: what is shown as 44 % is stored as 0.44."""
    value = cell.value
    if isinstance(value, int | float) and not isinstance(value, bool) and "%" in cell.number_format:
        return f"{cell_text(round(100 * float(value), PERCENT_DECIMALS))}%"
    return cell_text(value)


def cell_text(value: Any) -> str | None:
    """A typed cell as text: whole numbers without a point, dates as YYYY-MM-DD."""
    if value is None or value is pd.NaT or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ")
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    return str(value).strip() or None


def read_statistical(engine: Any, path: Path) -> Source:
    """SAS, Stata or SPSS: coded values as codes, value labels beside, user missings as text."""
    reader, options = _readers()[path.suffix.lower()]
    try:
        try:
            frame, meta = reader(str(path), **options)
        except UnicodeDecodeError:
            frame, meta = reader(str(path), encoding="latin-1", **options)
    except Exception as error:  # whatever a foreign reader makes of a damaged file
        raise _unreadable(path, error, "export the file again") from None
    columns = [[cell_text(value) for value in frame[name].tolist()] for name in frame.columns]
    rows = list(zip(*columns, strict=True)) if columns else []
    labels = dict(zip(meta.column_names, meta.column_labels or (), strict=False))
    codes = {
        column: {str(cell_text(code)): str(label) for code, label in values.items()}
        for column, values in (meta.variable_value_labels or {}).items()
    }
    notes = [f"{path.name}: {said}" for said in _said_about(path, meta, codes)]
    return source_from_rows(
        engine,
        path.name,
        header=list(frame.columns),
        rows=rows,
        lines=list(range(1, len(rows) + 1)),
        labels={name: label for name, label in labels.items() if label},
        codes=codes,
        notes=tuple(notes),
        absent=_declared_missing(frame, columns, meta),
    )


def _said_about(path: Path, meta: Any, codes: Mapping[str, Any]) -> Iterator[str]:
    if path.suffix.lower() in (".sas7bdat", ".xpt") and not codes:
        yield "value labels live in a catalogue file that is not here"
    for name, found in (getattr(meta, "mr_sets", None) or {}).items():
        members = ", ".join(found["variable_list"])
        yield f"multiple-response set {name} is read as its columns {members}"


def _declared_missing(
    frame: Any, columns: Sequence[Sequence[str | None]], meta: Any
) -> dict[str, frozenset[str]]:
    """Stata's letters, and what falls into the missing ranges that SPSS declares."""
    letters = meta.missing_user_values or {}
    ranges = meta.missing_ranges or {}
    found = {}
    for title, cells, raw in zip(
        frame.columns, columns, (frame[name].tolist() for name in frame.columns), strict=True
    ):
        known = {str(letter) for letter in letters.get(title, ())}
        for limits in ranges.get(title, ()):
            known |= {
                text
                for text, value in zip(cells, raw, strict=True)
                if text is not None and _within(value, limits["lo"], limits["hi"])
            }
        if known:
            found[title] = frozenset(known)
    return found


def _within(value: Any, low: Any, high: Any) -> bool:
    if isinstance(value, str) or isinstance(low, str):
        return str(value).strip() in (str(low).strip(), str(high).strip())
    return not isinstance(value, date) and bool(low <= value <= high)


def _readers() -> Mapping[str, tuple[Callable[..., Any], dict[str, Any]]]:
    import pyreadstat

    return {
        ".sas7bdat": (pyreadstat.read_sas7bdat, {}),
        ".xpt": (pyreadstat.read_xport, {}),
        ".dta": (pyreadstat.read_dta, {"user_missing": True}),
        ".sav": (pyreadstat.read_sav, {"user_missing": True}),
        ".zsav": (pyreadstat.read_sav, {"user_missing": True}),
        ".por": (pyreadstat.read_por, {}),
    }


def read_parquet(engine: Any, path: Path) -> Source:
    """A Parquet file; numbers and dates become text, row numbers stand for lines."""
    import ibis

    try:
        data = open_parquet(engine, path)
    except Exception as error:
        raise _unreadable(path, error, "write the Parquet file again") from None
    cells = {}
    for title in data.columns:
        kind = data[title].type()
        if kind.is_timestamp():
            cells[title] = data[title].strftime("%Y-%m-%d")
        elif kind.is_nested() or kind.is_binary():
            continue
        elif kind.is_floating():
            whole = data[title] == data[title].floor()
            small = data[title].abs() < 2.0**53
            as_int = data[title].try_cast("int64").cast("string")
            cells[title] = ibis.ifelse(whole & small, as_int, data[title].cast("string"))
        else:
            cells[title] = data[title].cast("string").strip()
    text = data.select(
        ibis.row_number().cast("int64").name(LINE),
        **{title: cell.nullif("") for title, cell in cells.items()},
    )
    try:
        text = store(engine, "source", text.mutate(**{LINE: text[LINE] + 1}))
    except Exception as error:  # pages are looked at only now
        raise _unreadable(path, error, "write the Parquet file again") from None
    return Source(path.name, text, count(text))


def _unreadable(path: Path, error: Exception, next_step: str) -> LoadError:
    """The library's own words may quote a cell; its kind of error says what matters."""
    said = f"damaged, or not what its ending says ({type(error).__name__})"
    return LoadError(path.name, [Problem(path.name, said, "a readable file")], next_step)


STATISTICAL: Final = (".sas7bdat", ".xpt", ".dta", ".sav", ".zsav", ".por")
WORKBOOKS: Final = (".xlsx", ".xlsm")
DELIMITED: Final = (".csv", ".tsv", ".txt", ".tab", ".psv", ".dat")
