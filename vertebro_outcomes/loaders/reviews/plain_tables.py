"""Plain CSV in the shapes of metafor, meta and this package: one table, one pooled result."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from vertebro_outcomes.errors import LoadError, Problem
from vertebro_outcomes.loaders.reviews import revman_words as words
from vertebro_outcomes.loaders.reviews.review_format import ReviewFormat
from vertebro_outcomes.loaders.reviews.review_sheet import (
    Row,
    headers_of,
    number,
    printed,
    read_sheet_file,
)
from vertebro_outcomes.measures import MEASURES
from vertebro_outcomes.tables.review_tables import (
    DataType,
    Published,
    Review,
    ReviewUnit,
    StudyLine,
)

# Our field -> the column of each shape, as `plain` headers.
Columns = Mapping[str, str]
_COUNTS: Final[tuple[Columns, ...]] = (
    {"events_t": "ai", "n_t": "n1i", "events_c": "ci", "n_c": "n2i"},
    {"events_t": "ai", "other_t": "bi", "events_c": "ci", "other_c": "di"},
    {"events_t": "evente", "n_t": "ne", "events_c": "eventc", "n_c": "nc"},
    {"events_t": "eventst", "n_t": "nt", "events_c": "eventsc", "n_c": "nc"},
)
_MEANS: Final[tuple[Columns, ...]] = tuple(
    dict(zip(("mean_t", "sd_t", "n_t", "mean_c", "sd_c", "n_c"), shape.split(), strict=True))
    for shape in (
        "m1i sd1i n1i m2i sd2i n2i",
        "meane sde ne meanc sdc nc",
        "meant sdt nt meanc sdc nc",
    )
)
_EFFECTS: Final[tuple[Columns, ...]] = (
    {"effect": "yi", "variance_of_effect": "vi"},
    {"effect": "yi", "se": "sei"},
    {"effect": "te", "se": "sete"},
    {"effect": "effect", "se": "se"},
    {"effect": "effect", "variance_of_effect": "variance"},
)
_SHAPES: Final[tuple[tuple[DataType, Columns], ...]] = (
    *(("counts", columns) for columns in _COUNTS),
    *(("means", columns) for columns in _MEANS),
    *(("effects", columns) for columns in _EFFECTS),
)
_NETWORKS: Final = (
    frozenset({"treat1", "treat2"}),
    frozenset({"studlab", "treat", "event"}),
    frozenset({"studlab", "treat", "mean"}),
    frozenset({"study", "treatt", "treatc"}),
    frozenset({"treatment1", "treatment2"}),
)
_STUDY: Final = ("study", "studlab", "slab", "author", "trial", "studyid")
_OTHERS: Final = frozenset({"comparisonnumber", "analysisgroup", "reviewid"})  # of other formats


def recognise(path: Path) -> bool:
    """Whether the headers are one of the shapes, or those of a network."""
    headers = headers_of(path)
    return not headers & _OTHERS and (_shape(headers) is not None or _is_network(headers))


def read(path: Path) -> Review:
    """Read a plain table; columns `measure`, `method`, `model` and `published_estimate`,
    `published_ci_low`, `published_ci_high` say what to recompute and what to compare it with.

    Raises
    ------
    LoadError
        The table holds a network, or no number.
    """
    sheet = read_sheet_file(path)
    headers = frozenset(sheet.titles)
    if _is_network(headers):
        problem = Problem("the columns", "treatments of a network", "one comparison of two arms")
        raise LoadError(path.name, [problem], "pool it with pool_network(contrasts)")
    found = _shape(headers)
    if found is None or not sheet.rows:
        shapes = "ai n1i ci n2i, m1i sd1i n1i m2i sd2i n2i, yi vi, TE seTE, event.e n.e ..."
        problem = Problem("the rows", "none" if found else "columns of no known shape", shapes)
        raise LoadError(path.name, [problem], "rename the columns to one of these shapes")
    kind, columns = found
    lines = tuple(_line(row, columns, place) for place, row in enumerate(sheet.rows, start=1))
    return Review(path.stem, "plain_table", (_unit(path.stem, kind, lines, sheet.rows[0]),))


def _unit(name: str, kind: DataType, lines: tuple[StudyLine, ...], first: Row) -> ReviewUnit:
    measure = _measure(first.get("measure", "") or first.get("sm", ""))
    log = kind == "effects" and measure in words.LOG_MEASURES
    method = words.method(first.get("method", "MH"), kind=kind, found_measure=measure)
    stated = first.get("model", "")
    model = words.model(stated, found_method=method) if stated else ""
    return ReviewUnit(
        unit_id=name,
        level="overall",
        comparison=first.get("comparison", ""),
        outcome=first.get("outcome", "") or name,
        subgroup="",
        data_type=kind,
        measure=measure,
        method=method,
        model=model,
        lines=lines,
        published=Published(
            estimate=printed(first, "publishedestimate"),
            ci_low=printed(first, "publishedcilow"),
            ci_high=printed(first, "publishedcihigh"),
            tau2=printed(first, "publishedtau2"),
        ),
        log_scale=log,
        full_precision=False,
    )


def _measure(text: str) -> str:
    """The measure a column names; "" where there is none."""
    if text.upper() in MEASURES:
        return text.upper()
    return words.measure(text) if text else ""


def _line(row: Row, columns: Columns, place: int) -> StudyLine:
    numbers: dict[str, Any] = {field: number(row, column) for field, column in columns.items()}
    for arm in "tc":
        if f"other_{arm}" in numbers:
            numbers[f"n_{arm}"] = numbers[f"events_{arm}"] + numbers.pop(f"other_{arm}")
    if "variance_of_effect" in numbers:
        variance = numbers.pop("variance_of_effect")
        numbers["se"] = math.sqrt(variance) if variance >= 0 else float("nan")
    study = next((row[key] for key in _STUDY if row.get(key)), f"row {place}")
    return StudyLine(study=study, year=row.get("year", ""), **numbers)


def _shape(headers: frozenset[str]) -> tuple[DataType, Columns] | None:
    return next((shape for shape in _SHAPES if headers.issuperset(shape[1].values())), None)


def _is_network(headers: frozenset[str]) -> bool:
    return any(headers >= needed for needed in _NETWORKS)


FORMAT = ReviewFormat("plain_table", recognise, read)
