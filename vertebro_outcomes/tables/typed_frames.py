"""DataFrames in, Arrow tables with the declared columns and types out; what does not fit is said."""

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from vertebro_outcomes.errors import Problem
from vertebro_outcomes.tables.schema import Column, Table, where
from vertebro_outcomes.tables.shown_cells import shown_cell

ARROW: dict[str, pa.DataType] = {
    "text": pa.string(),
    "int": pa.int64(),
    "float": pa.float64(),
    "bool": pa.bool_(),
    "date": pa.date32(),
}
_TRUTH = {"true": True, "false": False, "1": True, "0": False, "1.0": True, "0.0": False}
_TRUTH |= {"yes": True, "no": False}


def to_arrow(frame: pd.DataFrame, table: Table, *, name: str) -> tuple[pa.Table, list[Problem]]:
    """The declared columns of `table` in their order, then any further columns of `frame`.

    A declared column that is absent becomes a column of missing values; a value that cannot have
    the declared type becomes missing and a Problem.
    """
    problems: list[Problem] = []
    columns: dict[str, pa.Array] = {}
    for column in table.columns:
        if column.name not in frame.columns:
            columns[column.name] = pa.nulls(len(frame), ARROW[column.type])
            continue
        values, bad = _typed(frame[column.name], column)
        columns[column.name] = pa.array(values, type=ARROW[column.type], from_pandas=True)
        if bad.any():
            rows = (np.flatnonzero(bad) + 1).tolist()
            problems.append(
                Problem(_rows(name, rows, column), _first(frame, column, bad), column.allowed)
            )
    for extra in frame.columns:
        if extra not in table.names:
            columns[str(extra)] = _as_is(frame[extra])
    return pa.table(columns), problems


def to_pandas(arrow: pa.Table, *tables: Table) -> pd.DataFrame:
    """Whole numbers as Int64, truth as boolean, dates as datetime64, the rest float64 and text."""
    wanted = {"text": "object", "int": "Int64", "float": "float64", "bool": "boolean"}
    frame = arrow.to_pandas(
        types_mapper={pa.int64(): pd.Int64Dtype(), pa.bool_(): pd.BooleanDtype()}.get,
        date_as_object=False,
    )
    for column in (column for table in tables for column in table.columns):
        if column.name in frame.columns:
            kind = wanted.get(column.type, "datetime64[ns]")
            frame[column.name] = frame[column.name].astype(kind)
    return frame


def _rows(name: str, rows: list[int], column: Column) -> str:
    return where(name, rows, column.name).replace("line", "row", 1)


def _first(frame: pd.DataFrame, column: Column, bad: np.ndarray) -> str:
    if column.private:
        return "a value (not shown)"
    return repr(shown_cell(frame[column.name].to_numpy()[bad][0], words=column.codes))


def _typed(series: pd.Series, column: Column) -> tuple[Any, np.ndarray]:
    if column.type == "text" and pd.api.types.infer_dtype(series, skipna=True) == "string":
        words = series.to_numpy(dtype=object, copy=True)
        blank = pd.isna(words)
        words[blank] = None
        words[words == ""] = None
        return words, np.zeros(len(words), dtype=bool)
    absent = series.isna().to_numpy(dtype=bool)
    if not pd.api.types.is_numeric_dtype(series.dtype):
        absent |= (series.astype("string") == "").fillna(False).to_numpy(dtype=bool)
    if column.type == "text":
        return np.where(absent, None, series.map(_as_text).to_numpy(dtype=object)), absent & False
    if column.type == "bool":
        text = series.astype("string").str.strip().str.lower()
        values = text.map(_TRUTH).to_numpy(dtype=object, na_value=None)
        return values, ~absent & pd.isna(values)
    if column.type == "date":
        days = pd.to_datetime(series.where(~absent), errors="coerce", format="ISO8601")
        return days.dt.date.to_numpy(dtype=object), ~absent & days.isna().to_numpy()
    numbers = pd.to_numeric(series.where(~absent), errors="coerce").to_numpy(
        dtype=float, na_value=np.nan
    )
    bad = ~absent & ~np.isfinite(numbers)
    if column.type == "int":
        bad |= ~absent & (numbers != np.floor(numbers))
    values = np.where(bad, np.nan, numbers)
    return (pd.array(values, dtype="Int64") if column.type == "int" else values), bad


def _as_text(value: Any) -> Any:
    """Ids that pandas turned into floats (`17.0`) keep their written form."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _as_is(series: pd.Series) -> pa.Array:
    try:
        return pa.array(series, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError):  # mixed Python objects have no type of their own
        return pa.array(series.astype("string"), from_pandas=True)
