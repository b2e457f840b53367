"""SPSS files: numeric codes with value labels, a range of user-defined missing values."""

from pathlib import Path
from typing import Any, Final

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

ABSENT: Final = {"missing": -80, "not_asked": -79, "not_applicable": -78, "dead": -77}
WORDS: Final = coded_words(".sav", ABSENT)
_STAMP: Final = b"01 Jan 2000:00:00"
_STAMP_AT: Final = 92  # creation date and time in the header of the file


def _layout(frames: Frames) -> Layout:
    return sheet_layout(frames, WORDS, SPELLING)


def _write(layout: Layout, folder: Path) -> None:
    import pyreadstat

    keys = {layout.places[key].column for key in layout.places if key[0] == "scores"}
    keys -= {"patnr", "epi", "vdate"}
    low, high = min(ABSENT.values()), max(ABSENT.values())
    for name, table in layout.tables.items():
        path = folder / table.source
        ranges: dict[str, Any] = {}
        if name == "scores":
            ranges = {column: [{"lo": low, "hi": high}] for column in sorted(keys)}
        pyreadstat.write_sav(
            for_writer(table),
            str(path),
            file_label=MARK_TEXT[:60],
            variable_value_labels=value_labels(table),
            missing_ranges=ranges,
        )
        pinned(path, _STAMP, _STAMP_AT)


EXPORT = ExportFormat("spss", "SPSS: value labels, ranges of missing values", _layout, _write)
