"""Zip files and folders from strangers: only what is wanted is read, in memory, within limits."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Final

from vertebro_outcomes.errors import LoadError, Problem

MOST_MEMBERS: Final = 2_000
MOST_BYTES: Final = 200 * 2**20  # of all members together, uncompressed
LARGEST_MEMBER: Final = 16 * 2**20  # of a member that is read; 10,000 studies take about 4 MiB
HIGHEST_RATIO: Final = 200  # tables of numbers pack 5 to 30 times, bombs a thousand times and more
SMALL_BYTES: Final = 100_000  # below this size the ratio says nothing
DEEPEST_NESTING: Final = 2
MOST_DIRECTORY_BYTES: Final = 512 * MOST_MEMBERS  # bounds the list of members before it is parsed
NEXT_STEP: Final = "download the package again from its publisher, or pass its unpacked folder"
_END: Final = b"PK\x05\x06"
_END_64_LOCATOR: Final = b"PK\x06\x07"
_ENCRYPTED: Final = 0x1

Wanted = Callable[[str], bool]


def read_members(path: Path, *, wanted: Wanted) -> dict[str, bytes]:
    """The wanted files of a folder, a zip, or a zip within it, by their name inside.

    Raises
    ------
    LoadError
        Not a whole zip; members outside their folder, encrypted, too many, too large, too deeply nested.
    """
    try:
        if path.is_dir():
            return dict(_folder_files(path, wanted))
        size = path.stat().st_size
        if size > MOST_BYTES:
            allowed = f"at most {MOST_BYTES // 2**20} MiB"
            raise _refuse(path.name, "the file", f"{size / 2**20:.0f} MiB", allowed)
        with path.open("rb") as file:
            return dict(_zip_files(file, wanted, source=path.name, depth=1, budget=[MOST_BYTES]))
    except OSError as error:
        found = error.strerror or "cannot be read"
        raise _refuse(path.name, "the file", found, "a readable file") from None


def list_members(path: Path) -> list[str]:
    """Names of all files in a folder or zip, nested zips included; [] for what cannot be opened."""
    names: list[str] = []

    def note(name: str) -> bool:
        names.append(name)
        return False

    try:
        read_members(path, wanted=note)
    except LoadError:
        return []
    return names


def looks_like_zip(path: Path) -> bool:
    """Whether a file starts as a zip does, or is called one."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return file.read(2) == b"PK" or path.suffix.lower() == ".zip"
    except OSError:
        return False


def _folder_files(folder: Path, wanted: Wanted) -> Iterator[tuple[str, bytes]]:
    seen, budget = 0, MOST_BYTES
    pending = [(folder, 0)]
    while pending:
        here, depth = pending.pop()
        for file in sorted(here.iterdir()):
            seen += 1
            if seen > MOST_MEMBERS:
                return
            if file.is_symlink() or file.name.startswith((".", "__MACOSX")):
                continue
            name = file.relative_to(folder).as_posix()
            if file.is_dir():
                if depth < DEEPEST_NESTING + 1:
                    pending.append((file, depth + 1))
            elif wanted(name):
                size = file.stat().st_size
                budget -= size
                _check_size(folder.name, name, size, budget)
                yield name, file.read_bytes()


def _zip_files(
    file: IO[bytes], wanted: Wanted, *, source: str, depth: int, budget: list[int]
) -> Iterator[tuple[str, bytes]]:
    _check_directory(file, source)
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            _check_members(members, source=source, budget=budget)
            for member in members:
                name = member.filename
                if member.is_dir() or "__MACOSX" in name:
                    continue
                if name.lower().endswith(".zip"):
                    inner = io.BytesIO(_nested(archive, member, source, depth))
                    where = f"{source}/{PurePosixPath(name).name}"
                    yield from _zip_files(
                        inner, wanted, source=where, depth=depth + 1, budget=budget
                    )
                elif wanted(name):
                    _check_size(source, name, member.file_size, 0)
                    yield name, archive.read(member)
    except (zipfile.BadZipFile, zlib.error, EOFError, struct.error, UnicodeError, ValueError):
        raise _refuse(source, "the file", "a damaged or cut-off zip", "a whole zip") from None
    except (NotImplementedError, RuntimeError):
        found = "a member packed in an unusual way"
        raise _refuse(source, "the file", found, "members stored or deflated") from None


def _nested(archive: zipfile.ZipFile, member: zipfile.ZipInfo, source: str, depth: int) -> bytes:
    if depth >= DEEPEST_NESTING:
        found = f"zips nested {depth + 1} deep"
        raise _refuse(source, member.filename[:80], found, "one zip within a zip")
    _check_size(source, member.filename, member.file_size, 0)
    return archive.read(member)


def _check_directory(file: IO[bytes], source: str) -> None:
    """Bound the list of members by its size before anything parses it."""
    size = file.seek(0, io.SEEK_END)
    tail_bytes = min(size, 65_557 + 20)
    file.seek(size - tail_bytes)
    tail = file.read(tail_bytes)
    file.seek(0)
    place = tail.rfind(_END)
    if place < 0 or len(tail) < place + 22:
        found = "not a zip, or cut off" if size else "it is empty"
        raise _refuse(source, "the file", found, "a whole zip")
    members, directory_bytes = struct.unpack_from("<HL", tail, place + 10)
    is_64 = tail[max(0, place - 20) : place].startswith(_END_64_LOCATOR)
    if is_64 or members > MOST_MEMBERS or directory_bytes > MOST_DIRECTORY_BYTES:
        found = "a list of members made for thousands of files"
        raise _refuse(source, "the file", found, f"at most {MOST_MEMBERS:,} members")


def _check_members(members: list[zipfile.ZipInfo], *, source: str, budget: list[int]) -> None:
    if len(members) > MOST_MEMBERS:
        found = f"{len(members):,} members"
        raise _refuse(source, "the file", found, f"at most {MOST_MEMBERS:,} members")
    for member in members:
        name = member.filename
        parts = PurePosixPath(name.replace("\\", "/")).parts
        if ".." in parts or name.startswith(("/", "\\")) or name[1:2] == ":":
            raise _refuse(source, name[:80], "a path out of its folder", "paths inside the package")
        if member.flag_bits & _ENCRYPTED:
            raise _refuse(source, name[:80], "an encrypted member", "members without password")
        ratio = member.file_size / max(1, member.compress_size)
        if member.file_size > SMALL_BYTES and ratio > HIGHEST_RATIO:
            found = f"unpacks to {ratio:.0f} times its size"
            raise _refuse(source, name[:80], found, f"at most {HIGHEST_RATIO} times")
        budget[0] -= member.file_size
        if budget[0] < 0:
            found = f"more than {MOST_BYTES // 2**20} MiB when unpacked"
            raise _refuse(source, "the file", found, f"at most {MOST_BYTES // 2**20} MiB")


def _check_size(source: str, name: str, size: int, budget: int) -> None:
    if size > LARGEST_MEMBER or budget < 0:
        found = f"{size / 2**20:.0f} MiB"
        raise _refuse(source, name[:80], found, f"at most {LARGEST_MEMBER // 2**20} MiB")


def _refuse(source: str, where: str, found: str, allowed: str) -> LoadError:
    return LoadError(source, [Problem(where, found, allowed)], NEXT_STEP)
