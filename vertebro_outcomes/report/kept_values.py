"""Results as JSON and back, for the next run; what does not come back exactly is not kept."""

import json
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from importlib import import_module
from typing import Any, Final

import numpy as np
import pandas as pd

_PLAIN: Final = (bool, int, float, str)
# Kinds of columns that their cells alone tell.
_COLUMNS: Final = frozenset({"object", "bool", "int64", "float64", "Int64", "Float64", "boolean"})
_PACKAGE: Final = __name__.partition(".")[0]
_NAMES: Final = {str(missing): missing for missing in (pd.NA, pd.NaT)}


class _NotKeptError(Exception):
    """A kind of value that has no form here."""


def kept_json(value: Any) -> bytes | None:
    """The value as JSON, None if it could not be read back as it is.

    Parameters
    ----------
    value : object
        Made of records of this package, tables, arrays, mappings, sequences, numbers, words.

    Returns
    -------
    bytes or None
        For `kept_value`.
    """
    try:
        text = json.dumps(_form(value), ensure_ascii=False)
        again = json.dumps(_form(kept_value(text.encode())), ensure_ascii=False)
    except (_NotKeptError, TypeError, ValueError):
        return None
    return text.encode() if again == text else None


def kept_value(text: bytes) -> Any:
    """What `kept_json` was given."""
    return _value(json.loads(text))


def _form(value: Any) -> Any:
    if value is None or type(value) in _PLAIN:
        return value
    if value is pd.NA or value is pd.NaT:
        return {"nothing": str(value)}
    if isinstance(value, np.generic):
        return {"scalar": value.dtype.str, "value": _form(value.item())}
    for kind in (list, tuple):
        if type(value) is kind:
            return {kind.__name__: [_form(item) for item in value]}
    if type(value) is dict:
        return {"dict": [[_form(key), _form(item)] for key, item in value.items()]}
    if type(value) is np.ndarray:
        cells = [_form(cell) for cell in value.ravel().tolist()]
        return {"array": value.dtype.str, "shape": list(value.shape), "cells": cells}
    if type(value) is pd.DataFrame:
        return _frame_form(value)
    if is_dataclass(value) and not isinstance(value, type):
        return _record_form(value)
    raise _NotKeptError(type(value).__name__)


def _frame_form(frame: pd.DataFrame) -> dict[str, Any]:
    columns = [
        [str(frame.dtypes.iloc[at]), _form(frame.iloc[:, at].tolist())]
        for at in range(frame.shape[1])
    ]
    if not {dtype for dtype, _ in columns} <= _COLUMNS:
        raise _NotKeptError("a column of another kind")
    index = frame.index
    if type(index) is pd.RangeIndex:
        rows: Any = {"range": [index.start, index.stop, index.step]}
    elif type(index) is pd.Index:
        rows = {"labels": _form(index.tolist()), "dtype": str(index.dtype)}
    else:
        raise _NotKeptError(type(index).__name__)
    if frame.attrs or index.name is not None or type(frame.columns) is pd.MultiIndex:
        raise _NotKeptError("a frame with more than its cells")
    return {"frame": columns, "names": _form(frame.columns.tolist()), "rows": rows}


def _record_form(record: Any) -> dict[str, Any]:
    kind = type(record)
    if kind.__module__.partition(".")[0] != _PACKAGE:
        raise _NotKeptError(kind.__name__)
    held = [[f.name, _form(getattr(record, f.name))] for f in fields(record)]
    return {"record": [kind.__module__, kind.__qualname__], "fields": held}


def _value(form: Any) -> Any:
    if not isinstance(form, dict):
        return form
    return _READ[next(iter(form))](form)


def _frame(form: dict[str, Any]) -> pd.DataFrame:
    rows = form["rows"]
    index = (
        pd.RangeIndex(*rows["range"])
        if "range" in rows
        else pd.Index(_value(rows["labels"]), dtype=rows["dtype"])
    )
    series = {
        place: pd.Series(_value(cells), index=index, dtype=dtype)
        for place, (dtype, cells) in enumerate(form["frame"])
    }
    frame = pd.DataFrame(series, index=index)
    frame.columns = pd.Index(_value(form["names"]), dtype=object)
    return frame


def _record(form: dict[str, Any]) -> Any:
    module, name = form["record"]
    assert module.partition(".")[0] == _PACKAGE, module
    kind = getattr(import_module(module), name)
    record = object.__new__(kind)
    for field, held in form["fields"]:
        object.__setattr__(record, field, _value(held))
    return record


def _array(form: dict[str, Any]) -> Any:
    cells = [_value(cell) for cell in form["cells"]]
    flat = np.empty(len(cells), dtype=form["array"])
    flat[:] = cells
    return flat.reshape(form["shape"])


_READ: Final[dict[str, Callable[[dict[str, Any]], Any]]] = {
    "nothing": lambda form: _NAMES[form["nothing"]],
    "scalar": lambda form: np.dtype(form["scalar"]).type(_value(form["value"])),
    "list": lambda form: [_value(item) for item in form["list"]],
    "tuple": lambda form: tuple(_value(item) for item in form["tuple"]),
    "dict": lambda form: {_value(key): _value(item) for key, item in form["dict"]},
    "array": _array,
    "frame": _frame,
    "record": _record,
}
