"""RevMan 5 files (.rm5): analyses with their stored results, studies, risk of bias.

Names and addresses in the cover sheet, and all prose, are passed over while reading.
"""

import re
from dataclasses import replace
from pathlib import Path
from typing import Final

from vertebro_outcomes.errors import LoadError, Problem
from vertebro_outcomes.loaders.reviews.hardened_xml import parse
from vertebro_outcomes.loaders.reviews.review_format import ReviewFormat
from vertebro_outcomes.loaders.reviews.rm5_units import Outcome, Subgroup, outcome_units
from vertebro_outcomes.tables.review_tables import Review, ReviewUnit

KINDS: Final = ("DICH", "CONT", "IV", "IPD", "OTHER")
_OUTCOMES: Final = {f"{kind}_OUTCOME": kind for kind in KINDS}
_SUBGROUPS: Final = frozenset(f"{kind}_SUBGROUP" for kind in KINDS)
_DATA: Final = frozenset(f"{kind}_DATA" for kind in KINDS)
_PASSED_OVER: Final = frozenset({"COVER_SHEET", "MAIN_TEXT", "REFERENCES", "FIGURES", "FEEDBACK"})
_TEXTS: Final = frozenset({"NAME", "EFFECT_MEASURE"})
LONGEST_NAME: Final = 10_000  # letters of a name that are kept
_ESCAPE: Final = re.compile(r"_x([0-9a-fA-F]{4})_")


class _Reader:
    """Parser target: keeps analyses, study names and risk of bias, nothing else."""

    def __init__(self) -> None:
        self.root = ""
        self.outcomes: list[Outcome] = []
        self.names: dict[str, tuple[str, str]] = {}
        self.bias: dict[str, list[tuple[str, str]]] = {}
        self._path: list[str] = []
        self._comparison = ""
        self._outcome: Outcome | None = None
        self._subgroup: Subgroup | None = None
        self._item = ""
        self._text: list[str] | None = None
        self._skipping = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.root = self.root or tag
        self._path.append(tag)
        if self._skipping or tag in _PASSED_OVER:
            self._skipping += 1
        elif tag == "STUDY" and "ID" in attributes:
            self.names[attributes["ID"]] = (attributes.get("NAME", ""), attributes.get("YEAR", ""))
        elif tag == "QUALITY_ITEM_DATA_ENTRY":
            entry = (self._item, attributes.get("RESULT", ""))
            self.bias.setdefault(attributes.get("STUDY_ID", ""), []).append(entry)
        elif tag == "COMPARISON":
            self._comparison = ""
        elif tag in _OUTCOMES:
            self._outcome = Outcome(_OUTCOMES[tag], attributes, self._comparison)
            self.outcomes.append(self._outcome)
        elif tag in _SUBGROUPS and self._outcome is not None:
            self._subgroup = Subgroup(attributes)
            self._outcome.subgroups.append(self._subgroup)
        elif tag in _DATA and self._outcome is not None:
            (self._subgroup or self._outcome).data.append(attributes)
        elif tag in _TEXTS:
            self._text = []

    def data(self, text: str) -> None:
        if self._text is not None and sum(map(len, self._text[:LONGEST_NAME])) < LONGEST_NAME:
            self._text.append(text[:LONGEST_NAME])

    def end(self, tag: str) -> None:
        self._path.pop()
        if self._skipping:
            self._skipping -= 1
            return
        if tag in _TEXTS and self._text is not None:
            self._named(tag, " ".join("".join(self._text).split()))
            self._text = None
        elif tag in _SUBGROUPS:
            self._subgroup = None
        elif tag in _OUTCOMES:
            self._outcome = None

    def close(self) -> "_Reader":
        return self

    def _named(self, tag: str, text: str) -> None:
        owner = self._path[-1] if self._path else ""
        if tag == "EFFECT_MEASURE":
            if self._outcome is not None:
                self._outcome.effect_measure = text
        elif owner == "COMPARISON":
            self._comparison = text
        elif owner in _SUBGROUPS and self._subgroup is not None:
            self._subgroup.name = text
        elif owner in _OUTCOMES and self._outcome is not None:
            self._outcome.name = text
        elif owner == "QUALITY_ITEM":
            self._item = text


def recognise(path: Path) -> bool:
    """Whether the file says that it is a RevMan 5 review; only its first kilobytes are read."""
    if not path.is_file():
        return False
    if path.suffix.lower() == ".rm5":
        return True
    try:
        with path.open("rb") as file:
            return b"<COCHRANE_REVIEW" in file.read(4096)
    except OSError:
        return False


def read(path: Path) -> Review:
    """Read a RevMan 5 file.

    Raises
    ------
    LoadError
        Not a whole, harmless RevMan 5 file, or one without analyses.
    """
    reader = _Reader()
    parse(path, reader, kind="RevMan 5 file")
    if reader.root != "COCHRANE_REVIEW":
        problem = Problem("first tag", f"<{reader.root}>", "<COCHRANE_REVIEW>")
        raise LoadError(path.name, [problem], "hand in the .rm5 file that RevMan 5 saves")
    units: list[ReviewUnit] = []
    for outcome in reader.outcomes:
        units += outcome_units(outcome, reader.names)
    if not units:
        problem = Problem("ANALYSES_AND_DATA", "no analysis with data", "at least one outcome")
        raise LoadError(path.name, [problem], "hand in a review that holds its analyses")
    if reader.bias:
        units = [_with_bias(unit, reader) for unit in units]
    return Review(review_id=path.stem, format="rm5", units=tuple(units))


def plain_id(text: str) -> str:
    """`STD-Smith_x002d_Jones-2001` -> `STD-Smith-Jones-2001`."""
    return _ESCAPE.sub(lambda match: chr(int(match.group(1), 16)), text)


def _with_bias(unit: ReviewUnit, reader: _Reader) -> ReviewUnit:
    by_label = {name or key: key for key, (name, _) in reader.names.items()}
    lines = tuple(
        replace(line, risk_of_bias=tuple(reader.bias.get(by_label.get(line.study, ""), ())))
        for line in unit.lines
    )
    return replace(unit, lines=lines)


FORMAT = ReviewFormat("rm5", recognise, read)
