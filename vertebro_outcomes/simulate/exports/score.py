"""A load against the list of injected errors: found, missed, falsely refused."""

from dataclasses import dataclass

import pandas as pd

from vertebro_outcomes.errors import refuse_argument
from vertebro_outcomes.simulate.exports.dirt import COLUMNS
from vertebro_outcomes.tables.cohort import Cohort


@dataclass(frozen=True)
class LoadScore:
    """How a load dealt with the errors that were put in.

    Attributes
    ----------
    found, missed : DataFrame
        Injected errors that were dealt with as they should be, and the others.
    falsely_refused : DataFrame
        Lines of `cohort.rejects` where no error was put in, or where one was to be understood.
    """

    found: pd.DataFrame
    missed: pd.DataFrame
    falsely_refused: pd.DataFrame

    @property
    def is_perfect(self) -> bool:
        """Everything found, nothing falsely refused."""
        return self.missed.empty and self.falsely_refused.empty

    def to_frame(self) -> pd.DataFrame:
        """`kind injected found missed`, one row per kind of error."""
        whole = pd.concat([self.found.assign(hit=1), self.missed.assign(hit=0)])
        groups = whole.groupby("kind", sort=True)["hit"]
        table = groups.agg(injected="count", found="sum").reset_index()
        return table.assign(missed=table["injected"] - table["found"])

    def __str__(self) -> str:
        n = len(self.found) + len(self.missed)
        return (
            f"synthetic errors: {len(self.found)} of {n} found, {len(self.missed)} missed, "
            f"{len(self.falsely_refused)} falsely refused"
        )


def score_load(cohort: Cohort, errors: pd.DataFrame) -> LoadScore:
    """Compare what a load refused with the errors that `export_registry` put in.

    Parameters
    ----------
    cohort : Cohort
        As loaded from the export.
    errors : DataFrame
        What `export_registry` returned: `source_file line column target kind found expected`.

    Returns
    -------
    LoadScore
        An error that is to be refused is found where `cohort.rejects` names its file, line and
        column; one that is to be read is found where nothing is refused.

    Raises
    ------
    InputError
        If `errors` lacks one of the columns.
    """
    if not isinstance(errors, pd.DataFrame) or not set(COLUMNS) <= set(errors.columns):
        allowed = f"the columns {', '.join(COLUMNS)}"
        raise refuse_argument("score_load", "errors", type(errors).__name__, allowed)
    rejects = cohort.rejects
    refused = {
        (row.source_file, int(row.line), row.column) for row in rejects.itertuples(index=False)
    }
    hits, explained = [], set()
    for row in errors.itertuples(index=False):
        keys = {(row.source_file, int(row.line), name) for name in (row.column, row.target)}
        there = keys & refused
        hits.append(bool(there) == (row.expected == "refused"))
        if row.expected == "refused":
            explained |= there
    hit = pd.Series(hits, index=errors.index, dtype=bool)
    false = [
        (row.source_file, int(row.line), row.column) not in explained
        for row in rejects.itertuples(index=False)
    ]
    return LoadScore(errors[hit], errors[~hit], rejects[pd.Series(false, dtype=bool)])
