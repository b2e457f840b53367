"""Columns that already have their type are taken as they are: the same tables as value by value."""

import datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from vertebro_outcomes.tables import typed_frames
from vertebro_outcomes.tables.cohort_tables import STORED

VALUES = {
    "texts": ["a", "", "b"],
    "texts with blanks": ["a", None, np.nan],
    "string": pd.array(["a", pd.NA, ""], dtype="string"),
    "categories": pd.Categorical(["a", "b", "a"]),
    "bytes": [b"a", b"b", None],
    "floats": [1.0, 2.0, np.nan],
    "fractions": [1.5, -2.0, -0.0],
    "infinite": [np.inf, 1.0, np.nan],
    "short floats": np.array([1.5, 2, np.nan], dtype="float32"),
    "beyond exact": [2.0**60, 2.0**53, -(2.0**53)],
    "integers": [1, 2, -3],
    "bytes of integers": np.array([1, 2, 3], dtype="int8"),
    "unsigned": np.array([1, 2, 3], dtype="uint64"),
    "Int64": pd.array([1, None, 3], dtype="Int64"),
    "Int32": pd.array([1, None, 3], dtype="Int32"),
    "Float64": pd.array([1.5, None, 3], dtype="Float64"),
    "truth": [True, False, True],
    "truth with blanks": [True, None, np.nan],
    "numpy truth": np.array([np.True_, np.False_, None], dtype=object),
    "boolean": pd.array([True, None, False], dtype="boolean"),
    "words of truth": ["yes", "no", None],
    "mixed": ["1", 2, None],
    "decimals": [Decimal(1), Decimal("2.5"), None],
    "days": [datetime.date(2020, 1, 1), None, datetime.date(2021, 1, 1)],
    "times": pd.to_datetime(["2020-01-01", "2020-01-02", None]),
    "nothing": [None, None, None],
    "no rows": np.array([], dtype=object),
}
OF_TYPE = {column.type: (table, column) for table in STORED.values() for column in table.columns}
del OF_TYPE["date"]  # always looked at value by value


@pytest.mark.parametrize("values", VALUES)
@pytest.mark.parametrize("kind", OF_TYPE)
def test_taken_as_it_is_or_value_by_value(values, kind, monkeypatch):
    table, column = OF_TYPE[kind]
    frame = pd.DataFrame({column.name: pd.Series(VALUES[values])})
    frame.index = [7] * len(frame)
    quick, said = typed_frames.to_arrow(frame, table, name="x")
    monkeypatch.setattr(typed_frames, "_already", lambda *_: None)
    plain, wrong = typed_frames.to_arrow(frame, table, name="x")
    assert quick.schema.equals(plain.schema)
    assert repr(quick[column.name].to_pylist()) == repr(plain[column.name].to_pylist())
    assert list(map(str, said)) == list(map(str, wrong))
