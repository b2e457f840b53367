"""Patients alike in covariates, follow-up, levels and new fractures, counted where the tables live."""

# ruff: noqa: PD003 -- isnull is the name Ibis gives it

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from vertebro_outcomes.comparisons.follow_up import (
    ALIKE,
    CENSORED,
    follow,
    fractures_of,
)
from vertebro_outcomes.comparisons.hazard_models import check_columns
from vertebro_outcomes.errors import InputError, Problem
from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints
from vertebro_outcomes.spine import LEVELS, POSITION
from vertebro_outcomes.tables.cohort import Cohort
from vertebro_outcomes.tables.engine_functions import raised

if TYPE_CHECKING:
    import ibis.expr.types as ir

OF_VERTEBRA: Final = ("distance", "region", "level")
OF_LEVEL: Final = ("disc_leakage", "cement_ml", "kyphosis_correction_deg")
_LEVELS, _NEW = "_levels", "_fractures"
_NO_LEVEL: Final = "?"  # of a fracture
_ROW, _CELL = "+", ":"  # between the rows of a text, and between the cells of a row


@dataclass(frozen=True)
class Levels:
    """Treated and fractured levels at the index date: a row per level of each kind of spine.

    `spine` is the number of the kind, `place` counts from T1, `values` are those of `OF_LEVEL` asked for.
    """

    spine: Ints
    place: Ints
    treated: Bools
    values: dict[str, Floats]


@dataclass(frozen=True)
class NewFractures:
    """A row per new fracture: `who` is the row of its patients, `place` counts from T1."""

    who: Ints
    place: Ints
    day: Ints


@dataclass(frozen=True)
class SpinePatterns:
    """One row of `people` per pattern, for `alike` patients each; `spine` is the kind of its levels."""

    people: pd.DataFrame
    alike: Floats
    spine: Ints
    levels: Levels
    fractures: NewFractures
    notes: tuple[str, ...]


def spine_patterns(
    cohort: Any, *, event: str, columns: Sequence[str], of_level: Sequence[str], function: str
) -> SpinePatterns:
    """The first episode of each patient with a recorded level; those who are alike once.

    Raises
    ------
    InputError
        If there is no such column, no level, or there are more patterns than may be fetched.
    """
    followed = follow(cohort, event="death", function=function)
    check_columns(followed, columns, None, also=(*OF_VERTEBRA, *OF_LEVEL, "treatment"))
    rows, said = fractures_of(cohort, event, function)
    table = _with(followed.table, _levels_by_episode(cohort, of_level), _LEVELS)
    table = _with(table, _texts_by_episode(rows), _NEW)
    table = table.mutate(cause=CENSORED)  # that a patient died says no more than the day
    people, notes = replace(followed, table=table).counted((*columns, _LEVELS, _NEW))
    known = people[_LEVELS].notna().to_numpy(bool)
    if not known.any():
        found = "no treated or fractured level of these patients is recorded"
        problem = Problem("table levels", found, "one row per treated or fractured vertebra")
        raise InputError(f"{function}()", [problem], "fill the table levels")
    if not known.all():
        n = people[ALIKE].to_numpy(float)[~known].sum()
        notes.append(f"{n:.0f} patients without a recorded level are left out.")
    people = people.loc[known].reset_index(drop=True)
    spine, kinds = pd.factorize(people.pop(_LEVELS))
    alike = people.pop(ALIKE).to_numpy(float)
    new, blank = _read_fractures(people.pop(_NEW), alike)
    if blank:
        said.append(f"{blank:.0f} fractures without level are left out.")
    levels = _read_texts(kinds, of_level) if of_level else _read_bits(kinds)
    return SpinePatterns(people, alike, spine.astype(np.int64), levels, new, (*notes, *said))


def _with(table: "ir.Table", more: "ir.Table", name: str) -> "ir.Table":
    right = more.select(name, _of=more.episode_id)
    return table.left_join(right, table.episode_id == right["_of"]).drop("_of")


def _levels_by_episode(cohort: Cohort, of_level: Sequence[str]) -> "ir.Table":
    """The levels of an episode as bits of one number; with their values as one text."""
    import ibis

    levels = cohort.levels
    treated = levels.treated.fill_null(True)
    if not of_level:
        bits = {word: 1 << place for word, place in POSITION.items()}
        bit = _looked_up(levels.level, bits)
        coded = levels.select("episode_id", _bit=ibis.ifelse(treated, bit << len(LEVELS), bit))
        return coded.group_by("episode_id").aggregate(**{_LEVELS: raised(coded["_bit"])})
    place = _looked_up(levels.level, POSITION)
    cells = [place, treated.cast("int64"), *(_value_of(levels, name) for name in of_level)]
    return _joined(levels.select("episode_id", _text=_cells(cells)), _LEVELS)


def _value_of(levels: "ir.Table", name: str) -> Any:
    if name == "disc_leakage":
        return (levels.leakage == "disc").cast("int64")
    if name == "kyphosis_correction_deg":
        return levels.kyphosis_pre_deg.cast("float64") - levels.kyphosis_post_deg.cast("float64")
    return levels[name].cast("float64")


def _texts_by_episode(fractures: "ir.Table") -> "ir.Table":
    """Every fracture of an episode as `place:day`, in one text."""
    import ibis

    text = _cells([_looked_up(fractures.level, POSITION), fractures.day])
    text = ibis.ifelse(fractures.level.isnull(), _NO_LEVEL, text)
    return _joined(fractures.select("episode_id", _text=text), _NEW)


def _looked_up(level: Any, numbers: dict[str, int]) -> Any:
    return level.cases(*numbers.items(), else_=None).cast("int64")


def _cells(values: Sequence[Any]) -> Any:
    texts = [value.cast("string").fill_null("") for value in values]
    joined = texts[0]
    for text in texts[1:]:
        joined = joined + _CELL + text
    return joined


def _joined(rows: "ir.Table", name: str) -> "ir.Table":
    grouped = rows.group_by("episode_id")
    return grouped.aggregate(**{name: rows["_text"].collect().sort().join(_ROW)})


def _read_bits(kinds: Any) -> Levels:
    bits = np.asarray(kinds, dtype=np.int64)[:, None] >> np.arange(2 * len(LEVELS)) & 1
    spine, at = np.nonzero(bits)
    return Levels(spine, at % len(LEVELS), at >= len(LEVELS), {})


def _read_texts(kinds: Any, of_level: Sequence[str]) -> Levels:
    import pyarrow.compute as pc

    spine, rows = _rows_of(kinds)
    cells = pc.split_pattern(rows, _CELL)
    place, treated, *values = (_numbers(cells, at) for at in range(2 + len(of_level)))
    own = dict(zip(of_level, values, strict=True))
    return Levels(spine, place.astype(np.int64), treated == 1, own)


def _read_fractures(texts: pd.Series, alike: Floats) -> tuple[NewFractures, float]:
    """The fractures with a level, and how many there are without."""
    import pyarrow.compute as pc

    some = np.flatnonzero(texts.notna())
    of, rows = _rows_of(texts.to_numpy()[some])
    who, told = some[of], pc.not_equal(rows, _NO_LEVEL).to_numpy(zero_copy_only=False)
    cells = pc.split_pattern(rows.filter(told), _CELL)
    place, day = (_numbers(cells, at).astype(np.int64) for at in range(2))
    return NewFractures(who[told], place, day), float(alike[who[~told]].sum())


def _rows_of(texts: Any) -> tuple[Ints, Any]:
    """The number of the text of each row, and the rows, an Arrow array."""
    import pyarrow as pa
    import pyarrow.compute as pc

    split = pc.split_pattern(pa.array(texts, pa.string()), _ROW)
    return pc.list_parent_indices(split).to_numpy(), pc.list_flatten(split)


def _numbers(cells: Any, at: int) -> Floats:
    """One cell of each row as numbers, NaN where it is empty."""
    import pyarrow.compute as pc

    text = pc.list_element(cells, at)
    number = pc.cast(pc.if_else(pc.equal(text, ""), None, text), "float64")
    return np.asarray(number.to_numpy(zero_copy_only=False), dtype=np.float64)
