"""Ways in which a table of arms can be read, or can have been misread, one change at a time.

A reading is the table after one change: a study left out, arms swapped, a spread taken for the other
kind of spread. Readings travel as arrays (readings x studies), so that all are pooled together.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Final, Literal

import numpy as np
import pandas as pd

from vertebro_outcomes.errors import InputError, Problem
from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.measures import MEASURES
from vertebro_outcomes.meta_analysis.arm_checks import check_arms
from vertebro_outcomes.meta_analysis.study_rows import numeric_column, study_labels

Family = Literal["counts", "means", "effects"]
Columns = dict[str, Floats]

COLUMNS_OF: Final[dict[Family, tuple[str, ...]]] = {
    "counts": MEASURES["RR"].columns,
    "means": MEASURES["MD"].columns,
    "effects": ("effect", "variance"),
}
# Several changes can give the same number; those that reviews of extraction errors report are named first
# (Gøtzsche et al. 2007, JAMA 298:430-437, doi:10.1001/jama.298.4.430: wrong spreads, signs, duplicates).
LIKELIEST_FIRST: Final = (
    "none",
    "change_as_end_score",
    "se_used_as_sd",
    "sd_is_se",
    "duplicate_report",
    "shared_control",
    "levels_as_patients",
    "arms_swapped",
    "scale_reversed",
    "left_out",
    "events_turned",
    "scale_factor",
    "transposed_digits",
)
ALL_STUDIES: Final = "all studies"
SWAPPED: Final = (("events_t", "events_c"), ("mean_t", "mean_c"), ("sd_t", "sd_c"), ("n_t", "n_c"))


@dataclass(frozen=True)
class Reading:
    """The table after `change`: what was done to which study, in words, and the columns it leaves."""

    change: str
    words: str
    columns: Columns
    defensible: bool = True


@dataclass(frozen=True)
class StudyTable:
    """A table of arms as arrays: which family of columns it has, labels, and what marks its rows."""

    family: Family
    columns: Columns
    labels: tuple[str, ...]
    trials: tuple[str, ...]
    is_change: tuple[bool, ...]
    levels: Columns


def read_study_table(table: pd.DataFrame, *, function: str) -> StudyTable:
    """The columns of the first family the table has: counts, means, or ready effects.

    Optional columns: `study` (label), `trial` (reports with the same trial are duplicates), `kind`
    ("change" marks change scores, follow-up minus baseline), `levels_t levels_c` (vertebrae treated).
    """
    for family, names in COLUMNS_OF.items():
        if set(names) <= set(table.columns):
            columns = {name: numeric_column(table, name, function=function) for name in names}
            if family != "effects":
                check_arms(table, columns, function=function)
            labels = study_labels(table)
            trials = tuple(map(str, table["trial"])) if "trial" in table.columns else labels
            kinds = table["kind"] if "kind" in table.columns else [""] * len(table)
            levels = {
                f"n_{arm}": numeric_column(table, f"levels_{arm}", function=function)
                for arm in ("t", "c")
                if f"levels_{arm}" in table.columns and family != "effects"
            }
            is_change = tuple(kind == "change" for kind in kinds)
            return StudyTable(family, columns, labels, trials, is_change, levels)
    allowed = "; or ".join(" ".join(names) for names in COLUMNS_OF.values())
    found = f"columns {', '.join(map(str, table.columns)) or 'none'}"
    raise InputError(
        f"{function}()", [Problem("argument table", found, allowed)], "rename the columns"
    )


def readings(table: StudyTable) -> list[Reading]:
    """Every reading of the table, the likelier changes first (`LIKELIEST_FIRST`)."""
    found = [Reading("none", "as extracted", table.columns)]
    found += _left_out(table)
    found += _duplicates(table)
    found += _swapped_arms(table)
    if table.family == "means":
        found += [*_spreads(table), *_signs(table), *_scales(table)]
    if table.family == "counts":
        found += _turned_events(table)
    if table.family != "effects":
        found += [*_shared_controls(table), *_levels(table), *_transposed_digits(table)]
    return sorted(found, key=lambda reading: LIKELIEST_FIRST.index(reading.change))


def _changed(table: StudyTable, studies: list[int], **new: Floats) -> Columns:
    """A copy of the columns in which the given studies take their values from `new`."""
    columns = dict(table.columns)
    for name, values in new.items():
        column = columns[name].copy()
        column[studies] = values[studies]
        columns[name] = column
    return columns


def _without(table: StudyTable, studies: list[int]) -> Columns:
    nothing = np.full(len(table.labels), np.nan)
    return _changed(table, studies, **dict.fromkeys(table.columns, nothing))


def _one_by_one_and_all(table: StudyTable) -> Iterator[tuple[list[int], str]]:
    k = len(table.labels)
    yield from (([i], table.labels[i]) for i in range(k))
    if k > 1:
        yield list(range(k)), ALL_STUDIES


def _left_out(table: StudyTable) -> Iterator[Reading]:
    k = len(table.labels)
    for size in (1, 2):
        if k > size:
            for studies in combinations(range(k), size):
                names = " and ".join(table.labels[i] for i in studies)
                yield Reading("left_out", f"without {names}", _without(table, list(studies)))


def _duplicates(table: StudyTable) -> Iterator[Reading]:
    seen: dict[str, int] = {}
    surplus = []
    for i, trial in enumerate(table.trials):
        if trial in seen:
            surplus.append(i)
        seen.setdefault(trial, i)
    if surplus:
        names = ", ".join(table.labels[i] for i in surplus)
        words = f"one report per trial ({names} dropped)"
        yield Reading("duplicate_report", words, _without(table, surplus))


def _swapped_arms(table: StudyTable) -> Iterator[Reading]:
    for studies, who in _one_by_one_and_all(table):
        if table.family == "effects":
            new = {"effect": -table.columns["effect"]}
        else:
            pairs = [(t, c) for t, c in SWAPPED if t in table.columns]
            new = {t: table.columns[c] for t, c in pairs} | {c: table.columns[t] for t, c in pairs}
        yield Reading("arms_swapped", f"arms of {who} swapped", _changed(table, studies, **new))


def _spreads(table: StudyTable) -> Iterator[Reading]:
    x = table.columns
    roots = np.sqrt(x["n_t"]), np.sqrt(x["n_c"])
    for studies, who in _one_by_one_and_all(table):
        larger = {"sd_t": x["sd_t"] * roots[0], "sd_c": x["sd_c"] * roots[1]}
        smaller = {"sd_t": x["sd_t"] / roots[0], "sd_c": x["sd_c"] / roots[1]}
        for change, words, new in (
            ("sd_is_se", f"the spread of {who} read as a standard error", larger),
            ("se_used_as_sd", f"standard errors of {who} used as standard deviations", smaller),
        ):
            yield Reading(change, words, _changed(table, studies, **new))


def _signs(table: StudyTable) -> Iterator[Reading]:
    x = table.columns
    turned = {"mean_t": -x["mean_t"], "mean_c": -x["mean_c"]}
    for studies, who in _one_by_one_and_all(table):
        if all(table.is_change[i] for i in studies):
            words = f"improvements of {who} taken as end scores"
            yield Reading("change_as_end_score", words, _changed(table, studies, **turned))
        else:
            words = f"scale of {who} reversed (high for low)"
            yield Reading("scale_reversed", words, _changed(table, studies, **turned))


def _scales(table: StudyTable) -> Iterator[Reading]:
    names = ("mean_t", "sd_t", "mean_c", "sd_c")
    for studies, who in _one_by_one_and_all(table):
        for factor, words in ((10.0, "multiplied by 10"), (0.1, "divided by 10")):
            new = {name: table.columns[name] * factor for name in names}
            reading = _changed(table, studies, **new)
            yield Reading("scale_factor", f"scores of {who} {words}", reading, defensible=False)


def _turned_events(table: StudyTable) -> Iterator[Reading]:
    x = table.columns
    others = {"events_t": x["n_t"] - x["events_t"], "events_c": x["n_c"] - x["events_c"]}
    for studies, who in _one_by_one_and_all(table):
        words = f"events and non-events of {who} exchanged"
        yield Reading("events_turned", words, _changed(table, studies, **others), defensible=False)


def _shared_controls(table: StudyTable) -> Iterator[Reading]:
    """Rows of one trial with the same control arm: counted whole twice, or to be divided."""
    names = [name for name in table.columns if name.endswith("_c")]
    rows: dict[tuple[str, tuple[float, ...]], list[int]] = {}
    for i, trial in enumerate(table.trials):
        arm = tuple(float(table.columns[name][i]) for name in names)
        rows.setdefault((trial, arm), []).append(i)
    for (trial, _), studies in rows.items():
        if len(studies) > 1:
            divided = {
                name: np.maximum(np.round(table.columns[name] / len(studies)), 1.0)
                if name == "n_c"
                else np.round(table.columns[name] / len(studies))
                for name in names
                if name in ("n_c", "events_c")
            }
            words = f"the shared control of {trial} divided among its {len(studies)} comparisons"
            yield Reading("shared_control", words, _changed(table, studies, **divided))


def _levels(table: StudyTable) -> Iterator[Reading]:
    if not table.levels:
        return
    for studies, who in _one_by_one_and_all(table):
        if all(np.isfinite(table.levels[name][studies]).all() for name in table.levels):
            words = f"treated levels of {who} counted as patients"
            columns = _changed(table, studies, **table.levels)
            yield Reading("levels_as_patients", words, columns)


def _transposed_digits(table: StudyTable) -> Iterator[Reading]:
    for name, values in table.columns.items():
        for i, value in enumerate(values):
            for other in _transpositions(value):
                new = values.copy()
                new[i] = other
                columns = _changed(table, [i], **{name: new})
                if _is_possible(columns, i):
                    words = f"{name} of {table.labels[i]} {_short(value)} read as {_short(other)}"
                    yield Reading("transposed_digits", words, columns, defensible=False)


def _is_possible(columns: Columns, i: int) -> bool:
    if "events_t" not in columns:
        return bool(columns["n_t"][i] >= 1 and columns["n_c"][i] >= 1)
    return bool(
        columns["events_t"][i] <= columns["n_t"][i] and columns["events_c"][i] <= columns["n_c"][i]
    )


def _transpositions(value: float) -> set[float]:
    if np.isnan(value):
        return set()
    text = _short(value)
    places = [i for i, character in enumerate(text) if character.isdigit()]
    found = set()
    for a, b in pairwise(places):
        swapped = list(text)
        swapped[a], swapped[b] = swapped[b], swapped[a]
        found.add(float("".join(swapped)))
    return found - {value}


def _short(value: float) -> str:
    return f"{value:.10g}"
