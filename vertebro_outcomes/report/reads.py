"""What a notebook reads: noted while it runs, so that it is run again only if one of these changes."""

import hashlib
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from vertebro_outcomes.report.digest import sha256

_EVENTS: Final = frozenset({"open", "os.listdir", "os.scandir"})
_DEPTH: Final = 3  # data/raw/literature: whoever reads one of its files depends on all of them
_PACKAGE: Final = Path(__file__).resolve().parents[1]


def note_reads(project: str, target: str) -> None:
    """Write to `target`, line by line, which folders of a project this process opens or lists.

    Libraries that read files by themselves do so in a folder that was listed or a file that was
    looked into before, so folders are noted, not files.
    """
    root = Path(project).resolve()
    seen: set[str] = set()
    lines = Path(target).open("a", encoding="utf-8")  # noqa: SIM115 (open as long as the process)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in _EVENTS or not arguments or not isinstance(arguments[0], str | os.PathLike):
            return
        found = unit_of(Path(os.path.abspath(arguments[0])), root)  # noqa: PTH100 (resolve would be audited)
        if found and found not in seen:
            seen.add(found)
            lines.write(f"{found}\n")
            lines.flush()

    sys.addaudithook(hook)


def unit_of(path: Path, root: Path) -> str:
    """The folder, or shallow file, of a project that a path stands for; empty for what does not count."""
    if path == root or not path.is_relative_to(root) or path.is_relative_to(_PACKAGE):
        return ""
    parts = path.relative_to(root).parts
    if any(part.startswith((".", "__")) for part in parts) or parts[0] in ("analyses", "reports"):
        return ""
    return "/".join(parts[:_DEPTH])


def state_of(units: Iterable[str], root: Path) -> dict[str, str]:
    """A hash of each folder or file by its name; an absent one has the hash of nothing."""
    return {unit: _hash(root / unit) for unit in sorted(units)}


def _hash(path: Path) -> str:
    whole = hashlib.sha256()
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    for file in files:
        whole.update(f"{file.relative_to(path).as_posix()}\0{sha256(file)}\n".encode())
    return whole.hexdigest()
