"""The rows about some outcomes and treatments, and the studies that they come from."""

from collections.abc import Collection, Iterable
from typing import Final

import pandas as pd

# Sheets whose rows are about one outcome of one study -> the columns that name treatments.
ABOUT_OUTCOMES: Final = {
    "arm_continuous": ("arm",),
    "arm_binary": ("arm",),
    "contrasts": ("treatment", "comparator"),
}

# Where a figure was read: shown with the row itself, read by no synthesis.
_LOCATORS: Final = ("source_locator", "source_url")


def rows_about(
    rows: pd.DataFrame, sheet: str, *, outcomes: Collection[str], treatments: Collection[str] | None
) -> pd.DataFrame:
    """Rows of a canonical table on these outcomes; with `treatments` those about nothing else.

    The columns that say where in its source a figure stands are left out; `source_line` stays.

    Parameters
    ----------
    rows : DataFrame
        The table of that name.
    sheet : str
        A key of `ABOUT_OUTCOMES`.
    outcomes : collection of str
        Names of `OUTCOMES`.
    treatments : collection of str, optional
        Words of the vocabulary; None takes every arm.
    """
    wanted = rows["outcome"].isin(list(outcomes))
    if treatments is not None:
        for column in ABOUT_OUTCOMES[sheet]:
            wanted &= rows[column].isin(list(treatments))
    return _without_locators(rows[wanted])


def studies_of(studies: pd.DataFrame, tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """The studies that these rows are of, and the main report of each one's trial."""
    named = {str(key) for t in tables for c in ("study_id", "trial_id") for key in t[c]}
    return _without_locators(studies[studies["study_id"].isin(named)])


def _without_locators(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.drop(columns=[name for name in _LOCATORS if name in rows.columns])
