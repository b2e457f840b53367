"""The registries of a folder, loaded and analysed; a broken export stops no other."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

from vertebro_outcomes.comparisons.registry_analysis import analyse_registry
from vertebro_outcomes.errors import VertebroError
from vertebro_outcomes.loaders.collection import exports_in
from vertebro_outcomes.loaders.load import load
from vertebro_outcomes.results.registry_analysis import RegistryAnalysis, UnreadRegistry
from vertebro_outcomes.tables.cohort import Cohort

# Pseudonyms never enter a report; with a fixed key the order of rows is the same in every run.
KEY = b"report"


def analyse_registries(
    folder: str | Path, *, step: Callable[[str], AbstractContextManager[object]] = nullcontext
) -> tuple[RegistryAnalysis | UnreadRegistry, ...]:
    """Load and analyse what lies in a folder: one folder or file per registry.

    Parameters
    ----------
    folder : str or Path
        Such as ``data/raw/registries``; nothing is there if it does not exist.
    step : callable, optional
        Given a few words, returns a context manager around that step; used to show progress.

    Returns
    -------
    tuple
        Real registries; where there is none, the first synthetic one, since all show the same.
        Exports that cannot be read come with the reason.
    """
    folder = Path(folder)
    found = exports_in(folder)
    real = [path for path in found if not _says_synthetic(path)]
    if real:
        return tuple(_analysed(path, step) for path in real)
    for path in found:
        outcome = _analysed(path, step)
        if isinstance(outcome, RegistryAnalysis):
            return (outcome,)
    return ()


def _says_synthetic(path: Path) -> bool:
    """By the SOURCE.md that travels with an export."""
    note = path / "SOURCE.md"
    return note.is_file() and "SYNTHETIC" in note.read_text("utf-8", errors="replace")


def _analysed(
    path: Path, step: Callable[[str], AbstractContextManager[object]]
) -> RegistryAnalysis | UnreadRegistry:
    try:
        with step(f"loading {path.name}"):
            cohort: Cohort = load(path, key=KEY)
        with step(f"analysing {path.name}"):
            return replace(analyse_registry(cohort), name=path.stem)
    except VertebroError as error:
        return UnreadRegistry(path.name, error)
