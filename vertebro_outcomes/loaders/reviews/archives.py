"""Archives and folders from strangers: read in memory, member by member, never unpacked to disk."""

import io
import os
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Final

from vertebro_outcomes.errors import LoadError, Problem

LARGEST_MEMBER: Final = 64 * 2**20  # bytes, unpacked; also the most for all members that are read
MOST_MEMBERS: Final = 5_000
MOST_BYTES: Final = LARGEST_MEMBER
HIGHEST_RATIO: Final = 200  # text of numbers packs 5 to 30 times; bombs a thousand times and more
SMALL: Final = 2**20  # below this size the ratio says nothing
DEEPEST: Final = 3  # archives in archives
PIECE: Final = 64 * 1024
_BROKEN: Final = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError)
Wanted = Callable[[str], bool]


def looks_like_zip(path: Path) -> bool:
    """Whether a file begins as zip archives do, or is called so. Never raises."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return file.read(4) in (b"PK\x03\x04", b"PK\x05\x06") or path.suffix.lower() == ".zip"
    except OSError:
        return False


def list_members(path: Path) -> list[str]:
    """Paths of the members of a folder or archive (and of archives inside it); empty if unreadable."""
    names: list[str] = []

    def note(name: str) -> bool:
        names.append(name)
        return False

    try:
        read_members(path, note)
    except LoadError:
        return []
    return names


def read_members(path: Path, wanted: Wanted) -> dict[str, bytes]:
    """Members of a folder or archive (and of archives inside it) whose path is `wanted`, by path.

    Raises
    ------
    LoadError
        No archive, cut short, encrypted, a member that would leave the folder, or one that unpacks to
        beyond all reason.
    """
    budget = _Budget(path.name)
    try:
        if path.is_dir():
            return dict(_files(path, wanted, budget))
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            return dict(_members(archive, wanted, budget, depth=1))
    except OSError as error:
        raise refuse(path.name, "the file", error.strerror or "cannot be read") from None
    except _BROKEN:
        raise refuse(path.name, "the file", "not a whole zip archive") from None
    except (RuntimeError, ValueError, UnicodeError):
        raise refuse(path.name, "the file", "an encrypted or damaged archive") from None


def refuse(source: str, where: str, found: str) -> LoadError:
    """The error for an archive that is not read."""
    allowed = "a zip archive as RevMan or the Cochrane Library hands it out"
    return LoadError(source, [Problem(where, found, allowed)], "download the archive again")


class _Budget:
    """What may still be listed and unpacked."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.members = 0
        self.unpacked = 0

    def count(self, names: int) -> None:
        self.members += names
        if self.members > MOST_MEMBERS:
            raise refuse(self.source, "the archive", f"more than {MOST_MEMBERS} members")

    def take(self, number: int) -> None:
        self.unpacked += number
        if self.unpacked > MOST_BYTES:
            found = f"more than {MOST_BYTES // 2**20} MiB unpacked"
            raise refuse(self.source, "the archive", found)


def _files(folder: Path, wanted: Wanted, budget: _Budget) -> Iterator[tuple[str, bytes]]:
    """Files of a folder; links are not followed."""
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__MACOSX")))
        budget.count(len(names) + len(folders))
        for name in sorted(names):
            file = Path(parent, name)
            if file.is_symlink() or not file.is_file():
                continue
            inside = file.relative_to(folder).as_posix()
            if inside.lower().endswith(".zip"):
                with zipfile.ZipFile(file) as archive:
                    yield from _members(archive, wanted, budget, depth=2)
            elif wanted(inside):
                budget.take(file.stat().st_size)
                yield inside, file.read_bytes()


def _members(
    archive: zipfile.ZipFile, wanted: Wanted, budget: _Budget, *, depth: int
) -> Iterator[tuple[str, bytes]]:
    infos = archive.infolist()
    budget.count(len(infos))
    for info in infos:
        name = info.filename
        if _leaves_folder(name):
            raise refuse(budget.source, "a member", "a path that leads out of the archive")
        if info.is_dir() or "__MACOSX" in name:
            continue
        if not name.lower().endswith(".zip"):
            if wanted(name):
                yield name, _content(archive, info, budget)
            continue
        if depth >= DEEPEST:
            raise refuse(budget.source, "a member", f"archives nested {DEEPEST + 1} deep")
        with zipfile.ZipFile(io.BytesIO(_content(archive, info, budget))) as inner:
            yield from _members(inner, wanted, budget, depth=depth + 1)


def _content(archive: zipfile.ZipFile, info: zipfile.ZipInfo, budget: _Budget) -> bytes:
    packed = max(info.compress_size, 1)
    pieces: list[bytes] = []
    size = 0
    with archive.open(info) as member:
        while piece := member.read(PIECE):
            size += len(piece)
            budget.take(len(piece))
            if size > SMALL and size > HIGHEST_RATIO * packed:
                found = f"unpacks to more than {HIGHEST_RATIO} times its size"
                raise refuse(budget.source, "a member", found)
            pieces.append(piece)
    return b"".join(pieces)


def _leaves_folder(name: str) -> bool:
    path = PurePosixPath(name.replace("\\", "/"))
    return path.is_absolute() or ".." in path.parts or ":" in name.partition("/")[0]
