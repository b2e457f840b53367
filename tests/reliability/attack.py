"""What somebody learns who has every published table of a registry and knows how such tables hang together.

He has analysed registries of his own, so that he knows which counts are always equal, which are sums
of which, and which can never exceed which. `Knowledge` is learnt from the full tables of several
registries; `Attacker` puts it together with the published tables of one and asks a linear programme.
"""

import itertools
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.optimize import linprog

from vertebro_outcomes.display.disclosure import HIDDEN

Cell = tuple[str, str, str]  # table, line, column
COUNTS = ("n", "of", "n_events", "n_t", "n_c", "n_at_risk", "n_patients", "n_VP", "n_KP", "n_NSM",
          "n_other", "rows_in", "rows_used", "rows_rejected", "rows_ignored", "count")  # fmt: skip
WORDS = ("step", "measure", "type", "treatment", "day", "source_file", "column", "rule", "site", "kind",
         "detection", "within_days", "unit", "claim_id", "source")  # fmt: skip
TOTALS = {"n_events": "n", "n": "of", "n_VP": "n_patients", "n_KP": "n_patients",
          "n_NSM": "n_patients", "n_other": "n_patients"}  # fmt: skip
ROWS = ("accounting", "rejected")  # rows of files are no patients: nothing equals them for sure
TELLING = 40


def cells(tables: Mapping[str, pd.DataFrame]) -> dict[Cell, float]:
    """Every count of the tables; NaN where it is hidden."""
    found: dict[Cell, float] = {}
    for name, frame in tables.items():
        words = [word for word in WORDS if word in frame]
        for line in frame.to_dict("records"):
            # Steps put together hold what is left after the last of them.
            said = "|".join(str(line[word]).rpartition("; ")[2] for word in words)
            for column in COUNTS:
                if column in frame and (value := _number(line[column])) is not None:
                    found[name, said, column] = value
    return found


def _number(value: object) -> float | None:
    if value == HIDDEN:
        return np.nan
    text = str(value).replace(",", "")
    return float(text) if re.fullmatch(r"\d+(\.0)?", text) else None


class Knowledge:
    """Sums, equalities and orders that hold in all registries seen."""

    def __init__(self, registries: Sequence[Mapping[str, pd.DataFrame]]) -> None:
        seen = [cells(tables) for tables in registries]
        self.shared = sorted(set.intersection(*(set(found) for found in seen)))
        values = np.array([[found[cell] for cell in self.shared] for found in seen])
        self._at = {cell: place for place, cell in enumerate(self.shared)}
        self._values = values
        self.sums = [*self._equal(), *self._totals(registries)]
        self.orders = self._orders()

    def _column(self, cell: Cell) -> np.ndarray:
        return self._values[:, self._at[cell]]

    def _telling(self, cell: Cell) -> bool:
        """Whether the count differs so much between registries that no sum meets it by chance."""
        column = self._column(cell)
        return len(set(column)) >= len(column) - 1 and column.max() > TELLING

    def _equal(self) -> Iterable[dict[Cell, float]]:
        """a - b = 0; a count that never varies tells nothing."""
        alike = defaultdict(list)
        for cell in self.shared:
            if self._telling(cell) and cell[0] not in ROWS:
                alike[tuple(self._column(cell))].append(cell)
        for same in alike.values():
            for other in same[1:]:
                yield {same[0]: 1.0, other: -1.0}

    def _totals(
        self, registries: Sequence[Mapping[str, pd.DataFrame]]
    ) -> Iterable[dict[Cell, float]]:
        """parts - total = 0, for parts that stand side by side or below each other."""
        totals = {
            tuple(self._column(cell)): cell for cell in reversed(self.shared) if self._telling(cell)
        }
        for parts in self._sides():
            of = totals.get(tuple(sum(self._column(cell) for cell in parts)))
            if of is not None and of not in parts:
                yield {**dict.fromkeys(parts, 1.0), of: -1.0}

    def _sides(self) -> Iterable[list[Cell]]:
        lines, columns = defaultdict(list), defaultdict(list)
        for cell in self.shared:
            table, line, column = cell
            lines[table, line].append(cell)
            for place in range(line.count("|") + 1):
                words = line.split("|")
                columns[table, *words[:place], "*", *words[place + 1 :], column].append(cell)
        for group in (*lines.values(), *columns.values()):
            for size in range(2, min(len(group), 4) + 1):
                yield from (list(parts) for parts in itertools.combinations(group[:7], size))
            if len(group) > 4:
                yield group

    def _orders(self) -> list[tuple[Cell, Cell]]:
        """(small, large): events among patients, kinds among any, those left after those before."""
        found = []
        for table, line, column in self.shared:
            wholes = [(table, line, TOTALS.get(column, ""))]
            if table == "complications":
                wholes.append((table, "|".join(["any", *line.split("|")[1:]]), column))
            found += [
                ((table, line, column), whole)
                for whole in wholes
                if whole in self._at and whole != (table, line, column)
            ]
        courses = defaultdict(list)
        for cell in self.shared:
            if course := _course(cell):
                courses[course].append(cell)
        for course in courses.values():
            course.sort(key=lambda cell: -self._column(cell).sum())
            found += [(b, a) for a, b in itertools.pairwise(course)]
        return found


def _course(cell: Cell) -> tuple[str, ...] | None:
    """The flow or curve that a count belongs to, in which it can only go down."""
    table, line, column = cell
    if "flow" in table:
        return table, column
    return (table, line.split("|")[0], column) if column == "n_at_risk" else None


class Attacker:
    """The published tables of one registry, and what is known of such tables."""

    def __init__(self, tables: Mapping[str, pd.DataFrame], knowledge: Knowledge) -> None:
        published = cells(tables)
        self.known = {cell: value for cell, value in published.items() if not np.isnan(value)}
        self._names = sorted(set(knowledge.shared) | set(published))
        self._at = {cell: place for place, cell in enumerate(self._names)}
        self._equal = [*knowledge.sums, *({cell: 1.0} for cell in self.known)]
        self._right = [0.0] * len(knowledge.sums) + list(self.known.values())
        self._orders = [{a: 1.0, b: -1.0} for a, b in knowledge.orders]

    def _matrix(self, rows: Sequence[Mapping[Cell, float]]) -> np.ndarray:
        out = np.zeros((len(rows), len(self._names)))
        for place, row in enumerate(rows):
            for cell, weight in row.items():
                out[place, self._at[cell]] = weight
        return out

    def knows_of(self, form: Mapping[Cell, float]) -> bool:
        """Whether such cells are in the tables of others or in these."""
        return set(form) <= set(self._at)

    def range_of(self, form: Mapping[Cell, float]) -> tuple[float, float]:
        """The least and the largest value of a sum of cells that all this leaves open."""
        (goal,) = self._matrix([form])
        ends = []
        for sign in (1.0, -1.0):
            found = linprog(
                sign * goal, A_eq=self._matrix(self._equal), b_eq=self._right,
                A_ub=self._matrix(self._orders) if self._orders else None,
                b_ub=np.zeros(len(self._orders)) if self._orders else None, bounds=(0, None),
            )  # fmt: skip
            assert found.status in (0, 3), found.message
            ends.append(np.inf if found.status == 3 else float(found.fun))
        return ends[0], ends[1] if ends[1] == np.inf else -ends[1]


def sensitive(tables: Mapping[str, pd.DataFrame]) -> Iterable[tuple[str, dict[Cell, float]]]:
    """(words, sum of cells) for every number that may not come out if it is small.

    Counts; the rest of a line's total; and who leaves a flow from one line to the next.
    """
    found = cells(tables)
    before: dict[tuple[str, ...], Cell] = {}
    for cell in found:
        table, line, column = cell
        if line == "sites reporting":  # no patients
            continue
        yield f"{cell}", {cell: 1.0}
        whole = (table, line, TOTALS.get(column, ""))
        if whole in found:
            yield f"{whole} without {column}", {whole: 1.0, cell: -1.0}
        if course := _course(cell):
            if course in before:
                yield f"{before[course]} to {line}", {before[course]: 1.0, cell: -1.0}
            before[course] = cell
