"""One line of a proposal: what a column seems to be, and how sure that is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

SURE: Final = 0.7  # lines below this are proposed but not used without a mapping file


@dataclass(frozen=True)
class Line:
    """One proposed column: `entry` is what the mapping file would say; `sure` from 0 to 1."""

    source: str
    table: str
    target: str
    column: str
    sure: float
    why: str
    entry: Mapping[str, Any] = field(default_factory=dict)
    day: int | None = None  # of a wide score column
    instrument: str = ""


def is_time_of_scores(line: Line) -> bool:
    """Whether a line is the date or day of scores."""
    return line.table == "scores" and line.target in ("date", "day")


def with_one_time(lines: Sequence[Line]) -> list[Line]:
    """The lines with the surest date and day of scores alone, else the first."""
    best: dict[tuple[str, str], Line] = {}
    for line in filter(is_time_of_scores, lines):
        known = best.setdefault((line.source, line.target), line)
        if line.sure > known.sure:
            best[line.source, line.target] = line
    return [x for x in lines if not is_time_of_scores(x) or best[x.source, x.target] is x]
