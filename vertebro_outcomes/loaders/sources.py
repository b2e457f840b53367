"""One file or sheet of an export as text cells with line numbers, and what the reader set aside."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from vertebro_outcomes.loaders.typed_lines import TypedLines
from vertebro_outcomes.tables.engine import store

if TYPE_CHECKING:
    import ibis.expr.types as ir

LINE: Final = "_line"
LONGEST_TITLE: Final = 1000


@dataclass(frozen=True)
class Setting:
    """How numbers and dates are written in one file."""

    decimal: str = "."
    thousands: str = ""
    dates: str = "iso"


@dataclass(frozen=True)
class InOrder:
    """The cells alone, where the first row is the line `first_line` and each row is one line.

    Some files are `plain` enough to be read as numbers and dates at once.
    """

    data: "ir.Table"
    first_line: int
    plain: TypedLines | None = None


@dataclass(frozen=True)
class Source:
    """A file (or sheet) as text: `data` holds `_line` and one text column per header.

    `set_aside` counts rows that carry no record, by reason (blank line, repeated header, footer);
    `refused` are rows the reader could not split: (line, found, rule). `absent` are texts that
    the file itself declares to be missing values.
    """

    name: str
    data: "ir.Table"
    n_rows: int
    set_aside: Mapping[str, int] = field(default_factory=dict)
    refused: Sequence[tuple[int, str, str]] = ()
    labels: Mapping[str, str] = field(default_factory=dict)  # column -> label
    codes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # column -> code -> label
    forms: Mapping[str, str] = field(default_factory=dict)  # column -> form it was filled in on
    setting: Setting = Setting()
    notes: tuple[str, ...] = ()
    absent: Mapping[str, frozenset[str]] = field(default_factory=dict)  # column -> missing texts
    usual: Mapping[str, Sequence[str]] = field(default_factory=dict)  # column -> its first texts
    is_streamed: bool = False  # read from the file again whenever cells are asked for
    in_order: "InOrder | None" = None
    # Where `n_rows` is only the number of lines in the file: reads and counts every row of it.
    settled: "Callable[[], Source] | None" = None

    @property
    def cells(self) -> "ir.Table":
        """The text columns, which are read faster where nobody asks for the lines."""
        own = self.in_order
        is_same = own is not None and tuple(own.data.columns) == self.columns
        return own.data if own is not None and is_same else self.data.drop(LINE)

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(name for name in self.data.columns if name != LINE)

    def shown(self, column: str) -> str:
        """A header as it may be printed: that of a single column may be the first line of a note."""
        return column if len(self.columns) > 1 else "(one column)"

    @property
    def rows_in(self) -> int:
        """Every row after the header."""
        return self.n_rows + sum(self.set_aside.values()) + len(self.refused)


def source_from_rows(
    engine: Any,
    name: str,
    *,
    header: Sequence[str],
    rows: Sequence[Sequence[str | None]],
    lines: Sequence[int],
    **more: Any,
) -> Source:
    """Rows in memory -> a text table on the engine; every row has as many cells as the header."""
    import pyarrow as pa

    columns: dict[str, pa.Array] = {LINE: pa.array(lines, pa.int64())}
    cells = list(zip(*rows, strict=True)) if rows else [()] * len(header)
    for title, values in zip(unique_names(header), cells, strict=True):
        columns[title] = pa.array(values, pa.string())
    return Source(name, store(engine, "source", pa.table(columns)), len(rows), **more)


# Signs that a terminal obeys or that turn the letters round.
_UNSEEN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def unique_names(header: Sequence[str]) -> list[str]:
    """Headers trimmed, blanks numbered, repeats marked: `VAS`, `VAS (2)`."""
    names: list[str] = []
    taken: set[str] = {LINE}
    for place, title in enumerate(header, start=1):
        base = " ".join(_UNSEEN.sub(" ", str(title)[:LONGEST_TITLE]).split()) or f"column {place}"
        name, n = base, 1
        while name.lower() in taken:
            n += 1
            name = f"{base} ({n})"
        taken.add(name.lower())
        names.append(name)
    return names
