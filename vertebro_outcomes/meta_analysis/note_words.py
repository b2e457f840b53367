"""Notes of questions: the words are ours, every number and study name comes from the sheets."""

import re
from collections.abc import Callable, Mapping
from typing import Final

import pandas as pd

from vertebro_outcomes.display import numbers
from vertebro_outcomes.loaders.literature import Literature

_UNKNOWN: Final = "not in the sheets"
_NAME: Final = re.compile(r".*?\b(?:19|20)\d\d\b")  # first author and year of a label


def _crossed_over(literature: Literature) -> str:
    """Share of the controls of the INVEST trial who had crossed over by one year."""
    rows = literature.about(["crossover"], treatments=["SHAM"]).arm_binary
    row = rows[rows["study_id"] == "comstock2013"]
    return (
        numbers.percent(float(row["events"].iloc[0] / row["n"].iloc[0])) if len(row) else _UNKNOWN
    )


def _lowest(values: "pd.Series[float]") -> str:
    return numbers.ratio(float(values.min())) if len(values) else _UNKNOWN


def _highest(values: "pd.Series[float]") -> str:
    return numbers.ratio(float(values.max())) if len(values) else _UNKNOWN


def _deaths(literature: Literature) -> "pd.Series[float]":
    """Hazard ratios of death of one claims study, by control group and time zero."""
    rows = literature.about(["death"]).contrasts
    wanted = (rows["study_id"] == "gold2023") & (rows["measure"] == "HR")
    return rows.loc[wanted, "estimate"].astype(float)


NOTE_NUMBERS: Final[Mapping[str, Callable[[Literature], str]]] = {
    "crossed_over": _crossed_over,
    "lowest_death_hr": lambda literature: _lowest(_deaths(literature)),
    "highest_death_hr": lambda literature: _highest(_deaths(literature)),
}


class _Words(dict[str, str]):
    """`{name}`: one of `NOTE_NUMBERS`, else a study by author and year, as its label begins."""

    def __init__(self, literature: Literature) -> None:
        super().__init__()
        self._literature = literature

    def __missing__(self, name: str) -> str:
        if name in NOTE_NUMBERS:
            return NOTE_NUMBERS[name](self._literature)
        label = self._literature.label(name) or name
        short = _NAME.match(label)
        return short[0] if short else label


def note_words(note: str, literature: Literature) -> str:
    """A note with what its `{names}` stand for.

    Examples
    --------
    >>> import vertebro_outcomes as vo
    >>> note_words("{gold2023}: from {lowest_death_hr}.", vo.load_literature())
    'Gold 2023: from 0.29.'
    """
    return note.format_map(_Words(literature))
