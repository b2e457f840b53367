"""What the synthesis functions ask of a table: columns, finite numbers, positive variances."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from vertebro_outcomes.errors import InputError, Problem, list_some, refuse_argument
from vertebro_outcomes.estimators.arrays import Bools, Floats
from vertebro_outcomes.measures import MEASURES
from vertebro_outcomes.results.pooled_effect import ExcludedStudy

# Beyond these the cubes and squares that the estimators sum leave the range of double numbers.
LARGEST_EFFECT: Final = 1e50
LEAST_VARIANCE, LARGEST_VARIANCE = 1e-50, 1e50
IN_RANGE: Final = "effects within ±1e50 and variances from 1e-50 to 1e50 (use another unit)"


@dataclass(frozen=True)
class StudyRows:
    """The rows of a table that can be pooled, and the ones that cannot.

    `kept` marks, over all rows of the table, those in `effects` and `variances`.
    """

    effects: Floats
    variances: Floats
    labels: tuple[str, ...]
    kept: Bools
    excluded: tuple[ExcludedStudy, ...]
    measure: str


def study_rows(es: pd.DataFrame, *, function: str, measure: str | None = None) -> StudyRows:
    """Check a table of effects and split it into rows to pool and rows left out.

    Parameters
    ----------
    es : DataFrame with `effect` and `variance` (or `se`), optionally `study`, `measure` and
        `excluded_because`
    function : name of the public function, for messages
    measure : overrides the column `measure`; "GEN" if neither is there

    Raises
    ------
    InputError
        A column is missing, holds text or an infinite value, or a variance is zero or negative.
    """
    if not isinstance(es, pd.DataFrame):
        raise refuse_argument(
            function, "es", type(es).__name__, "a DataFrame, as effect_sizes() gives"
        )
    effects = numeric_column(es, "effect", function=function)
    if "variance" not in es.columns and "se" in es.columns:
        variances = numeric_column(es, "se", function=function) ** 2
    else:
        variances = numeric_column(es, "variance", function=function)
    labels = study_labels(es)
    problems = [
        Problem(f"column {name}", f"{words} in {_where(labels, bad)}", allowed)
        for name, words, bad, allowed in (
            (
                "effect",
                "infinite value",
                np.isinf(effects),
                "finite numbers, or NaN to leave a study out",
            ),
            ("variance", "zero or negative value", variances <= 0, "positive numbers"),
            ("variance", "infinite value", np.isinf(variances), "positive, finite numbers"),
            *out_of_range(effects, variances),
        )
        if bad.any()
    ]
    if problems:
        raise InputError(f"{function}()", problems, "correct these rows, or drop them first")
    kept = ~(np.isnan(effects) | np.isnan(variances))
    if kept.all():
        return StudyRows(effects, variances, labels, kept, (), _measure(es, measure, function))
    return StudyRows(
        effects=effects[kept],
        variances=variances[kept],
        labels=tuple(label for label, keep in zip(labels, kept, strict=True) if keep),
        kept=kept,
        excluded=_excluded(es, labels, kept),
        measure=_measure(es, measure, function),
    )


def out_of_range(effects: Floats, variances: Floats) -> tuple[tuple[str, str, Bools, str], ...]:
    """Numbers that squares and cubes cannot be taken of: column, words, where, what is allowed."""
    large = np.isfinite(effects) & (np.abs(effects) > LARGEST_EFFECT)
    small = (variances > 0) & (variances < LEAST_VARIANCE)
    wide = np.isfinite(variances) & (variances > LARGEST_VARIANCE)
    return (
        ("effect", "too large a number to compute with", large, IN_RANGE),
        ("variance", "too small or large a number to compute with", small | wide, IN_RANGE),
    )


def numeric_column(table: pd.DataFrame, name: str, *, function: str) -> Floats:
    """A column as floats (missing = NaN); text and absent columns raise an InputError."""
    try:
        column = table[name]
    except KeyError:
        found = f"missing; the table has {_names(table)}"
        problem = Problem(f"column {name}", found, "a column of numbers")
        raise InputError(
            f"{function}()", [problem], f"add the column {name}, or compute it with effect_sizes()"
        ) from None
    if isinstance(column, pd.DataFrame):
        problem = Problem(f"column {name}", "it stands there more than once", "one column")
        raise InputError(f"{function}()", [problem], "drop the surplus column")
    if column.dtype == np.float64:
        return column.to_numpy()
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    broken = np.isnan(numbers) & column.notna().to_numpy()
    if broken.any():
        rows = _where(study_labels(table), broken)
        problem = Problem(f"column {name}", f"text that is no number in {rows}", "numbers")
        raise InputError(f"{function}()", [problem], f"correct the cells of column {name}")
    return numbers


def require_columns(table: pd.DataFrame, names: Sequence[str], *, function: str) -> None:
    """Raise one InputError that names every missing column."""
    missing = [name for name in names if name not in table.columns]
    if missing:
        found = f"missing; the table has {_names(table)}"
        problem = Problem(f"columns {', '.join(missing)}", found, ", ".join(names))
        raise InputError(f"{function}()", [problem], "add or rename the columns")


def study_labels(table: pd.DataFrame) -> tuple[str, ...]:
    """The column `study`, or row numbers from 1."""
    if "study" in table.columns:
        return tuple(map(str, table["study"].tolist()))
    return tuple(f"row {i}" for i in range(1, len(table) + 1))


def _where(labels: Sequence[str], bad: Bools) -> str:
    return list_some([label for label, is_bad in zip(labels, bad, strict=True) if is_bad])


def _names(table: pd.DataFrame) -> str:
    return list_some([str(name) for name in table.columns], most=20) or "none"


def _measure(es: pd.DataFrame, measure: str | None, function: str) -> str:
    if measure is None:
        given = es["measure"].unique().tolist() if "measure" in es.columns else ["GEN"]
        if len(given) != 1:
            raise refuse_argument(
                function, "es", f"measures {list_some(given)}", "one measure a pool"
            )
        measure = str(given[0])
    if measure not in MEASURES:
        raise refuse_argument(function, "measure", measure, ", ".join(MEASURES))
    return measure


def _excluded(es: pd.DataFrame, labels: Sequence[str], kept: Bools) -> tuple[ExcludedStudy, ...]:
    reasons = (
        es["excluded_because"].tolist() if "excluded_because" in es.columns else [None] * len(es)
    )
    return tuple(
        ExcludedStudy(label, str(reason) if isinstance(reason, str) and reason else _NO_NUMBER)
        for label, reason, keep in zip(labels, reasons, kept, strict=True)
        if not keep
    )


_NO_NUMBER = "effect or variance is missing"
