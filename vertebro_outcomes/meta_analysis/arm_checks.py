"""Numbers that no arm of a study can have."""

import numpy as np
import pandas as pd

from vertebro_outcomes.errors import InputError, Problem, list_some
from vertebro_outcomes.estimators.arrays import Bools, Floats
from vertebro_outcomes.meta_analysis.study_rows import study_labels


def check_arms(
    table: pd.DataFrame, columns: dict[str, Floats], *, function: str = "effect_sizes"
) -> None:
    """Raise one InputError with every impossible count, size, spread or person-time of the columns.

    Missing values pass; they are left out, with the reason, where the effects are made.
    """
    found: list[tuple[str, str, Bools, str]] = []
    is_count_table = any(name.startswith("events") for name in columns)
    for name, values in columns.items():
        found.append((name, "infinite value", np.isinf(values), "finite numbers"))
        if name.startswith("events"):
            found.append((name, "negative count", values < 0, "0 or more"))
        elif name.startswith("n"):
            found.append((name, "size below 1", values < 1, "at least one patient"))
        elif name.startswith("sd"):
            found.append((name, "negative standard deviation", values < 0, "0 or more"))
        elif name.startswith("time"):
            found.append((name, "person-time of 0 or below", values <= 0, "above 0"))
        if is_count_table and not name.startswith("time"):
            with np.errstate(invalid="ignore"):
                fractional = np.isfinite(values) & (values != np.round(values))
            found.append((name, "count that is not whole", fractional, "whole numbers"))
    for events, size in (("events_t", "n_t"), ("events_c", "n_c"), ("events", "n")):
        if events in columns and size in columns:
            above = columns[events] > columns[size]
            found.append((events, f"more events than {size}", above, f"0 to {size}"))
    labels = study_labels(table)
    problems = [
        Problem(f"column {name}", f"{words} in {_where(labels, bad)}", allowed)
        for name, words, bad, allowed in found
        if bad.any()
    ]
    if problems:
        raise InputError(f"{function}()", problems, "correct these rows, or drop them first")


def _where(labels: tuple[str, ...], bad: Bools) -> str:
    return list_some([label for label, is_bad in zip(labels, bad, strict=True) if is_bad])
