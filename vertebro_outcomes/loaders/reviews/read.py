"""Finds out what a review file is, and reads it."""

from pathlib import Path
from typing import Final

from vertebro_outcomes.discover import declarations
from vertebro_outcomes.errors import LoadError, Problem
from vertebro_outcomes.loaders.reviews.review_format import ReviewFormat
from vertebro_outcomes.tables.review_tables import Review

_FORMATS: Final = "vertebro_outcomes.loaders.reviews"


def read_review(source: str | Path) -> Review:
    """Read a review in any known format.

    Raises
    ------
    LoadError
        There is no such file, its format is not known, or it is broken or hostile.
    """
    path = Path(source)
    formats: list[ReviewFormat] = declarations(_FORMATS, "FORMAT")
    for known in formats:
        if known.recognise(path):
            return known.read(path)
    names = ", ".join(known.name for known in formats)
    if not path.exists():
        problem = Problem(str(source), "no such file, folder or review", f"one of: {names}")
        raise LoadError("review", [problem], "check the path, or give the name of a shipped review")
    kind = "folder" if path.is_dir() else "file"
    problem = Problem(path.name, f"a {kind} of no known format", names)
    raise LoadError("review", [problem], "hand in the file as its program saved it")
