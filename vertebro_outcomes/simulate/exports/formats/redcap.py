"""A REDCap flat export: longitudinal, repeating, checkboxes, access groups, with its dictionary."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pandas as pd

from vertebro_outcomes.simulate.exports.calendar import Frames
from vertebro_outcomes.simulate.exports.layout import (
    ExportFormat,
    ExportTable,
    Layout,
    Place,
    Spelling,
    number_text,
    text_cells,
)
from vertebro_outcomes.simulate.exports.redcap_project import (
    BOXES,
    FORMS,
    TABLE_OF,
    ProjectField,
    checkbox_column,
    dictionary_text,
)
from vertebro_outcomes.simulate.exports.sheets import columns_of, visits_of

RECORDS: Final = "registry_DATA.csv"
DICTIONARY: Final = "registry_DataDictionary.csv"
# Missing-data codes of the project.
ABSENT: Final = {
    "missing": "-99", "not_asked": "NASK", "not_applicable": "NAPP", "dead": "DEC",
}  # fmt: skip
_EVENT: Final = {
    "baseline": "baseline_arm_1", "treatment": "treatment_arm_1", "levels": "imaging_arm_1",
    "visit": "visit_arm_1", "complication": "safety_arm_1", "new_fracture": "safety_arm_1",
}  # fmt: skip
_REPEATING_FORMS: Final = ("levels", "complication", "new_fracture")
HEADS: Final = (
    "record_id", "redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance",
    "redcap_data_access_group", "redcap_survey_identifier",
)  # fmt: skip
_SPELLING: Final = Spelling(
    date=lambda when: when.strftime("%Y-%m-%d"),
    number=lambda value: number_text(value, ","),
    impossible_date="2016-02-31",
)


def _layout(frames: Frames) -> Layout:
    several = bool(frames["episodes"]["patient_id"].duplicated().any())
    parts: list[pd.DataFrame] = []
    used: dict[str, dict[str, ProjectField]] = {}
    places: dict[tuple[str, str], Place] = {}
    feeds: list[dict[str, Any]] = []
    for form, table in TABLE_OF.items():
        plain, instruments = _plain(frames, table, several=several)
        fields = {c: FORMS[form][c] for c in plain.columns if c in FORMS[form]}
        parts.append(_rows(form, plain, fields))
        used[form] = fields
        here = _where(form)
        feeds += _feeds(form, fields, instruments, here)
        row = dict(here)
        places |= {
            (table, c): Place("records", f.name, row, "." if f.kind == "calc" else "")
            for c, f in fields.items()
        }
    sites = frames["patients"].set_index("patient_id")["site"]
    cells = _records(parts, sites)
    has = {FORMS[form][c].name for form, fields in used.items() for c in fields}
    order = [
        *HEADS,
        *(name for form in FORMS for name in _columns(form, used[form]) if name in cells),
    ]
    assert has <= set(order)
    records = ExportTable(RECORDS, cells[order])
    mapping: dict[str, Any] = {"name": "synthetic registry", "synthetic": True}
    if several:
        mapping["episodes"] = "several"
    return Layout(
        {"records": records},
        {**mapping, "feed": feeds},
        {"records": "record_id"},
        places,
        _SPELLING,
        {DICTIONARY: dictionary_text(used)},
    )


def _plain(frames: Frames, table: str, *, several: bool) -> tuple[pd.DataFrame, list[str]]:
    if table == "scores":
        return visits_of(frames["scores"], ABSENT, several=several)
    return columns_of(frames[table], table, several=several), []


def _columns(form: str, fields: dict[str, ProjectField]) -> list[str]:
    more = []
    if form == "baseline":
        more = [*(checkbox_column(code) for code in BOXES.values()), "synthetic", "remarks"]
    stamp = ["baseline_timestamp"] if form == "baseline" else []
    return [*stamp, *(f.name for f in fields.values()), *more, f"{form}_complete"]


def _rows(form: str, plain: pd.DataFrame, fields: dict[str, ProjectField]) -> pd.DataFrame:
    """The rows of one form: parent rows leave the repeat columns blank, child rows name them."""
    rows = pd.DataFrame({"record_id": plain["patient_id"]})
    rows["redcap_event_name"] = _EVENT[form]
    if form in _REPEATING_FORMS:
        rows["redcap_repeat_instrument"] = form
    if form != "baseline":
        instance = plain.groupby("patient_id", sort=False).cumcount() + 1
        rows["redcap_repeat_instance"] = instance.map(str)
    for column, item in fields.items():
        rows[item.name] = _cells(plain[column], item)
    if form == "baseline":
        for column, code in BOXES.items():
            known = plain[column] if column in plain else pd.Series(pd.NA, index=plain.index)
            rows[checkbox_column(code)] = known.map({True: "1", False: "0"})
        rows["synthetic"] = "1"
    # Not every instrument of a visit was meant: a blank on an unfinished form has no reason.
    whole = form != "visit" or not plain.isna().to_numpy().any()
    rows[f"{form}_complete"] = "2" if whole else "0"
    if form == "baseline":
        rows["baseline_timestamp"] = "[not completed]"
    return rows


def _cells(values: pd.Series, item: ProjectField) -> pd.Series:
    if item.choices:
        return values.map(item.choices.get, na_action="ignore")
    if item.name.startswith("sc_"):
        return values.map(
            lambda v: v if isinstance(v, str) else None if pd.isna(v) else number_text(v, ",")
        )
    decimal = "," if item.validation == "number_comma_decimal" else "."
    return text_cells(values, decimal=decimal, truth=("1", "0"))


def _records(parts: Sequence[pd.DataFrame], sites: pd.Series) -> pd.DataFrame:
    """All rows by record; blank cells where a form is not in an event."""
    place = {name: number for number, name in enumerate(TABLE_OF)}
    numbered = [part.assign(_place=place[form]) for form, part in zip(TABLE_OF, parts, strict=True)]
    whole = pd.concat(numbered, ignore_index=True)
    whole = whole.sort_values(["record_id", "_place"], kind="stable", ignore_index=True)
    whole["redcap_data_access_group"] = whole["record_id"].map(sites)
    whole["redcap_survey_identifier"] = None
    whole["remarks"] = None
    whole = whole.drop(columns="_place").astype(object)
    return whole.where(whole.notna(), None)


def _where(form: str) -> dict[str, str]:
    where = {"redcap_event_name": _EVENT[form]}
    if form in _REPEATING_FORMS:
        where["redcap_repeat_instrument"] = form
    return where


def _feeds(
    form: str,
    fields: dict[str, ProjectField],
    instruments: Sequence[str],
    where: dict[str, str],
) -> list[dict[str, Any]]:
    head = {"source": RECORDS, "table": TABLE_OF[form], "where": where}
    columns: dict[str, Any] = {"patient_id": "record_id"}
    if form == "baseline":
        columns["site"] = "redcap_data_access_group"
        columns |= {column: checkbox_column(code) for column, code in BOXES.items()}
    columns |= {c: _entry(item) for c, item in fields.items() if c not in instruments}
    if form != "visit":
        return [{**head, "columns": columns}]
    missing = {code: reason for reason, code in ABSENT.items()}
    made = []
    for name in instruments:
        value = {"column": fields[name].name, "missing": missing}
        made.append(
            {**head, "columns": {**columns, "instrument": {"constant": name}, "value": value}}
        )
    return made


def _entry(item: ProjectField) -> Any:
    if not item.choices:
        return item.name
    return {"column": item.name, "codes": {code: word for word, code in item.choices.items()}}


def _write(layout: Layout, folder: Path) -> None:
    (table,) = layout.tables.values()
    content = table.cells.to_csv(index=False, lineterminator="\r\n")
    (folder / RECORDS).write_text("\ufeff" + content, encoding="utf-8", newline="")


EXPORT = ExportFormat(
    "redcap", "REDCap flat export with its data dictionary", _layout, _write
)  # fmt: skip
