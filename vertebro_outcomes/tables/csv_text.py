"""Tables as CSV that a spreadsheet shows and never computes."""

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pandas as pd

# A spreadsheet takes text that begins like this for a formula (OWASP, CSV injection).
_FORMULA: Final = re.compile(r"^(?:[\t\r\n]|\s*[=+@-])")
# A number as printed, with what may stand behind it in brackets: read as text, never computed.
_PRINTED: Final = re.compile(r"^[+-]?[\d.,]+%?( \([-\d., to%]*\))?$")


def csv_text(frame: "pd.DataFrame") -> str:
    """A table as CSV; text that a spreadsheet would compute gets an apostrophe before it.

    Examples
    --------
    >>> import pandas as pd
    >>> csv_text(pd.DataFrame({"site": ["=1+1", "-0.4 (-1 to 0.2)"], "n": [-1, 2]})).splitlines()
    ['site,n', "'=1+1,-1", '-0.4 (-1 to 0.2),2']
    """
    import pandas as pd

    safe = frame.rename(columns=_defused)
    for name in dict.fromkeys(safe.columns):
        column = safe[name]
        if isinstance(column, pd.Series) and not pd.api.types.is_numeric_dtype(column):
            safe[name] = column.map(_defused)
    return str(safe.to_csv(index=False, lineterminator="\n"))


def ledger_text(frame: "pd.DataFrame") -> str:
    """The same for a table that is read again: `ledger_cell` gives every cell as it was, but for returns.

    Examples
    --------
    >>> import pandas as pd
    >>> ledger_text(pd.DataFrame({"column": ["=1+1", "'=1"]})).splitlines()
    ['column', "'=1+1", "''=1"]
    """
    safe = frame.apply(lambda column: column.map(_marked))
    return str(safe.to_csv(index=False, lineterminator="\n"))


def ledger_cell(cell: str) -> str:
    """A cell of `ledger_text` as it was before."""
    return cell[1:] if cell[:1] == "'" and _is_formula(cell.lstrip("'")) else cell


def _marked(cell: object) -> object:
    """Text that would be computed, or would be once its own apostrophes are taken away."""
    if not isinstance(cell, str):
        return cell
    text = _whole(cell)
    return f"'{text}" if _is_formula(text.lstrip("'")) else text


def _whole(cell: str) -> str:
    """Without a bare return, which would begin a row."""
    return cell.replace("\r\n", "\n").replace("\r", " ")


def _is_formula(text: str) -> bool:
    return bool(_FORMULA.match(text)) and not _PRINTED.match(text)


def _defused(cell: object) -> object:
    if not isinstance(cell, str):
        return cell
    text = _whole(cell)
    return f"'{text}" if _is_formula(text) else text
