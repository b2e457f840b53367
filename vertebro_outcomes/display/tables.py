"""A frame as a semantic HTML table: caption, scopes, escaped text, the same bytes every time."""

from collections.abc import Collection, Mapping

import pandas as pd
from markupsafe import Markup, escape

from vertebro_outcomes.display.numbers import MISSING, count, number

_DECIMALS = 3  # of a float nobody formatted before


def html_table(
    frame: pd.DataFrame,
    *,
    caption: str,
    labels: Mapping[str, str] | None = None,
    numeric: Collection[str] | None = None,
    row_header: str | None = None,
    row_ids: str | None = None,
    caption_shown: bool = True,
) -> Markup:
    """A frame as an HTML table; every cell is escaped unless it is already `Markup`.

    Parameters
    ----------
    frame : DataFrame
        One row per table row; text is printed as it stands, numbers with at most three decimals.
    caption : str
        What the table shows, read out before it by a screen reader.
    labels : mapping, optional
        Column name -> heading; a column without a label keeps its name.
    numeric : collection of str, optional
        Columns set flush right with figures of one width; the numeric dtypes if not given.
    row_header : str, optional
        The column whose cells head their rows; the first if not given.
    row_ids : str, optional
        A column, not printed, that holds an anchor for each row.
    caption_shown : bool
        False: for screen readers only, by class "unseen".

    Returns
    -------
    Markup

    Examples
    --------
    >>> html_table(pd.DataFrame({"study": ["A<B"], "n": [12]}), caption="Trials").count("A&lt;B")
    1
    """
    labels = labels or {}
    shown = [name for name in frame.columns if name != row_ids]
    flush_right = set(_numeric_columns(frame) if numeric is None else numeric)
    header = row_header if row_header is not None else shown[0] if shown else None
    unseen = "" if caption_shown else ' class="unseen"'
    lines = ["<table>", f"<caption{unseen}>{escape(caption)}</caption>", "<thead><tr>"]
    for name in shown:
        kind = ' class="num"' if name in flush_right else ""
        lines.append(f'<th scope="col"{kind}>{escape(labels.get(str(name), str(name)))}</th>')
    lines.append("</tr></thead>")
    lines.append("<tbody>")
    columns = [frame[name].tolist() for name in shown]
    anchors = frame[row_ids].tolist() if row_ids is not None else [None] * len(frame)
    for anchor, *cells in zip(anchors, *columns, strict=True):
        identity = f' id="{escape(anchor)}"' if anchor else ""
        inner = "".join(
            _cell(value, is_header=name == header, flush_right=name in flush_right)
            for name, value in zip(shown, cells, strict=True)
        )
        lines.append(f"<tr{identity}>{inner}</tr>")
    lines += ["</tbody>", "</table>"]
    return Markup("\n".join(lines))  # noqa: S704 (every cell went through escape)


def _numeric_columns(frame: pd.DataFrame) -> list[str]:
    return [name for name in frame.columns if pd.api.types.is_numeric_dtype(frame[name])]


def _cell(value: object, *, is_header: bool, flush_right: bool) -> str:
    kind = ' class="num"' if flush_right else ""
    text = cell_text(value)
    return f'<th scope="row"{kind}>{text}</th>' if is_header else f"<td{kind}>{text}</td>"


def cell_text(value: object) -> Markup:
    """One cell: `Markup` as it is, numbers as `display.numbers` prints them, the rest escaped."""
    if value is None or value is pd.NA or value is pd.NaT:
        return escape(MISSING)
    if isinstance(value, bool):
        return escape("yes" if value else "no")
    if isinstance(value, int):
        return escape(count(value))
    if isinstance(value, float):
        return escape(count(value) if value.is_integer() else number(value, _DECIMALS))
    return escape(value) if value != "" else escape("")
