"""Every export of a folder -> canonical Parquet, one folder each; a bad one stops no other."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vertebro_outcomes.errors import LoadError, Problem, VertebroError
from vertebro_outcomes.loaders.load import is_current, normalise

NOT_EXPORTS: Final = (".md", ".toml")


@dataclass(frozen=True)
class Normalised:
    """What became of one export: written, left as it was, or not loaded for a reason."""

    name: str
    folder: Path
    outcome: str  # written, unchanged or failed
    reason: VertebroError | None = None


def exports_in(folder: Path) -> list[Path]:
    """The exports of a folder by name, a folder or file each; notes and mappings are none."""
    if not folder.is_dir():
        return []
    return sorted(
        path
        for path in folder.iterdir()
        if not path.name.startswith(".") and (path.is_dir() or path.suffix not in NOT_EXPORTS)
    )


def name_of(path: Path) -> str:
    """`clinic`, `clinic.csv` -> `clinic`."""
    return path.name if path.is_dir() else path.stem


def normalise_all(
    folder: str | Path,
    output: str | Path,
    *,
    step: Callable[[str], AbstractContextManager[object]] = nullcontext,
) -> tuple[Normalised, ...]:
    """Normalise every export of a folder into a folder of its own.

    Parameters
    ----------
    folder : str or Path
        Such as ``data/raw/registries``; nothing is done if it does not exist.
    output : str or Path
        Such as ``data/processed/registries``.
    step : callable, optional
        Given a few words, returns a context manager around that step; used to show progress.

    Returns
    -------
    tuple
        One `Normalised` per export. A former result stays where its export cannot be loaded.

    Examples
    --------
    >>> normalise_all("no such folder", "processed")
    ()
    """
    found: list[Normalised] = []
    for path in exports_in(Path(folder)):
        name, target = name_of(path), Path(output) / name_of(path)
        if name in {other.name for other in found}:
            found.append(Normalised(path.name, target, "failed", _taken(path)))
        elif is_current(path, target):
            found.append(Normalised(name, target, "unchanged"))
        else:
            found.append(_normalised(path, target, step))
    return tuple(found)


def _normalised(
    path: Path, target: Path, step: Callable[[str], AbstractContextManager[object]]
) -> Normalised:
    try:
        with step(f"normalising {path.name}"):
            normalise(path, target, step=step)
    except VertebroError as error:
        return Normalised(name_of(path), target, "failed", error)
    return Normalised(name_of(path), target, "written")


def _taken(path: Path) -> LoadError:
    said = f"another export is called {name_of(path)}"
    return LoadError(path.name, [Problem(path.name, said, "one name each")], "rename one of them")
