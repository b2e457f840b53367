"""Rows of a `-data-rows.csv`: grouped by analysis, each row a study line with every number it holds."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vertebro_outcomes.errors import LoadError, Problem, list_some
from vertebro_outcomes.loaders.reviews.review_sheet import (
    EXPORT_AGAIN,
    ReviewSheet,
    Row,
    number,
    plain,
    whole,
)
from vertebro_outcomes.tables.review_tables import StudyLine

DATA_ROWS: Final = "data-rows.csv"
SETTINGS: Final = "overall-estimates-and-settings.csv"
NEEDED: Final = ("Analysis group", "Analysis number", "Study")
Key = tuple[int, int]
_NOT_GIVEN: Final = frozenset({"#n/a", "n/a", "na", "nan"})
_JUDGEMENTS: Final = frozenset(
    {"low", "high", "unclear", "some", "serious", "moderate", "critical"}
)


@dataclass(frozen=True)
class DataRow:
    """One row: which subgroup it stands in, whether it enters the overall and the subgroup pool."""

    line: StudyLine
    subgroup_number: int | None
    in_overall: bool
    in_subgroup: bool


@dataclass(frozen=True)
class AnalysisRows:
    """The rows of one analysis."""

    name: str
    rows: tuple[DataRow, ...]


def unit_id(key: Key, subgroup: int | None = None) -> str:
    """`CMP-001.02` for analysis 1.2, `CMP-001.02.03` for its third subgroup."""
    tail = "" if subgroup is None else f".{subgroup:02d}"
    return f"CMP-{key[0]:03d}.{key[1]:02d}{tail}"


def analysis_key(row: Row) -> Key | None:
    """Group and number of the analysis a row belongs to."""
    group, analysis = whole(row, "analysisgroup"), whole(row, "analysisnumber")
    return None if group is None or analysis is None else (group, analysis)


def rows_by_analysis(sheet: ReviewSheet) -> dict[Key, AnalysisRows]:
    """The rows of each analysis in file order.

    Raises
    ------
    LoadError
        Needed columns are missing, or no row names its analysis.
    """
    sheet.require(*NEEDED)
    bias = [key for key in sheet.titles if key.startswith(("rob", "riskofbias", "bias"))]
    found: dict[Key, list[DataRow]] = {}
    names: dict[Key, str] = {}
    for row in sheet.rows:
        key = analysis_key(row)
        if key is None:
            continue
        names.setdefault(key, _given(row, "analysisname"))
        found.setdefault(key, []).append(_data_row(row, sheet, bias))
    if not found:
        told = "no row with an analysis group and number"
        raise LoadError(
            sheet.source, [Problem("the rows", told, "one row per study")], EXPORT_AGAIN
        )
    return {key: AnalysisRows(names[key], tuple(rows)) for key, rows in found.items()}


def subgroups_of(rows: Sequence[DataRow]) -> list[tuple[int, str, tuple[StudyLine, ...]]]:
    """Number, name and lines of each subgroup, by the file's numbers or in order of appearance."""
    lines: dict[tuple[int | None, str], list[StudyLine]] = {}
    for row in rows:
        if row.in_subgroup and (row.line.subgroup or row.subgroup_number):
            lines.setdefault((row.subgroup_number, row.line.subgroup), []).append(row.line)
    return [
        (stated if stated is not None else place, name, tuple(members))
        for place, ((stated, name), members) in enumerate(lines.items(), start=1)
    ]


def one_review(names: Iterable[str], *, source: str) -> str:
    """The identifier shared by the files of a package.

    Raises
    ------
    LoadError
        No data rows at all, or those of several reviews.
    """
    found = sorted({review_of(name) for name in names if is_data_rows(name)})
    if not found:
        problem = Problem("the files", f"none is called <id>-{DATA_ROWS}", "a RevMan data package")
        raise LoadError(source, [problem], "pass the package with its analysis data")
    if len(found) > 1:
        problem = Problem("the files", f"the reviews {list_some(found)}", "one review")
        raise LoadError(source, [problem], "pass the package of one review at a time")
    return found[0]


def is_data_rows(name: str) -> bool:
    """Whether a file is called as data rows are."""
    return name.lower().endswith(DATA_ROWS)


def settings_beside(path: Path) -> Path:
    """Where the settings of a data-rows file would be."""
    return path.with_name(path.name[: -len(DATA_ROWS)] + SETTINGS)


def review_of(name: str) -> str:
    """`x/CD001234-analysis-data/CD001234-data-rows.csv` -> CD001234."""
    return name.replace("\\", "/").rpartition("/")[2][: -len(DATA_ROWS)].rstrip("-_ ") or "review"


def _data_row(row: Row, sheet: ReviewSheet, bias: Sequence[str]) -> DataRow:
    applies = plain(row.get("applicability", ""))
    shown = tuple(number(row, name) for name in ("mean", "cistart", "ciend"))
    line = StudyLine(
        study=row.get("study", ""),
        year=_given(row, "studyyear").removesuffix(".0"),
        subgroup=_given(row, "subgroup"),
        estimable=any(value != 0 for value in shown),  # NaN: the file does not say
        events_t=number(row, "experimentalcases", "experimentalevents"),
        n_t=number(row, "experimentaln", "experimentaltotal"),
        events_c=number(row, "controlcases", "controlevents"),
        n_c=number(row, "controln", "controltotal"),
        mean_t=number(row, "experimentalmean"),
        sd_t=number(row, "experimentalsd"),
        mean_c=number(row, "controlmean"),
        sd_c=number(row, "controlsd"),
        effect=number(row, "givmean"),
        se=number(row, "givse"),
        o_minus_e=number(row, "oe"),
        variance=number(row, "variance"),
        published_effect=shown[0],
        published_ci_low=shown[1],
        published_ci_high=shown[2],
        published_weight_pct=number(row, "weight"),
        risk_of_bias=tuple(
            (sheet.titles[key], row[key]) for key in bias if is_judgement(row.get(key, ""))
        ),
    )
    return DataRow(
        line=line,
        subgroup_number=whole(row, "subgroupnumber") or None,
        in_overall=applies != "subgrouponly",
        in_subgroup=applies != "overallonly",
    )


def _given(row: Row, column: str) -> str:
    """The text of a cell, "" where it stands for none."""
    text = row.get(column, "")
    return "" if text.casefold() in _NOT_GIVEN else text


def is_judgement(text: str) -> bool:
    """Whether a cell is a judgement (`Low risk`, `Some concerns`) and not the reasons for one."""
    first = text.lower().split()[:1]
    return len(text) < 40 and bool(first) and first[0].strip(".,") in _JUDGEMENTS
