"""The files of an export: which are there, which can be read as tables, how each is opened."""

import gzip
import hashlib
import re
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any, Final

from vertebro_outcomes.errors import LoadError, Problem
from vertebro_outcomes.loaders.delimited import read_delimited
from vertebro_outcomes.loaders.large_files import LARGE_BYTES, read_large
from vertebro_outcomes.loaders.limits import check_archive, copy_within_limits, refuse_links_out
from vertebro_outcomes.loaders.physical_lines import physical_lines
from vertebro_outcomes.loaders.plain_words import zip_fault
from vertebro_outcomes.loaders.sources import Source
from vertebro_outcomes.loaders.workbooks import (
    DELIMITED,
    STATISTICAL,
    WORKBOOKS,
    read_parquet,
    read_statistical,
    read_workbook,
)

READABLE: Final = (*DELIMITED, *WORKBOOKS, *STATISTICAL, ".parquet")
GZIP: Final = ".gz"
NOT_DATA: Final = re.compile(r"^(source|readme|licen[cs]e|changelog).*\.(txt|md)$|^[.~_]", re.I)


def files_of(path: Path) -> list[Path]:
    """The files of an export that may hold tables, by name; notes and hidden files are no data."""
    if path.is_file():
        return [path]
    found = [
        file
        for file in sorted(path.rglob("*"))
        if file.is_file()
        and "__MACOSX" not in file.parts
        and not NOT_DATA.search(file.name)
        and not any(part.startswith(".") for part in file.relative_to(path).parts)
    ]
    readable = [file for file in found if _is_readable(file)]
    refuse_links_out(path, readable)
    return readable


def _is_readable(file: Path) -> bool:
    """A table, or delimited text packed by gzip."""
    kind = file.suffix.lower()
    return kind in READABLE or (kind == GZIP and Path(file.stem).suffix.lower() in DELIMITED)


def count_lines(path: Path, enough: Event) -> None:
    """The lines of large delimited files, for which readers may ask; none is begun after `enough`."""
    for file in files_of(path):
        if enough.is_set():
            return
        if file.suffix.lower() in DELIMITED and file.stat().st_size > LARGE_BYTES:
            physical_lines(file)


def other_files(path: Path) -> list[str]:
    """Files of an export that no reader can open."""
    if path.is_file():
        return []
    known = {*READABLE, ".toml", ".md"}
    return [
        f.name
        for f in sorted(path.rglob("*"))
        if f.is_file() and f.suffix.lower() not in known and not _is_readable(f)
    ]


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """A zip as a folder for as long as it is read; anything else as it is."""
    if path.suffix.lower() != ".zip":
        yield path
        return
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / path.stem
        try:
            check_archive(path)
            with zipfile.ZipFile(path) as archive:
                archive.extractall(target)
        except (zipfile.BadZipFile, zlib.error, OSError, RuntimeError, ValueError) as error:
            problem = Problem(path.name, zip_fault(error), "a zip file without password")
            raise LoadError(path.name, [problem], "unpack it and name the folder") from None
        yield target


def require(path: Path) -> None:
    """Say at once that there is nothing at a path."""
    if not path.exists():
        problem = Problem(str(path.name), "no such file or folder", "an existing export")
        raise LoadError(path.name, [problem], "check the path")


@contextmanager
def refusals_told(path: Path) -> Iterator[None]:
    """What the system refuses while an export is read: which file, and why, in its words."""
    try:
        yield
    except OSError as error:
        name = Path(str(error.filename)).name if error.filename else path.name
        problem = Problem(name, error.strerror or "it cannot be read", "a file you may read")
        raise LoadError(path.name, [problem], "check its permissions and the disk") from None


def read_file(
    engine: Any,
    path: Path,
    *,
    name: str | None = None,
    presumes: bool = False,
    stays: bool = True,
) -> list[Source]:
    """Every table in one file; `presumes` and `stays` as for `read_large`."""
    kind = path.suffix.lower()
    try:
        if path.stat().st_size == 0:
            raise LoadError(
                path.name, [Problem(path.name, "an empty file", "a table")], "export it again"
            )
        if kind == GZIP:
            return _read_packed(engine, path)
        if kind in WORKBOOKS:
            _refuse_locked(path)
            return read_workbook(engine, path)
        if kind in STATISTICAL:
            return [read_statistical(engine, path)]
        if kind == ".parquet":
            return [read_parquet(engine, path)]
        _refuse_no_text(path)
        if path.stat().st_size > LARGE_BYTES:
            return [read_large(engine, path, name=name, presumes=presumes, stays=stays)]
        return [read_delimited(engine, path, name=name)]
    except OSError as error:
        problem = Problem(path.name, error.strerror or "cannot be read", "a readable file")
        raise LoadError(path.name, [problem], "check the file and its permissions") from None


HEAD_BYTES: Final = 4096
MOST_NO_LETTERS: Final = 0.05
_NO_LETTERS: Final = bytes({*range(1, 32)} - {*b"\t\n\v\f\r\x1a\x1b"})
_OLD_EXCEL: Final = b"\xd0\xcf\x11\xe0"
# Workbooks of other programs, which may look like a zip from outside.
_OTHER_BOOKS: Final = (".xls", ".xlsb", ".ods", ".numbers", ".fods")
# How files that are no delimited text begin, whatever their name says.
_BEGINNINGS: Final = {
    b"PK\x03\x04": ("a workbook or zip", "give it the ending .xlsx or .zip"),
    _OLD_EXCEL: ("a workbook of old Excel", "save it as .xlsx or CSV"),
    b"%PDF": ("a PDF", "ask for the table as CSV or Excel"),
    b"\x1f\x8b": ("packed by gzip", "give it the ending .csv.gz"),
    b"PAR1": ("Parquet", "give it the ending .parquet"),
    b"$FL2": ("an SPSS file", "give it the ending .sav"),
    b"RDX": ("data of R", "write it as CSV or Parquet"),
    b"{\\rtf": ("a text document", "ask for the table as CSV or Excel"),
    b"<": ("a web page or XML", "open it in Excel and save it as .xlsx"),
}


def _refuse_locked(path: Path) -> None:
    """A workbook with a password is packed as those of old Excel are."""
    with path.open("rb") as stream:
        locked = stream.read(len(_OLD_EXCEL)) == _OLD_EXCEL
    if locked:
        found = "locked with a password, or a workbook of old Excel"
        problem = Problem(path.name, found, "an open .xlsx workbook")
        raise LoadError(path.name, [problem], "save it without password as .xlsx")


def _refuse_no_text(path: Path) -> None:
    with path.open("rb") as stream:
        whole = stream.read(HEAD_BYTES)
    head = whole[:64].removeprefix(b"\xef\xbb\xbf").lstrip()
    for beginning, (found, step) in _BEGINNINGS.items():
        if head.startswith(beginning):
            problem = Problem(path.name, found, f"delimited text ({', '.join(DELIMITED)})")
            other = path.suffix.lower() in _OTHER_BOOKS
            raise LoadError(path.name, [problem], "save it as .xlsx or CSV" if other else step)
    if _is_binary(whole):
        problem = Problem(path.name, "no text", f"delimited text ({', '.join(DELIMITED)})")
        raise LoadError(
            path.name, [problem], "open it where it was made and save it as .xlsx or CSV"
        )


def _is_binary(head: bytes) -> bool:
    """Whether bytes that stand for no letter are common; those of UTF-16 are full of zeros."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or head.count(0) > len(head) // 4:
        return False
    return len(head) - len(head.translate(None, _NO_LETTERS)) > MOST_NO_LETTERS * len(head)


def _read_packed(engine: Any, path: Path) -> list[Source]:
    """Delimited text packed by gzip, unpacked for as long as it is read."""
    with tempfile.TemporaryDirectory() as folder:
        plain = Path(folder) / path.stem
        try:
            with gzip.open(path) as packed, plain.open("wb") as target:
                copy_within_limits(path, packed, target)
        except (gzip.BadGzipFile, EOFError, zlib.error):
            problem = Problem(path.name, "damaged, or cut short", "a gzip file")
            raise LoadError(path.name, [problem], "pack it again, or unpack it") from None
        return read_file(engine, plain, name=path.name, stays=False)


def content_hashes(paths: Sequence[Path]) -> dict[str, str]:
    """SHA-256 of each file, by name; equal hashes mean that nothing needs to be read again."""
    hashes = {}
    for path in paths:
        with path.open("rb") as stream:
            name = f"{path.parent.name}/{path.name}" if path.name in hashes else path.name
            hashes[name] = hashlib.file_digest(stream, "sha256").hexdigest()
    return hashes
