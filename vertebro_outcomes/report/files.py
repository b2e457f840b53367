"""Writing a folder of outputs: each file whole or not at all, with a record of what was written."""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from vertebro_outcomes.errors import InputError, Problem
from vertebro_outcomes.report.digest import PROVENANCE, outputs_recorded

PARTIAL: Final = ".partial"  # ends the name of a file that is being written


def write_folder(
    folder: Path, files: Mapping[str, bytes], *, provenance: Mapping[str, Any]
) -> None:
    """Write the files, remove those a former run wrote and this one did not, then the record.

    Parameters
    ----------
    folder : Path
        Made if it is not there. Files that no run wrote are left alone.
    files : mapping
        Relative path -> content.
    provenance : mapping
        What the record holds beside the hashes of the files.
    """
    former = set(outputs_recorded(folder))
    outputs = {name: hashlib.sha256(files[name]).hexdigest() for name in sorted(files)}
    record = json.dumps({**provenance, "outputs": outputs}, indent=1, sort_keys=True) + "\n"
    with _refusals_told(folder):
        _sweep(folder)
        staged: dict[str, Path] = {}
        try:  # everything is on the disk before the first file of the former run goes
            for name, content in {**files, PROVENANCE: record.encode()}.items():
                staged[name] = _staged(folder / name, content)
        except BaseException:
            for temporary in staged.values():
                temporary.unlink(missing_ok=True)
            raise
        for name in files:
            staged[name].replace(folder / name)
        for name in sorted(former - set(files)):
            (folder / name).unlink(missing_ok=True)
        staged[PROVENANCE].replace(folder / PROVENANCE)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a reader finds the old one or the new one, never a part."""
    with _refusals_told(path.parent):
        _staged(path, content).replace(path)


def _staged(path: Path, content: bytes) -> Path:
    """The content in a file beside the path, which only has to be renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=PARTIAL)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(temporary).chmod(0o644)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    return Path(temporary)


@contextmanager
def _refusals_told(folder: Path) -> Iterator[None]:
    """The disk is full, read-only or not ours: where, and in the words of the system."""
    try:
        yield
    except OSError as error:
        found = error.strerror or "the system refused to write there"
        problem = Problem(f"folder {folder}", found, "a folder that takes files")
        next_step = "free space or choose another folder; what stood there before is unchanged"
        raise InputError(str(folder), [problem], next_step) from None


def _sweep(folder: Path) -> None:
    """Remove what a run that was killed had begun to write."""
    for path in folder.rglob(f".*{PARTIAL}"):
        path.unlink(missing_ok=True)
