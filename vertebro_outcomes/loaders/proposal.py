"""A mapping proposed from headers, labels and values, with how sure it is of each line."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from vertebro_outcomes.loaders.cells import TRUTH
from vertebro_outcomes.loaders.column_texts import ColumnTexts
from vertebro_outcomes.loaders.headers import meaning_of, names_a_person, sex_in
from vertebro_outcomes.loaders.instrument_words import instrument_of
from vertebro_outcomes.loaders.labelled_figures import figures_of
from vertebro_outcomes.loaders.level_cells import read_levels
from vertebro_outcomes.loaders.named_times import timepoint_days
from vertebro_outcomes.loaders.proposal_line import SURE, Line, is_time_of_scores
from vertebro_outcomes.loaders.proposed_entries import absences, entry_of, sentinels
from vertebro_outcomes.loaders.proposed_leak_sites import sites_before_flags
from vertebro_outcomes.loaders.proposed_moments import (
    names_moment,
    nothing_says_when,
    without_rivals,
)
from vertebro_outcomes.loaders.proposed_tables import at_home, meant_by, of_new_fracture, sheet_day
from vertebro_outcomes.loaders.sources import Source
from vertebro_outcomes.loaders.time_columns import (
    NO_UNIT,
    counts_time,
    is_bare_time,
    numbered_times,
)
from vertebro_outcomes.loaders.value_shapes import (
    UNSURE_ORDER,
    decimal_of,
    is_number,
    scale_of,
    share_of,
    written_scale,
)
from vertebro_outcomes.loaders.words import (
    VISIT_WORDS,
    fold,
    unit_of,
)
from vertebro_outcomes.tables.event_types import INSTRUMENTS

# A column of such a name may tell the date, or only that somebody died.
DEATH_WORDS: Final = (
    *("died", "deceased", "dead", "death", "dod", "verstorben", "gestorben", "tod", "exitus"),
    *("decede", "deces", "deceduto", "fallecido", "fallecida", "falecido", "overleden"),
    "vital_status",
)
UNDATED_DEATH: Final = (
    "it says that somebody died and not when: add a column with the date of death"
)


def propose_lines(source: Source, *, record_column: bool = False) -> list[Line]:
    """What each column of a source seems to be; `record_column`: the first one is the patient."""
    texts = ColumnTexts(source)
    by_visit = any(_tells_visit(source, c, texts) for c in source.columns)
    timed = by_visit or any(_is_time(source, c) for c in source.columns)
    lines = [
        line
        for c in source.columns
        for line in _lines_of(source, c, texts, timed and (by_visit or not names_moment(c)))
    ]
    if record_column and source.columns:
        first = source.columns[0]
        lines = [x for x in lines if x.target != "patient_id" and x.column != first]
        said = {"column": first}
        lines = [Line(source.name, "patients", "patient_id", first, 0.99, "record", said), *lines]
    if not any(line.target == "patient_id" for line in lines):
        lines = [*_person_line(source, lines), *lines]
    lines = sites_before_flags(source, lines if by_visit else without_rivals(lines), texts)
    lines = _one_order_per_file(_one_scale_per_instrument(lines))
    best: dict[tuple[Any, ...], Line] = {}
    for line in lines:  # two columns for one target: the surer, else the first
        key = _place_of(source, line)
        if key not in best or line.sure > best[key].sure:
            best[key] = line
    return [_unless_second(x, best[_place_of(source, x)]) for x in lines]


def _place_of(source: Source, line: Line) -> tuple[Any, ...]:
    """What only one column can be; each form may have a date of its own."""
    form = source.forms.get(line.column) if is_time_of_scores(line) else None
    return line.table, line.target, line.instrument, line.day, form


def _unless_second(line: Line, best: Line) -> Line:
    """The line, or where another column is read for the same: that this one is not."""
    if line is best or best.sure < SURE:
        return line
    return replace(line, sure=0.0, why=f"{best.column!r} is read as {line.table}.{line.target}")


def _person_line(source: Source, lines: Sequence[Line]) -> list[Line]:
    """The column that numbers people: by a header like `Reg-Nr. Patient`."""
    taken = {line.column for line in lines if line.sure >= SURE}
    for column in source.columns:
        if column not in taken and names_a_person(column):
            entry = {"column": column}
            why = "a header that numbers people"
            return [Line(source.name, "patients", "patient_id", column, 0.75, why, entry)]
    return []


def _one_order_per_file(lines: Sequence[Line]) -> list[Line]:
    """03/04/2019 may be either: the other dates of the file tell which."""
    told = {x.entry["dates"] for x in lines if x.sure >= SURE and "dates" in x.entry}
    orders = told & {"day_first", "month_first"}
    if len(orders) != 1:
        return list(lines)
    order = orders.pop()
    why = f"header; dates read {order} as elsewhere in the file"
    return [
        replace(x, sure=0.75, why=why, entry={**x.entry, "dates": order})
        if x.sure < SURE and x.entry.get("dates") == "day_first" and x.sure >= 0.5 * UNSURE_ORDER
        else x
        for x in lines
    ]


def _one_scale_per_instrument(lines: Sequence[Line]) -> list[Line]:
    """If one column of an instrument is on 0-100, so are its others: low values alone say nothing."""
    scales = {x.instrument: x.entry["scale"] for x in lines if "scale" in x.entry}
    return [
        replace(x, entry={"scale": scales[x.instrument], **x.entry})
        if x.instrument in scales and x.sure >= SURE
        else x
        for x in lines
    ]


def _lines_of(source: Source, column: str, texts: ColumnTexts, timed: bool) -> list[Line]:
    if "(choice=" in column:  # a box to tick answers another question than the label asks
        return []
    visit = _visit_line(source, column, texts)
    if visit is not None:
        return [visit]
    score = _score_column(source, column, texts, timed)
    if score is not None:
        return [score]
    folded = fold(column)
    if sex := sex_in(column):
        return [_sex_line(source, column, sex, texts)]
    key = _by_values(source, column, meant_by(source, column), texts)
    if key is None and folded in DEATH_WORDS:
        key = ("patients", "death_date")
    if key is None:
        return []
    table, target = of_new_fracture(source, key)
    table = at_home(source, table, target, column)
    entry, fits, why = entry_of(source, column, (table, target), texts)
    if folded in DEATH_WORDS and fits < SURE:
        return [Line(source.name, table, target, column, 0.0, UNDATED_DEATH)]
    exact = folded == target
    sure = (0.95 if exact else 0.85) * fits
    return [Line(source.name, table, target, column, round(sure, 2), why, entry)]


def _by_values(
    source: Source, column: str, key: tuple[str, str] | None, texts: ColumnTexts
) -> tuple[str, str] | None:
    """`Level treated` may ask whether, how many or which: cells that name vertebrae say which."""
    if key not in (("levels", "treated"), ("episodes", "n_levels")):
        return key
    labels = source.codes.get(column, {})
    named = share_of([labels.get(v, v) for v in texts.of(column)], lambda v: bool(read_levels(v)))
    return ("levels", "level") if texts.of(column) and named > 0.5 else key


def _sex_line(source: Source, column: str, sex: str, texts: ColumnTexts) -> Line:
    """`female` with yes and no."""
    other = "male" if sex == "female" else "female"
    words = {"1": sex, "0": other}
    labels = source.codes.get(column, {})
    said = {
        v: TRUTH.get(labels.get(v, v).lower()) or TRUTH.get(v.lower()) for v in texts.of(column)
    }
    codes = {v: words[truth] for v, truth in said.items() if truth}
    fits = len(codes) / len(said) if said else 0.0
    entry = {"column": column, "codes": codes}
    why = f"header; yes is {sex}"
    return Line(source.name, "patients", "sex", column, round(0.85 * fits, 2), why, entry)


def _is_time(source: Source, column: str) -> bool:
    return meant_by(source, column) in (("scores", "date"), ("scores", "day"))


def _tells_visit(source: Source, column: str, texts: ColumnTexts) -> bool:
    line = _visit_line(source, column, texts)
    return line is not None and line.sure >= SURE


def _visit_line(source: Source, column: str, texts: ColumnTexts) -> Line | None:
    """A column of visits (`baseline`, `3 months`) gives the day where no date does."""
    labels = source.codes.get(column, {})
    if counts_time(column) and not labels:
        numbered = numbered_times(column, texts.of(column))
        if numbered:
            entry: dict[str, Any] = {"column": column, "codes": numbered}
            return Line(source.name, "scores", "day", column, 0.85, "a unit of time", entry)
    values = texts.of(column) if fold(column) in VISIT_WORDS else []
    if not values:
        return None
    if is_bare_time(column, values) and not labels:
        entry = {"column": column}
        return Line(source.name, "scores", "day", column, 0.3, NO_UNIT, entry)
    days = {v: timepoint_days(labels.get(v, v)) for v in values}
    known = {v: str(day) for v, day in days.items() if day is not None}
    if len(known) < 0.5 * len(values):
        return None
    entry = {"column": column, "codes": known}
    why = f"{len(known)} of {len(values)} visits name a time"
    sure = round(0.7 + 0.2 * len(known) / len(values), 2)
    return Line(source.name, "scores", "day", column, sure, why, entry)


def _as_figures(
    labels: Mapping[str, str], values: Sequence[str], absent: Mapping[str, str]
) -> tuple[list[str], dict[str, Any]]:
    """The values as the numbers that their labels name, and what a mapping file says of them."""
    figures = figures_of(labels, [v for v in values if v not in absent])
    if figures is None:
        return list(values), {}
    read = [v if v in absent else figures.get(v, labels.get(v, v)) for v in values]
    return read, {"codes": figures}


def _score_column(source: Source, column: str, texts: ColumnTexts, timed: bool) -> Line | None:
    """`VAS_3m`: an instrument and a time in one header; `VAS` where the row says the time."""
    text = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", column)
    label = source.labels.get(column, "")
    name = instrument_of(text, label)
    means = meant_by(source, column)
    if name is None or meaning_of(column) or (means and means[0] != "scores"):
        return None
    day = timepoint_days(text)
    day = timepoint_days(label) if day is None else day
    if day is None and fold(text).endswith("_0"):
        day = 0
    by_sheet = day is None and not timed
    day = sheet_day(source.name) if by_sheet else day
    values = texts.of(column) if day is not None or timed else []
    labels = source.codes.get(column, {})
    absent = absences({v: labels.get(v, v) for v in values})
    values, codes = _as_figures(labels, values, absent)
    written = written_scale([v for v in values if v not in absent])
    if written:
        values = [re.sub(r"(/ ?\d+|%)$", "", value).rstrip() for value in values]
    fits = share_of([v for v in values if v not in absent], is_number)
    if day is None and not timed:
        return Line(source.name, "scores", "value", column, 0.0, nothing_says_when(name, column))
    if fits < 0.5:
        why = f"{name}, but only {fits:.0%} of the different values are numbers"
        return Line(source.name, "scores", "value", column, 0.0, why) if fits else None
    entry: dict[str, Any] = {"column": column, **codes, **decimal_of(values)}
    scale = written or scale_of(name, column if unit_of(column) else label, values)
    limits = scale or (INSTRUMENTS[name].low, INSTRUMENTS[name].high)
    absent |= sentinels(texts.undeclared(column), (limits[0], limits[1]))
    if absent:
        entry["missing"] = absent
    if scale:
        entry["scale"] = scale
    when = f"at day {day}" if day is not None else "at the visit of the row"
    when += ", by the name of the sheet" if by_sheet else ""
    why = f"{name} {when}; {fits:.0%} of values are numbers"
    sure = round(0.9 * max(fits, 0.8), 2)
    return Line(source.name, "scores", "value", column, sure, why, entry, day, name)
