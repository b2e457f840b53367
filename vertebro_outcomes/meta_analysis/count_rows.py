"""What pooling counts asks of a table, and which studies say something about the measure."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeGuard

import numpy as np
import pandas as pd

from vertebro_outcomes.errors import refuse_argument
from vertebro_outcomes.estimators.arrays import Bools, Floats
from vertebro_outcomes.estimators.effect_sizes.two_by_two import Table
from vertebro_outcomes.estimators.pooled.mantel_haenszel import corrected, without_information
from vertebro_outcomes.measures import MEASURES
from vertebro_outcomes.meta_analysis.arm_checks import check_arms
from vertebro_outcomes.meta_analysis.study_rows import (
    numeric_column,
    require_columns,
    study_labels,
)
from vertebro_outcomes.results.pooled_effect import ExcludedStudy

Columns = dict[str, Floats]


@dataclass(frozen=True)
class CountRows:
    """The studies that enter: their columns as arrays of length k, their names, and who was left out."""

    measure: str
    columns: Columns
    labels: tuple[str, ...]
    excluded: tuple[ExcludedStudy, ...]

    @property
    def table(self) -> Table:
        """Events and non-events under treatment, then under comparator."""
        x = self.columns
        a, c = x["events_t"], x["events_c"]
        return a, x["n_t"] - a, c, x["n_c"] - c


def count_rows(table: pd.DataFrame, *, measure: str, keep_uninformative: bool) -> CountRows:
    """Check the counts and split them into studies to pool and studies left out.

    Parameters
    ----------
    keep_uninformative
        True where the method learns from studies without an event in either arm.

    Raises
    ------
    InputError
        Missing columns, text, counts that are negative, fractional or above n, no study to pool.
    """
    if not isinstance(table, pd.DataFrame):
        raise refuse_argument("pool_counts", "table", type(table).__name__, "a DataFrame")
    names = MEASURES[measure].columns
    require_columns(table, names, function="pool_counts")
    columns = {name: numeric_column(table, name, function="pool_counts") for name in names}
    check_arms(table, columns, function="pool_counts")
    labels = study_labels(table)
    reasons = [_missing(columns, i) for i in range(len(table))]
    if not keep_uninformative:
        silent = _SILENT[measure](columns)
        reasons = [
            reason or (_SILENT_BECAUSE[measure] if bad else None)
            for reason, bad in zip(reasons, silent, strict=True)
        ]
    kept = np.array([reason is None for reason in reasons], dtype=bool)
    if not kept.any():
        found = f"{len(table)} rows, none with information on {measure}"
        raise refuse_argument("pool_counts", "table", found, "at least one study with an event")
    return CountRows(
        measure=measure,
        columns={name: column[kept] for name, column in columns.items()},
        labels=tuple(label for label, keep in zip(labels, kept, strict=True) if keep),
        excluded=tuple(
            ExcludedStudy(label, reason)
            for label, reason in zip(labels, reasons, strict=True)
            if reason is not None
        ),
    )


def refuse_without_estimate(rows: CountRows, *, corrects: bool, by_arm: bool) -> None:
    """Raise an InputError where the maximum lies at infinity: every study points to an empty cell.

    `corrects`: the method fills studies with a zero cell before it adds them up. `by_arm`: it looks at
    each arm over all studies, not at the difference within studies.
    """
    bounded = _arms_are_bounded if by_arm else _BOUNDED[rows.measure]
    if bounded(rows, corrects):
        return
    raise refuse_argument(
        "pool_counts",
        "table",
        f"{MEASURES[rows.measure].label}: all studies together leave one side without events "
        "(or without patients free of them), so the estimate is infinite",
        "events on both sides in at least one study, or measure='RD' with "
        "method='mantel_haenszel', or a correction (dialect='revman5')",
    )


def is_two_by_two(measure: str) -> TypeGuard[Literal["OR", "RR", "RD"]]:
    """The measure compares patients with and without an event."""
    return measure in {"OR", "RR", "RD"}


def is_rate_measure(measure: str) -> TypeGuard[Literal["IRR", "IRD"]]:
    """The measure compares events over person-time."""
    return measure in {"IRR", "IRD"}


def _missing(columns: Columns, i: int) -> str | None:
    absent = [name for name, column in columns.items() if np.isnan(column[i])]
    return f"missing: {', '.join(absent)}" if absent else None


def _cells(x: Columns) -> Table:
    a, c = x["events_t"], x["events_c"]
    return a, x["n_t"] - a, c, x["n_c"] - c


def _two_by_two(measure: str) -> Callable[[Columns], Bools]:
    return lambda x: without_information(_cells(x), measure=measure)


def _no_event(x: Columns) -> Bools:
    return np.asarray((x["events_t"] == 0) & (x["events_c"] == 0))


def _none(x: Columns) -> Bools:
    return np.zeros(len(next(iter(x.values()))), dtype=bool)


def _ratio_is_bounded(rows: CountRows, corrects: bool) -> bool:
    a, b, c, d = corrected(rows.table, add_to="only_zero" if corrects else "none")
    if rows.measure == "RR":
        return bool(np.any(a > 0) and np.any(c > 0))
    return bool(np.any(a * d > 0) and np.any(b * c > 0))


def _rates_are_bounded(rows: CountRows, _: bool) -> bool:
    return bool(np.any(rows.columns["events_t"] > 0) and np.any(rows.columns["events_c"] > 0))


def _proportion_is_bounded(rows: CountRows, _: bool) -> bool:
    return bool(0 < rows.columns["events"].sum() < rows.columns["n"].sum())


def _arms_are_bounded(rows: CountRows, _: bool) -> bool:
    if rows.measure == "PLO":
        return _proportion_is_bounded(rows, _)
    return all(bool(cell.sum() > 0) for cell in rows.table)


def _always(_: CountRows, __: bool) -> bool:
    return True


_SILENT: Final[dict[str, Callable[[Columns], Bools]]] = {
    "OR": _two_by_two("OR"),
    "RR": _two_by_two("RR"),
    "RD": _none,
    "PETO": _two_by_two("PETO"),
    "IRR": _no_event,
    "IRD": _none,
    "PLO": _none,
}
_SILENT_BECAUSE: Final = {
    "OR": "no event in either arm, or events in all",
    "RR": "no event in either arm",
    "PETO": "no event in either arm, or events in all",
    "IRR": "no event in either arm",
    "RD": "",
    "IRD": "",
    "PLO": "",
}
_BOUNDED: Final[dict[str, Callable[[CountRows, bool], bool]]] = {
    "OR": _ratio_is_bounded,
    "RR": _ratio_is_bounded,
    "IRR": _rates_are_bounded,
    "PLO": _proportion_is_bounded,
    "RD": _always,
    "IRD": _always,
    "PETO": _always,
}
