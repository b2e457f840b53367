"""RevMan 5's CSV export: comparisons, outcomes, subgroups and studies as rows of one table.

A row with outcome 0 names a comparison; the first row of an outcome holds its settings and pooled
result, the first row of a subgroup its result; the other rows are studies.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from vertebro_outcomes.errors import LoadError, Problem
from vertebro_outcomes.loaders.reviews import revman_words as words
from vertebro_outcomes.loaders.reviews.data_rows import unit_id
from vertebro_outcomes.loaders.reviews.review_format import ReviewFormat
from vertebro_outcomes.loaders.reviews.review_sheet import (
    EXPORT_AGAIN,
    Row,
    headers_of,
    number,
    plain,
    printed,
    read_sheet_file,
    whole,
)
from vertebro_outcomes.tables.review_tables import (
    DataType,
    Published,
    Review,
    ReviewUnit,
    StudyLine,
)

NEEDED: Final = ("Comparison Number", "Outcome Number", "Subgroup Number", "Name")
_HEADERS: Final = frozenset(plain(title) for title in NEEDED)
_EVENTS: Final = {"events_t": "events1", "events_c": "events2"}
_COLUMNS: Final[dict[DataType, dict[str, str]]] = {
    "counts": _EVENTS,
    "means": {"mean_t": "mean1", "sd_t": "sd1", "mean_c": "mean2", "sd_c": "sd2"},
    "effects": {},
    "o_minus_e": {"o_minus_e": "oe", "variance": "variance", **_EVENTS},
}
_STUDY_ONLY: Final = ("yearofstudy", "userdefinedorder", "studyid")


@dataclass
class _Subgroup:
    number: int
    row: Row | None = None
    studies: list[Row] = field(default_factory=list)


@dataclass
class _Outcome:
    comparison: int
    number: int
    row: Row
    studies: list[Row] = field(default_factory=list)
    subgroups: dict[int, _Subgroup] = field(default_factory=dict)


def recognise(path: Path) -> bool:
    """Whether the headers are those of the export."""
    return headers_of(path) >= _HEADERS


def read(path: Path) -> Review:
    """Read a CSV export.

    Raises
    ------
    LoadError
        Needed columns are missing, or no outcome holds studies.
    """
    sheet = read_sheet_file(path)
    sheet.require(*NEEDED)
    comparisons: dict[int, str] = {}
    outcomes: dict[tuple[int, int], _Outcome] = {}
    for row in sheet.rows:
        places = [whole(row, plain(title)) for title in NEEDED[:3]]
        if places[0] is None:
            continue
        comparison, outcome, subgroup = places[0], places[1] or 0, places[2] or 0
        if outcome == 0:
            comparisons[comparison] = row.get("name", "")
        elif (comparison, outcome) not in outcomes:
            outcomes[comparison, outcome] = _Outcome(comparison, outcome, row)
        else:
            _place(outcomes[comparison, outcome], subgroup, row)
    units: list[ReviewUnit] = []
    notes: list[str] = []
    for found in outcomes.values():
        made = _units(found, comparisons.get(found.comparison, ""))
        units += made
        if not made:
            notes.append(f"{unit_id((found.comparison, found.number))}: nothing to recompute")
    if not units:
        problem = Problem("the rows", "no outcome with studies", "outcomes and their studies")
        raise LoadError(path.name, [problem], EXPORT_AGAIN)
    return Review(path.stem, "revman_csv", tuple(units), notes=tuple(notes))


def _place(outcome: _Outcome, number_: int, row: Row) -> None:
    if number_ == 0:
        outcome.studies.append(row)
        return
    subgroup = outcome.subgroups.setdefault(number_, _Subgroup(number_))
    is_first = subgroup.row is None and not subgroup.studies
    if is_first and not any(row.get(column) for column in _STUDY_ONLY):
        subgroup.row = row
    else:
        subgroup.studies.append(row)


def _units(outcome: _Outcome, comparison: str) -> list[ReviewUnit]:
    row = outcome.row
    kind = words.data_type(row.get("datatype", ""))
    studies = [*outcome.studies, *(s for g in outcome.subgroups.values() for s in g.studies)]
    if kind is None or not studies:
        return []
    log = kind == "o_minus_e" or (kind == "effects" and _is_log(row, studies))
    measure = words.effect_measure(row.get("effectmeasure", ""), kind=kind, log_scale=log)
    if kind == "effects" and log and measure == "GEN" and not row.get("effectmeasure"):
        measure = "HR"
    method = words.method(row.get("statisticalmethod", ""), kind=kind, found_measure=measure)
    model = words.model(row.get("analysismodel", ""), found_method=method)
    totals = plain(row.get("totals", ""))
    key = (outcome.comparison, outcome.number)
    overall = ReviewUnit(
        unit_id=unit_id(key),
        level="overall",
        comparison=comparison or f"Comparison {outcome.comparison}",
        outcome=row.get("name", ""),
        subgroup="",
        data_type=kind,
        measure=measure,
        method=method,
        model=model,
        lines=(),
        published=_published(row, is_random=model == "random"),
        ci_level=words.level(row.get("totalconfidenceinterval", "")),
        swap_events=words.is_yes(row.get("swapeventandnonevent", ""), otherwise=False),
        log_scale=log,
        shown=not totals.startswith(("no", "sub")),
    )
    subgroups = []
    lines = [_line(study, kind, log=log, subgroup="") for study in outcome.studies]
    for subgroup in outcome.subgroups.values():
        stored = subgroup.row or {}
        name = stored.get("name", "") or f"Subgroup {subgroup.number}"
        own = [_line(study, kind, log=log, subgroup=name) for study in subgroup.studies]
        lines += own
        subgroups.append(
            replace(
                overall,
                unit_id=unit_id(key, subgroup.number),
                level="subgroup",
                subgroup=name,
                lines=tuple(own),
                published=_published(stored, is_random=model == "random"),
                shown=not totals.startswith("no"),
            )
        )
    ids = tuple(unit.unit_id for unit in subgroups)
    return [replace(overall, lines=tuple(lines), subgroup_units=ids), *subgroups]


def _line(row: Row, kind: DataType, *, log: bool, subgroup: str) -> StudyLine:
    shown = [number(row, name) for name in ("effectestimate", "cistart", "ciend")]
    is_estimable = not all(math.isnan(x) or x == 0 for x in shown) or all(map(math.isnan, shown))
    line = StudyLine(
        study=row.get("name", ""),
        year=row.get("yearofstudy", ""),
        subgroup=subgroup,
        estimable=is_estimable,
        n_t=number(row, "total1"),
        n_c=number(row, "total2"),
        published_effect=shown[0],
        published_ci_low=shown[1],
        published_ci_high=shown[2],
        published_weight_pct=number(row, "weight"),
    )
    numbers = {name: number(row, column) for name, column in _COLUMNS[kind].items()}
    if kind == "effects":
        numbers["effect"], numbers["se"] = _entered(row, log=log)
    filled: dict[str, Any] = numbers
    return replace(line, **filled)


def _entered(row: Row, *, log: bool) -> tuple[float, float]:
    """The estimate on the analysis scale; the export shows it on the reader's."""
    se = number(row, "se", "standarderror")
    entered = number(row, "estimate", "logestimate")
    if not math.isnan(entered):
        return entered, se
    shown = number(row, "effectestimate")
    if log:
        return (math.log(shown) if shown > 0 else float("nan")), se
    return shown, se


def _is_log(row: Row, studies: Sequence[Row]) -> bool:
    """What the export says, else whether intervals are symmetric as ratios with the stored SE."""
    stated = next((row[key] for key in row if "log" in key and row[key]), "")
    if words.is_yes(stated, otherwise=False):
        return True
    votes = []
    for study in studies:
        low, high, se = (number(study, name) for name in ("cistart", "ciend", "se"))
        if not (0 < low < high and se > 0):
            continue
        as_log, as_is = math.log(high / low) / se, (high - low) / se
        votes.append(abs(as_log - 3.92) < abs(as_is - 3.92))
    return bool(votes) and 2 * sum(votes) > len(votes)


def _published(row: Row, *, is_random: bool) -> Published:
    estimate, low, high = (printed(row, name) for name in ("effectestimate", "cistart", "ciend"))
    values = [found.value for found in (estimate, low, high) if found is not None]
    if not any(values):  # blank, or 0, 0, 0: never computed
        return Published()
    between = printed(row, "qint")
    return Published(
        estimate=estimate,
        ci_low=low,
        ci_high=high,
        tau2=printed(row, "tau2") if is_random else None,
        q=printed(row, "q", "chi2"),
        i2_pct=printed(row, "i2q", "i2"),
        z=printed(row, "z"),
        p_value=printed(row, "pz"),
        q_between=between if between is not None and between.value > 0 else None,
        weights_pct=number(row, "weight"),
    )


FORMAT = ReviewFormat("revman_csv", recognise, read)
