"""Whether an export says that it is synthetic: in its mapping, beside it, or in the data itself."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from vertebro_outcomes.loaders.cells import TRUTH
from vertebro_outcomes.loaders.mapping import RegistryMapping
from vertebro_outcomes.loaders.sources import Source
from vertebro_outcomes.loaders.words import fold

MARK: Final = "synthetic"
NOTE_FILE: Final = "SOURCE.md"
# Columns of OMOP in which a database says what it is.
_NAMES: Final = ("cdm_source_name", "cdm_source_abbreviation", "source_description")


def is_marked(path: Any, sources: Sequence[Source], rules: RegistryMapping) -> bool:
    """True where any of them says so: a mapping alone cannot take the mark away."""
    return (
        bool(rules.get(MARK, False))
        or (isinstance(path, Path) and _note_says_so(path))
        or any(_data_say_so(source) for source in sources)
    )


def is_mark(column: str) -> bool:
    """Whether a column only carries the mark."""
    return fold(column) == MARK


def _note_says_so(path: Path) -> bool:
    note = (path if path.is_dir() else path.parent) / NOTE_FILE
    try:
        text = note.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return False
    return bool(re.search(r"^\W*SYNTHETIC\b", text, re.MULTILINE))


def _data_say_so(source: Source) -> bool:
    for column in source.columns:
        folded = fold(column)
        if folded not in (MARK, *_NAMES):
            continue
        found = source.data.select(v=source.data[column].lower()).distinct().limit(20)
        words = [word.strip() for word in found.to_pyarrow()["v"].to_pylist() if word]
        if folded == MARK and any(TRUTH.get(word) == "1" for word in words):
            return True
        if folded != MARK and any(re.search(r"\bsynthetic\b", word) for word in words):
            return True
    return False
