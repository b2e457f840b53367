"""Canonical Parquet on disk: written whole or not at all, read back without loss."""

import errno
import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pandas as pd

from vertebro_outcomes.errors import InputError, LoadError, Problem, list_some
from vertebro_outcomes.tables.cohort_tables import STORED
from vertebro_outcomes.tables.csv_text import ledger_cell, ledger_text
from vertebro_outcomes.tables.engine import analysing_engine, open_parquet
from vertebro_outcomes.tables.engine_files import kept_file
from vertebro_outcomes.tables.instruments import as_plain, declared_instruments

MANIFEST: Final = "cohort.json"
LAYOUT: Final = 2
# Layout -> columns that it brought; a folder of an older one is read with them missing.
ADDED: Final[dict[int, dict[str, tuple[str, ...]]]] = {2: {"episodes": ("index_year",)}}
LEDGERS: Final = ("rejects", "accounting", "attrition", "unmapped", "ignored")
_WHOLE = ("line", "rows", "rows_in", "rows_used", "rows_rejected", "rows_ignored")


def write_cohort(cohort: Any, folder: Path) -> Path:
    """Write beside the target, then put it in place by renaming."""
    if folder.exists() and not is_replaceable(folder):
        problem = Problem("argument folder", f"{folder.name} holds other files", "a new folder")
        raise InputError("Cohort.write()", [problem], "choose an empty or a new folder")
    import duckdb

    partial = folder.with_name(f".{folder.name}.partial-{os.getpid()}")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        recover(folder)
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        _write_files(cohort, partial)
        _swap(partial, folder)
    except (OSError, duckdb.IOException) as error:
        raise _unwritable(folder, error) from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return folder


def _unwritable(folder: Path, error: Exception) -> InputError:
    """The disk is full, read-only or not ours: in the words of the system."""
    code = next((n for n in errno.errorcode if os.strerror(n) in str(error)), None)
    found = os.strerror(code) if code is not None else "the system refused to write there"
    problem = Problem(f"folder {folder.name}", found, "a folder that takes files")
    next_step = "free space or choose another folder; what stood there before is unchanged"
    return InputError("Cohort.write()", [problem], next_step)


def is_replaceable(folder: Path) -> bool:
    """Empty, or a cohort written before."""
    return folder.is_dir() and ((folder / MANIFEST).is_file() or not any(folder.iterdir()))


def read_manifest(folder: Path) -> dict[str, Any]:
    """What `cohort.json` says; an empty dict where there is none or it cannot be read."""
    try:
        read = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return read if isinstance(read, dict) else {}


def read_cohort(folder: Path, engine: Any = None) -> dict[str, Any]:
    """The fields of a `Cohort` from a folder that `write_cohort` wrote."""
    manifest = read_manifest(folder)
    missing = [name for name in STORED if not (folder / f"{name}.parquet").is_file()]
    layout = manifest.get("layout")
    if not isinstance(layout, int) or not 1 <= layout <= LAYOUT or missing:
        newer = isinstance(layout, int) and layout > LAYOUT
        found = f"no {list_some(missing)}" if missing and not newer else f"layout {layout}"
        problem = Problem(f"{folder.name}/{MANIFEST}", found, f"layout 1 to {LAYOUT}, all tables")
        step = "update this package" if newer else "load the export again and write the cohort"
        raise LoadError(str(folder.name), [problem], step)
    engine = engine if engine is not None else analysing_engine()
    tables = {name: open_parquet(engine, folder / f"{name}.parquet") for name in STORED}
    tables = {name: _completed(table, name, layout) for name, table in tables.items()}
    _check_columns(folder, tables)
    return {
        "tables": tables,
        **{
            ledger: _read_ledger(folder / f"{ledger}.csv")
            for ledger in LEDGERS
            if (folder / f"{ledger}.csv").is_file()
        },
        "name": manifest["name"],
        "notes": tuple(manifest["notes"]),
        "synthetic": manifest["synthetic"],
        "inputs": manifest["inputs"],
        "instruments": declared_instruments(manifest.get("instruments"), call=MANIFEST),
    }


def _completed(table: Any, name: str, layout: int) -> Any:
    """The table with the columns that later layouts brought, as missing values."""
    import ibis

    later = [
        column
        for brought in range(layout + 1, LAYOUT + 1)
        for column in ADDED.get(brought, {}).get(name, ())
        if column not in table.columns
    ]
    if not later:
        return table
    kinds = {"text": "string", "int": "int64", "float": "float64", "bool": "boolean"}
    blank = {c: ibis.null(kinds.get(STORED[name][c].type, "date")) for c in later}
    return table.mutate(**blank).select(list(STORED[name].names))


def _check_columns(folder: Path, tables: dict[str, Any]) -> None:
    problems = [
        Problem(f"{name}.parquet", f"no column {column}", "all columns of vo.TABLES")
        for name, declared in STORED.items()
        for column in declared.names
        if column not in tables[name].columns
    ]
    if problems:
        raise LoadError(folder.name, problems, "load the export again and write the cohort")


def _write_files(cohort: Any, folder: Path) -> None:
    for name in STORED:
        _write_table(cohort.tables[name], folder / f"{name}.parquet")
    for ledger in LEDGERS:
        text = ledger_text(getattr(cohort, ledger))
        (folder / f"{ledger}.csv").write_text(text, encoding="utf-8", newline="")
    manifest = {
        "layout": LAYOUT,
        "name": cohort.name,
        "synthetic": cohort.synthetic,
        "notes": list(cohort.notes),
        "inputs": dict(cohort.inputs),
        "instruments": as_plain(cohort.instruments),
    }
    text = json.dumps(manifest, indent=1, ensure_ascii=False, sort_keys=True)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def _write_table(table: Any, path: Path) -> None:
    """A table that is a file of our own is that file; anything else is computed."""
    kept = kept_file(table)
    if kept is None:
        table.to_parquet(path)
        return
    try:
        path.hardlink_to(kept)
    except OSError:  # another file system
        shutil.copyfile(kept, path)


def _swap(partial: Path, folder: Path) -> None:
    """The old result stays until the new one is complete."""
    old = folder.with_name(f".{folder.name}.old-{os.getpid()}")
    if folder.exists():
        folder.rename(old)
    try:
        partial.rename(folder)
    except OSError:
        if old.exists():
            old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def recover(folder: Path) -> None:
    """Tidy up after writers that were killed: a result moved aside returns, parts of one go."""
    for old in _leftovers(folder, "old"):
        if not folder.exists():
            old.rename(folder)
    for left in (*_leftovers(folder, "old"), *_leftovers(folder, "partial")):
        shutil.rmtree(left, ignore_errors=True)


def _leftovers(folder: Path, kind: str) -> list[Path]:
    """`.name.kind-PID` beside a folder whose process is gone."""
    start = f".{folder.name}.{kind}-"
    if not folder.parent.is_dir():
        return []
    found = [path for path in folder.parent.iterdir() if path.name.startswith(start)]
    return sorted(path for path in found if not _is_running(path.name.removeprefix(start)))


def _is_running(process: str) -> bool:
    """Whether a process other than this one has this number; True where it cannot be told."""
    if not process.isdigit():
        return True
    if int(process) == os.getpid():
        return False
    if os.name == "nt":  # there, asking for a process ends it
        return True
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def empty_ledger(columns: Sequence[str]) -> pd.DataFrame:
    """A ledger without lines, typed as a filled one."""
    return pd.DataFrame(
        {c: pd.Series(dtype="int64" if _is_whole(c) else "object") for c in columns}
    )


def _is_whole(column: str) -> bool:
    return column in _WHOLE or column.startswith("n_")


def _read_ledger(path: Path) -> pd.DataFrame:
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    for column in frame.columns:
        if _is_whole(column):
            frame[column] = frame[column].astype("int64")
        else:
            frame[column] = frame[column].map(ledger_cell)
    return frame
