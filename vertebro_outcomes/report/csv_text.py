"""Tables as CSV that a spreadsheet shows and never computes."""

import re
from typing import Final

import pandas as pd

# A spreadsheet takes text that begins like this for a formula (OWASP, CSV injection).
_FORMULA: Final = re.compile(r"^(?:[\t\n]|\s*[=+@-])")
# A number as printed, with what may stand behind it in brackets: read as text, never computed.
_PRINTED: Final = re.compile(r"^[+-]?[\d.,]+%?( \([-\d., to%]*\))?$")


def csv_text(frame: pd.DataFrame) -> str:
    """A table as CSV; text that a spreadsheet would compute gets an apostrophe before it.

    Examples
    --------
    >>> csv_text(pd.DataFrame({"site": ["=1+1", "-0.4 (-1 to 0.2)"], "n": [-1, 2]})).splitlines()
    ['site,n', "'=1+1,-1", '-0.4 (-1 to 0.2),2']
    """
    safe = frame.rename(columns=_defused)
    for name in dict.fromkeys(safe.columns):
        column = safe[name]
        if isinstance(column, pd.Series) and not pd.api.types.is_numeric_dtype(column):
            safe[name] = column.map(_defused)
    return str(safe.to_csv(index=False, lineterminator="\n"))


def _defused(cell: object) -> object:
    if not isinstance(cell, str):
        return cell
    text = cell.replace("\r\n", "\n").replace("\r", " ")  # a bare one would begin a row
    return f"'{text}" if _FORMULA.match(text) and not _PRINTED.match(text) else text
