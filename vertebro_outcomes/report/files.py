"""Writing a folder of outputs: each file whole or not at all, with a record of what was written."""

import hashlib
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

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
    _sweep(folder)
    for name, content in files.items():
        write_whole(folder / name, content)
    for name in sorted(former - set(files)):
        (folder / name).unlink(missing_ok=True)
    outputs = {name: hashlib.sha256(files[name]).hexdigest() for name in sorted(files)}
    record = json.dumps({**provenance, "outputs": outputs}, indent=1, sort_keys=True) + "\n"
    write_whole(folder / PROVENANCE, record.encode())


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a reader finds the old one or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=PARTIAL)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _sweep(folder: Path) -> None:
    """Remove what a run that was killed had begun to write."""
    for path in folder.rglob(f".*{PARTIAL}"):
        path.unlink(missing_ok=True)
