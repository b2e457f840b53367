"""Is what was written still what these inputs give? Answered from hashes, without loading anything."""

import hashlib
import json
import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from vertebro_outcomes.errors import LoadError, Problem

PROVENANCE: Final = "provenance.json"
# Packages whose version can change a number or a byte of the output.
_WATCHED: Final = (
    "vertebro-outcomes",
    "numpy",
    "scipy",
    "pandas",
    "pyarrow",
    "matplotlib",
    "jinja2",
    "markupsafe",
    "typst",
)
_SOURCE_SUFFIXES: Final = frozenset({".py", ".html", ".css", ".js", ".typ"})
_PACKAGE: Final = Path(__file__).parent.parent


def inputs_of(raw: Path, *, settings: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Hashes of the raw files, of the package, and the versions that matter.

    Parameters
    ----------
    raw : Path
        Folder of raw data; every file below it counts, hidden ones do not.
    settings : mapping, optional
        What the user chose about the report, as `ReportSettings.record` gives it.

    Returns
    -------
    dict
        `data` (relative path -> SHA-256), `package` (one SHA-256), `versions`, `settings`.
    """
    source = (path for path in _files(_PACKAGE) if path.suffix in _SOURCE_SUFFIXES)
    package = hashlib.sha256()
    for path in source:
        package.update(f"{path.relative_to(_PACKAGE).as_posix()}\0{sha256(path)}\n".encode())
    return {
        "data": {path.relative_to(raw).as_posix(): sha256(path) for path in _files(raw)},
        "package": package.hexdigest(),
        "settings": dict(settings or {}),
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in _WATCHED},
        },
    }


def require_unchanged(raw: Path, inputs: Mapping[str, Any]) -> None:
    """Refuse what was made of files that changed since `inputs_of` looked at them.

    Parameters
    ----------
    raw : Path
        The folder `inputs_of` was given.
    inputs : mapping
        What it said.

    Raises
    ------
    LoadError
        With the name of every file that is another one now, is new, or is gone.
    """
    before: Mapping[str, str] = inputs["data"]
    now = {path.relative_to(raw).as_posix(): sha256(path) for path in _files(raw)}
    changed = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
    if changed:
        problems = [
            Problem(name, "changed while it was read", "a file at rest") for name in changed
        ]
        next_step = "run it again once nobody writes there; what was written before is unchanged"
        raise LoadError(str(raw), problems, next_step)


def is_current(folder: Path, inputs: Mapping[str, Any]) -> bool:
    """True if `folder` was written from these inputs and holds every file as it was written."""
    try:
        recorded = json.loads((folder / PROVENANCE).read_text(encoding="utf-8"))
        outputs = dict(recorded["outputs"])
        same_inputs = recorded["inputs"] == dict(inputs)
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return same_inputs and all(
        (folder / name).is_file() and sha256(folder / name) == digest
        for name, digest in outputs.items()
    )


def outputs_recorded(folder: Path) -> list[str]:
    """Names of the files that the last run wrote, none if there was no last run."""
    try:
        return list(json.loads((folder / PROVENANCE).read_text(encoding="utf-8"))["outputs"])
    except (OSError, ValueError, KeyError, TypeError):
        return []


def sha256(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _files(folder: Path) -> Iterable[Path]:
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and not any(p.startswith(".") for p in path.relative_to(folder).parts)
    )
