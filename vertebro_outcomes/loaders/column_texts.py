"""What stands in the columns of a source: the different texts of each, or the first and last of many."""

from collections.abc import Sequence
from typing import Any, Final
from weakref import WeakKeyDictionary

from vertebro_outcomes.loaders.format import BLANK
from vertebro_outcomes.loaders.sources import Source
from vertebro_outcomes.loaders.words import MISSING_CODES
from vertebro_outcomes.tables.held import held

MOST_VALUES: Final = 400
SMALL_ROWS: Final = 20_000
AT_ONCE: Final = 16  # columns for which the rows of a large source are gone through once
SAID_MISSING: Final = "missing"  # no blank mark: it says why there is no value
_NO_VALUE: Final = {code.lower() for code in MISSING_CODES} | set(BLANK) - {SAID_MISSING}

_known: WeakKeyDictionary[Any, dict[str, list[str]]] = WeakKeyDictionary()  # by rows, of columns


class ColumnTexts:
    """The distinct texts of the columns of a source, read when asked for."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._stated = _known.setdefault(source.data.op(), {})

    def of(self, column: str) -> list[str]:
        """Distinct texts in order, without blanks and missing-data codes; at most 400.

        Of more than that the first and the last: words stand behind the numbers.
        """
        absent = self._source.absent.get(column, frozenset())
        return [v for v in self.stated(column) if v.lower() not in _NO_VALUE and v not in absent]

    def stated(self, column: str) -> list[str]:
        """As `of`, with the codes that stand for no value."""
        if column not in self._stated:
            self._stated |= self._texts_at(self._source.columns.index(column))
        return self._stated[column]

    def undeclared(self, column: str) -> list[str]:
        """As `stated`, without what the file itself declares missing."""
        absent = self._source.absent.get(column, frozenset())
        return [v for v in self.stated(column) if v not in absent]

    def _texts_at(self, place: int) -> dict[str, list[str]]:
        """The texts of a column and of those that are looked at with it."""
        columns = self._source.columns
        if self._source.n_rows <= SMALL_ROWS:
            rows = self._source.data.to_pyarrow()
            texts = {c: rows[c].unique().to_pylist() for c in columns}
            return {
                c: _both_ends(sorted({t.strip() for t in own if t})) for c, own in texts.items()
            }
        begin = place - place % AT_ONCE
        return _texts_of(self._source, columns[begin : begin + AT_ONCE])


def _both_ends(values: list[str]) -> list[str]:
    half = MOST_VALUES // 2
    return values if len(values) <= MOST_VALUES else [*values[:half], *values[-half:]]


def _texts_of(source: Source, columns: Sequence[str]) -> dict[str, list[str]]:
    """The texts of some columns of a large source, which is read once for them."""
    import ibis.selectors as s

    rows = source.cells.select(*columns)
    told = rows.pivot_longer(s.all(), names_to="column", values_to="text")
    told = told.filter(told.text.notnull()).distinct()
    told = told.mutate(text=told.text.strip()).distinct()
    texts: dict[str, list[str]] = {column: [] for column in columns}
    with held(source.data.get_backend(), told) as table:
        counts = table.group_by("column").aggregate(n=table.count()).to_pyarrow().to_pylist()
        many = [row["column"] for row in counts if row["n"] > MOST_VALUES]
        few = table.filter(~table["column"].isin(many)) if many else table
        for row in few.to_pyarrow().to_pylist():
            texts[row["column"]].append(row["text"])
        for column in many:
            own = table.filter(table["column"] == column).select("text")
            for end in (own.order_by("text"), own.order_by(own.text.desc())):
                texts[column] += end.limit(MOST_VALUES // 2).to_pyarrow()["text"].to_pylist()
    return {column: sorted(set(own)) for column, own in texts.items()}
