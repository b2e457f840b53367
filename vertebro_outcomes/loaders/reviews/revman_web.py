"""RevMan Web data packages: zip, zip in a zip, or unpacked folder.

Cells that do not apply hold 0.0, so what a row means comes from the settings of its analysis.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from vertebro_outcomes.errors import LoadError, Problem, list_some
from vertebro_outcomes.loaders.reviews import revman_words as words
from vertebro_outcomes.loaders.reviews.archives import list_members, looks_like_zip, read_members
from vertebro_outcomes.loaders.reviews.data_rows import (
    DATA_ROWS,
    SETTINGS,
    AnalysisRows,
    Key,
    analysis_key,
    is_data_rows,
    is_judgement,
    one_review,
    rows_by_analysis,
    settings_beside,
    subgroups_of,
    unit_id,
)
from vertebro_outcomes.loaders.reviews.review_format import ReviewFormat
from vertebro_outcomes.loaders.reviews.review_sheet import (
    EXPORT_AGAIN,
    ReviewSheet,
    Row,
    number,
    printed,
    read_sheet,
    whole,
)
from vertebro_outcomes.printed import Printed
from vertebro_outcomes.tables.review_tables import (
    DataType,
    Published,
    Review,
    ReviewUnit,
    StudyLine,
)

SUBGROUPS: Final = "subgroup-estimates.csv"
BIAS: Final = "risk-of-bias.csv"
_WANTED: Final = (DATA_ROWS, SETTINGS, SUBGROUPS, BIAS)
_NEEDED: Final = ("Analysis group", "Analysis number", "Data type")
_NOT_POOLED: Final = "the review pools nothing here"
_FIELDS: Final[dict[DataType, tuple[str, ...]]] = {
    "counts": ("events_t", "n_t", "events_c", "n_c"),
    "means": ("mean_t", "sd_t", "n_t", "mean_c", "sd_c", "n_c"),
    "effects": ("effect", "se", "n_t", "n_c"),
    "o_minus_e": ("o_minus_e", "variance", "events_t", "n_t", "events_c", "n_c"),
}
_ALL_FIELDS: Final = frozenset(name for names in _FIELDS.values() for name in names)
Judgements = dict[str, tuple[tuple[str, str], ...]]


@dataclass
class _Package:
    """What the files of a package hold, while it is put together."""

    rows: dict[Key, AnalysisRows]
    settings: dict[Key, Row]
    subgroups: dict[Key, list[Row]]
    bias: Judgements
    notes: list[str] = field(default_factory=list)


def recognise(path: Path) -> bool:
    """A zip, or a folder (or a data-rows file in one) that holds settings beside data rows."""
    try:
        if path.is_dir():
            names = [name.lower() for name in list_members(path)]
            return any(map(is_data_rows, names)) and any(name.endswith(SETTINGS) for name in names)
        if path.is_file() and is_data_rows(path.name):
            return settings_beside(path).is_file()
        if not looks_like_zip(path):
            return False
        names = [name.lower() for name in list_members(path)]
        return not any(map(is_data_rows, names)) or any(n.endswith(SETTINGS) for n in names)
    except OSError:
        return False


def read(path: Path) -> Review:
    """Read a data package.

    Raises
    ------
    LoadError
        Not a whole, harmless package of one review, or one without the needed columns.
    """
    if path.is_file() and is_data_rows(path.name):
        review_id = path.name[: -len(DATA_ROWS)]
        files = read_members(
            path.parent, wanted=lambda name: _is_wanted(name) and name.startswith(review_id)
        )
    else:
        files = read_members(path, wanted=_is_wanted)
    review_id = one_review(files, source=path.name)
    package = _package({_kind(name): data for name, data in files.items()}, source=path.name)
    units: list[ReviewUnit] = []
    for key, row in package.settings.items():
        units += _analysis(key, row, package)
    if not units:
        problem = Problem("the analyses", "none holds studies", "at least one analysis with data")
        raise LoadError(path.name, [problem], EXPORT_AGAIN)
    return Review(review_id, "revman_web", tuple(units), notes=tuple(package.notes))


def _is_wanted(name: str) -> bool:
    return name.lower().endswith(_WANTED)


def _kind(name: str) -> str:
    return next(kind for kind in _WANTED if name.lower().endswith(kind))


def _package(files: dict[str, bytes], *, source: str) -> _Package:
    if SETTINGS not in files:
        problem = Problem("the files", f"no {SETTINGS}", "settings beside the data rows")
        raise LoadError(source, [problem], "pass the data-rows file alone, or the whole package")
    settings = read_sheet(files[SETTINGS], source=SETTINGS)
    settings.require(*_NEEDED)
    by_key = {key: row for row in settings.rows if (key := analysis_key(row)) is not None}
    subgroups: dict[Key, list[Row]] = {}
    if SUBGROUPS in files:
        for row in read_sheet(files[SUBGROUPS], source=SUBGROUPS).rows:
            key = analysis_key(row)
            if key is not None:
                subgroups.setdefault(key, []).append(row)
    bias = _judgements(read_sheet(files[BIAS], source=BIAS)) if BIAS in files else {}
    rows = rows_by_analysis(read_sheet(files[DATA_ROWS], source=DATA_ROWS))
    package = _Package(rows, by_key, subgroups, bias)
    orphans = [unit_id(key) for key in rows if key not in by_key]
    if orphans:
        package.notes.append(f"no settings for {list_some(orphans)}: passed over")
    return package


def _judgements(sheet: ReviewSheet) -> Judgements:
    """Judgements by study; the reasons given for them are not kept."""
    found: Judgements = {}
    for row in sheet.rows:
        marks = [
            (sheet.titles[key], text)
            for key, text in row.items()
            if key != "study" and "support" not in key and is_judgement(text)
        ]
        study = row.get("study", "")
        found[study] = (*found.get(study, ()), *marks)
    return found


def _analysis(key: Key, settings: Row, package: _Package) -> list[ReviewUnit]:
    """The overall result of an analysis and those of its subgroups."""
    kind = words.data_type(settings.get("datatype", ""))
    data = package.rows.get(key)
    if kind is None or data is None:
        stated = settings.get("datatype", "") or "blank"
        reason = "no rows" if data is None else f"data type {stated}"
        package.notes.append(f"{unit_id(key)}: {reason}, nothing to recompute")
        return []
    overall = _overall(key, settings, data, kind)
    subgroups = _subgroup_units(key, overall, settings, data, package)
    lines = [_meant(row.line, kind, package.bias) for row in data.rows if row.in_overall]
    overall = replace(
        overall,
        lines=tuple(lines),
        subgroup_units=tuple(unit.unit_id for unit in subgroups),
        missing="" if lines else "study rows that enter the overall result",
    )
    return [overall, *subgroups]


def _overall(key: Key, settings: Row, data: AnalysisRows, kind: DataType) -> ReviewUnit:
    pairs = [(row.line.effect, row.line.published_effect) for row in data.rows]
    stated = settings.get("logscaledata", "")
    log = kind == "o_minus_e" or (
        kind == "effects" and words.entered_as_logarithms(pairs, stated=stated)
    )
    measure = words.effect_measure(settings.get("effectmeasure", ""), kind=kind, log_scale=log)
    method = words.method(settings.get("statisticalmethod", ""), kind=kind, found_measure=measure)
    model = words.model(settings.get("analysismodel", ""), found_method=method)
    estimator = settings.get("heterogeneityestimator", "").upper()
    interval = settings.get("cimethod", "").upper()
    is_reml = model == "random" and ("REML" in estimator or "RESTRICTED" in estimator)
    is_hksj = model == "random" and ("HKSJ" in interval or "HARTUNG" in interval)
    level = next(
        (settings[c] for c in ("estimateci", "cipilevel", "cilevel") if settings.get(c)), ""
    )
    return ReviewUnit(
        unit_id=unit_id(key),
        level="overall",
        comparison=settings.get("analysisgroupname", "") or f"Comparison {key[0]}",
        outcome=settings.get("analysisname", "") or data.name,
        subgroup="",
        data_type=kind,
        measure=measure,
        method=method,
        model=model,
        lines=(),
        published=_published(settings, is_random=model == "random"),
        ci_level=words.level(level),
        swap_events=words.is_yes(settings.get("swapeventandnonevent", ""), otherwise=False),
        log_scale=log,
        dialect="revman2025" if is_reml or is_hksj else "revman5",
        tau2_method="REML" if is_reml else "DL",
        ci="hksj" if is_hksj else "wald",
        shown=words.is_yes(settings.get("overallestimates", ""), otherwise=True),
    )


def _subgroup_units(
    key: Key, overall: ReviewUnit, settings: Row, data: AnalysisRows, package: _Package
) -> list[ReviewUnit]:
    shown = words.is_yes(settings.get("subgroupestimates", ""), otherwise=True)
    stored = package.subgroups.get(key, [])
    names = [row.get("subgroup", "") for row in stored]
    units = []
    for place, name, lines in subgroups_of(data.rows):
        row = _estimates(stored, place, name)
        if row is not None:
            place = whole(row, "subgroupnumber") or stored.index(row) + 1  # noqa: PLW2901
        is_shared = names.count(name) > 1 and row is not None and not whole(row, "subgroupnumber")
        units.append(
            replace(
                overall,
                unit_id=unit_id(key, place),
                level="subgroup",
                subgroup=name,
                lines=tuple(_meant(line, overall.data_type, package.bias) for line in lines),
                published=_published(row or {}, is_random=overall.model == "random"),
                shown=shown,
                missing="which of the subgroups of this name a row belongs to" if is_shared else "",
            )
        )
    return sorted(units, key=lambda unit: unit.unit_id)


def _estimates(stored: Sequence[Row], place: int, name: str) -> Row | None:
    """The stored result of a subgroup: by name and number, else by name, else by number."""
    same_name = [row for row in stored if row.get("subgroup", "") == name]
    numbered = [row for row in same_name if whole(row, "subgroupnumber") == place]
    return next(iter(numbered or same_name), None)


def _meant(line: StudyLine, kind: DataType, bias: Judgements) -> StudyLine:
    """The line with only the numbers that its data type uses."""
    nothing: dict[str, Any] = dict.fromkeys(_ALL_FIELDS.difference(_FIELDS[kind]), float("nan"))
    return replace(line, **nothing, risk_of_bias=line.risk_of_bias or bias.get(line.study, ()))


def _published(row: Row, *, is_random: bool) -> Published:
    estimate, low, high = (printed(row, name) for name in ("mean", "cistart", "ciend"))
    values = [found.value for found in (estimate, low, high) if found is not None]
    if not any(values):  # 0, 0, 0: never computed
        return Published()
    q, df = printed(row, "heterogeneitychi2"), number(row, "heterogeneitydf")
    return Published(
        estimate=estimate,
        ci_low=low,
        ci_high=high,
        tau2=printed(row, "heterogeneitytau2") if is_random else None,
        q=q,
        i2_pct=_percent(printed(row, "heterogeneityi2"), q, df),
        z=printed(row, "effectz"),
        p_value=printed(row, "effectp"),
        q_between=printed(row, "subgroupchi2") if number(row, "subgroupdf") > 0 else None,
        weights_pct=number(row, "weight"),
    )


def _percent(i2: Printed | None, q: Printed | None, df: float) -> Printed | None:
    """I² in percent, also where the file holds a share."""
    if i2 is None or q is None or not 0 < i2.value <= 1 or not q.value > 0:
        return i2
    expected = 100 * (q.value - df) / q.value
    if abs(100 * i2.value - expected) >= abs(i2.value - expected):
        return i2
    return Printed(i2.text, 100 * i2.value, 100 * i2.half_unit, i2.relation)


FORMAT = ReviewFormat("revman_web", recognise, read)
