"""Archives from strangers: read in memory, member by member, never unpacked to disk."""

import io
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


def read_members(path: Path, *, wanted: Callable[[str], bool]) -> dict[str, bytes]:
    """Members of an archive (and of archives inside it) whose path is `wanted`, by path.

    Raises
    ------
    LoadError
        No archive, cut short, encrypted, a member that would leave the folder, or one that unpacks to
        beyond all reason.
    """
    found: dict[str, bytes] = {}
    budget = _Budget(path.name)
    try:
        with path.open("rb") as file, zipfile.ZipFile(file) as archive:
            found.update(_members(archive, wanted, budget, depth=1))
    except OSError as error:
        raise refuse(path.name, "the file", error.strerror or "cannot be read") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError):
        found_text = "not a whole zip archive"
        raise refuse(path.name, "the file", found_text) from None
    except (RuntimeError, ValueError, UnicodeError):
        raise refuse(path.name, "the file", "an encrypted or damaged archive") from None
    return found


def refuse(source: str, where: str, found: str) -> LoadError:
    """The error for an archive that is not read."""
    allowed = "a zip archive as RevMan or the Cochrane Library hands it out"
    return LoadError(source, [Problem(where, found, allowed)], "download the archive again")


class _Budget:
    """What may still be unpacked."""

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
            raise refuse(
                self.source, "the archive", f"more than {MOST_BYTES // 2**20} MiB unpacked"
            )


def _members(
    archive: zipfile.ZipFile, wanted: Callable[[str], bool], budget: _Budget, *, depth: int
) -> Iterator[tuple[str, bytes]]:
    infos = archive.infolist()
    budget.count(len(infos))
    for info in infos:
        name = info.filename
        if _leaves_folder(name):
            raise refuse(budget.source, "a member", "a path that leads out of the archive")
        if info.is_dir() or "__MACOSX" in name:
            continue
        nested = name.lower().endswith(".zip")
        if not nested and not wanted(name):
            continue
        if nested and depth >= DEEPEST:
            raise refuse(budget.source, "a member", f"archives nested {DEEPEST + 1} deep")
        content = _content(archive, info, budget)
        if nested:
            with zipfile.ZipFile(io.BytesIO(content)) as inner:
                yield from _members(inner, wanted, budget, depth=depth + 1)
        else:
            yield name, content


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
