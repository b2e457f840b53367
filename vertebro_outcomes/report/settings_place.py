"""Where the settings of a report are looked for; reads nothing, loads nothing heavy."""

from pathlib import Path
from typing import Final

from vertebro_outcomes.errors import LoadError, Problem

FILE: Final = "vertebro.toml"


def find_settings(*folders: Path) -> Path | None:
    """The settings file in one of the folders, None where there is none.

    Raises
    ------
    LoadError
        If two of them hold one: nobody could tell which counts.
    """
    found = {path.resolve(): path for path in (f / FILE for f in folders) if path.is_file()}
    if len(found) > 1:
        names = " and ".join(str(path) for path in found.values())
        raise LoadError(FILE, [Problem("settings", names, "one file")], "delete one of the files")
    return next(iter(found.values()), None)
