"""Reads the sheets as text, each row with its line in the file, and collects what is wrong with them."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from vertebro_outcomes.errors import Problem
from vertebro_outcomes.loaders.literature.arms import arm_problem, contrast_arm_problems
from vertebro_outcomes.loaders.plain_words import csv_fault, text_fault
from vertebro_outcomes.outcomes import OUTCOMES
from vertebro_outcomes.tables.literature_tables import LITERATURE_TABLES
from vertebro_outcomes.tables.schema import check, where

WRITTEN: Final = "CSV, UTF-8, commas, double quotes"


@dataclass(frozen=True)
class Sheet:
    """One CSV file: its cells as printed and the line each row starts on."""

    name: str
    frame: pd.DataFrame
    lines: np.ndarray

    @property
    def file(self) -> str:
        return f"{self.name}.csv"

    def at(self, row: int, column: str) -> str:
        return where(self.file, [int(self.lines[row])], column)


def read_sheets(folder: Path) -> tuple[dict[str, Sheet], list[Problem]]:
    """Every declared sheet of `folder`, and every problem found in them."""
    sheets: dict[str, Sheet] = {}
    problems: list[Problem] = []
    for name, table in LITERATURE_TABLES.items():
        sheet = _read(folder / f"{name}.csv")
        if isinstance(sheet, Problem):
            problems.append(sheet)
            continue
        sheets[name] = sheet
        problems += check(sheet.frame, table, file=sheet.file, lines=sheet.lines)
    if not problems:
        problems = list(_reference_problems(sheets))
    return sheets, problems


def _read(path: Path) -> Sheet | Problem:
    if not path.is_file():
        return Problem(f"{path.name}", "no such file", f"the sheet {path.name} in {path.parent}")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return Problem(path.name, text_fault(error), WRITTEN)
    rows: list[list[str]] = []
    starts: list[int] = []
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    start = 1
    try:
        header = next(reader, [])
        start = reader.line_num + 1
        for row in reader:
            if row:
                rows.append(row)
                starts.append(start)
            start = reader.line_num + 1
    except csv.Error as error:
        return Problem(f"{path.name}, line {start}", csv_fault(error), WRITTEN)
    for row, start in zip(rows, starts, strict=True):
        if len(row) != len(header):
            found = f"{len(row)} fields"
            return Problem(
                f"{path.name}, line {start}", found, f"{len(header)} fields, as the header"
            )
    repeated = {name for name in header if header.count(name) > 1}
    if repeated:
        return Problem(f"{path.name}, line 1", f"columns twice: {', '.join(repeated)}", "once each")
    return Sheet(path.stem, pd.DataFrame(rows, columns=header, dtype=object), np.array(starts, int))


def _reference_problems(sheets: dict[str, Sheet]) -> Iterator[Problem]:
    known = set(sheets["studies"].frame["study_id"])
    yield from _unknown(sheets["studies"], "parent_study_id", known, "a study_id of studies.csv")
    yield from _loops(sheets["studies"])
    for sheet in sheets.values():
        columns = sheet.frame.columns
        for column in {"study_id", "review_id"} & set(columns):
            yield from _unknown(sheet, column, known, "a study_id of studies.csv")
        if "outcome" in columns:
            yield from _unknown(sheet, "outcome", set(OUTCOMES), "a name of OUTCOMES")
    yield from _arm_problems(sheets)
    for name, pairs in (
        ("arm_binary", (("events", "n"),)),
        ("review_inputs", (("events_t", "n_t"), ("events_c", "n_c"))),
        (
            "pooled_published",
            (("events_treatment", "n_treatment"), ("events_comparator", "n_comparator")),
        ),
    ):
        for events, n in pairs:
            yield from _more_events_than_patients(sheets[name], events, n)


def _unknown(sheet: Sheet, column: str, known: set[str], what: str) -> Iterator[Problem]:
    values = sheet.frame[column]
    for value in sorted(set(values) - known - {""}):
        rows = np.flatnonzero((values == value).to_numpy())
        close = get_close_matches(value, sorted(known), n=3)
        hint = f" (near: {', '.join(close)})" if close else ""
        yield Problem(where(sheet.file, sheet.lines[rows], column), repr(value), what + hint)


def _loops(sheet: Sheet) -> Iterator[Problem]:
    parent = dict(zip(sheet.frame["study_id"], sheet.frame["parent_study_id"], strict=True))
    for row, study in enumerate(sheet.frame["study_id"]):
        seen, at = {study}, parent[study]
        while at and at not in seen:
            seen.add(at)
            at = parent.get(at, "")
        if at == study:
            found = f"{study!r} is its own ancestor"
            yield Problem(sheet.at(row, "parent_study_id"), found, "a chain that ends in a trial")


def _arm_problems(sheets: dict[str, Sheet]) -> Iterator[Problem]:
    for name, columns in (
        ("arm_continuous", ["arm"]),
        ("arm_binary", ["arm"]),
        ("review_inputs", ["arm_t", "arm_c"]),
    ):
        sheet = sheets[name]
        for column in columns:
            for value in sorted(set(sheet.frame[column])):
                allowed = arm_problem(value)
                if allowed:
                    rows = np.flatnonzero((sheet.frame[column] == value).to_numpy())
                    at = where(sheet.file, sheet.lines[rows], column)
                    yield Problem(at, f"unknown treatment {value!r}", allowed)
    sheet = sheets["contrasts"]
    pairs = sheet.frame[["treatment", "comparator"]].itertuples(index=False)
    for row, (treatment, comparator) in enumerate(pairs):
        for column, value, allowed in contrast_arm_problems(treatment, comparator):
            yield Problem(sheet.at(row, column), f"unknown treatment {value!r}", allowed)


def _more_events_than_patients(sheet: Sheet, events: str, n: str) -> Iterator[Problem]:
    pairs = sheet.frame[[events, n]].itertuples(index=False)
    for row, (count, size) in enumerate(pairs):
        if count and size and float(count) > float(size):
            yield Problem(sheet.at(row, events), f"{count} events", f"at most {n}, {size}")
