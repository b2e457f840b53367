"""One line of a proposal: what a column seems to be, and how sure that is."""

from collections.abc import Mapping
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
