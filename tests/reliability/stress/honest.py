"""What an answer to degenerate data may be: a result that holds together, or one of our messages."""

import dataclasses
import warnings
from typing import Any

import numpy as np
import pandas as pd

from vertebro_outcomes.errors import VertebroError

ANSWERED, REFUSED = "answered", "refused"
SLACK = 1e-9  # of the width of the interval, for rounding
INTERVALS = {"estimate": ("ci_low", "ci_high"), "mean": ("ci_low", "ci_high")}


def outcome_of(call: Any, *arguments: Any) -> str:
    """ "answered" or "refused"; an AssertionError where the answer is neither honest nor a message."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            result = call(*arguments)
        except VertebroError as error:
            return _refusal(str(error))
        shown = shown_by(result)
    words = f"{shown} {vars(result) if dataclasses.is_dataclass(result) else ''}".lower()
    for frame in frames_of(result):
        for complaint in complaints(frame, words):
            raise AssertionError(f"{complaint}\n{frame.to_string()}")
    return ANSWERED


def _refusal(message: str) -> str:
    assert "Next: " in message, f"a message without a next step: {message}"
    assert len(message) < 20_000
    return REFUSED


def shown_by(result: Any) -> str:
    """Everything a reader sees of a result, but the picture."""
    if isinstance(result, pd.DataFrame):
        return result.to_string()
    html = result._repr_html_() if hasattr(result, "_repr_html_") else ""
    return f"{result}\n{html}"


def frames_of(result: Any) -> list[pd.DataFrame]:
    """The table of a result and every table among its fields, one row for its own numbers."""
    if isinstance(result, pd.DataFrame):
        return [result]
    frames = [result.to_frame()] if hasattr(result, "to_frame") else []
    if dataclasses.is_dataclass(result):
        fields = {
            field.name: getattr(result, field.name, None) for field in dataclasses.fields(result)
        }
        frames += [value for value in fields.values() if isinstance(value, pd.DataFrame)]
        arrays = {k: np.atleast_1d(v) for k, v in fields.items() if np.ndim(v) < 2 and _number(v)}
        longest = max((len(v) for v in arrays.values()), default=0)
        even = {k: v for k, v in arrays.items() if len(v) == longest}
        frames.append(pd.DataFrame(even))
    return frames


def _number(value: Any) -> bool:
    return isinstance(value, float | int | np.ndarray) and np.asarray(value).dtype.kind in "fi"


def complaints(frame: pd.DataFrame, words: str) -> list[str]:
    """Why these rows are no honest answer; nothing if they are."""
    found = []
    columns = {
        name: pd.to_numeric(frame[name], errors="coerce")
        for name in frame.columns
        if frame[name].dtype.kind in "fiO" and name in KNOWN
    }
    for estimate, (low, high) in INTERVALS.items():
        if {estimate, low, high} <= set(columns):
            found += _interval(columns[estimate], columns[low], columns[high])
    if {"se", "estimate"} <= set(columns):
        found += _spread(columns, words)
    for name, (least, most) in RANGES.items():
        if name in columns:
            outside = (columns[name] < least - SLACK) | (columns[name] > most + SLACK)
            found += [f"{name} outside {least} to {most}"] if outside.any() else []
    for name in FINITE & set(columns):
        found += [f"infinite {name}"] if np.isinf(columns[name].astype(float)).any() else []
    return found


def _interval(estimate: pd.Series, low: pd.Series, high: pd.Series) -> list[str]:
    slack = SLACK * (high - low).abs().fillna(0.0) + 1e-12 * estimate.abs()
    out = (low > estimate + slack) | (high < estimate - slack) | (low > high)
    found = ["an interval excludes its estimate"] if out.any() else []
    if (estimate.isna() & (low.notna() & np.isfinite(low.astype(float)))).any():
        found.append("an interval without an estimate")
    return found


def _spread(columns: dict[str, pd.Series], words: str) -> list[str]:
    se = columns["se"].astype(float)
    found = ["a negative standard error"] if (se < 0).any() else []
    low, high = columns.get("ci_low"), columns.get("ci_high")
    if low is not None and high is not None:
        certain = (se == 0) & np.isfinite(low.astype(float)) & np.isfinite(high.astype(float))
        if certain.any() and not any(word in words for word in EXCUSES):
            found.append("a standard error of 0 passes for certainty")
    return found


EXCUSES = (
    "below the wald",
    "no width",
    "no spread",
    "same value",
    "identical",
    "do not vary",
    "no variation",
)
RANGES = {
    "p_value": (0.0, 1.0),
    "i2_pct": (0.0, 100.0),
    "tau2": (0.0, np.inf),
    "h2": (0.0, np.inf),
    "q": (0.0, np.inf),
}
FINITE = {"estimate", "tau2"}  # a posterior may have no finite standard deviation, and says so
KNOWN = {"estimate", "mean", "ci_low", "ci_high", "se", *RANGES}
