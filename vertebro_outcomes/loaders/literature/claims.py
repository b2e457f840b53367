"""Statements to be examined: one row per claim as somebody made it."""

from pathlib import Path
from typing import Final

import pandas as pd

from vertebro_outcomes.errors import LoadError, Problem
from vertebro_outcomes.loaders.literature.load import literature_folder

CLAIM_COLUMNS: Final = (
    "claim_id",
    "source_document",
    "topic",
    "claim",
    "quantity",
    "low",
    "high",
    "unit",
    "how_to_test",
)
_NUMBERS: Final = ("low", "high")


def load_claims(folder: str | Path | None = None) -> pd.DataFrame:
    """Load the claims that are to be examined.

    Parameters
    ----------
    folder
        Folder with `claims.csv`; default: the one that belongs to this package.

    Returns
    -------
    DataFrame
        The columns of `CLAIM_COLUMNS` and `source_line`; `low` and `high` (in `unit`) are the limits
        the claim names, NaN where it names none.

    Raises
    ------
    LoadError
        No such file, missing columns, a claim_id twice or blank, limits that are no numbers.

    Examples
    --------
    >>> load_claims()["claim_id"].iloc[0]
    'C01'
    """
    path = (literature_folder() if folder is None else Path(folder)) / "claims.csv"
    if not path.is_file():
        problem = Problem(path.name, "no such file", f"a sheet with {', '.join(CLAIM_COLUMNS)}")
        raise LoadError(str(path), [problem], "pass the folder that holds claims.csv")
    rows = pd.read_csv(path, dtype=str, keep_default_na=False)
    problems = [
        Problem("header", f"no column {name}", ", ".join(CLAIM_COLUMNS))
        for name in CLAIM_COLUMNS
        if name not in rows.columns
    ]
    if not problems:
        problems = _problems(rows)
    if problems:
        raise LoadError(str(path), problems, "correct the lines named above and load again")
    rows["source_line"] = [f"claims.csv:{line}" for line in range(2, len(rows) + 2)]
    for name in _NUMBERS:
        rows[name] = pd.to_numeric(rows[name].replace("", None)).astype("float64")
    return rows


def _problems(rows: pd.DataFrame) -> list[Problem]:
    found = []
    for index, row in enumerate(rows.to_dict("records")):
        line = f"line {index + 2}"
        if not row["claim_id"] or not row["claim"]:
            found.append(Problem(line, "no claim_id or no claim", "both filled in"))
        for name in _NUMBERS:
            try:
                float(row[name] or 0)
            except ValueError:
                found.append(Problem(f"{line}, column {name}", f"'{row[name]}'", "a number"))
    twice = rows.loc[rows["claim_id"].duplicated(), "claim_id"].unique()
    found += [Problem("column claim_id", f"{name} twice", "every claim once") for name in twice]
    return found
