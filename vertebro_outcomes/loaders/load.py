"""Any registry's export -> one canonical cohort, with every row accounted for."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import Any, Final

import pandas as pd

from vertebro_outcomes.discover import declarations
from vertebro_outcomes.errors import LoadError, Problem, refuse_argument
from vertebro_outcomes.loaders.assembly import Request, assemble
from vertebro_outcomes.loaders.databases import is_database
from vertebro_outcomes.loaders.files import (
    content_hashes,
    count_lines,
    files_of,
    other_files,
    refusals_told,
    require,
    unpacked,
)
from vertebro_outcomes.loaders.format import Export, RegistryFormat
from vertebro_outcomes.loaders.limits import refuse_links_out, unchanged
from vertebro_outcomes.loaders.program import program_hash
from vertebro_outcomes.loaders.pseudonyms import (
    SYNTHETIC_KEY,
    UNLINKABLE,
    pseudonym,
    random_key,
    user_key,
)
from vertebro_outcomes.loaders.quick_queries import quick_queries
from vertebro_outcomes.tables.cohort import Cohort
from vertebro_outcomes.tables.cohort_tables import STORED
from vertebro_outcomes.tables.engine import embedded_engine, working_engine
from vertebro_outcomes.tables.storage import read_cohort, read_manifest, recover

MappingLike = str | Path | Mapping[str, Any] | None
NO_TABLE: Final = "CSV, Excel, SAS, Stata, SPSS or Parquet files"
MOST_NAMED: Final = 3  # files in a message
LARGE_EXPORT_BYTES: Final = 30_000_000
_USUAL: Final = {"format": "auto", "keep_dates": False}


def formats() -> dict[str, RegistryFormat]:
    """Every format in `loaders/registries`, by name."""
    found = declarations("vertebro_outcomes.loaders.registries", "FORMAT")
    return {form.name: form for form in found}


def load(
    path: Any,
    *,
    format: str = "auto",  # noqa: A002 -- the public name
    mapping: MappingLike = None,
    engine: Any = None,
    keep_dates: bool = False,
    key: bytes | None = None,
    step: Callable[[str], AbstractContextManager[object]] = nullcontext,
) -> Cohort:
    """Load a registry export as a canonical cohort.

    Parameters
    ----------
    path : str, Path or Ibis backend
        A file, folder or zip as received; a backend is read as an OMOP database.
    format : str
        ``auto``, ``canonical``, ``flat``, ``omop``, ``redcap`` or another name of `formats()`.
    mapping : str, Path or dict, optional
        The mapping file of the registry (TOML), or its content. Without one, a `mapping.toml`
        beside the data is used, else what can be recognised from headers and values is.
    engine : Ibis backend, optional
        Where the work is done, such as a Spark connection; an embedded DuckDB by default.
    keep_dates : bool
        Keep the dates of episodes; by default only days from day 0 remain.
    key : bytes, optional
        Key of the pseudonyms; by default that of the user's configuration. Without one the key
        exists for this run only; synthetic data, which hold no persons, share a known one.
    step : callable, optional
        Given a few words, returns a context manager around that step; used to show the progress of
        exports of more than 30 MB and of databases.

    Returns
    -------
    Cohort
        With `rejects` (file, line, column, found, rule) and `accounting`: per file, rows in are the
        sum of rows used, rejected and ignored.

    Raises
    ------
    LoadError
        If nothing can be loaded, with every reason.

    Examples
    --------
    >>> import tempfile
    >>> from vertebro_outcomes.loaders.registries.flat import FORMAT
    >>> cohort = load(FORMAT.sample(Path(tempfile.mkdtemp())))
    >>> bool((cohort.accounting.rows_in > 0).all())
    True
    """
    if is_database(path):
        engine = embedded_engine() if engine is None else engine
        export = formats()["omop"].read(engine, path, mapping)
        with quick_queries(engine):
            return assemble(engine, export, _request(export, key, step, keep_dates=keep_dates))
    path = Path(path)
    require(path)
    if path.is_dir():
        refuse_links_out(path, _toml_beside(path))
    read = [*files_of(path), *_toml_beside(path)]
    with refusals_told(path), unchanged(path, read), unpacked(path) as folder:
        form = _format(folder, format)
        if form.name == "canonical":
            return Cohort(**read_cohort(folder if folder.is_dir() else folder.parent, engine))
        asked = {"format": format, "keep_dates": keep_dates}
        with ThreadPoolExecutor(1) as beside:
            started = Event()
            beside.submit(count_lines, folder, started)
            inputs = beside.submit(_inputs, path, mapping=mapping, key=key, **asked)
            engine = _engine_for(folder) if engine is None else engine
            started.set()
            with quick_queries(engine):
                export = form.read(engine, folder, mapping)
                said = step if _is_large(folder) else nullcontext
                request = _request(export, key, said, keep_dates=keep_dates)
                cohort = assemble(engine, export, request)
            return replace(cohort, inputs=inputs.result())


def _request(export: Export, key: bytes | None, step: Any, *, keep_dates: bool) -> Request:
    """Invented people need no secret: without a key of the user theirs is the same in every run."""
    known = key or user_key() or (SYNTHETIC_KEY if export.synthetic else None)
    return Request(known or random_key(), keep_dates, () if known else (UNLINKABLE,), step)


def _engine_for(path: Path) -> Any:
    """In memory; for large exports in a file that leaves with the engine, with bounded memory."""
    return working_engine() if _is_large(path) else embedded_engine()


def _is_large(path: Path) -> bool:
    return sum(file.stat().st_size for file in files_of(path)) > LARGE_EXPORT_BYTES


def _inputs(
    path: Path, *, mapping: MappingLike = None, key: bytes | None = None, **asked: Any
) -> dict[str, str]:
    hashes = content_hashes([*files_of(path), *_toml_beside(path)])
    if isinstance(mapping, str | Path):
        hashes |= content_hashes([Path(mapping)])
    elif mapping:
        hashes["mapping"] = repr(sorted(mapping.items()))
    known = key or user_key()
    if known:  # another key gives other pseudonyms
        hashes["pseudonyms"] = pseudonym("", known, kind="K")
    said = {name: asked.get(name) or usual for name, usual in _USUAL.items()}
    return hashes | {"program": program_hash(), "asked": repr(said)}


def _toml_beside(path: Path) -> list[Path]:
    folder = path if path.is_dir() else path.parent
    names = ("mapping.toml", f"{path.stem}.toml")
    return [folder / name for name in names if (folder / name).is_file()]


def _format(path: Path, name: str) -> RegistryFormat:
    known = formats()
    if name != "auto":
        if name not in known:
            raise refuse_argument("load", "format", name, ", ".join(["auto", *known]))
        return known[name]
    sure = {form.name: form.recognises(path) for form in known.values()}
    best = max(sure, key=lambda candidate: sure[candidate])
    if sure[best] <= 0:
        found = "no table that one of the formats recognises"
        problem = Problem(path.name, found, ", ".join(known))
        step = "name the format: load(path, format=...)"
        if not files_of(path):
            problem = Problem(path.name, "no table in it", NO_TABLE)
            step = "put the export into this folder, or name the folder or file that holds it"
            others = other_files(path)
            if others:
                named = ", ".join(others[:MOST_NAMED]) + (", ..." if others[MOST_NAMED:] else "")
                problem = Problem(path.name, f"only {named}, which no reader opens", NO_TABLE)
                step = "save the tables as .xlsx or CSV where these files were made"
        raise LoadError(path.name, [problem], step)
    return known[best]


@dataclass(frozen=True)
class Check:
    """What is wrong with an export; `problems` has one line per file, column and rule."""

    path: str
    cohort: Cohort
    problems: pd.DataFrame

    @property
    def is_clean(self) -> bool:
        return self.problems.empty

    def __str__(self) -> str:
        lines = [str(self.cohort), self.cohort.accounting.to_string(index=False)]
        if self.is_clean:
            lines.append("no problem found")
        lines += [
            f"{row.source_file}, column {row.column or '-'}: {row.rule}: "
            f"{row.count} cells, first lines {row.first_lines}, such as {row.example!r}"
            for row in self._rows()
        ]
        lines += [f"ignored: {r.source_file}, {r.rows} rows: {r.rule}" for r in self._ignored()]
        lines += [f"not mapped: {r.source_file} {r.column} ({r.reason})" for r in self._unmapped()]
        return "\n".join([*lines, *(f"note: {note}" for note in self.cohort.notes)])

    def _rows(self) -> list[Any]:
        return list(self.problems.itertuples())

    def _ignored(self) -> list[Any]:
        return list(self.cohort.ignored.itertuples())

    def _unmapped(self) -> list[Any]:
        return list(self.cohort.unmapped.itertuples())


def check(path: str | Path, **how: Any) -> Check:
    """Every problem of an export at once, grouped, with counts and first lines; writes nothing.

    Parameters
    ----------
    path : str or Path
        The export, as for `load`; `how` are the further arguments of `load`.

    Returns
    -------
    Check
        `problems`: `source_file column rule count first_lines example`.
    """
    cohort = load(path, **how)
    groups = cohort.rejects.groupby(["source_file", "column", "rule"], sort=True)
    lines = [
        {
            **dict(zip(("source_file", "column", "rule"), keys, strict=True)),
            "count": len(rows),
            "first_lines": ", ".join(str(line) for line in rows["line"].head(5)),
            "example": rows["found"].iloc[0],
        }
        for keys, rows in groups
    ]
    columns = ["source_file", "column", "rule", "count", "first_lines", "example"]
    return Check(Path(path).name, cohort, pd.DataFrame(lines, columns=columns))


def normalise(path: str | Path, folder: str | Path, **how: Any) -> Cohort:
    """An export as canonical Parquet with `rejects.csv` and `accounting.csv` beside it.

    Parameters
    ----------
    path : str or Path
        The export, as for `load`; `how` are the further arguments of `load`.
    folder : str or Path
        Written whole or not at all. Nothing is done where the inputs are unchanged and the
        pseudonyms are stable: by a key of the user, or because the data are synthetic.

    Returns
    -------
    Cohort
        As read back from the folder.
    """
    path, folder = Path(path), Path(folder)
    require(path)
    if not is_current(path, folder, **how):
        cohort = load(path, **how)
        step = how.get("step", nullcontext) if _is_large(path) else nullcontext
        with step("tables written"):
            cohort.write(folder)
    return Cohort(**read_cohort(folder))


def is_current(path: Path, folder: Path, **how: Any) -> bool:
    """Whether a folder holds what these inputs give: by their hashes, nothing is loaded.

    Without a key of the user only synthetic data count as current: runs on real data are apart.
    """
    recover(folder)
    manifest = read_manifest(folder)
    stable = bool(how.get("key") or user_key() or manifest.get("synthetic"))
    if not stable or any(not (folder / f"{name}.parquet").is_file() for name in STORED):
        return False
    return bool(manifest.get("inputs") == _inputs(path, **how))
