"""What a registry format declares: how to recognise an export, read it, and fill canonical columns."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from vertebro_outcomes.loaders.sources import Source
from vertebro_outcomes.tables.cohort_tables import TABLES
from vertebro_outcomes.tables.event_types import Instrument
from vertebro_outcomes.tables.schema import Column, Table

Duplicates = Literal["first", "last"]
NO_TEXT: Final = ("NULL", "null", "NA", "N/A", "NaN", "nan", "#N/A", "\\N", ".")  # of databases
BLANK: Final = (
    "",
    "na",
    "n/a",
    "nan",
    "null",
    "\\n",
    "none",
    ".",
    "-",
    "--",
    "#n/a",
    "#null!",
    "missing",
    "[not completed]",
    "[document]",
)


def _date(name: str, meaning: str) -> Column:
    return Column(name, "date", meaning, required=False)


# Dates that become days once day 0 is known, beside the canonical columns.
DATED: Final[dict[str, tuple[Column, ...]]] = {
    "patients": (_date("birth_date", "date of birth"), _date("death_date", "date of death")),
    "episodes": (
        _date("enrolment_date", "date of enrolment"),
        _date("followup_end_date", "last contact"),
    ),
    "levels": (),
    "scores": (_date("date", "date of the score"),),
    "events": (_date("date", "date of the event"),),
    "fractures": (_date("date", "date the fracture was found"),),
}
# That they are filled says that there is a vertebra; how a leak was looked for does not.
TOLD_OF_VERTEBRAE: Final = (
    *("treated", "cement_ml", "leakage", "height_loss_pct"),
    *("kyphosis_pre_deg", "kyphosis_post_deg", "cleft"),
)
STAGED: Final[dict[str, Table]] = {
    name: Table(name, table.meaning, (*table.columns, *DATED[name]), table.key)
    for name, table in TABLES.items()
}


@dataclass(frozen=True)
class Cell:
    """How one canonical column is made from a column of a source (or a constant).

    `codes`: code in the file -> canonical word. `absent`: text in the file -> why there is no
    value (`missing`, `not_asked`, `not_applicable`, `dead`). `scale`: lowest and highest possible
    value as recorded. `factor`: recorded unit -> canonical unit.
    """

    column: str = ""
    constant: str | None = None
    codes: Mapping[str, str] = field(default_factory=dict)
    absent: Mapping[str, str] = field(default_factory=dict)
    dates: str = ""
    decimal: str = ""
    thousands: str = ""
    factor: float = 1.0
    scale: tuple[float, float] | None = None


@dataclass(frozen=True)
class Feed:
    """Rows of one canonical table made from the rows of one source.

    `where`: column -> allowed texts; other rows are not meant. `needs`: canonical columns of which
    at least one must be filled for a record to exist. `scales`: instrument -> recorded scale.
    """

    source: str
    table: str
    cells: Mapping[str, Cell]
    where: Mapping[str, Sequence[str]] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    scales: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    instruments: Mapping[str, Instrument] = field(default_factory=dict)  # declared by the mapping


def usual_needs(
    table: str, cells: Mapping[str, Cell], *, selected: bool = False
) -> tuple[str, ...]:
    """What makes a record: a blank cell of a wide table is no score.

    Nor is a vertebra one of which nothing is told, unless the rows are `selected` as being about it.
    """
    if table == "levels" and selected and cells.get("level", Cell()).constant is not None:
        return ()
    if table == "scores":
        wide = "instrument" in cells and cells["instrument"].constant is not None
        return ("value",) if wide else ("value", "instrument")
    if table == "events" and "type" in cells and cells["type"].constant is not None:
        return ()  # the condition of the feed says that the event happened
    names = {
        "episodes": [c for c in cells if c not in ("patient_id", "day0", "n_levels")],
        "levels": ["level", *TOLD_OF_VERTEBRAE],
        "events": ["type", "day", "date"],
        "fractures": ["level", "day", "date"],
    }.get(table, [])
    needed = [n for n in names if n in cells and cells[n].constant is None]
    return tuple(needed)


@dataclass(frozen=True)
class Export:
    """An export as read: text sources, and the feeds that say what their columns mean."""

    name: str
    sources: tuple[Source, ...]
    feeds: tuple[Feed, ...]
    synthetic: bool = False
    unmapped: tuple[tuple[str, str, str], ...] = ()  # source file, column, reason
    notes: tuple[str, ...] = ()
    duplicates: Duplicates = "first"
    instruments: Mapping[str, Instrument] = field(default_factory=dict)
    one_episode: bool = False  # a patient has a single episode, spread over several rows
    counts_levels: bool = True  # the vertebrae that are listed are those that were treated
    facts_repeat: bool = False  # rows of a patient may each say again what happened to the patient


@dataclass(frozen=True)
class RegistryFormat:
    """One way in which registries hand out data.

    `recognises` says how sure it is (0 to 1) that `path` is such an export; `read` returns it.
    `sample` writes a small invented export into a folder, for documentation and contract tests.
    `propose` returns the `ProposedMapping` of an export whose columns alone do not say enough.
    """

    name: str
    meaning: str
    recognises: Callable[[Path], float]
    read: Callable[..., Export]
    sample: Callable[[Path], Path] | None = None
    propose: Callable[..., Any] | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
