"""A simulated cohort as an export of a registry, with its list of injected errors."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pandas as pd

from vertebro_outcomes.discover import declarations
from vertebro_outcomes.errors import InputError, Problem, refuse_argument
from vertebro_outcomes.simulate.exports.calendar import dated, with_export_ids
from vertebro_outcomes.simulate.exports.dirt import KINDS, add_dirt, no_errors
from vertebro_outcomes.simulate.exports.layout import MARK_TEXT, ExportFormat
from vertebro_outcomes.simulate.exports.toml_text import toml_text
from vertebro_outcomes.tables.cohort import Cohort
from vertebro_outcomes.tables.cohort_tables import TABLES

# A leading underscore: readers take it for a note, not for data.
ERRORS_FILE: Final = "_injected_errors.csv"
NOTE: Final = "# Source\n\n{mark}\nOrigin: this project, {name}. Terms: as the project.\n"


def export_formats() -> dict[str, ExportFormat]:
    """Every format in `simulate/exports/formats`, by name."""
    found = declarations("vertebro_outcomes.simulate.exports.formats", "EXPORT")
    return {form.name: form for form in sorted(found, key=lambda form: form.name)}


def export_registry(
    cohort: Cohort,
    folder: str | Path,
    *,
    format: str = "csv",  # noqa: A002 -- the public name
    dirt: bool | Sequence[str] = False,
    seed: int = 1,
) -> pd.DataFrame:
    """Write a synthetic cohort as a registry would export it; `vo.load(folder)` reads it back.

    Parameters
    ----------
    cohort : Cohort
        A synthetic cohort, as `simulate_registry` makes it.
    folder : path
        A new or empty folder, or one that an export was written to before.
    format : str
        ``csv``, ``excel``, ``omop``, ``redcap``, ``spss`` or ``stata``.
    dirt : bool or list of str
        True injects errors of every kind, a list only those kinds: ``duplicates``,
        ``impossible_values``, ``mixed_units``, ``missing_codes``, ``impossible_dates``,
        ``treatment_before_fracture``, ``death_before_visit``, ``level_spellings``,
        ``other_codings``.
    seed : int
        Of the invented calendar and of the dirt; the same seed gives the same bytes.

    Returns
    -------
    DataFrame
        Every injected error: `source_file line column target kind found expected`, where
        `expected` is ``refused`` (the loader must list it) or ``read`` (it must be understood).
        The same list stands in the folder. `score_load` compares a load with it.

    Raises
    ------
    InputError
        If the cohort is not synthetic, or an argument is not among the allowed words.

    Examples
    --------
    >>> import tempfile
    >>> from vertebro_outcomes.simulate.registry import simulate_registry
    >>> cohort, _ = simulate_registry(n_patients=60, seed=1)
    >>> errors = export_registry(cohort, Path(tempfile.mkdtemp()), format="csv", dirt=True)
    >>> bool(len(errors) > 5)
    True
    """
    form, kinds = _checked(cohort, format, dirt, seed)
    folder = Path(folder)
    _prepare(folder)
    frames = dated(with_export_ids({name: cohort.frame(name) for name in TABLES}), seed=seed)
    layout = form.layout(frames)
    errors = no_errors()
    if kinds:
        layout, errors = add_dirt(layout, frames, kinds=kinds, seed=seed)
    form.write(layout, folder)
    for name, text in layout.extra.items():
        (folder / name).write_text(text, encoding="utf-8", newline="")
    (folder / "mapping.toml").write_text(toml_text(layout.mapping), encoding="utf-8")
    note = NOTE.format(mark=MARK_TEXT, name=cohort.name)
    (folder / "SOURCE.md").write_text(note, encoding="utf-8")
    if kinds:
        text = errors.to_csv(index=False, lineterminator="\n")
        (folder / ERRORS_FILE).write_text(text, encoding="utf-8")
    return errors


def _checked(
    cohort: Any, name: str, dirt: bool | Sequence[str], seed: Any
) -> tuple[ExportFormat, list[str]]:
    if not isinstance(cohort, Cohort) or not cohort.synthetic:
        found = (
            "a cohort that is not synthetic" if isinstance(cohort, Cohort) else repr(cohort)[:40]
        )
        problem = Problem("argument cohort", found, "a synthetic cohort")
        step = "export what vo.simulate_registry made; patients leave with cohort.write()"
        raise InputError("export_registry()", [problem], step)
    forms = export_formats()
    if name not in forms:
        allowed = f"{', '.join(forms)} (canonical tables: cohort.write, without dirt)"
        raise refuse_argument("export_registry", "format", name, allowed)
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise refuse_argument("export_registry", "seed", seed, "a whole number from 0")
    kinds = list(KINDS) if dirt is True else [dirt] if isinstance(dirt, str) else list(dirt or ())
    for kind in kinds:
        if kind not in KINDS:
            raise refuse_argument("export_registry", "dirt", kind, ", ".join(KINDS))
    return forms[name], kinds


def _prepare(folder: Path) -> None:
    """An empty folder; what an earlier export left there goes."""
    if folder.exists():
        source = folder / "SOURCE.md"
        ours = source.is_file() and MARK_TEXT in source.read_text(encoding="utf-8")
        if not folder.is_dir() or (any(folder.iterdir()) and not ours):
            problem = Problem("argument folder", f"{folder.name} holds other files", "a new folder")
            raise InputError("export_registry()", [problem], "choose an empty or a new folder")
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
