"""What may change an effect: its values, its bands, and the columns that let the effect follow it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pandas as pd

from vertebro_outcomes.comparisons.comparable import refuse_unusable
from vertebro_outcomes.comparisons.covariates import NEVER, spline_basis, spline_knots
from vertebro_outcomes.comparisons.population import Population
from vertebro_outcomes.comparisons.tuning import is_number
from vertebro_outcomes.errors import InputError, Problem, list_some, refuse_argument
from vertebro_outcomes.estimators.arrays import Bools, Floats, Ints
from vertebro_outcomes.spine import LEVELS, POSITION
from vertebro_outcomes.tables.cohort import Cohort

CALL: Final = "effect_by"
REGION: Final = "level_region"
_MONTH: Final = 365.25 / 12  # days
# Limits on the age of the fracture that claims about timing name, in days.
TIMING_CUTS: Final[dict[str, float]] = {
    "8 weeks": 56.0,
    "2 months": 2 * _MONTH,
    "3 months": 3 * _MONTH,
}
MOST_BANDS: Final = 12  # more categories are a measurement or a name
KNOTS: Final = 4  # Harrell (2015), section 2.4.6
_FIRST_OF_JUNCTION, _LAST_OF_JUNCTION = POSITION["T11"], POSITION["L2"]
_REGION_OF: Final = {
    level: "T1-T10" if place < _FIRST_OF_JUNCTION else "T11-L2"
    for level, place in POSITION.items()
    if place <= _LAST_OF_JUNCTION
}


def modifier_values(people: Population, baseline: Floats, name: Any) -> pd.Series:
    """The modifier, one value per patient; blanks stay blank.

    Raises
    ------
    InputError
        If it is unknown, an identifier, or may follow from the treatment, or nobody has it.
    """
    allowed = dict.fromkeys(["baseline", REGION, *(c for c in people.columns if c not in NEVER)])
    if not isinstance(name, str) or name not in allowed:
        raise refuse_argument(CALL, "modifier", name, list_some(list(allowed), most=25))
    values = pd.Series(baseline) if name == "baseline" else people.frame[name]
    if values.isna().all():
        problem = Problem("argument modifier", f"nobody has a {name}", "something recorded")
        where = "the table levels" if name == REGION else f"the column {name}"
        step = "choose another modifier" + ("" if name == "baseline" else f", or fill {where}")
        raise InputError(f"{CALL}()", [problem], step)
    return values


def columns_of_modifier(modifier: Any) -> tuple[str, ...]:
    """The columns of patients and episodes that a modifier is read from."""
    return (modifier,) if isinstance(modifier, str) else ()


def with_regions(cohort: Cohort) -> Cohort:
    """The cohort with `level_region` as a column of patients, computed where the tables live.

    T1-T10, T11-L2 (thoracolumbar junction), L3-L5, or several of them.
    """
    import ibis

    levels = cohort.levels.filter(cohort.levels.level.isin(LEVELS))
    region = levels.level.cases(*_REGION_OF.items(), else_="L3-L5")
    by = levels.group_by("patient_id").aggregate(_low=region.min(), _high=region.max())
    one = ibis.ifelse(by["_low"] == by["_high"], by["_low"], "several regions")
    by = by.select(_of=by.patient_id, **{REGION: one})
    patients = cohort.patients.drop(*{REGION} & set(cohort.patients.columns))
    joined = patients.left_join(by, patients.patient_id == by["_of"]).drop("_of")
    return replace(cohort, tables={**cohort.tables, "patients": joined})


@dataclass(frozen=True)
class Bands:
    """`code` is the number of the band of each patient, -1 where blank."""

    names: tuple[str, ...]
    code: Ints


def bands_of(values: pd.Series, cut: Any) -> Bands:
    """Bands of a measurement (up to a cut, over it), or the categories of anything else.

    Raises
    ------
    InputError
        If the cuts are none, or there are too few or too many categories.
    """
    if cut is None:
        return _categories(values)
    cuts = _checked_cuts(cut)
    if not pd.api.types.is_numeric_dtype(values.dtype):
        raise refuse_argument(CALL, "cut", cut, "None for a modifier that is no number")
    number = values.astype("Float64").to_numpy(float, na_value=np.nan)
    refuse_unusable(number, str(values.name or "baseline"), CALL)
    code = np.searchsorted(np.array(cuts), number, side="left").astype(np.int64)
    ends = [f"{c:.4g}" for c in cuts]
    middle = [f"over {a} to {b}" for a, b in pairwise(ends)]
    return Bands(
        (f"up to {ends[0]}", *middle, f"over {ends[-1]}"), np.where(np.isnan(number), -1, code)
    )


def _categories(values: pd.Series) -> Bands:
    words = values.astype(object).where(values.notna(), None)
    code, found = pd.factorize(words.map(str, na_action="ignore"), sort=True)
    if len(found) == 1:
        problem = Problem(
            "argument modifier", "every patient analysed has the same value", "two or more"
        )
        raise InputError(f"{CALL}()", [problem], "choose another modifier")
    if not 2 <= len(found) <= MOST_BANDS:
        said = f"{len(found)} different values and neither cut nor continuous"
        step = "pass cut=[...] or continuous='linear' or 'spline' for a measurement"
        allowed = f"2 to {MOST_BANDS} categories"
        raise InputError(f"{CALL}()", [Problem("argument modifier", said, allowed)], step)
    return Bands(tuple(str(word) for word in found), code.astype(np.int64))


def _checked_cuts(cut: Any) -> list[float]:
    if isinstance(cut, str) and cut in TIMING_CUTS:
        return [TIMING_CUTS[cut]]
    given = [cut] if is_number(cut) else cut
    right = isinstance(given, Sequence) and not isinstance(given, str) and len(given) > 0
    right = right and all(is_number(c) for c in given)
    if not right or any(a >= b for a, b in pairwise(given)):
        words = ", ".join(map(repr, TIMING_CUTS))
        raise refuse_argument(CALL, "cut", cut, f"rising numbers such as [56], or {words}")
    return [float(c) for c in given]


def refuse_thin_bands(bands: Bands, kept: Bools, treated: Bools, arms: tuple[str, str]) -> None:
    """Every band needs two patients of each arm.

    Raises
    ------
    InputError
        With the bands that have fewer.
    """
    problems = []
    for place, name in enumerate(bands.names):
        inside = kept & (bands.code == place)
        n_t, n_c = int((inside & treated).sum()), int((inside & ~treated).sum())
        if min(n_t, n_c) < 2:
            found = f"{n_t} patients of {arms[0]}, {n_c} of {arms[1]}"
            problems.append(Problem(f"band {name}", found, "at least 2 of each"))
    if problems:
        raise InputError(f"{CALL}()", problems, "choose other cuts, or continuous='linear'")


@dataclass(frozen=True)
class Curve:
    """A basis of the modifier, and how to compute it anywhere."""

    knots: tuple[float, ...]

    def __call__(self, x: Floats) -> Floats:
        return spline_basis(x, self.knots) if self.knots else x[:, None]


def curve_of(values: pd.Series, kept: Bools, shape: str) -> tuple[Floats, Curve]:
    """The modifier as numbers, and its basis: a line, or a restricted cubic spline with 4 knots.

    Raises
    ------
    InputError
        If it is no number or varies too little.
    """
    if not pd.api.types.is_numeric_dtype(values.dtype):
        raise refuse_argument(CALL, "continuous", shape, "None for a modifier that is no number")
    x = values.astype("Float64").to_numpy(float, na_value=np.nan)
    refuse_unusable(x, str(values.name or "baseline"), CALL)
    inside = x[kept & ~np.isnan(x)]
    knots = spline_knots(inside, KNOTS) if shape == "spline" and len(inside) else ()
    needed = 3 if shape == "spline" else 2
    if len(np.unique(inside)) < needed or (shape == "spline" and len(knots) < needed):
        found = f"{len(np.unique(inside))} different values"
        problem = Problem("argument modifier", found, "more, spread over its range")
        raise InputError(f"{CALL}()", [problem], "use bands: cut=[...] or categories")
    return x, Curve(tuple(float(k) for k in knots))
