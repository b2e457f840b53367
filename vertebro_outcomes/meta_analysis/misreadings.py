"""The single change in the study lines that makes a published number come out."""

from typing import Final

import numpy as np
import pandas as pd

from vertebro_outcomes.errors import InputError
from vertebro_outcomes.meta_analysis.multiverse import MEASURES_OF, multiverse
from vertebro_outcomes.meta_analysis.readings import COLUMNS_OF
from vertebro_outcomes.meta_analysis.revman_arithmetic import Specification
from vertebro_outcomes.tables.review_tables import ReviewUnit

MOST_STUDIES: Final = 40  # pairs of studies left out grow with the square
STORED_DECIMALS: Final = 4  # a stored number is matched to this many digits


def find_misreading(unit: ReviewUnit, how: Specification) -> str:
    """The likeliest single change (a spread, a sign, swapped arms ...) in words; '' if none fits."""
    if unit.data_type not in ("counts", "means") or not 2 <= len(unit.lines) <= MOST_STUDIES:
        return ""
    if how.measure not in MEASURES_OF[unit.data_type]:
        return ""
    names = COLUMNS_OF[unit.data_type]
    lines = [line for line in unit.lines if line.estimable and line.n_t >= 1 and line.n_c >= 1]
    table = pd.DataFrame([[getattr(line, name) for name in names] for line in lines])
    if len(table) < 2:
        return ""
    table.columns = pd.Index(names)
    table = table.assign(
        study=[line.study for line in lines],
        kind=[line.kind for line in lines],
    ).dropna(subset=list(names))
    if len(table) < 2 or (
        unit.data_type == "means" and (table[["sd_t", "sd_c"]] <= 0).any(axis=None)
    ):
        return ""
    published = unit.published
    numbers = (published.estimate, published.ci_low, published.ci_high)
    decimals = min(
        STORED_DECIMALS,
        max((len(n.text.partition(".")[2]) for n in numbers if n is not None), default=0),
    )
    try:
        found = multiverse(
            table,
            published=[n.value if n is not None else np.nan for n in numbers],
            decimals=decimals,
            measure=how.measure,
            errors=True,
        )
    except (
        InputError
    ):  # lines that are no arms of a trial: parts of patients, more events than patients
        return ""
    changed = found.matches[found.matches["change"] != "none"]
    return str(changed["reading"].iloc[0]) if len(changed) else ""
