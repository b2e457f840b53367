"""Scores that a user declares beside the published ones."""

import re
from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from typing import Any, Final

import numpy as np

from vertebro_outcomes.errors import InputError, Problem
from vertebro_outcomes.tables.event_types import INSTRUMENTS, Instrument

_NAME: Final = re.compile(r"[A-Za-z]\w*")
_WORDS: Final = tuple(field.name for field in fields(Instrument))


def declared_instruments(given: Any, *, call: str) -> dict[str, Instrument]:
    """Instruments by name, checked; each a `vo.Instrument` or a mapping with its fields.

    Raises
    ------
    InputError
        With every name that is taken, scale that is none, and word that is unknown.
    """
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        problem = Problem(
            "argument instruments", type(given).__name__, "{name: vo.Instrument(...)}"
        )
        raise InputError(call, [problem], "name every instrument")
    problems: list[Problem] = []
    found = {}
    for name, item in given.items():
        where = f"instrument {name}"
        instrument = _as_instrument(where, item, problems)
        problems += _problems(where, name, instrument)
        found[str(name)] = (
            instrument
            if instrument.label
            else replace(instrument, label=str(name).replace("_", " "))
        )
    if problems:
        step = "declare it as vo.Instrument(low=0, high=100, better='lower', label='...')"
        raise InputError(call, problems, step)
    return found


def as_plain(instruments: Mapping[str, Instrument]) -> dict[str, dict[str, Any]]:
    """What a file can hold."""
    return {name: asdict(item) for name, item in instruments.items()}


def _as_instrument(where: str, item: Any, problems: list[Problem]) -> Instrument:
    if isinstance(item, Instrument):
        return item
    if not isinstance(item, Mapping) or not set(item) <= set(_WORDS):
        said = ", ".join(map(str, item)) if isinstance(item, Mapping) else type(item).__name__
        problems.append(Problem(where, said, f"a vo.Instrument, or some of {', '.join(_WORDS)}"))
        return Instrument()
    return Instrument(**item)


def _problems(where: str, name: Any, item: Instrument) -> list[Problem]:
    problems = []
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        problems.append(Problem(where, repr(name), "a name of letters, digits and underscores"))
    elif name in INSTRUMENTS:
        known = INSTRUMENTS[name]
        said = "no limits" if known.low is None else f"{known.low:g} to {known.high:g}"
        problems.append(Problem(where, f"a published instrument ({said})", "another name"))
    ends = (item.low, item.high)
    if ends != (None, None) and not (all(map(_is_number, ends)) and ends[0] < ends[1]):  # type: ignore[operator]
        problems.append(Problem(f"{where}, low and high", f"{ends}", "two numbers, low below high"))
    if item.better not in ("lower", "higher", ""):
        problems.append(Problem(f"{where}, better", repr(item.better), "lower, higher, or empty"))
    if item.worthwhile is not None and not (_is_number(item.worthwhile) and item.worthwhile > 0):
        problems.append(
            Problem(f"{where}, worthwhile", repr(item.worthwhile), "a number above 0, or None")
        )
    return problems


def _is_number(value: Any) -> bool:
    right = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    return bool(right and np.isfinite(value))
