"""An empty extraction sheet: what a review printed, and a blank row for every study still to be read."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from vertebro_outcomes.errors import InputError, Problem, refuse_argument
from vertebro_outcomes.loaders.literature.load import load_literature
from vertebro_outcomes.loaders.reviews.printed_units import (
    INPUT_COLUMNS,
    POOLED_COLUMNS,
    printed_units,
)
from vertebro_outcomes.loaders.reviews.review_folder import (
    INPUTS,
    POOLED,
    TOML,
    review_ids,
    rows_of_review,
)
from vertebro_outcomes.printed import read_printed
from vertebro_outcomes.report.files import write_whole

MOST_BLANK: Final = 200  # rows per pooled number
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}")
_ABOUT: Final = """\
# A published review, to be recomputed with: vertebro reproduce {review_id}
# pooled.csv: one row per pooled number as printed; keep the printed digits (0.70 stays 0.70).
#   measure: MD SMD OR RR RD PETO HR; model: random or common, blank if not stated;
#   direction: t_minus_c, c_minus_t, improvement_t_minus_c or not_stated.
# inputs.csv: one row per study and pooled number, with the same comparison, outcome and
#   timepoint_label. Means: mean_t sd_t n_t mean_c sd_c n_c; events: events_t n_t events_c n_c; where
#   a review shows only effects: effect ci_low ci_high. kind: endpoint, change (follow-up minus
#   baseline) or baseline (never pooled). source_locator: where the numbers stand.
review_id = "{review_id}"
title = ""
"""


def write_extraction_template(review_id: str, folder: str | Path = ".") -> Path:
    """Write a review folder to be filled in.

    Parameters
    ----------
    review_id : str
        A review of the shipped literature, whose printed pooled numbers are filled in and whose
        missing studies get blank rows; any other name gives empty sheets.
    folder : path
        Where the folder `review_id` is made.

    Returns
    -------
    Path
        The folder with `review.toml`, `pooled.csv` and `inputs.csv`.

    Raises
    ------
    InputError
        The name cannot be a folder, or there is a folder with such sheets already.
    """
    if _NAME.fullmatch(review_id) is None:
        allowed = "letters, digits, '_', '-' and '.', like 'xujc2011'"
        raise refuse_argument("write_extraction_template", "review_id", review_id, allowed)
    target = Path(folder) / review_id
    taken = [name for name in (TOML, POOLED, INPUTS) if (target / name).exists()]
    if taken:
        problem = Problem(f"{target}", f"{', '.join(taken)} already there", "a new folder")
        raise InputError(
            "write_extraction_template()", [problem], "choose another folder: nothing is replaced"
        )
    for name, content in template_files(review_id).items():
        write_whole(target / name, content)
    return target


def template_files(review_id: str) -> dict[str, bytes]:
    """The three files by name."""
    literature = load_literature()
    pooled: list[dict[str, str]] = []
    inputs: list[dict[str, str]] = []
    if review_id in review_ids(literature):
        pooled = rows_of_review(literature, "pooled_published", review_id)
        inputs = rows_of_review(literature, "review_inputs", review_id)
    blank = _blank_rows(review_id, pooled, inputs)
    return {
        TOML: _ABOUT.format(review_id=review_id).encode(),
        POOLED: _sheet(pooled, POOLED_COLUMNS),
        INPUTS: _sheet([*inputs, *blank], INPUT_COLUMNS),
    }


def _blank_rows(
    review_id: str, pooled: Sequence[Mapping[str, str]], inputs: Sequence[Mapping[str, str]]
) -> list[dict[str, str]]:
    """One row per study that is missing for a pooled number; one where their number is not printed."""
    rows = []
    units = printed_units(review_id, pooled, inputs)
    for row, unit in zip(pooled, units, strict=True):
        if not unit.missing or not unit.measure:
            continue
        k = read_printed(row.get("k_studies", ""))
        wanted = 1 if k is None else max(1, min(int(k.value) - len(unit.lines), MOST_BLANK))
        treatment, _, comparator = row["comparison"].partition(" vs ")
        rows += [
            {
                "comparison": row["comparison"],
                "outcome": row["outcome"],
                "timepoint_label": row["timepoint_label"],
                "arm_t": treatment,
                "arm_c": comparator,
            }
        ] * wanted
    return rows


def _sheet(rows: Sequence[Mapping[str, str]], columns: Sequence[str]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, restval="", extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(dict(row) for row in rows)
    return text.getvalue().encode()
