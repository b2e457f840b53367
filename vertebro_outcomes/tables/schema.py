"""A table declared once (type, unit, range, codes, meaning per column), and its check."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from numbers import Integral, Real
from typing import Any, Final, Literal

import numpy as np
import pandas as pd

from vertebro_outcomes.errors import Problem, list_some

ColumnType = Literal["text", "int", "float", "bool", "date"]

_DTYPES: Final[dict[str, str]] = {
    "text": "object",
    "int": "Int64",
    "float": "float64",
    "bool": "boolean",
    "date": "datetime64[ns]",
}
_NUMBER: Final = re.compile(r"[+-]?([0-9]++\.?[0-9]*+|\.[0-9]++)([eE][+-]?[0-9]++)?")
_WORDS: Final[dict[ColumnType, str]] = {
    "text": "text",
    "int": "a whole number",
    "float": "a number with a decimal point",
    "bool": "true or false (or 1 or 0)",
    "date": "a date YYYY-MM-DD",
}
_TRUE: Final = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True)
class Column:
    """One column: what may stand in it and what it means.

    `low` and `high` bound numbers (inclusive); `codes` is a closed word list; text must match
    `pattern` (shown by `example`); a column that is not `required` may be absent; values of a
    `private` column never appear in a message.
    """

    name: str
    type: ColumnType
    meaning: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    codes: tuple[str, ...] = ()
    nullable: bool = True
    required: bool = True
    private: bool = False
    pattern: str = ""
    example: str = ""

    @property
    def allowed(self) -> str:
        """What may stand here, in words: `a whole number, 0 to 100, days, or blank`."""
        parts = [", ".join(self.codes) if self.codes else _WORDS[self.type]]
        if self.example:
            parts[0] += f" like {self.example}"
        if self.low is not None and self.high is not None:
            parts.append(f"{self.low:g} to {self.high:g}")
        elif self.low is not None:
            parts.append(f"at least {self.low:g}")
        elif self.high is not None:
            parts.append(f"at most {self.high:g}")
        if self.unit:
            parts.append(self.unit)
        return ", ".join(parts) + (", or blank" if self.nullable else "")


@dataclass(frozen=True)
class Table:
    """A named set of columns; `key` are the columns that together identify a row."""

    name: str
    meaning: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def __getitem__(self, name: str) -> Column:
        return self.columns[self.names.index(name)]

    def to_frame(self) -> pd.DataFrame:
        """The declaration as a table for readers."""
        return pd.DataFrame(
            {
                "column": column.name,
                "type": column.type,
                "unit": column.unit,
                "low": column.low,
                "high": column.high,
                "codes": ", ".join(column.codes),
                "nullable": column.nullable,
                "meaning": column.meaning,
            }
            for column in self.columns
        )


def _is_blank(value: Any) -> bool:
    return bool(pd.isna(value)) or value == ""


def _number(value: Any) -> float | None:
    if isinstance(value, str):
        text = value.strip().replace("\N{MINUS SIGN}", "-")
        value = float(text) if _NUMBER.fullmatch(text) else None
    is_number = isinstance(value, Real) and not isinstance(value, bool | np.bool_)
    return float(value) if is_number and np.isfinite(float(value)) else None


def _whole(value: Any) -> int | None:
    if isinstance(value, Integral) and not isinstance(value, bool | np.bool_):
        return int(value)
    number = _number(value)
    return int(number) if number is not None and number == int(number) else None


def _truth(value: Any) -> bool | None:
    if isinstance(value, bool | np.bool_):
        return bool(value)
    return _TRUE.get(str(value).strip().lower())


def _day(value: Any) -> date | None:
    if isinstance(value, date):  # a Timestamp is one
        return value
    if isinstance(value, np.datetime64):
        return pd.Timestamp(value).to_pydatetime()
    try:
        return date.fromisoformat(str(value).strip())
    except ValueError:
        return None


_PARSERS: Final[dict[ColumnType, Callable[[Any], Any]]] = {
    "text": lambda value: value if isinstance(value, str) else None,
    "int": _whole,
    "float": _number,
    "bool": _truth,
    "date": _day,
}


def fits(value: Any, column: Column) -> bool:
    """Whether a value that is not blank may stand in the column."""
    parsed = _PARSERS[column.type](value)
    if parsed is None or (column.codes and str(parsed) not in column.codes):
        return False
    if column.pattern and not re.fullmatch(column.pattern, str(parsed)):
        return False
    if column.type in ("int", "float"):
        low = -np.inf if column.low is None else column.low
        high = np.inf if column.high is None else column.high
        return bool(low <= parsed <= high)
    return True


def where(file: str, lines: Sequence[int] | np.ndarray, column: str) -> str:
    """`arm_binary.csv, line 12, column events`."""
    shown = list_some([int(line) for line in lines])
    return f"{file}, line{'s' if len(lines) > 1 else ''} {shown}, column {column}"


def _shown(value: Any, column: Column) -> str:
    if column.private:
        return "a value (not shown)"
    text = str(value)
    return repr(text if len(text) <= 60 else text[:57] + "...")


def _column_problems(
    frame: pd.DataFrame, table: Table, file: str, extra: Literal["refuse", "allow"]
) -> list[Problem]:
    problems = [
        Problem(
            f"{file}, column {column.name}", "missing", f"a column {column.name} ({column.meaning})"
        )
        for column in table.columns
        if column.required and column.name not in frame.columns
    ]
    unknown = [] if extra == "allow" else [n for n in frame.columns if n not in table.names]
    for name in unknown:
        close = get_close_matches(str(name), table.names, n=2)
        hint = f"did you mean {' or '.join(close)}?" if close else ", ".join(table.names)
        problems.append(Problem(f"{file}, column {name}", "unknown column", hint))
    return problems


def _cell_problems(
    values: pd.Series, column: Column, file: str, lines: np.ndarray
) -> list[Problem]:
    """One problem per distinct wrong value, with every line it stands on."""
    series = values.astype(object)
    blank = np.fromiter((_is_blank(v) for v in series), dtype=bool, count=len(series))
    problems = []
    if not column.nullable and blank.any():
        problems.append(Problem(where(file, lines[blank], column.name), "blank", column.allowed))
    for value in series[~blank].unique():
        if not fits(value, column):
            at = lines[~blank][(series[~blank] == value).to_numpy(dtype=bool)]
            problems.append(
                Problem(where(file, at, column.name), _shown(value, column), column.allowed)
            )
    return problems


def _key_problems(frame: pd.DataFrame, table: Table, file: str, lines: np.ndarray) -> list[Problem]:
    key = list(table.key)
    if not key or not set(key) <= set(frame.columns):
        return []
    repeated = frame.duplicated(key, keep=False) & frame[key].notna().all(axis=1)
    problems = []
    for _, rows in frame[repeated].groupby(key, sort=False):
        at = lines[frame.index.get_indexer(rows.index)]
        text = " ".join(_shown(rows[name].iloc[0], table[name]) for name in key)
        problems.append(
            Problem(where(file, at, ", ".join(key)), f"{text} stands more than once", "once")
        )
    return problems


def check(
    frame: pd.DataFrame,
    table: Table,
    *,
    file: str,
    lines: Sequence[int] | np.ndarray | None = None,
    extra: Literal["refuse", "allow"] = "refuse",
) -> list[Problem]:
    """Every way in which `frame` departs from `table`; an empty list when there is none.

    Parameters
    ----------
    frame
        Values as text (as read from a file) or already typed. Blank text and NaN are missing.
    table
        The declaration.
    file
        Name for the messages.
    lines
        The line of each row in its file; without it row 1 is line 2 (a header of one line).
    extra
        Columns that are not declared: refused with the nearest declared names, or allowed.

    Returns
    -------
    list of Problem
        Missing and unknown columns, wrong cells (one problem per column and distinct value, with
        its lines), repeated keys.

    Examples
    --------
    >>> import pandas as pd
    >>> arms = Table("arms", "trial arms", (Column("n", "int", "patients", low=1),))
    >>> print(*check(pd.DataFrame({"n": ["12", "x"]}), arms, file="arms.csv"))
    arms.csv, line 3, column n: 'x'; allowed: a whole number, at least 1, or blank
    """
    frame = frame.reset_index(drop=True)
    at = np.arange(2, len(frame) + 2) if lines is None else np.asarray(lines)
    problems = _column_problems(frame, table, file, extra)
    for column in table.columns:
        if column.name in frame.columns:
            problems += _cell_problems(frame[column.name], column, file, at)
    return problems + _key_problems(frame, table, file, at)


def as_typed(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    """A frame that passed `check`, with the declared types (Int64, float64, boolean, dates, text)."""
    out = frame.copy()
    for column in table.columns:
        if column.name in out.columns:
            parse = _PARSERS[column.type]
            blank_value: Any = np.nan if column.type == "float" else None
            values = [blank_value if _is_blank(v) else parse(v) for v in out[column.name]]
            out[column.name] = pd.Series(values, index=out.index, dtype=_DTYPES[column.type])
    return out
