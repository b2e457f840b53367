"""Which complications units had together, counted by pattern where the tables live.

A definition of a complication looks at five things of an event: its type, whether it was severe, had
symptoms, was found by a scan and came early. Events that agree in these are one class. The classes
that a unit had are bits of whole numbers, by which the engine counts units that are alike; every
definition is read off these patterns.
"""

# ruff: noqa: PD004 -- notnull is the name Ibis gives it

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from vertebro_outcomes.comparisons.driver_budget import MOST_ROWS, refuse_beyond
from vertebro_outcomes.comparisons.occurrence_counts import occurrence_table, unit_table
from vertebro_outcomes.comparisons.occurrences import KEYS, SCANS
from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints
from vertebro_outcomes.tables.cohort import Cohort, Unit
from vertebro_outcomes.tables.engine import count
from vertebro_outcomes.tables.engine_functions import raised
from vertebro_outcomes.tables.held import held

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

EARLY_DAYS: Final = 30.0
_ALIKE: Final = ("type", "severe", "symptomatic", "scan", "early")
_BITS: Final = 62  # of a signed number of 64
_CODE, _SCANNED, _OF_UNITS = "_code", "_scanned", "+"


@dataclass(frozen=True)
class Classes:
    """What happened to those with a treatment: one row of `frame` per class of events.

    `frame` has the columns of an occurrence that definitions look at, `early`, `n_placed` (events
    with a level) and `n_graded` (with a severity); `events` have the bits of their class.
    """

    frame: pd.DataFrame
    events: "ir.Table"
    cohort: Cohort
    treatment: str
    function: str

    @property
    def early(self) -> Bools:
        return self.frame["early"].to_numpy(bool)

    def sets(self, unit: Unit) -> "UnitSets":
        """The units by the classes that they had, patients who are alike once.

        Raises
        ------
        InputError
            If there is no such unit, or there are more patterns than may be fetched.
        """
        units = unit_table(self.cohort, self.treatment, unit=unit, function=self.function)
        engine = self.events.get_backend()
        with held(engine, _coded(self, units, unit)) as each:
            patients = each
            if unit != "patients" and count(each) > count(each.select("patient_id").distinct()):
                texts = each[_CODE].collect().sort().join(_OF_UNITS)
                patients = each.group_by("patient_id").aggregate(**{_CODE: texts})
            grouped = patients.group_by(_CODE).aggregate(n=patients.count())
            found = grouped.limit(MOST_ROWS + 1).to_pyarrow().sort_by(_CODE)
        what = "patterns of complications"
        refuse_beyond(len(found), MOST_ROWS, where=unit, what=what, function=self.function)
        alike = found["n"].to_numpy().astype(np.int64)
        return _read(found[_CODE].to_pylist(), alike, len(self.frame))


@dataclass(frozen=True)
class UnitSets:
    """Units in the order of their patients: row r belongs to `alike[who[r]]` patients who are alike."""

    who: Ints
    alike: Ints
    had: Bools  # rows, classes
    scanned: Bools

    def totals(self, of_classes: Bools, base: Bools) -> tuple[Floats, Floats, Floats]:
        """Units with one of these classes, units, and patients alike, of those with a unit in `base`."""
        hit = self.had[:, of_classes].any(axis=1) & base
        size = self.alike.size
        units = np.bincount(self.who[base], minlength=size).astype(float)
        events = np.bincount(self.who[hit], minlength=size).astype(float)
        some = units > 0
        return events[some], units[some], self.alike[some].astype(float)

    @property
    def times(self) -> Ints:
        """How many units each row stands for."""
        return self.alike[self.who]


@contextmanager
def classes_of(cohort: Cohort, *, treatment: str, function: str) -> Iterator[Classes]:
    """The classes of the complications and new fractures of a treatment.

    Raises
    ------
    InputError
        If nothing was recorded, or nobody had the treatment.
    """
    events = occurrence_table(cohort, function)
    own = unit_table(cohort, treatment, unit="episodes", function=function)
    events = events.semi_join(own, "episode_id").select(*events.columns)
    events = events.mutate(
        severe=events.severity.isin(["severe", "fatal"]).fill_null(False),
        scan=events.detected_by.isin(SCANS).fill_null(False),
        early=(events.day <= EARLY_DAYS).fill_null(False),
        graded=events.severity.notnull(),
    )
    engine = cohort.events.get_backend()
    seen = events.select("patient_id", "episode_id", "level", "graded", *_ALIKE)
    with held(engine, seen) as rows:
        counted = rows.group_by(_ALIKE).aggregate(
            n_placed=rows.level.count(), n_graded=rows.graded.sum()
        )
        frame = counted.to_pyarrow().to_pandas().sort_values(list(_ALIKE), ignore_index=True)
        frame["severity"] = frame["severe"].map({True: "severe", False: None})
        frame["detected_by"] = frame["scan"].map({True: SCANS[0], False: None})
        with held(engine, _bits(frame)) as bits:
            numbered = rows.inner_join(bits, list(_ALIKE))
            yield Classes(frame, numbered, cohort, treatment, function)


def _bits(frame: pd.DataFrame) -> "pa.Table":
    """The classes with their bits, in as many whole numbers as there are needed."""
    import pyarrow as pa

    number = np.arange(len(frame))
    bits = {
        name: np.where(number // _BITS == word, 1 << (number % _BITS), 0).astype(np.int64)
        for word, name in enumerate(_words(len(frame)))
    }
    kinds = {"type": pa.string(), **dict.fromkeys(_ALIKE[1:], pa.bool_())}
    known = {name: pa.array(frame[name], kind) for name, kind in kinds.items()}
    return pa.table({**known, **bits})


def _words(n: int) -> list[str]:
    return [f"_word_{word}" for word in range(max(1, -(-n // _BITS)))]


def _coded(classes: Classes, units: "ir.Table", unit: Unit) -> "ir.Table":
    """`patient_id` and a text of the classes of each unit, and of whether it was looked at with CT."""
    keys = KEYS[unit]
    units = units.select(*dict.fromkeys(("patient_id", *keys))).distinct()
    words = _words(len(classes.frame))
    hit = classes.events.drop_null(keys)
    hit = hit.group_by(keys).aggregate(**{name: raised(hit[name]) for name in words})
    levels = classes.cohort.levels
    looked = levels.filter(levels.leakage_detected_by == SCANS[0]).select(*keys).distinct()
    looked = looked.mutate(**{_SCANNED: 1})
    both = _beside(_beside(units, hit, keys, words), looked, keys, [_SCANNED])
    parts: Sequence[Any] = [both[name].fill_null(0).cast("string") for name in (*words, _SCANNED)]
    text = parts[0]
    for part in parts[1:]:
        text = text + ":" + part
    return both.select("patient_id", **{_CODE: text})


def _beside(units: "ir.Table", more: "ir.Table", keys: list[str], names: list[str]) -> "ir.Table":
    """Units with columns of another table, blank where it does not have them."""
    right = more.select(*names, **{f"_of_{key}": more[key] for key in keys})
    on = [units[key] == right[f"_of_{key}"] for key in keys]
    return units.left_join(right, on).select(*units.columns, *names)


def _read(codes: list[str], alike: Ints, n_classes: int) -> UnitSets:
    """The bits of the texts."""
    units = [code.split(_OF_UNITS) for code in codes]
    who = np.repeat(np.arange(len(units)), [len(own) for own in units])
    numbers = np.array(
        [[int(part) for part in text.split(":")] for own in units for text in own], dtype=np.int64
    )
    number = np.arange(n_classes)
    had = (numbers[:, number // _BITS] >> (number % _BITS)) & 1
    return UnitSets(who, alike, had.astype(bool), numbers[:, -1].astype(bool))
