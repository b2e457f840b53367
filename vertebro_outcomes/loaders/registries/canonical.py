"""The canonical Parquet folder that `Cohort.write` makes."""

from pathlib import Path
from typing import Any

from vertebro_outcomes.loaders.format import Export, RegistryFormat
from vertebro_outcomes.tables.storage import MANIFEST


def _recognises(path: Path) -> float:
    return 1.0 if (path / MANIFEST).is_file() or path.name == MANIFEST else 0.0


def _read(_engine: Any, path: Path, _mapping: Any) -> Export:
    raise AssertionError(f"{path.name}: a canonical folder is opened, not mapped")


FORMAT = RegistryFormat(
    name="canonical",
    meaning="the six canonical tables as Parquet, written by `Cohort.write`",
    recognises=_recognises,
    read=_read,
)
