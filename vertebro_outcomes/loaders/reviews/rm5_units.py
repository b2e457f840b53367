"""Outcomes of a RevMan 5 file -> units of a review: the attributes' words put into ours."""

from dataclasses import dataclass, field, replace
from typing import Final

from vertebro_outcomes.printed import Printed, read_printed
from vertebro_outcomes.tables.review_tables import (
    DataType,
    PoolMethod,
    PoolModel,
    Published,
    ReviewUnit,
    StudyLine,
)


@dataclass
class Outcome:
    """One outcome while it is read: attributes, name, data lines, subgroups with theirs."""

    kind: str
    attributes: dict[str, str]
    comparison: str
    name: str = ""
    effect_measure: str = ""
    data: list[dict[str, str]] = field(default_factory=list)
    subgroups: list["Subgroup"] = field(default_factory=list)


@dataclass
class Subgroup:
    """One subgroup while it is read."""

    attributes: dict[str, str]
    name: str = ""
    data: list[dict[str, str]] = field(default_factory=list)


Names = dict[str, tuple[str, str]]  # study id -> name, year

_TYPES: Final[dict[str, DataType]] = {
    "DICH": "counts",
    "CONT": "means",
    "IV": "effects",
    "IPD": "o_minus_e",
}
_METHODS: Final[dict[str, PoolMethod]] = {"MH": "MH", "IV": "IV", "PETO": "PETO"}
_MEASURES: Final = {"PETO_OR": "PETO", "OR": "OR", "RR": "RR", "RD": "RD", "MD": "MD", "SMD": "SMD"}
# Words of the free text that names the measure of a generic outcome, the more telling first.
_MEASURE_WORDS: Final = (
    ("hazard", "HR"),
    ("peto", "PETO"),
    ("odds", "OR"),
    ("rate ratio", "IRR"),
    ("risk ratio", "RR"),
    ("relative risk", "RR"),
    ("risk difference", "RD"),
    ("std", "SMD"),
    ("standardi", "SMD"),
    ("mean difference", "MD"),
)
_LOG_MEASURES: Final = frozenset({"HR", "OR", "RR", "IRR", "PETO"})
NOT_ESTIMABLE: Final = "the file calls it not estimable"


def outcome_units(outcome: Outcome, names: Names) -> list[ReviewUnit]:
    """The overall result of an outcome and those of its subgroups, in file order."""
    if outcome.kind not in _TYPES:
        return []  # "other data": text, nothing to pool
    overall = _unit(outcome, outcome.attributes, names)
    lines = list(overall.lines)
    units = []
    for subgroup in outcome.subgroups:
        unit = replace(
            _unit(outcome, subgroup.attributes, names, data=subgroup.data, name=subgroup.name),
            level="subgroup",
            subgroup=subgroup.name,
            shown=_totals(outcome) != "NO",
        )
        units.append(unit)
        lines += unit.lines
    ids = tuple(unit.unit_id for unit in units)
    overall = replace(
        overall, lines=tuple(lines), subgroup_units=ids, shown=_totals(outcome) == "YES"
    )
    return [overall, *units]


def _totals(outcome: Outcome) -> str:
    return outcome.attributes.get("TOTALS", "YES").upper()


def _unit(
    outcome: Outcome,
    stored: dict[str, str],
    names: Names,
    *,
    data: list[dict[str, str]] | None = None,
    name: str = "",
) -> ReviewUnit:
    settings = outcome.attributes
    kind = _TYPES[outcome.kind]
    measure, log_scale = _measure(outcome)
    random = settings.get("RANDOM", "NO").upper() == "YES"
    model: PoolModel = "random" if random else "common"
    method = _METHODS.get(settings.get("METHOD", "").upper(), "IV")
    if kind == "o_minus_e" or measure == "PETO":
        method, model = "PETO", "common"
    elif kind != "counts":
        method = "IV"
    lines = tuple(
        _line(attributes, names, kind, subgroup=name)
        for attributes in (outcome.data if data is None else data)
    )
    estimable = stored.get("ESTIMABLE", "YES").upper() != "NO"
    return ReviewUnit(
        unit_id=stored.get("ID", ""),
        level="overall",
        comparison=outcome.comparison,
        outcome=outcome.name,
        subgroup="",
        data_type=kind,
        measure=measure,
        method=method,
        model=model,
        lines=lines,
        published=_published(stored) if estimable else Published(),
        ci_level=_level(settings.get("CI_TOTAL", "95")),
        swap_events=settings.get("SWAP_EVENTS", "NO").upper() == "YES",
        log_scale=log_scale,
        missing="" if estimable else NOT_ESTIMABLE,
    )


def _measure(outcome: Outcome) -> tuple[str, bool]:
    """Measure in our words, and whether entered estimates are logarithms."""
    stated = outcome.attributes.get("EFFECT_MEASURE", "").upper()
    if stated in _MEASURES and outcome.kind in ("DICH", "CONT"):
        return _MEASURES[stated], False
    text = (outcome.effect_measure or stated.replace("_", " ")).lower()
    found = next((code for word, code in _MEASURE_WORDS if word in text), "GEN")
    if outcome.kind == "IPD":
        return (found if found in ("HR", "OR") else "PETO"), True
    log = outcome.attributes.get("LOG_DATA", "NO").upper() == "YES"
    if log != (found in _LOG_MEASURES):
        found = "GEN"  # the text and the scale of the data disagree: the scale decides
    return found, log


def _line(attributes: dict[str, str], names: Names, kind: DataType, *, subgroup: str) -> StudyLine:
    key = attributes.get("STUDY_ID", "")
    name, year = names.get(key, ("", ""))

    def number(*wanted: str) -> float:
        text = next((attributes[w] for w in wanted if attributes.get(w, "") != ""), "")
        found = read_printed(text)
        return found.value if found is not None else float("nan")

    line = StudyLine(
        study=name or key,
        year=year,
        subgroup=subgroup,
        estimable=attributes.get("ESTIMABLE", "YES").upper() != "NO",
        n_t=number("TOTAL_1"),
        n_c=number("TOTAL_2"),
        published_effect=number("EFFECT_SIZE"),
        published_ci_low=number("CI_START"),
        published_ci_high=number("CI_END"),
        published_weight_pct=number("WEIGHT"),
    )
    if kind == "counts":
        return replace(line, events_t=number("EVENTS_1"), events_c=number("EVENTS_2"))
    if kind == "means":
        line = replace(line, mean_t=number("MEAN_1"), mean_c=number("MEAN_2"))
        return replace(line, sd_t=number("SD_1"), sd_c=number("SD_2"))
    if kind == "effects":
        return replace(line, effect=number("ESTIMATE"), se=number("SE"))
    line = replace(line, events_t=number("EVENTS_1"), events_c=number("EVENTS_2"))
    return replace(line, o_minus_e=number("O_E"), variance=number("VAR"))


def _published(stored: dict[str, str]) -> Published:
    def printed(name: str) -> Printed | None:
        return read_printed(stored.get(name, ""))

    return Published(
        estimate=printed("EFFECT_SIZE"),
        ci_low=printed("CI_START"),
        ci_high=printed("CI_END"),
        tau2=printed("TAU2"),
        q=printed("CHI2"),
        i2_pct=printed("I2"),
        z=printed("Z"),
        p_value=printed("P_Z"),
        q_between=printed("Q"),
    )


def _level(text: str) -> float:
    number = read_printed(text)
    if number is None or not 0 < number.value < 100:
        return 0.95
    return number.value / 100 if number.value > 1 else number.value
