"""The day of a complication that is only ticked: its own date, that of the procedure, or of the visit.

A leak happens at the procedure. Where it is told on the form of a visit or of a scan, its day is the
one on which it was seen; a date of its own comes before both.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Final

from vertebro_outcomes.loaders.cells import stripped
from vertebro_outcomes.loaders.column_texts import ColumnTexts
from vertebro_outcomes.loaders.date_texts import PARTIAL
from vertebro_outcomes.loaders.event_words import LEAK_STEMS, NO_EVENT, event_in
from vertebro_outcomes.loaders.format import BLANK
from vertebro_outcomes.loaders.look_up import is_among
from vertebro_outcomes.loaders.proposal_line import SURE, Line, with_one_time
from vertebro_outcomes.loaders.proposed_tables import one_row_per_level
from vertebro_outcomes.loaders.sources import LINE, Source
from vertebro_outcomes.loaders.value_shapes import propose_dates
from vertebro_outcomes.loaders.words import squeeze

DAY0: Final = {"day": {"constant": "0"}}
_SURELY_DATES: Final = 0.7
_DATE_WORD: Final = re.compile(
    r"(^|_)(date|dt|dat|datum|fecha|data|dato|am)(_|$)|(datum|date|dato)$"
)
Times = Mapping[str, Mapping[str, Any]]  # date or day -> what the mapping file would say


@dataclass(frozen=True)
class RowDates:
    """What the rows of a source say of time: the columns of the procedure's date and of the visit's.

    `by_event`: each row is one visit of `who` and blank elsewhere, as REDCap writes it.
    """

    who: str
    treated: Mapping[str, Any] | None
    visit: Times
    by_event: bool = False
    level: Mapping[str, Any] | None = None  # of a row that is about one vertebra


def row_dates(lines: Sequence[Line], source: Source, *, by_event: bool) -> RowDates:
    """The columns that tell the time of a row, as far as they are sure."""
    sure = [x for x in lines if x.source == source.name and x.sure >= SURE and not x.instrument]
    sure = with_one_time(sure)
    found = {(x.table, x.target): dict(x.entry) for x in sure}
    who = found.get(("patients", "patient_id"), {"column": source.columns[0]})["column"]
    visit = {"date": found["scores", "date"]} if ("scores", "date") in found else {}
    if not visit and ("scores", "day") in found:
        visit = {"day": found["scores", "day"]}
    level = found.get(("levels", "level"))
    level = level if level and one_row_per_level(source) else None
    return RowDates(who, found.get(("episodes", "treatment_date")), visit, by_event, level)


def is_leak(kind: str) -> bool:
    """Whether a complication is cement outside the vertebra."""
    return kind.startswith("cement_leakage") or kind == "symptomatic_leakage"


def time_of(
    source: Source,
    flag: tuple[str, Sequence[str]],
    kind: str,
    *,
    dates: RowDates,
) -> dict[str, Any]:
    """Cells `date` or `day` for the rows where a column says yes; empty where nothing tells."""
    treated, visit = dates.treated, dates.visit
    if own := _own_date(source, flag[0], kind):
        return own
    form = source.forms.get(flag[0])
    if form is not None:
        return _by_form(source, form, treated=treated, visit=visit, leak=is_leak(kind))
    if not dates.by_event:
        if visit and _varies(source, flag[0], dates.who):
            return dict(visit)
        told = treated and is_leak(kind) and _all_told(source, flag, treated)
        return {"date": treated} if told else {}
    if is_leak(kind) and treated:
        if _all_told(source, flag, treated):
            return {"date": treated}
        return dict(visit) if visit and _all_told(source, flag, *visit.values()) else dict(DAY0)
    return dict(visit)


def time_of_any(source: Source, kind: Mapping[str, Any], dates: RowDates) -> dict[str, Any]:
    """Cells `date` or `day` of a column that names complications and has no date of its own.

    It tells of visits if somebody's later row names one and no earlier row of theirs does: what is
    said once of a patient stands in the first row, or in all.
    """
    form = source.forms.get(kind["column"])
    if dates.by_event and form is not None:
        return _by_form(source, form, treated=None, visit=dates.visit, leak=False)
    if dates.by_event or not dates.visit:
        return dict(dates.visit)
    data = source.data
    blank = [text for text, why in kind.get("missing", {}).items() if why == NO_EVENT]
    said = stripped(data[kind["column"]])
    told = (said.notnull() & ~is_among(said.lower(), [*BLANK, *map(str.lower, blank)])).fill_null(
        False
    )
    rows = data.select(LINE, who=data[dates.who], told=told)
    lines = rows.group_by("who").aggregate(
        first=rows[LINE].min(), later=rows[LINE].min(where=rows.told)
    )
    by_visit = (lines.later > lines.first).any().to_pyarrow().as_py()
    return dict(dates.visit) if by_visit else {}


def _by_form(
    source: Source, form: str, *, treated: Mapping[str, Any] | None, visit: Times, leak: bool
) -> dict[str, Any]:
    """By the date that stands on the same form."""

    def is_here(cell: Mapping[str, Any]) -> bool:
        return source.forms.get(cell.get("column", "")) == form

    if not leak:
        own = None if any(map(is_here, visit.values())) else _date_of_form(source, form)
        return {"date": own} if own else dict(visit)
    if treated and is_here(treated):
        return {"date": treated}
    if visit and all(is_here(cell) for cell in visit.values()):
        return dict(visit)
    own = _date_of_form(source, form)
    if own:
        return {"date": own}
    return dict(DAY0) if treated else {}


def _date_of_form(source: Source, form: str) -> dict[str, Any] | None:
    """The one date that stands on a form, if it has one alone."""
    columns = [c for c, own in source.forms.items() if own == form and c in source.columns]
    dates = [entry for c in columns if (entry := _date_entry(source, c))]
    return dates[0] if len(dates) == 1 else None


def _own_date(source: Source, flag: str, kind: str) -> dict[str, Any]:
    """A column of dates whose header names this complication."""
    form = source.forms.get(flag)
    own = [
        column
        for column in source.columns
        if source.forms.get(column) == form and column != flag and _names(source, column, kind)
    ]
    entries = {column: entry for column in own if (entry := _date_entry(source, column))}
    if not entries:
        return {}
    nearest = max(entries, key=lambda column: _alike(column.lower(), flag.lower()))
    return {"date": entries[nearest]}


def _alike(one: str, other: str) -> int:
    """With how many letters both begin."""
    same = (a == b for a, b in zip(one, other, strict=False))
    return sum(takewhile(bool, same))


def _names(source: Source, column: str, kind: str) -> bool:
    for title in (column, source.labels.get(column, "")):
        plain = squeeze(title)
        if is_leak(kind) and re.search(LEAK_STEMS, plain):
            return True
        if event_in(title) == kind:
            return True
    return False


def _date_entry(source: Source, column: str) -> dict[str, Any] | None:
    titles = (column, source.labels.get(column, ""))
    values = ColumnTexts(source).of(column)
    if not values or not any(_DATE_WORD.search(squeeze(title)) for title in titles):
        return None
    order, fits = propose_dates(values)
    if fits < _SURELY_DATES:
        return None
    return {"column": column, **({"dates": order} if order != "iso" else {})}


def _all_told(source: Source, flag: tuple[str, Sequence[str]], *cells: Mapping[str, Any]) -> bool:
    """Whether every row that says yes has these cells filled, with whole dates."""
    column, yes = flag
    rows = source.data.filter(source.data[column].isin(list(yes)))
    for cell in cells:
        text = rows[cell["column"]]
        partial = text.isnull() | text.re_search(PARTIAL)
        if partial.any().to_pyarrow().as_py():
            return False
    return True


def _varies(source: Source, column: str, who: str) -> bool:
    """Whether a column says one thing at one row of a person and another at the next."""
    data = source.data
    rows = data.select(who=data[who], said=data[column].lower())
    kinds = rows.group_by("who").aggregate(kinds=rows.said.nunique())
    return bool((kinds.kinds > 1).any().to_pyarrow().as_py())
