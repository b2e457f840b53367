"""What a rule about printed numbers is: a name, the kinds of rows it reads, and a check."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal

from vertebro_outcomes.printed import Printed, read_printed
from vertebro_outcomes.results.reported_findings import Certainty, Finding

Kind = Literal["effect", "counts", "mean", "study", "input", "note"]
RATIOS: Final = frozenset({"OR", "RR", "HR", "IRR", "PETO", "ROM"})


@dataclass(frozen=True)
class Row:
    """One printed row: its id for a reader, its kind, and its cells as text."""

    row_id: str
    kind: Kind
    cells: dict[str, str]

    def text(self, *names: str) -> str:
        """The first of these cells that is there and not blank; else ''."""
        return next((self.cells[name] for name in names if self.cells.get(name)), "")

    def number(self, *names: str) -> Printed | None:
        """The first of these cells as a printed number; None if blank or no number."""
        return read_printed(self.text(*names))

    @cached_property
    def study(self) -> str:
        return self.text("study_id", "review_id", "study")

    @cached_property
    def trial(self) -> str:
        return self.text("trial_id", "trial") or self.study

    @cached_property
    def about(self) -> str:
        parts = (self.text("outcome"), self.text("timepoint_label"), self.text("arm", "comparison"))
        compared = (self.text("treatment"), self.text("comparator"))
        return ", ".join(part for part in (*parts, " vs ".join(filter(None, compared))) if part)

    @cached_property
    def qualifier(self) -> str:
        """What the label says after a semicolon: the subgroup or control group of the row."""
        return self.text("timepoint_label").partition(";")[2].strip()

    @property
    def is_ratio(self) -> bool:
        return self.text("measure").upper() in RATIOS


@dataclass(frozen=True)
class Rule:
    """`check` gets the rows of the kinds it `reads`, all of them at once."""

    name: str
    reads: frozenset[Kind]
    check: Callable[[Sequence[Row]], Iterable[Finding]]

    def __call__(self, rows: Sequence[Row]) -> Iterator[Finding]:
        yield from self.check([row for row in rows if row.kind in self.reads])


def finding(
    rule: str, rows: Sequence[Row], *, printed: str, follows: str, certainty: Certainty
) -> Finding:
    """A finding about these rows; the first names study and subject."""
    return Finding(
        rule=rule,
        rows=tuple(row.row_id for row in rows),
        study=rows[0].study,
        about=rows[0].about,
        printed=printed,
        follows=follows,
        certainty=certainty,
    )


def groups(rows: Iterable[Row], *names: str) -> Iterator[list[Row]]:
    """Rows of one trial that agree in these cells, where there is more than one of them."""
    found: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        key = (row.trial, row.qualifier, *(row.text(name) for name in names))
        found.setdefault(key, []).append(row)
    yield from (group for group in found.values() if len(group) > 1)
