"""Review folders (review.toml, inputs.csv, pooled.csv), and reviews of the shipped literature sheets."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from vertebro_outcomes.errors import LoadError, Problem
from vertebro_outcomes.loaders.limits import read_toml, refuse_links_out
from vertebro_outcomes.loaders.literature.load import Literature, literature_folder, load_literature
from vertebro_outcomes.loaders.reviews.printed_units import (
    INPUT_COLUMNS,
    POOLED_COLUMNS,
    printed_units,
)
from vertebro_outcomes.loaders.reviews.review_format import ReviewFormat
from vertebro_outcomes.loaders.reviews.review_sheet import plain, read_sheet_file
from vertebro_outcomes.tables.review_tables import Review

TOML: Final = "review.toml"
POOLED: Final = "pooled.csv"
INPUTS: Final = "inputs.csv"
_FILL_IN: Final = "fill in pooled.csv and inputs.csv as `vertebro reproduce --template` writes them"


def recognise(path: Path) -> bool:
    """A folder with pooled.csv, or the bare name of a review of the shipped literature."""
    try:
        if path.is_dir():
            return (path / POOLED).is_file() or (path / TOML).is_file()
        return not path.exists() and path.name == str(path) and _is_shipped(path.name)
    except (OSError, ValueError):
        return False


def read(path: Path) -> Review:
    """Read a review folder, or a shipped review by its name.

    Raises
    ------
    LoadError
        Files or columns are missing or broken.
    """
    if path.is_dir():
        return read_folder(path)
    folder = literature_folder() / "reviews" / path.name
    if (folder / POOLED).is_file():
        return read_folder(folder)
    return literature_review(load_literature(), path.name)


def read_folder(folder: Path) -> Review:
    """Read `review.toml` (optional), `pooled.csv` and `inputs.csv` (optional) of a folder."""
    refuse_links_out(folder, [folder / name for name in (TOML, POOLED, INPUTS)])
    about = _about(folder / TOML)
    pooled = _rows(folder / POOLED, POOLED_COLUMNS, needed=("outcome", "measure", "estimate"))
    inputs = []
    if (folder / INPUTS).exists():
        inputs = _rows(folder / INPUTS, INPUT_COLUMNS, needed=("outcome", "study_label"))
    review_id = str(about.get("review_id") or folder.resolve().name)
    units = printed_units(review_id, pooled, inputs)
    if not units:
        problem = Problem(POOLED, "no row", "one row per pooled number of the review")
        raise LoadError(folder.name, [problem], _FILL_IN)
    notes = tuple(str(note) for note in _listed(about.get("notes")))
    return Review(review_id, "review_folder", units, str(about.get("title", "")), notes)


def literature_review(literature: Literature, review_id: str) -> Review:
    """The pooled numbers of one review in the literature sheets, with the inputs in the sheets."""
    pooled = rows_of_review(literature, "pooled_published", review_id)
    inputs = rows_of_review(literature, "review_inputs", review_id)
    units = printed_units(review_id, pooled, inputs)
    if not units:
        problem = Problem("pooled_published.csv", f"no row of {review_id}", "a review_id in it")
        raise LoadError("literature", [problem], "name a review that is in pooled_published.csv")
    return Review(review_id, "literature", units)


def review_ids(literature: Literature) -> list[str]:
    """The reviews in the literature sheets that print a pooled number, in the order of the sheet."""
    return list(dict.fromkeys(literature.printed["pooled_published"]["review_id"]))


def rows_of_review(literature: Literature, sheet: str, review_id: str) -> list[dict[str, str]]:
    """The rows of one review in a sheet, as printed."""
    rows = literature.printed[sheet]
    mine = rows[rows["review_id"] == review_id]
    return [{str(k): str(v) for k, v in row.items()} for row in mine.to_dict("records")]


def _is_shipped(name: str) -> bool:
    folder = literature_folder()
    if (folder / "reviews" / name / POOLED).is_file():
        return True
    sheet = folder / "pooled_published.csv"
    return bool(name) and sheet.is_file() and f"\n{name}," in sheet.read_text(encoding="utf-8")


def _about(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        return read_toml(path)
    except (OSError, ValueError) as error:  # also what the decoders raise
        found = error.strerror if isinstance(error, OSError) else str(error)
        problem = Problem("the file", found or "cannot be read", "TOML")
        raise LoadError(path.name, [problem], _FILL_IN) from None


def _rows(path: Path, columns: Sequence[str], *, needed: Sequence[str]) -> list[dict[str, str]]:
    if not path.exists():
        problem = Problem(path.name, "no such file", f"{POOLED} with the printed pooled numbers")
        raise LoadError(path.parent.name, [problem], _FILL_IN)
    sheet = read_sheet_file(path)
    sheet.require(*needed)
    names = (*columns, "subgroup")
    return [{name: row.get(plain(name), "") for name in names} for row in sheet.rows]


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value] if value else []


FORMAT = ReviewFormat("review_folder", recognise, read)
