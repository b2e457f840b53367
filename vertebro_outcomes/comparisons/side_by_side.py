"""One question, every method: how far the answer depends on the analysis."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from vertebro_outcomes.comparisons.compare import compare
from vertebro_outcomes.comparisons.methods import METHODS
from vertebro_outcomes.comparisons.requests import KIND
from vertebro_outcomes.errors import InputError
from vertebro_outcomes.tables.cohort import Cohort


def compare_methods(
    cohort: Cohort, *, methods: Sequence[str] | None = None, **question: Any
) -> pd.DataFrame:
    """The same comparison by several methods, one row each.

    Parameters
    ----------
    cohort : Cohort
    methods : sequence of str, optional
        Names of `METHODS`; all that compare a score if not given.
    **question
        Arguments of `compare` other than `method` and `variance`.

    Returns
    -------
    DataFrame
        Columns of `Comparison.to_frame()` and `notes`; a method without an answer has NaN and says why.

    Raises
    ------
    InputError
        If no method has an answer.
    """
    names = [name for name, m in METHODS.items() if m.kind == KIND] if methods is None else methods
    rows, last = [], None
    for name in names:
        try:
            found = compare(cohort, method=name, **question)  # type: ignore[arg-type]
            rows.append(found.to_frame().assign(notes=" ".join(found.notes)))
        except InputError as reason:
            last = reason
            rows.append(pd.DataFrame([{"method": name, "notes": str(reason)}]))
    table = pd.concat(rows, ignore_index=True) if rows else pd.DataFrame()
    if "estimate" not in table:
        raise last if last is not None else InputError("compare_methods()", [], "name a method")
    return table.assign(synthetic=cohort.synthetic)
