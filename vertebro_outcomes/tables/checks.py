"""What a typed cohort must obey, as Ibis expressions: the engine checks, only findings come back."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from vertebro_outcomes.errors import Problem
from vertebro_outcomes.tables.cohort_tables import STORED
from vertebro_outcomes.tables.event_types import INSTRUMENTS, Instrument
from vertebro_outcomes.tables.schema import Column, Table
from vertebro_outcomes.tables.shown_cells import shown_cell

if TYPE_CHECKING:
    import ibis.expr.types as ir

OFF_SCALE: Final = "off the scale of the instrument"


@dataclass(frozen=True)
class CellRule:
    """`violated` is true where a cell of `column` must not stay as it is."""

    column: str
    text: str
    violated: Any


def cell_rules(
    data: "ir.Table", table: Table, instruments: Mapping[str, Instrument] = INSTRUMENTS
) -> Iterator[CellRule]:
    """Blank where it may not be, outside the range, not among the codes: one rule per declaration."""
    for declared in table.columns:
        column = _with_codes(declared, table, instruments)
        value = data[column.name]
        if not column.nullable:
            yield CellRule(column.name, "must not be blank", value.isnull())
        if column.codes:
            yield CellRule(column.name, "not in the list of codes", value.notin(column.codes))
        if column.low is not None or column.high is not None:
            yield CellRule(column.name, _range_text(column), _outside(value, column))
    if table.name == "scores":
        yield CellRule("value", OFF_SCALE, off_scale(data, instruments))


def _with_codes(column: Column, table: Table, instruments: Mapping[str, Instrument]) -> Column:
    """Declared instruments are codes as good as ours."""
    is_instrument = table.name == "scores" and column.name == "instrument"
    return replace(column, codes=tuple(instruments)) if is_instrument else column


def off_scale(
    scores: "ir.Table", instruments: Mapping[str, Instrument] = INSTRUMENTS
) -> "ir.BooleanValue":
    """A score outside the scale of its instrument."""
    import ibis

    branches = [
        (scores.instrument == name, (scores.value < item.low) | (scores.value > item.high))
        for name, item in instruments.items()
        if item.low is not None and item.high is not None
    ]
    return ibis.cases(*branches, else_=False).fill_null(False)


def find_problems(
    tables: Mapping[str, "ir.Table"],
    instruments: Mapping[str, Instrument] = INSTRUMENTS,
    *,
    filled: Collection[str] | None = None,
) -> list[Problem]:
    """Every way in which typed tables depart from their declaration, with counts.

    Where it is known which are `filled`, tables without rows are not looked at.
    """
    filled = tables if filled is None else filled
    problems = []
    for name, table in STORED.items():
        if name in filled:
            problems += _cells(tables[name], table, instruments)
            problems += _repeated(tables[name], table)
    return problems + [problem for name in filled for problem in _orphans(name, tables)]


def _cells(data: "ir.Table", table: Table, instruments: Mapping[str, Instrument]) -> list[Problem]:
    rules = list(cell_rules(data, table, instruments))
    if not rules:
        return []
    counts = data.aggregate(
        **{f"r{i}": rule.violated.fill_null(False).sum() for i, rule in enumerate(rules)}
    ).to_pyarrow()
    problems = []
    for i, rule in enumerate(rules):
        count = counts[f"r{i}"][0].as_py() or 0
        if count and rule.text == OFF_SCALE:
            problems += _off_scales(data.filter(rule.violated), instruments)
        elif count:
            column = _with_codes(table[rule.column], table, instruments)
            found = f"{count} {'row' if count == 1 else 'rows'} {rule.text}{_example(data, rule, column)}"
            allowed = column.allowed
            if (table.name, rule.column) == ("scores", "instrument"):
                allowed += "; or a name of your own, declared with instruments="
            problems.append(Problem(f"table {table.name}, column {rule.column}", found, allowed))
    return problems


def _off_scales(off: "ir.Table", instruments: Mapping[str, Instrument]) -> list[Problem]:
    """One problem for each instrument, with its limits and the ways out."""
    found = off.group_by("instrument").aggregate(
        n=off.count(), lowest=off.value.min(), highest=off.value.max()
    )
    problems = []
    for line in found.order_by("instrument").to_pyarrow().to_pylist():
        name, n = line["instrument"], line["n"]
        item = instruments[name]
        said = f"{n} {'row' if n == 1 else 'rows'} {OFF_SCALE} {name}"
        seen = f"{said} (lowest {line['lowest']:g}, highest {line['highest']:g})"
        allowed = f"{name} from {item.low:g} to {item.high:g}"
        if name in INSTRUMENTS:
            allowed += (
                "; convert the values to that scale, or declare an instrument of your own with "
                "instruments={name: vo.Instrument(low=..., high=..., better=...)}"
            )
        problems.append(Problem("table scores, column value", seen, allowed))
    return problems


def _example(data: "ir.Table", rule: CellRule, column: Column) -> str:
    if column.private or (not column.nullable and "blank" in rule.text):
        return ""
    first = data.filter(rule.violated).select(column.name).limit(1).to_pyarrow()
    return f" (such as {shown_cell(first[column.name][0].as_py(), words=column.codes)!r})"


def _repeated(data: "ir.Table", table: Table) -> list[Problem]:
    if not table.key:
        return []
    groups = data.group_by(list(table.key)).aggregate(n=data.count())
    count = groups.filter(groups.n > 1).count().to_pyarrow().as_py()
    where = f"table {table.name}, columns {', '.join(table.key)}"
    return [Problem(where, f"{count} keys stand more than once", "once")] if count else []


def _orphans(name: str, tables: Mapping[str, "ir.Table"]) -> list[Problem]:
    problems = []
    for parent, key in (("patients", "patient_id"), ("episodes", "episode_id")):
        if name == parent or key not in tables[name].columns:
            continue
        known = tables[parent].filter(tables[parent][key].notnull())
        lost = tables[name].filter(tables[name][key].notnull()).anti_join(known, key)
        count = lost.count().to_pyarrow().as_py()
        if count:
            found = f"{count} rows with a {key} that table {parent} does not have"
            problems.append(Problem(f"table {name}, column {key}", found, f"a {key} of {parent}"))
    return problems


def _outside(value: Any, column: Column) -> Any:
    if column.low is None:
        return value > column.high
    if column.high is None:
        return value < column.low
    return (value < column.low) | (value > column.high)


def _range_text(column: Column) -> str:
    low = "" if column.low is None else f"below {column.low:g}"
    high = "" if column.high is None else f"above {column.high:g}"
    return " or ".join(part for part in (low, high) if part)
