"""Values of a trial's own coding: arms as words or numbers, columns whose names the tables know."""

from collections.abc import Mapping
from numbers import Real
from typing import Any, Final

import numpy as np
import pandas as pd

from vertebro_outcomes.tables.cohort_tables import EPISODES, PATIENTS
from vertebro_outcomes.tables.schema import Column, fits
from vertebro_outcomes.vocabulary import TREATMENTS

# A column with such a name but codes of the trial stands in the table under this name; the comparisons find
# it by its own.
AS_CODED: Final = "_as_coded"
_SEX: Final = {
    "f": "female", "female": "female", "woman": "female",
    "m": "male", "male": "male", "man": "male",
}  # fmt: skip


def word_of(value: Any) -> str:
    """A value as a word: 1, 1.0, True and " 1" are the same, as statistics packages write them."""
    if isinstance(value, Real | np.bool_) and np.isfinite(float(value)):
        number = float(value)
        return str(int(number)) if number.is_integer() else str(value)
    return str(value).strip()


def treatments_first(arms: Any) -> Any:
    """`{treatment: value}`, also where it was given as `{value: treatment}`."""
    if not isinstance(arms, Mapping) or not arms or any(key in TREATMENTS for key in arms):
        return arms
    words = list(arms.values())
    turned = all(isinstance(w, str) and w in TREATMENTS for w in words)
    return {w: key for key, w in arms.items()} if turned and len(set(words)) == len(words) else arms


def with_own_codes(people: pd.DataFrame) -> pd.DataFrame:
    """Columns the tables know by name, in their words; those coded otherwise under a name of their own.

    Sex 0 and 1 is a covariate like any other, though nobody can tell which of them is female.
    """
    known = {c.name: c for table in (PATIENTS, EPISODES) for c in table.columns}
    named = {}
    for name in people.columns:
        if not isinstance(name, str) or name.lower() not in known:
            continue
        if name not in known:  # SITE beside site: an engine does not tell them apart
            named[name] = f"{name}{AS_CODED}"
            continue
        if name == "site":
            people = people.assign(site=people["site"].map(word_of, na_action="ignore"))
        if name == "sex":
            people = people.assign(sex=people["sex"].map(_sex, na_action="ignore"))
        if _is_coded(known[name]) and not _all_fit(people[name], known[name]):
            named[name] = f"{name}{AS_CODED}"
    return people.rename(columns=named)


def _sex(value: Any) -> Any:
    return _SEX.get(str(value).strip().lower(), value)


def _is_coded(column: Column) -> bool:
    """A measurement keeps its limits: a number out of range is a mistake, not another coding."""
    return bool(column.codes) or column.type == "bool"


def _all_fit(values: pd.Series, column: Column) -> bool:
    return all(fits(value, column) for value in values.dropna().unique())
