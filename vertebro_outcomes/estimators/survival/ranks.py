"""Distinct values and their order, in time that grows with the rows where values are whole days."""

from typing import Any, Final

import numpy as np

from vertebro_outcomes.estimators.arrays import Ints

ROWS_AT_ONCE: Final = 8192  # what fits the cache of the processor
DIGIT: Final = 2**16  # numbers of 16 bits are sorted by counting them
WIDEST_SPAN: Final = 4  # times the rows: a wider range of values is sorted, not counted


def ranks(values: Any) -> tuple[Any, Ints]:
    """Distinct values in ascending order, and the place of each value among them."""
    counted = _counted(values) if values.dtype.kind in "iuf" and values.size else None
    if counted is not None:
        return counted
    distinct, code = np.unique(values, return_inverse=True)
    return distinct, code.astype(np.int64, copy=False)


def _counted(values: Any) -> tuple[Any, Ints] | None:
    """The same without a sort, where all values are a whole number of steps above the lowest."""
    low, high = values.min(), values.max()
    if not float(high) - float(low) < max(DIGIT, WIDEST_SPAN * values.size):
        return None
    steps = np.empty(values.size, dtype=np.int64)
    seen = np.zeros(int(high - low) + 1, dtype=bool)
    for at in range(0, values.size, ROWS_AT_ONCE):
        part = values[at : at + ROWS_AT_ONCE]
        whole = (part - low).astype(np.int64)
        if values.dtype.kind == "f" and not np.array_equal(whole + low, part):
            return None
        steps[at : at + ROWS_AT_ONCE] = whole
        seen[whole] = True
    found = np.flatnonzero(seen)
    if found.size < seen.size:
        place = np.cumsum(seen) - 1
        for at in range(0, values.size, ROWS_AT_ONCE):
            part = steps[at : at + ROWS_AT_ONCE]
            part[:] = place[part]
    return (found + low).astype(values.dtype), steps


def ordered(code: Ints, size: int) -> Ints:
    """Positions that put the numbers 0 to `size` - 1 in order; equal ones stay as they stood.

    One digit of 16 bits after the other, the last one (what is left in 16 bits) first.
    """
    order = np.argsort(code.astype(np.uint16), kind="stable")
    while size > DIGIT:
        code, size = code // DIGIT, -(-size // DIGIT)
        order = order[np.argsort(code[order].astype(np.uint16), kind="stable")]
    return order
