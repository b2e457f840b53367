"""Stata files: numeric codes with value labels, letters for what is missing and why."""

from pathlib import Path
from typing import Final

from vertebro_outcomes.simulate.exports.calendar import Frames
from vertebro_outcomes.simulate.exports.coded_sheets import (
    SPELLING,
    coded_words,
    for_writer,
    pinned,
    value_labels,
)
from vertebro_outcomes.simulate.exports.layout import MARK_TEXT, ExportFormat, Layout
from vertebro_outcomes.simulate.exports.sheets import sheet_layout

# Stata's .a, .b ... are written without the point by readers.
ABSENT: Final = {"missing": "a", "not_asked": "b", "not_applicable": "c", "dead": "d"}
WORDS: Final = coded_words(".dta", ABSENT)
_STAMP: Final = b"01 Jan 2020 00:00"
_TAG: Final = b"<timestamp>"


def _layout(frames: Frames) -> Layout:
    return sheet_layout(frames, WORDS, SPELLING)


def _write(layout: Layout, folder: Path) -> None:
    import pyreadstat

    scores = {place.column for key, place in layout.places.items() if key[0] == "scores"}
    for name, table in layout.tables.items():
        frame = for_writer(table)
        path = folder / table.source
        coded = [c for c in frame.columns if name == "scores" and c in scores]
        letters = {
            c: sorted({v for v in frame[c] if isinstance(v, str) and v in ABSENT.values()})
            for c in coded
            if frame[c].dtype == object and c not in ("patnr", "epi", "vdate")
        }
        pyreadstat.write_dta(
            frame,
            str(path),
            file_label=MARK_TEXT[:70],
            version=14,
            variable_value_labels=value_labels(table),
            missing_user_values={c: found for c, found in letters.items() if found},
        )
        pinned(path, _STAMP, path.read_bytes().index(_TAG) + len(_TAG) + 1)


EXPORT = ExportFormat(
    "stata", "Stata: value labels, letters for missing values", _layout, _write
)  # fmt: skip
