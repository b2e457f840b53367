"""One plain table from a CSV file, with an error a reader can act on."""

import io
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from vertebro_outcomes.errors import LoadError, Problem

if TYPE_CHECKING:
    import pandas as pd


def read_table(path: "str | Path") -> "pd.DataFrame":
    """Read a CSV table: UTF-8, a header line, commas (or semicolons or tabs) between cells.

    Parameters
    ----------
    path : str or Path
        The file.

    Returns
    -------
    DataFrame
        Columns as named in the header, blanks around names removed.

    Raises
    ------
    LoadError
        No such file, a folder, no permission, not text, no rows, rows of unequal length.
    """
    import pandas as pd

    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise refuse_file(path, error) from None
    header = text.partition("\n")[0]
    separator = max(",;\t", key=header.count)
    try:
        with warnings.catch_warnings():  # cells beyond the header are no mere warning
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame = pd.read_csv(
                io.StringIO(text), sep=separator, index_col=False, skipinitialspace=True
            )
    except (pd.errors.ParserError, pd.errors.EmptyDataError, pd.errors.ParserWarning) as error:
        allowed = "a header and rows with as many cells as the header"
        raise _refuse(path, _fault(error), allowed) from None
    frame.columns = [str(name).strip() for name in frame.columns]
    if frame.empty:
        raise _refuse(path, "no rows below the header", "at least one row")
    return frame


def _fault(error: Exception) -> str:
    """In our words: those of pandas may quote a cell."""
    said = str(error)
    if wide := re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", said):
        return f"line {wide[2]} has {wide[3]} cells, the header {wide[1]}"
    if cut := re.search(r"EOF inside string starting at row (\d+)", said):
        return f"a quote that is not closed, from about line {int(cut[1]) + 1}"
    if "No columns" in said:
        return "no header"
    return "rows with more cells than the header" if "Length of header" in said else "no table"


def refuse_file(path: "str | Path", error: Exception) -> LoadError:
    """The error for a file that cannot be opened or read as text."""
    match error:
        case FileNotFoundError():
            return _refuse(path, "no such file", "an existing file")
        case IsADirectoryError():
            return _refuse(path, "a folder", "a file")
        case PermissionError():
            return _refuse(path, "permission denied", "a file you may read")
        case UnicodeDecodeError():
            return _refuse(path, f"byte {error.start + 1} is not UTF-8 text", "UTF-8 text")
        case _:
            return _refuse(
                path, getattr(error, "strerror", None) or "it cannot be read", "a readable file"
            )


def _refuse(path: "str | Path", found: str, allowed: str) -> LoadError:
    problem = Problem("file", found, allowed)
    return LoadError(str(path), [problem], "check the path and the content of the file")
