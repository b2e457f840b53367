"""Effects that come ready-made: an estimate with its variance, standard error or interval."""

import numpy as np
import pandas as pd
from scipy import special

from vertebro_outcomes.errors import InputError, Problem, list_some
from vertebro_outcomes.estimators.arrays import Bools, Floats
from vertebro_outcomes.meta_analysis.study_rows import numeric_column, study_labels

_SPREADS = ("variance", "se", "ci_low", "ci_high")


def given_effect(table: pd.DataFrame, *, measure: str) -> pd.DataFrame:
    """`effect_sizes` for GEN (any scale, as given) and HR (ratio and limits given, log analysed).

    Row by row the first of `variance`, `se`, interval that is there is used; `variance` and `se` of
    a hazard ratio are those of its logarithm. `ci_level` may be a share (0.95) or percent (95).
    """
    n = len(table)
    given = {name: _column(table, name) for name in ("effect", *_SPREADS)}
    if not any(name in table.columns for name in _SPREADS):
        problem = Problem("columns", "no spread", "one of variance, se, or ci_low with ci_high")
        raise InputError("effect_sizes()", [problem], "add the column that the source prints")
    _check(table, given, ratio=measure == "HR")
    with np.errstate(divide="ignore", invalid="ignore"):
        read = np.log if measure == "HR" else np.asarray
        effect = read(given["effect"])
        low, high = read(given["ci_low"]), read(given["ci_high"])
        half = (high - low) / 2
        z = -special.ndtri((1 - _level(table, n)) / 2)
        from_interval = (half / z) ** 2
        from_se = given["se"] ** 2
        variance = np.where(np.isnan(given["variance"]), from_se, given["variance"])
        variance = np.where(np.isnan(variance), from_interval, variance)
        asymmetry = np.abs(effect - (low + high) / 2) / half
    reasons = [_reason(e, v) for e, v in zip(effect, variance, strict=True)]
    usable = np.array([reason is None for reason in reasons], dtype=bool)
    variance = np.where(usable, variance, np.nan)
    return table.assign(
        effect=np.where(usable, effect, np.nan),
        effect_given=table["effect"],
        variance=variance,
        se=np.sqrt(variance),
        measure=measure,
        ci_asymmetry=asymmetry,
        corrected=False,
        excluded_because=pd.Series(reasons, index=table.index, dtype=object),
    )


def _column(table: pd.DataFrame, name: str) -> Floats:
    if name not in table.columns:
        return np.full(len(table), np.nan)
    return numeric_column(table, name, function="effect_sizes")


def _level(table: pd.DataFrame, n: int) -> Floats:
    level = _column(table, "ci_level")
    level = np.where(level > 1, level / 100, level)
    bad = (level <= 0) | (level >= 1)
    if bad.any():
        _refuse(
            table, [("ci_level", "value out of range", bad, "0.95 or 95, between 0 and 1 or 100")]
        )
    return np.where(np.isnan(level), 0.95, level) if n else level


def _check(table: pd.DataFrame, given: dict[str, Floats], *, ratio: bool) -> None:
    found: list[tuple[str, str, Bools, str]] = [
        (name, "infinite value", np.isinf(values), "finite numbers")
        for name, values in given.items()
    ]
    found += [
        (name, "zero or negative value", given[name] <= 0, "above 0") for name in ("variance", "se")
    ]
    if ratio:
        found += [
            (name, "zero or negative value", given[name] <= 0, "a hazard ratio, above 0")
            for name in ("effect", "ci_low", "ci_high")
        ]
    turned = given["ci_low"] >= given["ci_high"]
    found.append(("ci_low", "limit not below ci_high", turned, "below ci_high"))
    _refuse(table, found)


def _refuse(table: pd.DataFrame, found: list[tuple[str, str, Bools, str]]) -> None:
    labels = study_labels(table)
    problems = [
        Problem(
            f"column {name}",
            f"{words} in {list_some([labels[i] for i in np.flatnonzero(bad)])}",
            allowed,
        )
        for name, words, bad, allowed in found
        if bad.any()
    ]
    if problems:
        raise InputError("effect_sizes()", problems, "correct these rows, or drop them first")


def _reason(effect: float, variance: float) -> str | None:
    if np.isnan(effect):
        return "missing: effect"
    return "missing: variance, standard error and interval" if np.isnan(variance) else None
