"""Whether what a file of a site holds is a bundle, before anything is computed from it."""

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

_FIELDS: Final[Mapping[str, type]] = {
    "site": str, "synthetic": bool, "smallest_count": int, "treatment": str, "comparator": str,
    "n_t": int, "n_c": int, "notes": list, "complications": list, "risk_sets": list,
}  # fmt: skip
_SCORE: Final[Mapping[str, type]] = {
    "outcome": str, "day": int, "window": list, "terms": list, "names": list, "n_t": int,
    "n_c": int, "gram": list,
}  # fmt: skip
_EVENT: Final[Mapping[str, type]] = {
    "event": str, "n_t": int, "n_c": int, "events_t": int, "events_c": int,
}  # fmt: skip
_CURVES: Final = ("log_hazard_ratio", "log_likelihood", "score", "information")
_COUNTS: Final[Mapping[str, tuple[str, ...]]] = {  # None where hidden
    "complications": ("events_t", "events_c"),
    "risk_sets": ("at_risk", "events", "deaths"),
}
_WORDS: Final[Mapping[str, Mapping[str, type]]] = {
    "complications": {"type": str, "n_t": int, "n_c": int},
    "risk_sets": {"arm": str, "day_from": int, "day_to": int},
}
_MOMENTS: Final = ("mean_t", "sd_t", "mean_c", "sd_c")

Wrong = tuple[str, str] | None


def what_is_wrong(held: Mapping[str, Any]) -> Wrong:
    """Where and what, for the first thing that no bundle has; None if all is well."""
    found = _types(held, _FIELDS, "")
    for part in ("score", "event"):
        if held.get(part, 0) is not None:
            found = found or _types(held.get(part), (_SCORE, _EVENT)[part == "event"], part)
    for part in _COUNTS:
        found = found or _lines(held, part)
    return found or _score(held) or _event(held.get("event"))


def _types(held: Any, expected: Mapping[str, type], part: str) -> Wrong:
    if not isinstance(held, Mapping):
        return part, "missing, or no object"
    for name, kind in expected.items():
        value = held.get(name)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            return f"{part}: {name}".removeprefix(": "), "missing or of another type"
    return None


def _lines(held: Mapping[str, Any], part: str) -> Wrong:
    for line in held[part]:
        if found := _types(line, _WORDS[part], part):
            return found
        for name in _COUNTS[part]:
            value = line.get(name, "")
            if value is not None and (type(value) is not int or value < 0):
                return f"{part}: {name}", "neither a count nor null"
    return None


def _score(held: Mapping[str, Any]) -> Wrong:
    score, balance = held["score"], held.get("balance")
    if score is None or not isinstance(balance, list):
        return None if score is None and balance is None else ("balance", "not that of the score")
    size = len(score["names"])
    if not _numbers(score["gram"], (size, size)):
        return "score: gram", f"not {size} rows of {size} numbers"
    for line in balance:
        if not isinstance(line, Mapping) or not _numbers([line.get(m) for m in _MOMENTS], (4,)):
            return "balance", "no means and standard deviations"
    if [line.get("covariate") for line in balance] != score["names"][2:-1]:
        return "balance", "other covariates than those of the score"
    return None


def _event(event: Mapping[str, Any] | None) -> Wrong:
    if event is None:
        return None
    points = event.get(_CURVES[0])
    size = len(points) if isinstance(points, list) else 0
    for name in _CURVES:
        if size < 2 or not _numbers(event.get(name), (size,)):
            return f"event: {name}", "not as many numbers as log_hazard_ratio has"
    return None


def _numbers(value: Any, shape: tuple[int, ...]) -> bool:
    """Finite numbers of this shape."""
    try:
        found = np.array(value, dtype=np.float64)
    except (TypeError, ValueError):
        return False
    return found.shape == shape and math.isfinite(float(np.abs(found).sum()))
