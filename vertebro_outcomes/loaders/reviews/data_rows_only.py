"""Data rows without settings: study lines, shown effects and weights, no measure, method or model.

The weights of a pooled set sum to 100; that tells whether a review pooled an analysis as a whole or
each subgroup alone. Which measure and model it was can be recognised from effects and weights.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from vertebro_outcomes.loaders.reviews.archives import list_members, looks_like_zip, read_members
from vertebro_outcomes.loaders.reviews.data_rows import (
    NEEDED,
    SETTINGS,
    AnalysisRows,
    Key,
    is_data_rows,
    review_of,
    rows_by_analysis,
    settings_beside,
    subgroups_of,
    unit_id,
)
from vertebro_outcomes.loaders.reviews.review_format import ReviewFormat
from vertebro_outcomes.loaders.reviews.review_sheet import (
    headers_of,
    plain,
    read_sheet,
    read_sheet_file,
)
from vertebro_outcomes.tables.review_tables import (
    DataType,
    Published,
    Review,
    ReviewUnit,
    StudyLine,
)

MOST_ROUNDING: Final = 0.05  # percent by which a rounded weight may be off
NO_POOL: Final = "a pooled set: the weights of these rows do not sum to 100"
_HEADERS: Final = frozenset(plain(title) for title in NEEDED)


def recognise(path: Path) -> bool:
    """A CSV with the columns of data rows, or a zip or folder of such files without settings."""
    try:
        if path.is_dir() or looks_like_zip(path):
            names = [name.lower() for name in list_members(path)]
            has_settings = any(name.endswith(SETTINGS) for name in names)
            return any(map(is_data_rows, names)) and not has_settings
        if is_data_rows(path.name) and settings_beside(path).is_file():
            return False
    except OSError:
        return False
    headers = headers_of(path)
    return headers >= _HEADERS and "datatype" not in headers


def read(path: Path) -> Review:
    """Read data rows; several files are read as one review, their identifiers kept in the unit ids.

    Raises
    ------
    LoadError
        Not a whole, harmless file with the needed columns.
    """
    if path.is_file() and not looks_like_zip(path):
        analyses = rows_by_analysis(read_sheet_file(path))
        review_id = review_of(path.name) if is_data_rows(path.name) else path.stem
        return Review(review_id, "data_rows", tuple(_units(analyses)))
    files = read_members(path, wanted=is_data_rows)
    units: list[ReviewUnit] = []
    for name, data in files.items():
        prefix = f"{review_of(name)}:" if len(files) > 1 else ""
        units += _units(rows_by_analysis(read_sheet(data, source=name)), prefix=prefix)
    review_id = review_of(next(iter(files))) if len(files) == 1 else path.stem
    return Review(review_id, "data_rows", tuple(units))


def weights_pct(lines: Sequence[StudyLine]) -> float:
    """The sum of the shown weights."""
    return math.fsum(
        line.published_weight_pct for line in lines if not math.isnan(line.published_weight_pct)
    )


def is_pooled_set(lines: Sequence[StudyLine]) -> bool:
    """Whether shown weights sum to 100, within what rounding leaves open."""
    weights = [w for line in lines if (w := line.published_weight_pct) > 0]
    slack = MOST_ROUNDING * max(1.0, len(weights)) ** 0.5 * 2 + 1e-6
    return bool(weights) and abs(math.fsum(weights) - 100) <= slack


def _units(analyses: dict[Key, AnalysisRows], *, prefix: str = "") -> list[ReviewUnit]:
    units: list[ReviewUnit] = []
    for key, analysis in analyses.items():
        overall = _unit(prefix + unit_id(key), analysis, key)
        lines = tuple(row.line for row in analysis.rows if row.in_overall)
        subgroups = [
            replace(
                overall,
                unit_id=prefix + unit_id(key, place),
                level="subgroup",
                subgroup=name,
                lines=members,
                published=Published(weights_pct=weights_pct(members)),
            )
            for place, name, members in subgroups_of(analysis.rows)
            if is_pooled_set(members)
        ]
        is_pooled = is_pooled_set(lines)
        overall = replace(
            overall,
            lines=lines,
            published=Published(weights_pct=weights_pct(lines)),
            subgroup_units=tuple(unit.unit_id for unit in subgroups),
            shown=is_pooled,
            missing="" if is_pooled else NO_POOL,
        )
        if is_pooled:
            subgroups = _alone(subgroups)
        units += [overall, *subgroups] if is_pooled or not subgroups else subgroups
    return units


def _alone(subgroups: list[ReviewUnit]) -> list[ReviewUnit]:
    """The only subgroup of a pooled analysis is the analysis again."""
    return [] if len(subgroups) == 1 else subgroups


def _unit(name: str, analysis: AnalysisRows, key: Key) -> ReviewUnit:
    return ReviewUnit(
        unit_id=name,
        level="overall",
        comparison=f"Comparison {key[0]}",
        outcome=analysis.name,
        subgroup="",
        data_type=likely_type([row.line for row in analysis.rows]),
        measure="",
        method="",
        model="",
        lines=(),
        published=Published(),
    )


def likely_type(lines: Sequence[StudyLine]) -> DataType:
    """What the filled cells look like; cells that do not apply hold 0."""

    def fills(*names: str) -> bool:
        return any(
            not math.isnan(getattr(line, name)) and getattr(line, name) != 0
            for line in lines
            for name in names
        )

    if fills("sd_t", "sd_c"):
        return "means"
    if fills("o_minus_e"):
        return "o_minus_e"
    if fills("events_t", "events_c") or not fills("se"):
        return "counts"
    return "effects"


FORMAT = ReviewFormat("data_rows", recognise, read)
