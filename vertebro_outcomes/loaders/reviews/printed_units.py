"""Pooled numbers as a review prints them, with the printed inputs of its studies -> units of a review."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from vertebro_outcomes.printed import Printed, read_printed
from vertebro_outcomes.tables.review_tables import (
    DataType,
    PoolMethod,
    PoolModel,
    Published,
    ReviewUnit,
    StudyLine,
)

Row = Mapping[str, str]
POOLED_COLUMNS: Final = (
    "comparison", "outcome", "timepoint_label", "subgroup", "measure", "model", "estimate",
    "ci_low", "ci_high", "ci_level", "p_value", "i2_pct", "tau2", "q_stat", "k_studies", "n_total",
    "events_treatment", "n_treatment", "events_comparator", "n_comparator", "source_locator",
    "source_url", "verification", "direction", "direction_basis",
)  # fmt: skip
INPUT_COLUMNS: Final = (
    "comparison", "outcome", "timepoint_label", "study_label", "arm_t", "mean_t", "sd_t", "events_t",
    "n_t", "arm_c", "mean_c", "sd_c", "events_c", "n_c", "effect", "ci_low", "ci_high", "weight_pct",
    "source_locator", "source_url", "kind", "verification",
)  # fmt: skip
NAN: Final = float("nan")
Z_95: Final = 1.959963984540054

_MEASURES: Final = ("MD", "SMD", "OR", "RR", "RD", "HR", "PETO")
_RATIOS: Final = frozenset({"OR", "RR", "HR", "PETO"})
_MODELS: Final[dict[str, PoolModel]] = {
    "random": "random",
    "fixed": "common",
    "common": "common",
}
_TYPES: Final[dict[str, DataType]] = {
    "MD": "means", "SMD": "means", "OR": "counts", "RR": "counts", "RD": "counts",
    "PETO": "counts", "HR": "effects",
}  # fmt: skip
_REVERSED: Final = frozenset({"c_minus_t", "improvement_t_minus_c"})
_NEEDED: Final[dict[DataType, str]] = {
    "means": "mean, SD and n of both arms of each study",
    "counts": "events and n of both arms of each study",
    "effects": "effect and interval of each study",
    "o_minus_e": "O - E and variance of each study",
}
# Which fields a line of a type needs; effects are taken where a review prints nothing else.
_FIELDS: Final[dict[DataType, tuple[str, ...]]] = {
    "means": ("mean_t", "sd_t", "n_t", "mean_c", "sd_c", "n_c"),
    "counts": ("events_t", "n_t", "events_c", "n_c"),
    "effects": ("effect", "ci_low", "ci_high"),
}
_OTHER_SIDE: Final = {"t": "c", "c": "t"}


def printed_units(
    review_id: str, pooled: Sequence[Row], inputs: Sequence[Row]
) -> tuple[ReviewUnit, ...]:
    """One unit per pooled row, named `<review_id>.<n>`, with the study rows that belong to it.

    Study rows belong to a pooled row of the same comparison, outcome and time; baseline rows never
    do. A row printed as comparator minus treatment, or as improvement, gets its arms exchanged, so
    that the recomputed number has the printed sign.
    """
    return tuple(
        _unit(f"{review_id}.{place:02d}", row, inputs) for place, row in enumerate(pooled, start=1)
    )


def _unit(unit_id: str, row: Row, inputs: Sequence[Row]) -> ReviewUnit:
    measure = row.get("measure", "").upper()
    known = measure in _MEASURES
    mine = [line for line in inputs if _belongs(line, row)]
    kind = _data_type(measure, mine)
    lines = tuple(_line(line, kind, is_ratio=measure in _RATIOS) for line in mine)
    usable = tuple(line for line in lines if _is_whole(line, kind))
    if row.get("direction", "") in _REVERSED:
        usable = tuple(_exchanged(line) for line in usable)
    stated = row.get("model", "").lower()
    model = _MODELS.get(stated, "")
    if not model and len(usable) == 1:
        model = "common"  # one study: nothing to choose
    level = read_printed(row.get("ci_level", ""))
    subgroup = row.get("subgroup", "")
    outcome = ", ".join(
        part for part in (row.get("outcome", ""), row.get("timepoint_label", "")) if part
    )
    return ReviewUnit(
        unit_id=unit_id,
        level="subgroup" if subgroup else "overall",
        comparison=row.get("comparison", ""),
        outcome=outcome,
        subgroup=subgroup,
        data_type=kind,
        measure=measure if known else "",
        method=_method(kind, measure),
        model=model,
        lines=usable,
        published=_published(row) if known else Published(),
        ci_level=level.value / 100 if level is not None and 1 < level.value < 100 else 0.95,
        log_scale=kind == "effects" and measure in _RATIOS,
        full_precision=False,
        missing=_missing(row, stated, kind, found=len(usable)),
    )


def _belongs(line: Row, pooled: Row) -> bool:
    keys = ("comparison", "outcome", "timepoint_label")
    same = all(line.get(key, "") == pooled.get(key, "") for key in keys)
    subgroup = line.get("subgroup", "")
    in_subgroup = not pooled.get("subgroup", "") or subgroup == pooled.get("subgroup", "")
    is_baseline = "baseline" in (line.get("kind", ""), line.get("timepoint_label", ""))
    return same and in_subgroup and not is_baseline


def _data_type(measure: str, lines: Sequence[Row]) -> DataType:
    """The type the measure asks for; entered effects where the studies print only those."""
    kind = _TYPES.get(measure, "effects")
    has_arms = any(all(line.get(name, "") for name in _FIELDS[kind]) for line in lines)
    has_effects = any(line.get("effect", "") and line.get("ci_low", "") for line in lines)
    return "effects" if has_effects and not has_arms else kind


def _method(kind: DataType, measure: str) -> PoolMethod:
    if measure == "PETO":
        return "PETO"
    return "MH" if kind == "counts" else "IV"


def _line(row: Row, kind: DataType, *, is_ratio: bool) -> StudyLine:
    names = _FIELDS[kind]
    texts = tuple((name, row[name]) for name in names if row.get(name, "") and kind != "effects")

    def number(name: str) -> float:
        found = read_printed(row.get(name, ""))
        return NAN if found is None else found.value

    values: dict[str, Any] = {name: number(name) for name in names}
    if kind == "effects":
        values = _entered(values, is_ratio=is_ratio)
    return StudyLine(
        study=row.get("study_label", ""),
        kind="change" if row.get("kind", "") == "change" else "",
        published_effect=number("effect"),
        published_ci_low=number("ci_low"),
        published_ci_high=number("ci_high"),
        published_weight_pct=number("weight_pct"),
        texts=texts,
        **values,
    )


def _entered(printed: Mapping[str, float], *, is_ratio: bool) -> dict[str, float]:
    """Effect and standard error on the analysis scale, from the effect and its 95% interval."""
    import numpy as np

    numbers = np.array([printed[name] for name in ("effect", "ci_low", "ci_high")])
    if is_ratio:
        numbers = np.log(np.where(numbers > 0, numbers, np.nan))
    return {"effect": float(numbers[0]), "se": float(numbers[2] - numbers[1]) / (2 * Z_95)}


def _is_whole(line: StudyLine, kind: DataType) -> bool:
    needed = ("effect", "se") if kind == "effects" else _FIELDS[kind]
    return all(getattr(line, name) == getattr(line, name) for name in needed)


def _exchanged(line: StudyLine) -> StudyLine:
    """The line with its arms exchanged."""
    changed: dict[str, Any] = {
        f"{name}_{_OTHER_SIDE[side]}": getattr(line, f"{name}_{side}")
        for name in ("events", "n", "mean", "sd")
        for side in "tc"
    }
    texts = tuple(
        (f"{name[:-1]}{_OTHER_SIDE.get(name[-1], name[-1])}", text) for name, text in line.texts
    )
    return replace(line, effect=-line.effect, texts=texts, **changed)


def _published(row: Row) -> Published:
    def number(column: str) -> Printed | None:
        return read_printed(row.get(column, ""))

    return Published(
        estimate=number("estimate"),
        ci_low=number("ci_low"),
        ci_high=number("ci_high"),
        tau2=number("tau2"),
        q=number("q_stat"),
        i2_pct=number("i2_pct"),
        p_value=number("p_value"),
    )


def _missing(row: Row, model: str, kind: DataType, *, found: int) -> str:
    """What would be needed to recompute the row; "" if nothing is."""
    measure = row.get("measure", "").upper()
    k = read_printed(row.get("k_studies", ""))
    if measure not in _MEASURES:
        what = measure.lower().replace("_", " ") or "number without a measure"
        return f"no pooled effect of two arms is printed ({what})"
    if not row.get("estimate", ""):
        return "missing: the pooled estimate; only other numbers of this result are printed"
    if model == "network":
        return "missing: every trial of the network; one comparison does not give its estimate"
    if model == "ipd":
        return "missing: the data of the individual patients that were pooled"
    of = "" if k is None else f" (k = {k.value:g})"
    if not found:
        return f"missing: {_NEEDED[kind]}{of}"
    if k is not None and k.value > found:
        return f"missing: {_NEEDED[kind]}, for {k.value - found:g} of {k.value:g} studies"
    return ""
