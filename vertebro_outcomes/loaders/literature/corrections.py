"""Corrections as data: what a sheet says, what is used instead, and why. The sheets stay as they are."""

from dataclasses import dataclass
from typing import Final

import pandas as pd

from vertebro_outcomes.loaders.literature.sheets import Sheet


@dataclass(frozen=True)
class Correction:
    """One printed number that is read as another quantity: `column` is emptied, `becomes` filled."""

    sheet: str
    row: dict[str, str]
    column: str
    printed: str
    becomes: str
    reason: str


_SE_AS_SD: Final = (
    "printed as SD, but an SD of a thirtieth of the scale cannot be: with n of the arm it is the "
    "standard error (SD about 2.6 to 2.7 on pain, 17 to 18 on QUALEFFO, as in the other trials)"
)


def _arm(outcome: str, arm: str, printed: str) -> Correction:
    row = {"study_id": "blasco2012", "outcome": outcome, "arm": arm, "kind": "baseline"}
    return Correction("arm_continuous", row, "sd", printed, "se", _SE_AS_SD)


def _input(outcome: str, column: str, printed: str) -> Correction:
    row = {"study_label": "Blasco 2012", "outcome": outcome, "timepoint_label": "baseline"}
    return Correction("review_inputs", row, column, printed, column.replace("sd", "se"), _SE_AS_SD)


CORRECTIONS: Final = (
    _arm("pain_vas", "VP", "0.33"),
    _arm("pain_vas", "NSM", "0.35"),
    _arm("qualeffo", "VP", "2.23"),
    _arm("qualeffo", "NSM", "2.17"),
    _input("pain_vas", "sd_t", "0.33"),
    _input("pain_vas", "sd_c", "0.35"),
    _input("qualeffo", "sd_t", "2.23"),
    _input("qualeffo", "sd_c", "2.17"),
)


def apply_corrections(sheets: dict[str, Sheet]) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """The cells of every sheet after correction, and the list of what was corrected on which line.

    A correction holds only where the printed number is the one it was written for.
    """
    frames = {name: sheet.frame.copy() for name, sheet in sheets.items()}
    done = []
    for correction in CORRECTIONS:
        frame = frames[correction.sheet]
        hit = frame[correction.column] == correction.printed
        for column, value in correction.row.items():
            hit &= frame[column] == value
        if correction.becomes not in frame.columns:
            frame[correction.becomes] = ""
        frame.loc[hit, correction.becomes] = correction.printed
        frame.loc[hit, correction.column] = ""
        done += [
            {
                "source_line": f"{correction.sheet}.csv:{line}",
                "column": correction.column,
                "printed": correction.printed,
                "read_as": correction.becomes,
                "reason": correction.reason,
            }
            for line in sheets[correction.sheet].lines[hit.to_numpy()]
        ]
    names = ["source_line", "column", "printed", "read_as", "reason"]
    return frames, pd.DataFrame(done, columns=names)
