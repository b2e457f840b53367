"""The registries of a folder, loaded and analysed; a broken export stops no other."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

from vertebro_outcomes.comparisons.registry_analysis import InControl, analyse_registry
from vertebro_outcomes.errors import LoadError, Problem, VertebroError
from vertebro_outcomes.loaders.collection import exports_in
from vertebro_outcomes.loaders.load import load
from vertebro_outcomes.report.settings import ReportSettings
from vertebro_outcomes.results.registry_analysis import RegistryAnalysis, UnreadRegistry
from vertebro_outcomes.tables.cohort import Cohort

# Pseudonyms never enter a report; with a fixed key the order of rows is the same in every run.
KEY = b"report"


def analyse_registries(
    folder: str | Path,
    *,
    settings: ReportSettings | None = None,
    published_rate: float | None = None,
    step: Callable[[str], AbstractContextManager[object]] = nullcontext,
) -> tuple[RegistryAnalysis | UnreadRegistry, ...]:
    """Load and analyse what lies in a folder: one folder or file per registry.

    Parameters
    ----------
    folder : str or Path
        Such as ``data/raw/registries``; nothing is there if it does not exist.
    settings : ReportSettings, optional
        Which scores, strategies and limits; see `load_settings`.
    published_rate : float, optional
        Pooled published rate of complications, between 0 and 1: what the chart over time holds a
        registry against, unless the settings name another.
    step : callable, optional
        Given a few words, returns a context manager around that step; used to show progress.

    Returns
    -------
    tuple
        Real registries; where there is none, the first synthetic one, since all show the same.
        Exports that cannot be read come with the reason.
    """
    folder, settings = Path(folder), settings or ReportSettings()
    found = exports_in(folder)
    real = [path for path in found if not _says_synthetic(path)]
    expected = _expected(settings, published_rate)
    if real:
        return tuple(_analysed(path, settings, expected, step) for path in real)
    for path in found:
        outcome = _analysed(path, settings, expected, step)
        if isinstance(outcome, RegistryAnalysis):
            return (outcome,)
    return ()


def _says_synthetic(path: Path) -> bool:
    """By the SOURCE.md that travels with an export."""
    note = path / "SOURCE.md"
    try:
        return "SYNTHETIC" in note.read_text("utf-8", errors="replace")
    except OSError:
        return False


def _expected(settings: ReportSettings, published_rate: float | None) -> InControl | None:
    """The rate that the settings name, else the published one."""
    if settings.complication_rate is not None:
        return InControl(settings.complication_rate, "set")
    return None if published_rate is None else InControl(published_rate, "published")


def _analysed(
    path: Path,
    settings: ReportSettings,
    expected: InControl | None,
    step: Callable[[str], AbstractContextManager[object]],
) -> RegistryAnalysis | UnreadRegistry:
    try:
        with step(f"loading {path.name}"):
            cohort: Cohort = load(path, key=KEY, keep_dates=True)
        with step(f"analysing {path.name}"):
            found = analyse_registry(
                cohort, outcome=settings.outcomes[0], further_outcomes=settings.outcomes[1:],
                day=settings.day, strategies=settings.strategies, in_control=expected,
            )  # fmt: skip
        margins = {name: settings.margin(name) for name in settings.outcomes}
        return replace(
            found, name=path.stem, largest_hidden=settings.largest_hidden,
            margins={name: value for name, value in margins.items() if value is not None},
        )  # fmt: skip
    except VertebroError as error:
        return UnreadRegistry(path.name, error)
    except Exception as error:  # whatever a file makes a library do, the rest is still reported
        kind = error.strerror if isinstance(error, OSError) else type(error).__name__
        problem = Problem(path.name, f"reading stopped: {kind}", "an export that can be read")
        advice = f"see what `vertebro check` says about {path.name}"
        return UnreadRegistry(path.name, LoadError(path.name, [problem], advice))
