"""DataFrames in, Arrow tables with the declared columns and types out; what does not fit is said."""

from numbers import Number
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

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
_INFERRED = ("text", "bool")  # types whose values are looked at one by one
_EXACT = 2.0**53  # from here on a float no longer tells neighbouring whole numbers apart


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
        if not isinstance(values, pa.Array | pa.ChunkedArray):
            values = pa.array(values, type=ARROW[column.type], from_pandas=True)
        columns[column.name] = values
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
    if (ready := _already(series, column)) is not None:
        return ready, np.zeros(len(series), dtype=bool)
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
        stated = series.where(~(absent | _are_numbers(series)))
        days = pd.to_datetime(stated, errors="coerce", format="ISO8601")
        return days.dt.date.to_numpy(dtype=object), ~absent & days.isna().to_numpy()
    numbers = pd.to_numeric(series.where(~absent), errors="coerce").to_numpy(
        dtype=float, na_value=np.nan
    )
    bad = ~absent & ~np.isfinite(numbers)
    if column.type == "int":
        bad |= ~absent & (numbers != np.floor(numbers))
    values = np.where(bad, np.nan, numbers)
    return (pd.array(values, dtype="Int64") if column.type == "int" else values), bad


def _are_numbers(series: pd.Series) -> np.ndarray:
    """True for cells that hold a number, which says no date: nobody knows what it counts, or whence."""
    if series.dtype != object:
        return np.full(len(series), pd.api.types.is_numeric_dtype(series.dtype))
    return series.map(lambda cell: isinstance(cell, Number)).to_numpy(dtype=bool)


def _already(series: pd.Series, column: Column) -> pa.Array | pa.ChunkedArray | None:
    """The column as it is, where every value has the declared type; None where it must be looked at."""
    dtype = series.dtype
    kind = pd.api.types.infer_dtype(series, skipna=True) if column.type in _INFERRED else ""
    if column.type == "text" and kind == "string":
        words = pa.array(series.to_numpy(dtype=object), type=pa.string(), from_pandas=True)
        empty = pc.equal(words, "")
        return pc.if_else(empty, None, words) if pc.any(empty).as_py() else words
    if column.type == "bool" and kind == "boolean":
        return pa.array(series, type=pa.bool_(), from_pandas=True)
    if column.type not in ("int", "float"):
        return None
    if isinstance(dtype, pd.Int64Dtype):
        return pa.array(series, type=pa.int64()).cast(ARROW[column.type], safe=False)
    if not isinstance(dtype, np.dtype) or dtype.kind not in "if":
        return None
    numbers = series.to_numpy()
    if dtype.kind == "i":
        return pa.array(numbers.astype(np.int64 if column.type == "int" else np.float64))
    absent = np.isnan(numbers)
    if column.type == "float":
        fits = absent | np.isfinite(numbers)
        return pa.array(numbers.astype(np.float64), mask=absent) if fits.all() else None
    whole = np.where(absent, 0.0, numbers)
    if not ((np.abs(whole) < _EXACT) & (whole == np.floor(whole))).all():
        return None
    return pa.array(whole.astype(np.int64), mask=absent)


def _as_text(value: Any) -> Any:
    """Ids that pandas turned into floats (`17.0`) keep their written form."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _as_is(series: pd.Series) -> pa.Array:
    try:
        return pa.array(series, from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError):  # mixed Python objects have no type of their own
        return pa.array(series.astype("string"), from_pandas=True)
