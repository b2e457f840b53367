"""How much a file from a stranger may become when it is opened, and files that change meanwhile."""

import tomllib
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from gzip import GzipFile
from pathlib import Path
from typing import IO, Any, Final

from vertebro_outcomes.errors import LoadError, Problem
from vertebro_outcomes.loaders.plain_words import text_fault, toml_fault

MOST_FILES: Final = 10_000  # in one archive
HIGHEST_RATIO: Final = 200  # tables pack 5 to 30 times, bombs a thousand times and more
SMALL_BYTES: Final = 100 * 2**20  # up to this size unpacked, the ratio says nothing
MOST_CELLS: Final = 50_000_000  # of a sheet, blank ones left of the last included
MOST_COLUMNS: Final = 20_000  # of a table; a registry with all its visits side by side has fewer
LARGEST_TOML: Final = 2**20
DEEPEST_KEY: Final = 1000
CHUNK_BYTES: Final = 2**20

Stamp = dict[Path, tuple[int, ...]]


def check_archive(path: Path) -> None:
    """Refuse a zip (a workbook is one) that holds too many files or grows too much.

    Python unpacks no more of a member than its entry says, so that the list of members suffices.
    """
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
    if len(members) > MOST_FILES:
        raise _refuse(path, f"{len(members):,} files inside", f"at most {MOST_FILES:,}")
    _check_growth(path, sum(member.file_size for member in members))


def _check_growth(path: Path, n_bytes: int) -> None:
    packed = path.stat().st_size
    if n_bytes > max(SMALL_BYTES, HIGHEST_RATIO * packed):
        found = f"unpacks to more than {n_bytes // max(1, packed):,} times its size"
        raise _refuse(path, found, f"at most {HIGHEST_RATIO} times, or {SMALL_BYTES // 2**20} MiB")


def copy_within_limits(path: Path, packed: GzipFile, target: IO[bytes]) -> None:
    """Unpack a stream, and stop where it grows too much."""
    n_bytes = 0
    while chunk := packed.read(CHUNK_BYTES):
        n_bytes += len(chunk)
        _check_growth(path, n_bytes)
        target.write(chunk)


def rows_within_limits(path: Path, rows: Iterator[Sequence[Any]]) -> Iterator[Sequence[Any]]:
    """The rows of a sheet; a few cells far apart stand for very many blank ones."""
    n_cells = 0
    for row in rows:
        n_cells += max(1, len(row))
        if n_cells > MOST_CELLS:
            found = f"a sheet of more than {MOST_CELLS:,} cells"
            problem = Problem(path.name, found, "a smaller sheet")
            raise LoadError(path.name, [problem], "export it as CSV")
        yield row


def refuse_links_out(folder: Path, files: Sequence[Path]) -> None:
    """A link in an export must not make us read, and write down, a file from elsewhere."""
    home = folder.resolve()
    outside = [f for f in files if f.is_symlink() and home not in f.resolve().parents]
    if outside:
        found = "a link to a file outside this folder"
        problems = [Problem(file.name, found, "files of the export itself") for file in outside]
        raise LoadError(folder.name, problems, "put the file itself there, or remove the link")


def refuse_width(name: str, n_columns: int) -> None:
    """Refuse a table so wide that naming its columns alone would take minutes."""
    if n_columns > MOST_COLUMNS:
        problem = Problem(name, f"{n_columns:,} columns", f"at most {MOST_COLUMNS:,}")
        raise LoadError(name, [problem], "export the columns that are needed, or a row per visit")


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file of a person's making: neither huge nor nested without end.

    Raises
    ------
    ValueError
        What is wrong with it, in words; `OSError` where it cannot be read.
    """
    with path.open("rb") as file:
        data = file.read(LARGEST_TOML + 1)
    if len(data) > LARGEST_TOML:
        raise ValueError(f"more than {LARGEST_TOML // 2**20} MiB")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(text_fault(error)) from None
    names = (line.split("=", 1)[0] for line in text.splitlines() if line.strip()[:1] != "#")
    if any(name.count(".") > DEEPEST_KEY for name in names):
        raise ValueError(f"a name of more than {DEEPEST_KEY} parts")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(toml_fault(error)) from None
    except RecursionError:
        raise ValueError("nested too deeply") from None


@contextmanager
def unchanged(path: Path, files: Sequence[Path]) -> Iterator[None]:
    """What is read inside must be on disk as it was, or the result would mix two states."""
    before = _stamps(files)
    try:
        yield
    except Exception:
        _refuse_changed(path, files, before)  # that is why it failed
        raise
    _refuse_changed(path, files, before)


def _refuse_changed(path: Path, files: Sequence[Path], before: Stamp) -> None:
    after = _stamps(files)
    changed = sorted(file.name for file in files if before.get(file) != after.get(file))
    if changed:
        problems = [
            Problem(name, "changed while it was read", "a file at rest") for name in changed
        ]
        raise LoadError(
            path.name, problems, "wait until the export is complete, then load it again"
        )


def _stamps(files: Sequence[Path]) -> Stamp:
    found: Stamp = {}
    for file in files:
        try:
            about = file.stat()
        except OSError:
            continue
        found[file] = (about.st_size, about.st_mtime_ns, about.st_ctime_ns, about.st_ino)
    return found


def _refuse(path: Path, found: str, allowed: str) -> LoadError:
    return LoadError(
        path.name, [Problem(path.name, found, allowed)], "unpack it and name the folder"
    )
