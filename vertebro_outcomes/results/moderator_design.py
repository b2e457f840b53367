"""How a formula of moderators became columns of numbers, so that new rows can be treated alike."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from vertebro_outcomes.errors import InputError, Problem, list_some
from vertebro_outcomes.estimators.arrays import Floats


@dataclass(frozen=True, eq=False, repr=False)
class ModeratorDesign:
    """A formula, the terms it gave, and the moderators of the studies that entered.

    `spec` is formulaic's model specification; `used` holds the moderators, a row per study.
    """

    formula: str
    terms: tuple[str, ...]
    spec: Any
    used: pd.DataFrame

    @property
    def has_intercept(self) -> bool:
        return bool(self.terms) and self.terms[0] == "Intercept"

    def matrix(self, new: pd.DataFrame) -> Floats:
        """The columns of X for new rows.

        Raises
        ------
        InputError
            A moderator is missing, or a category was not among the studies.
        """
        names = list(self.used.columns)
        absent = [name for name in names if name not in new.columns]
        if absent:
            found = "missing"
            allowed = f"the moderators {', '.join(names)}"
            problem = Problem(f"columns {', '.join(absent)}", found, allowed)
            raise InputError("predict()", [problem], "add the columns to the new rows")
        rows = pd.DataFrame({name: plain_moderator(new[name]) for name in names}, index=new.index)
        problems = [problem for name in names for problem in self._strange(rows[name])]
        if problems:
            raise InputError("predict()", problems, "predict at values the studies cover")
        if not names:
            return np.ones((len(new), len(self.terms)))
        return np.asarray(self._columns(rows), dtype=float)

    def _columns(self, rows: pd.DataFrame) -> pd.DataFrame:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            columns = self.spec.get_model_matrix(rows, context={"np": np})
        frame: pd.DataFrame = pd.DataFrame(columns)
        return frame

    def _strange(self, column: pd.Series) -> list[Problem]:
        where = f"column {column.name}"
        if column.isna().any():
            return [Problem(where, "a missing value", "a value in every new row")]
        seen = self.used[column.name]
        if pd.api.types.is_numeric_dtype(seen) and not pd.api.types.is_bool_dtype(seen):
            if not pd.api.types.is_numeric_dtype(column):
                return [Problem(where, "text", "numbers, as in the studies")]
            return []
        known = sorted(map(str, seen.unique()))
        strange = sorted(set(map(str, column)) - set(known))
        return [Problem(where, list_some(strange), list_some(known))] if strange else []


def plain_moderator(column: pd.Series) -> pd.Series:
    """A column as floats, True/False or text; categories that do not occur are dropped."""
    if pd.api.types.is_bool_dtype(column) and not column.isna().any():
        return column.astype(bool)
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        return pd.Series(column.to_numpy(dtype=float, na_value=np.nan), index=column.index)
    if isinstance(column.dtype, pd.CategoricalDtype):
        return column.cat.remove_unused_categories()
    return column.astype(object).where(column.notna(), None)
