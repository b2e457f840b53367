"""Covariates written as the right-hand side of a formula: "~ age_years + I(age_years**2) + sex"."""

import re
import warnings
from typing import Any

import numpy as np
import pandas as pd

from vertebro_outcomes.comparisons.comparable import refuse_unusable
from vertebro_outcomes.comparisons.population import Population
from vertebro_outcomes.errors import InputError, Problem
from vertebro_outcomes.estimators.arrays import Floats

ALLOWED = "a formula such as '~ age_years + I(age_years**2) + C(sex):baseline'"
# Everything a formula may call; its text is computed with, so nothing else is let in.
_CALLS = frozenset(["C", "I", "bs", "cr", "cc", "poly", "log", "sqrt", "exp", "center", "scale"])
_CALL = re.compile(r"(?<![\w.])([\w.]++)\s*\(")
_TEXT = re.compile(r"[\w\s~+\-*/:^().,=']+")


def is_formula(term: str) -> bool:
    """Whether a covariate is a formula."""
    return term.lstrip().startswith("~")


def variables(formula: str) -> tuple[str, ...]:
    """The columns a formula needs, in the order in which they are written.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    parsed = _parse(formula)
    names = {str(name) for name in parsed.required_variables} - _CALLS
    return tuple(sorted(names, key=lambda name: (formula.find(name), name)))


def formula_columns(
    formula: str, people: Population, baseline: Floats
) -> tuple[Floats, tuple[str, ...]]:
    """Columns without the intercept; NaN in the rows of patients with a blank.

    Raises
    ------
    InputError
        If a term cannot be computed.
    """
    from formulaic.errors import FormulaicError

    used = pd.DataFrame(
        {
            name: _plain(pd.Series(baseline) if name == "baseline" else people.frame[name])
            for name in variables(formula)
        }
    )
    complete = used.notna().all(axis=1).to_numpy(dtype=bool)
    context = {"log": np.log, "sqrt": np.sqrt, "exp": np.exp}
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            made = _parse(formula).get_model_matrix(
                used[complete], context=context, na_action="ignore"
            )
        frame = pd.DataFrame(made).astype(float)
    except (FormulaicError, ValueError, TypeError, KeyError, AttributeError) as error:
        found = f"{formula}: {str(error).splitlines()[0]}"
        raise _refused(found) from None
    frame = frame.drop(columns=[c for c in frame.columns if c == "Intercept"])
    x = np.full((people.n, frame.shape[1]), np.nan)
    x[complete] = frame.to_numpy(float)
    if np.isinf(x).any() or np.isnan(x[complete]).any():
        raise _refused(f"{formula}: a term is undefined for some patients")
    return x, tuple(str(name) for name in frame.columns)


def _parse(formula: str) -> Any:
    from formulaic import Formula
    from formulaic.errors import FormulaicError

    calls = set(_CALL.findall(formula))
    if not _TEXT.fullmatch(formula) or not calls <= _CALLS or re.search(r"\.\s*[A-Za-z_]", formula):
        raise _refused(f"{formula}")
    try:
        parsed = Formula(formula)
    except (FormulaicError, SyntaxError, TypeError, ValueError):
        raise _refused(formula) from None
    if hasattr(parsed, "lhs") or not getattr(parsed, "required_variables", None):
        raise _refused(formula)
    return parsed


def _refused(found: str) -> InputError:
    problem = Problem("argument covariates", found, ALLOWED)
    return InputError("compare()", [problem], "correct the formula")


def _plain(values: pd.Series) -> pd.Series:
    """Numbers as float, everything else as words; blanks stay blank."""
    if pd.api.types.is_numeric_dtype(values.dtype):
        number = values.astype("Float64").to_numpy(float, na_value=np.nan)
        refuse_unusable(number, str(values.name or "baseline"), "compare")
        return pd.Series(number)
    words = values.astype(object).reset_index(drop=True)
    return words.where(words.notna(), None)
