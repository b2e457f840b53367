"""What a reader of published reviews declares: its name, how it knows its files, how it reads one."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vertebro_outcomes.tables.review_tables import Review


@dataclass(frozen=True)
class ReviewFormat:
    """One format of published reviews.

    `recognise` looks at as little as it can and never raises; `read` raises LoadError only.
    """

    name: str
    recognise: Callable[[Path], bool]
    read: Callable[[Path], Review]
