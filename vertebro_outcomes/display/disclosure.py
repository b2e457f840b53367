"""Small counts of a registry are hidden on the way out, and so is what they could be computed from.

Primary: counts of 1 to `LARGEST_HIDDEN`, and counts whose complement in a shown total is as small.
Secondary: further cells, until no shown total leaves a hidden cell a value that the rule would hide
to itself: seen from outside, every hidden cell may as well be large. Zero is shown: it says of
nobody that something happened.

Reference
---------
Hundepool et al. 2012, Statistical Disclosure Control, chapter 4, doi:10.1002/9781118348239.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

# Cells of 1 to 10 patients are hidden by the CMS cell size suppression policy (United States).
LARGEST_HIDDEN: Final = 10
HIDDEN: Final = "hidden"

_Bools = NDArray[np.bool_]
_Counts = NDArray[np.int64]


def is_small(counts: Any, *, largest_hidden: int = LARGEST_HIDDEN) -> _Bools:
    """Which counts may not be shown by themselves: 1 to `largest_hidden`."""
    values = np.asarray(counts, dtype=np.float64)
    return np.asarray((values > 0) & (values <= largest_hidden), dtype=bool)


def hide_shares(counts: Any, totals: Any, *, largest_hidden: int = LARGEST_HIDDEN) -> _Bools:
    """Counts beside a shown total: hidden if they, the rest, or the total itself are small.

    Parameters
    ----------
    counts, totals : arrays
        Of the same shape; a rate or interval computed from a hidden count is hidden with it.

    Returns
    -------
    ndarray of bool
        True where nothing may be shown.
    """
    counts, totals = np.asarray(counts, float), np.asarray(totals, float)
    small = is_small(counts, largest_hidden=largest_hidden)
    small |= is_small(totals - counts, largest_hidden=largest_hidden)
    return np.asarray(small | is_small(totals, largest_hidden=largest_hidden))


def hide_parts(counts: Sequence[int] | Any, *, largest_hidden: int = LARGEST_HIDDEN) -> _Bools:
    """Parts of a shown total: with a small one, as many more as make the hidden ones ambiguous.

    Parameters
    ----------
    counts : sequence of int
        Categories that add up to a total which is shown.

    Returns
    -------
    ndarray of bool
        All True where the total is too small to hide a part in.
    """
    values = np.asarray(counts, dtype=np.int64)
    return hide_in_table(values[None, :], largest_hidden=largest_hidden, columns="unknown")[0]


def hide_groups(counts: Any, totals: Any, *, largest_hidden: int = LARGEST_HIDDEN) -> _Bools:
    """Groups with a share each, whose counts and totals add up to numbers that are shown.

    Parameters
    ----------
    counts, totals : arrays
        Those with the event, and all, of each group.

    Returns
    -------
    ndarray of bool
        True for groups with a small share, and for as many more (those with the fewest events) as
        leave it open who of the hidden ones holds how many.
    """
    counts, totals = np.asarray(counts, float), np.asarray(totals, float)
    hidden = hide_shares(counts, totals, largest_hidden=largest_hidden)
    while hidden.any() and not hidden.all():
        sums = counts[hidden].sum(), (totals - counts)[hidden].sum()
        if hidden.sum() > 1 and min(sums) > largest_hidden:
            break
        hidden[np.argmin(np.where(hidden, np.inf, counts))] = True
    return hidden


def hide_in_table(
    counts: Any, *, largest_hidden: int = LARGEST_HIDDEN, columns: str = "shown"
) -> _Bools:
    """Cells of a table with shown row totals, and column totals that are shown or not.

    Parameters
    ----------
    counts : array (r, c) of int
    columns : {"shown", "unknown"}
        Whether the totals of the columns can be known.

    Returns
    -------
    ndarray (r, c) of bool
        True where the cell is hidden. Seen from the totals and the shown cells, every hidden cell
        could hold more than `largest_hidden`, or the whole line is hidden.
    """
    table = np.asarray(counts, dtype=np.int64)
    hidden = is_small(table, largest_hidden=largest_hidden)
    for _ in range(table.size):
        short = _too_narrow(table, hidden, largest_hidden, by_columns=columns == "shown")
        if short is None:
            break
        hidden[short] = True
    return hidden


def _too_narrow(
    table: _Counts, hidden: _Bools, largest: int, *, by_columns: bool
) -> tuple[int, int] | None:
    """The next cell to hide, or None if every hidden cell could be large."""
    for i, j in np.argwhere(hidden):
        if _most(table, hidden, (int(i), int(j)), by_columns=by_columns) > largest:
            continue
        lines = [(i, k) for k in range(table.shape[1]) if not hidden[i, k]]
        if by_columns and _line_sum(table, hidden, int(j), axis=0) <= largest:
            lines += [(k, j) for k in range(table.shape[0]) if not hidden[k, j]]
        elif by_columns and not lines:
            lines = [(k, j) for k in range(table.shape[0]) if not hidden[k, j]]
        if lines:
            return min(lines, key=lambda cell: (table[cell] == 0, table[cell], cell))
    return None


def _most(table: _Counts, hidden: _Bools, cell: tuple[int, int], *, by_columns: bool) -> float:
    """The largest value a hidden cell could have, given totals and shown cells."""
    i = cell[0]
    in_row = _line_sum(table, hidden, i, axis=1)
    if not by_columns:
        return in_row
    return _by_linear_programme(table, hidden, cell)


def _line_sum(table: _Counts, hidden: _Bools, at: int, *, axis: int) -> float:
    line, shade = (table[at], hidden[at]) if axis == 1 else (table[:, at], hidden[:, at])
    return float(line[shade].sum()) if shade.sum() > 1 else 0.0


def _by_linear_programme(table: _Counts, hidden: _Bools, cell: tuple[int, int]) -> float:
    low, high = feasible_range(table, hidden, cell)
    return high if high > low else 0.0


def feasible_range(
    table: Any, hidden: Any, cell: tuple[int, int], *, columns: str = "shown"
) -> tuple[float, float]:
    """What an attacker with all totals learns of a hidden cell: its lowest and highest value."""
    from scipy.optimize import linprog

    table, hidden = np.asarray(table, dtype=np.int64), np.asarray(hidden, dtype=bool)
    cells = [(int(i), int(j)) for i, j in np.argwhere(hidden)]
    rows = [[float(c[0] == i) for c in cells] for i in range(table.shape[0])]
    known = [float(table[i][hidden[i]].sum()) for i in range(table.shape[0])]
    if columns == "shown":
        rows += [[float(c[1] == j) for c in cells] for j in range(table.shape[1])]
        known += [float(table[:, j][hidden[:, j]].sum()) for j in range(table.shape[1])]
    goal = np.array([float(c == cell) for c in cells])
    found = [
        linprog(sign * goal, A_eq=np.array(rows), b_eq=np.array(known), bounds=(0, None))
        for sign in (1.0, -1.0)
    ]
    assert all(result.success for result in found)
    return float(found[0].fun), float(-found[1].fun)


def hide_in_flow(
    chart: pd.DataFrame,
    *,
    columns: Sequence[str],
    step: str = "step",
    largest_hidden: int = LARGEST_HIDDEN,
) -> pd.DataFrame:
    """A flow chart without small differences: lines that a few patients leave are put together.

    Parameters
    ----------
    chart : DataFrame
        One line per step; `columns` hold how many are left after it.
    columns : sequence of str
        Counts that go down from line to line.
    step : str
        The column with the words.
    largest_hidden : int
        Counts from 1 to this are hidden.

    Returns
    -------
    DataFrame
        Fewer lines; between any two, nobody or more than `largest_hidden` leave each column. What
        cannot be put together is marked hidden.
    """
    kept: list[dict[str, Any]] = []
    waiting: list[str] = []
    for line in chart.to_dict("records"):
        words = "; ".join([*waiting, str(line[step])])
        if kept and _tells(kept[-1], line, columns, largest_hidden):
            waiting.append(str(line[step]))
            continue
        kept.append({**line, step: words})
        waiting = []
    if waiting:
        kept.append({step: "; ".join(waiting), **dict.fromkeys(columns, HIDDEN)})
    whole = pd.DataFrame(kept, columns=[step, *columns])
    for name in columns:
        small = [value != HIDDEN and 0 < value <= largest_hidden for value in whole[name]]
        whole[name] = whole[name].astype(object).mask(small, HIDDEN)
    return whole


def _tells(
    before: dict[str, Any], after: dict[str, Any], columns: Sequence[str], largest: int
) -> bool:
    return any(0 < before[name] - after[name] <= largest for name in columns)
