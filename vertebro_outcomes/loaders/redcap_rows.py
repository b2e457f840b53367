"""REDCap cells made plain: unanswered checkboxes, blanks with a reason, commas where declared."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from vertebro_outcomes.loaders.column_texts import SAID_MISSING
from vertebro_outcomes.loaders.format import Cell, Feed
from vertebro_outcomes.loaders.redcap_dictionary import TICKED_LABEL, Field, checkbox_column
from vertebro_outcomes.loaders.sources import Source
from vertebro_outcomes.loaders.words import MISSING_CODES
from vertebro_outcomes.tables.engine import store

_MARK: Final = "\N{EMPTY SET}"
MARKS: Final = {f"{_MARK}{reason}": reason for reason in ("missing", "not_applicable")}
SAVED: Final = ("0", "1", "2", "incomplete", "unverified", "complete")
FINISHED: Final = ("1", "2", "unverified", "complete")


def answered_checkboxes(engine: Any, source: Source, fields: Mapping[str, Field]) -> Source:
    """A group of boxes that are all 0 on a form nobody finished was not answered: blank, not no."""
    data = source.data
    changed: dict[str, Any] = {}
    for field in fields.values():
        columns = [c for c in field.columns if c in data.columns]
        status = f"{field.form}_complete"
        if field.type != "checkbox" or not columns or status not in data.columns:
            continue
        none_ticked: Any = True
        for column in columns:
            ticked = data[column].lower().isin(("1", "checked"))
            none_ticked = ~ticked.fill_null(False) & none_ticked
        open_form = ~data[status].lower().isin(FINISHED).fill_null(False)
        for column in columns:
            changed[column] = (none_ticked & open_form).ifelse(None, data[column])
    if not changed:
        return source
    return replace(source, data=store(engine, "source", data.mutate(**changed)))


def blanks_with_reasons(
    engine: Any, source: Source, feeds: Sequence[Feed], fields: Mapping[str, Field]
) -> Source:
    """Blank on a finished form: not applicable where branching may hide the field, else missing."""
    data = source.data
    wanted = {
        cell.column
        for feed in feeds
        for target, cell in feed.cells.items()
        if cell.column and target not in ("patient_id", "episode_id", "instrument", "day", "date")
        and not target.endswith("_date") and feed.table in ("patients", "episodes", "scores")
    }  # fmt: skip
    changed: dict[str, Any] = {}
    for column in sorted(wanted):
        field = fields.get(column)
        status = f"{field.form}_complete" if field else ""
        if field is None or status not in data.columns:
            continue
        reason = "not_applicable" if field.branching else "missing"
        finished = data[status].lower().isin(FINISHED).fill_null(False)
        changed[column] = (data[column].isnull() & finished).ifelse(_MARK + reason, data[column])
    if not changed:
        return source
    return replace(source, data=store(engine, "source", data.mutate(**changed)))


def with_missing_codes(feeds: Sequence[Feed], fields: Mapping[str, Field]) -> tuple[Feed, ...]:
    """Cells that know the project's missing-data codes, our marks, and declared decimal commas."""
    return tuple(
        replace(feed, cells={name: _cell(name, cell, fields) for name, cell in feed.cells.items()})
        for feed in feeds
    )


def _cell(name: str, cell: Cell, fields: Mapping[str, Field]) -> Cell:
    field = fields.get(cell.column)
    if field is not None and field.validation == "number_comma_decimal":
        cell = replace(cell, decimal=",")
    if cell.constant is not None or name in ("patient_id", "episode_id", "level", "day", "date"):
        return cell
    usual = {**MISSING_CODES, SAID_MISSING: "missing"}
    own = {code: why for code, why in usual.items() if code not in cell.codes}
    return replace(cell, absent={**MARKS, **own, **cell.absent})


def checkbox_choices(
    source: Source, fields: Mapping[str, Field]
) -> list[tuple[Field, str, str, str]]:
    """(field, column, code, label) of every box that is in the export, by name or by label."""
    named = [
        (field, column, code, label)
        for field in fields.values()
        if field.type == "checkbox"
        for code, label in field.choices.items()
        if (column := checkbox_column(field.name, code)) in source.columns
    ]
    labelled = [
        (Field(found[1], "", "checkbox", found[1], {}, "", ""), column, "", found[2])
        for column in source.columns
        if (found := TICKED_LABEL.fullmatch(column))
    ]
    return [*named, *labelled]
