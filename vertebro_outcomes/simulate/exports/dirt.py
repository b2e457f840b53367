"""Errors put into an export on purpose, each on a list, so that a load can be scored."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import pandas as pd

from vertebro_outcomes.simulate.exports.calendar import Frames
from vertebro_outcomes.simulate.exports.layout import ExportTable, Layout, Place
from vertebro_outcomes.spine import LEVELS

COLUMNS: Final = ("source_file", "line", "column", "target", "kind", "found", "expected")
PER_KIND: Final = 4
# A column of which a tenth is off its scale is refused whole: dirt stays well below.
MOST_SHARE: Final = 0.03
# Visits so long after day 0 contradict a death on EARLY_DEATH_DAY.
LATE_VISIT_DAY: Final = 90
EARLY_DEATH_DAY: Final = 40


def no_errors() -> pd.DataFrame:
    """An empty list of errors."""
    return pd.DataFrame({name: pd.Series(dtype=object) for name in COLUMNS})


@dataclass
class Soiled:
    """A layout while errors are put in; every error concerns another patient."""

    layout: Layout
    frames: Frames
    rng: np.random.Generator
    tables: dict[str, ExportTable] = field(default_factory=dict)
    free: set[Any] = field(default_factory=set)
    errors: list[dict[str, Any]] = field(default_factory=list)

    def place(self, table: str, column: str) -> Place | None:
        """Where a canonical column stands, if this export has it."""
        return self.layout.places.get((table, column))

    def rows(self, place: Place, fits: Callable[[pd.DataFrame], Any] | None = None) -> pd.DataFrame:
        """Rows of patients without an error so far, that the place means and that fit."""
        cells = self.tables[place.table].cells
        here = cells[self.layout.patient[place.table]].isin(self.free)
        for column, text in place.where.items():
            here &= cells[column] == text
        rows = cells[here]
        if fits is None or rows.empty:
            return rows
        return rows[fits(rows).astype("boolean").fillna(False).to_numpy(dtype=bool)]

    def some(self, place: Place, rows: pd.DataFrame) -> list[Any]:
        """A few row numbers, one per patient; these patients are taken."""
        patient = self.layout.patient[place.table]
        whole = len(self.tables[place.table].cells)
        most = max(1, min(PER_KIND, int(MOST_SHARE * whole)))
        ids = rows[patient].drop_duplicates()
        n = min(most, len(ids))
        chosen = sorted(self.rng.choice(np.array(ids, dtype=object), n, replace=False).tolist())
        picked = []
        for patient_id in chosen:
            own = rows.index[rows[patient] == patient_id]
            picked.append(own[int(self.rng.integers(len(own)))])
            self.free.discard(patient_id)
        return picked

    def put(self, place: Place, row: Any, cell: Any, about: tuple[str, str, str]) -> None:
        """Overwrite a cell and note it; `about` is canonical column, kind, expectation."""
        table = self.tables[place.table]
        table.cells.loc[row, place.column] = cell
        self.note(table, row, place.column, cell, about)

    def note(
        self, table: ExportTable, row: Any, column: str, cell: Any, about: tuple[str, str, str]
    ) -> None:
        target, kind, expected = about
        line = table.first_line + int(row)
        values = (table.source, line, column, target, kind, str(cell), expected)
        self.errors.append(dict(zip(COLUMNS, values, strict=True)))

    def number(self, place: Place, value: float) -> Any:
        """A number as this column writes it."""
        cell = self.layout.spelling.number(value)
        return cell.replace(",", place.decimal) if place.decimal else cell

    def append(self, key: str, row: Mapping[str, Any]) -> int:
        """A further row at the end of a table."""
        table = self.tables[key]
        cells = table.cells
        more = pd.DataFrame([dict(row)], columns=cells.columns, index=[len(cells)])
        joined = {c: [*cells[c].tolist(), more[c].iloc[0]] for c in cells.columns}
        self.tables[key] = replace(table, cells=pd.DataFrame(joined, dtype=object))
        return len(cells)


def add_dirt(
    layout: Layout, frames: Frames, *, kinds: Sequence[str], seed: int
) -> tuple[Layout, pd.DataFrame]:
    """The layout with errors of these kinds, and the list of them."""
    soiled = Soiled(layout, frames, np.random.default_rng([seed, 1]))
    soiled.tables = {
        key: replace(table, cells=table.cells.astype(object).reset_index(drop=True))
        for key, table in layout.tables.items()
    }
    soiled.free = set(frames["patients"]["patient_id"])
    for kind in kinds:
        KINDS[kind](soiled)
    errors = pd.DataFrame(soiled.errors, columns=list(COLUMNS))
    errors = errors.sort_values(["source_file", "line", "column"], ignore_index=True)
    return replace(layout, tables=soiled.tables), errors


def _numbers(rows: pd.DataFrame, column: str) -> pd.Series:
    text = rows[column].astype("string").str.replace(",", ".", regex=False)
    return pd.to_numeric(text, errors="coerce")


def _filled(column: str) -> Callable[[pd.DataFrame], Any]:
    return lambda rows: rows[column].notna() & (rows[column].astype(str) != "")


def _overwrite(
    soiled: Soiled, target: tuple[str, str], cell: Any, kind: str, expected: str = "refused"
) -> None:
    """One wrong value in a few filled cells of a column; a number is written as the column does."""
    place = soiled.place(*target)
    if place is None:
        return
    cell = soiled.number(place, cell) if isinstance(cell, float) else cell
    name = "value" if target[0] == "scores" and target[1] != "date" else target[1]
    for row in soiled.some(place, soiled.rows(place, _filled(place.column))):
        soiled.put(place, row, cell, (name, kind, expected))


def _impossible_values(soiled: Soiled) -> None:
    _overwrite(soiled, ("patients", "age_years"), 187.0, "impossible_values")
    _overwrite(soiled, ("patients", "bmi"), 260.1, "impossible_values")
    _overwrite(soiled, ("fractures", "level"), "L7", "impossible_values")


def _missing_codes(soiled: Soiled) -> None:
    """A code for `unknown` that nobody declared."""
    _overwrite(soiled, ("patients", "charlson"), 99.0, "missing_codes")
    _overwrite(soiled, ("scores", "odi"), 999.0, "missing_codes")


def _impossible_dates(soiled: Soiled) -> None:
    cell = soiled.layout.spelling.impossible_date
    _overwrite(soiled, ("scores", "date"), cell, "impossible_dates")
    _overwrite(soiled, ("fractures", "date"), cell, "impossible_dates")


def _between(column: str, low: float, high: float) -> Callable[[pd.DataFrame], Any]:
    def fits(rows: pd.DataFrame) -> Any:
        return _numbers(rows, column).between(low, high)

    return fits


def _mixed_units(soiled: Soiled) -> None:
    """Millimetres in a column of centimetres."""
    for name in ("pain_vas", "pain_nrs"):
        place = soiled.place("scores", name)
        if place is None:
            continue
        rows = soiled.rows(place, _between(place.column, 1.5, 10))
        for row in soiled.some(place, rows):
            value = float(_numbers(rows.loc[[row]], place.column).iloc[0])
            cell = soiled.number(place, round(10 * value, 1))
            soiled.put(place, row, cell, ("value", "mixed_units", "refused"))


def _duplicates(soiled: Soiled) -> None:
    """The same visit once more, one score changed; the same patient once more, another weight."""
    _repeat(soiled, ("scores", "pain_vas"), 0, 10)
    _repeat(soiled, ("patients", "bmi"), 9, 89)


def _repeat(soiled: Soiled, target: tuple[str, str], low: float, high: float) -> None:
    place = soiled.place(*target)
    if place is None:
        return
    rows = soiled.rows(place, _between(place.column, low, high))
    for row in soiled.some(place, rows):
        again = soiled.tables[place.table].cells.loc[row].to_dict()
        value = float(_numbers(rows.loc[[row]], place.column).iloc[0])
        other = round(value + 1 if value + 1 <= high else value - 1, 1)
        again[place.column] = soiled.number(place, other)
        last = soiled.append(place.table, again)
        name = "value" if target[0] == "scores" else target[1]
        about = (name, "duplicates", "refused")
        soiled.note(soiled.tables[place.table], last, place.column, again[place.column], about)


def _treatment_before_fracture(soiled: Soiled) -> None:
    place = soiled.place("episodes", "fracture_date")
    if place is None:
        return
    episodes = soiled.frames["episodes"]
    treated = episodes[episodes["treatment_date"].notna() & (episodes["day0"] == "treatment")]
    last = treated.set_index("patient_id")["treatment_date"].groupby(level=0).max()
    patient = soiled.layout.patient[place.table]
    once = ~episodes["patient_id"].duplicated(keep=False)
    single = set(episodes.loc[once, "patient_id"]) & set(last.index)
    rows = soiled.rows(
        place, lambda rows: rows[patient].isin(single) & ~rows[patient].duplicated(keep=False)
    )
    for row in soiled.some(place, rows):
        when = last[soiled.tables[place.table].cells.loc[row, patient]] + pd.Timedelta(days=20)
        cell = soiled.layout.spelling.date(when)
        soiled.put(place, row, cell, ("fracture_date", "treatment_before_fracture", "refused"))


def _death_before_visit(soiled: Soiled) -> None:
    place = soiled.place("patients", "death_date")
    if place is None:
        return
    scores, episodes = soiled.frames["scores"], soiled.frames["episodes"]
    late = scores[scores["value"].notna() & (scores["day"] >= LATE_VISIT_DAY)]
    once = ~episodes["patient_id"].duplicated(keep=False)
    fitting = set(late["patient_id"]) & set(episodes.loc[once, "patient_id"])
    start = episodes.set_index("patient_id")["start"]
    patient = soiled.layout.patient[place.table]
    rows = soiled.rows(place, lambda rows: rows[patient].isin(fitting))
    for row in soiled.some(place, rows):
        own = soiled.tables[place.table].cells.loc[row, patient]
        cell = soiled.layout.spelling.date(start[own] + pd.Timedelta(days=EARLY_DEATH_DAY))
        soiled.put(place, row, cell, ("death_date", "death_before_visit", "refused"))


def _level_spellings(soiled: Soiled) -> None:
    """Levels as people write them; a reader must understand these."""
    place = soiled.place("levels", "level")
    if place is None:
        return
    cells = soiled.tables[place.table].cells
    rows = soiled.rows(place, lambda rows: rows[place.column].isin(LEVELS))
    for n, row in enumerate(soiled.some(place, rows)):
        level = str(cells.loc[row, place.column])
        thoracic = (f"D{level[1:]}", f"Th {level[1:]}", f"BWK{level[1:]}", f"d-{level[1:]}")
        lumbar = (f"LWK{level[1:]}", f"lumbar {level[1:]}", f"L {level[1:]}", f"l{level[1:]}")
        cell = (thoracic if level.startswith("T") else lumbar)[n % 4]
        soiled.put(place, row, cell, ("level", "level_spellings", "read"))


def _other_codings(soiled: Soiled) -> None:
    """Two sites write sex and treatment in codes of their own."""
    for target, text in ((("patients", "sex"), "7"), (("episodes", "treatment"), "77")):
        place = soiled.place(*target)
        if place is None:
            continue
        kept = soiled.tables[place.table].cells[place.column]
        is_text = kept.map(lambda v: isinstance(v, str) or v is None).all()
        cell = text if is_text else float(text)
        _overwrite(soiled, target, cell, "other_codings")


KINDS: Final[dict[str, Callable[[Soiled], None]]] = {
    "duplicates": _duplicates,
    "impossible_values": _impossible_values,
    "mixed_units": _mixed_units,
    "missing_codes": _missing_codes,
    "impossible_dates": _impossible_dates,
    "treatment_before_fracture": _treatment_before_fracture,
    "death_before_visit": _death_before_visit,
    "level_spellings": _level_spellings,
    "other_codings": _other_codings,
}
