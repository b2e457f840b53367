"""Covariates by name -> numbers: one column each, categories as indicators, splines on request."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

from vertebro_outcomes.comparisons.comparable import refuse_unusable
from vertebro_outcomes.comparisons.formula import formula_columns, is_formula, variables
from vertebro_outcomes.comparisons.population import Population
from vertebro_outcomes.errors import InputError, Problem, list_some
from vertebro_outcomes.estimators.arrays import Bools, Floats

# Known before treatment, so an analysis may adjust for them unless told otherwise.
CONFOUNDERS: Final = (
    "baseline", "age_years", "sex", "bmi", "bmd_t_score", "steroid_use", "smoker", "charlson",
    "prior_fractures", "osteoporosis_drug", "etiology", "fracture_age_days",
)  # fmt: skip
# Consequences of the treatment or of the course after it, identifiers, dates.
NEVER: Final = frozenset(
    [
        "patient_id",
        "episode_id",
        "treatment",
        "day0",
        "fracture_date",
        "presentation_date",
        "treatment_date",
        "treatment_day",
        "cement_ml",
        "approach",
        "n_levels",
        "followup_end_day",
        "death_day",
    ]
)
MOST_MISSING: Final = 0.2  # a column with more blanks is not adjusted for unless it is named
USUAL_KNOTS: Final = 4  # Harrell (2015), section 2.4.6: enough for most sample sizes
FEW_VALUES: Final = 10  # a covariate with fewer values stays a straight line
_SPLINE = re.compile(r"rcs\(\s*(\w+)\s*(?:,\s*([3-7])\s*)?\)")
# Harrell (2015), Regression Modeling Strategies, table 2.3: quantiles of the knots.
_KNOTS: Final = {
    3: (0.10, 0.5, 0.90), 4: (0.05, 0.35, 0.65, 0.95), 5: (0.05, 0.275, 0.5, 0.725, 0.95),
    6: (0.05, 0.23, 0.41, 0.59, 0.77, 0.95), 7: (0.025, 0.1833, 0.3417, 0.5, 0.6583, 0.8167, 0.975),
}  # fmt: skip


@dataclass(frozen=True)
class Covariates:
    """`x` (n, p) with NaN where a value is blank; `source[j]` is the covariate column j comes from."""

    x: Floats
    names: tuple[str, ...]
    source: tuple[str, ...]

    def rows(self, kept: Bools) -> "Covariates":
        """Some of the patients; columns that are the same for all of them are left out."""
        x = self.x[kept]
        varies = np.flatnonzero(np.ptp(x, axis=0) != 0) if len(x) else np.arange(0)
        return Covariates(
            x[:, varies],
            tuple(self.names[j] for j in varies),
            tuple(self.source[j] for j in varies),
        )

    def of(self, covariates: tuple[str, ...]) -> "Covariates":
        """The columns of some of the covariates."""
        if set(self.source) <= set(covariates):
            return self
        kept = [j for j, name in enumerate(self.source) if name in covariates]
        return Covariates(
            self.x[:, kept],
            tuple(self.names[j] for j in kept),
            tuple(self.source[j] for j in kept),
        )

    def made_of(self, columns: Sequence[str]) -> Bools:
        """Columns that hold some covariate: as it is, curved, or in a term of a formula."""
        words = [re.compile(rf"\b{re.escape(column)}\b") for column in columns]
        return np.array([any(w.search(name) for w in words) for name in self.names], dtype=bool)


def usual_covariates(people: Population, baseline: Floats) -> tuple[tuple[str, ...], list[str]]:
    """Declared confounders that vary and are nearly complete, and those with too many blanks."""
    used: list[str] = []
    sparse: list[str] = []
    for name in CONFOUNDERS:
        if name != "baseline" and name not in people.frame.columns:
            continue
        values = pd.Series(baseline) if name == "baseline" else people.frame[name]
        missing = values.isna().mean()
        if missing == 1.0 or values.nunique(dropna=True) < 2:
            continue
        (used if missing <= MOST_MISSING else sparse).append(name)
    return tuple(used), sparse


def check_names(people: Population, covariates: tuple[str, ...]) -> None:
    """Refuse what is no covariate of this cohort.

    Raises
    ------
    InputError
        With every unknown name and every column that treatment may have changed.
    """
    problems = []
    allowed = ["baseline", *(c for c in people.columns if c not in NEVER)]
    named = [(term, name) for term in covariates for name in columns_of((term,))]
    for term, name in named:
        if name in NEVER:
            found = f"{name!r} is an identifier, a date, or may follow from the treatment"
            problems.append(
                Problem("argument covariates", found, "a column known before treatment")
            )
        elif name not in allowed:
            found = f"{term!r}" if name == _column(term) else f"{name!r} in {term!r}"
            problems.append(Problem("argument covariates", found, list_some(allowed, most=25)))
    if problems:
        raise InputError(
            "compare()", problems, "name columns of patients or episodes, or 'baseline'"
        )


def as_numbers(
    people: Population, baseline: Floats, covariates: tuple[str, ...], *, splines: bool = False
) -> Covariates:
    """Numbers for all patients; NaN where blank. With `splines` measurements get a curve."""
    blocks: list[Floats] = []
    names: list[str] = []
    source: list[str] = []
    for term in covariates:
        if is_formula(term):
            block, columns = formula_columns(term, people, baseline)
            blocks.append(block)
            names += columns
            source += [term] * len(columns)
            continue
        name = _column(term)
        values = pd.Series(baseline) if name == "baseline" else people.frame[name]
        spline = _SPLINE.fullmatch(term)
        knots = int(spline[2] or USUAL_KNOTS) if spline else 0
        if splines and not knots and _is_measurement(values):
            knots = USUAL_KNOTS
        block, own = encode(values, name, knots=knots)
        blocks.append(block)
        names += own
        source += [term] * len(own)
    return Covariates(_side_by_side(blocks, people.n), tuple(names), tuple(source))


def columns_of(terms: Sequence[str]) -> tuple[str, ...]:
    """The columns that terms are made of; "baseline" is one."""
    found = [variables(term) if is_formula(term) else (_column(term),) for term in terms]
    return tuple(dict.fromkeys(name for names in found for name in names))


def _side_by_side(blocks: list[Floats], n: int) -> Floats:
    """All columns in one array, each of them in one piece of memory; `blocks` are used up."""
    x = np.empty((sum(block.shape[1] for block in blocks), n))
    end = len(x)
    while blocks:
        block = blocks.pop()
        x[end - block.shape[1] : end] = block.T
        end -= block.shape[1]
    return x.T


def _column(term: str) -> str:
    spline = _SPLINE.fullmatch(term)
    return spline[1] if spline else term


def encode(values: pd.Series, name: str, *, knots: int) -> tuple[Floats, list[str]]:
    """Numbers as they are or as a curve, words as indicators of all levels but the first.

    Raises
    ------
    InputError
        If it holds dates.
    """
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        problem = Problem(
            "argument covariates", f"{name!r} holds dates", "numbers, words or yes/no"
        )
        raise InputError("compare()", [problem], f"turn {name} into a number of days first")
    if not _is_text(values):
        number = values.astype(float, copy=False).to_numpy()
        refuse_unusable(number, name, "compare")
        if knots and len(np.unique(number[~np.isnan(number)])) > knots:
            basis = restricted_cubic_spline(number, n_knots=knots)
            return basis, [name, *(f"{name} (spline {i + 1})" for i in range(basis.shape[1] - 1))]
        return number[:, None], [name]
    text = values.where(values.isna(), values.astype(str))
    levels = text_levels(values)
    if len(levels) < 2:  # one value, or none: a column that is refused where it matters
        return np.where(text.isna(), np.nan, 0.0)[:, None], [name]
    columns = [np.where(text.isna(), np.nan, (text == level).astype(float)) for level in levels[1:]]
    return np.column_stack(columns), [f"{name}: {level}" for level in levels[1:]]


def text_levels(values: pd.Series) -> list[str]:
    """The levels of a category in the order of their indicators; empty for numbers."""
    return sorted(values.dropna().astype(str).unique()) if _is_text(values) else []


def _is_measurement(values: pd.Series) -> bool:
    """Numbers with so many different values that a straight line is an assumption."""
    return not _is_text(values) and values.nunique(dropna=True) > FEW_VALUES


def _is_text(values: pd.Series) -> bool:
    """Words are categories even where they look like numbers; truth and numbers are numbers."""
    if not pd.api.types.is_object_dtype(values.dtype):
        return not (pd.api.types.is_numeric_dtype(values.dtype))
    return any(isinstance(value, str) for value in values.dropna().unique())


def restricted_cubic_spline(x: Floats, *, n_knots: int) -> Floats:
    """Natural cubic spline basis: x and n_knots - 2 curved columns, linear beyond the outer knots.

    Reference
    ---------
    Harrell (2015), Regression Modeling Strategies, equation 2.25, doi:10.1007/978-3-319-19425-7.
    """
    t = spline_knots(x, n_knots)
    return x[:, None] if len(t) < 3 else spline_basis(x, t)


def spline_knots(x: Floats, n_knots: int) -> tuple[float, ...]:
    """Knots at the usual quantiles; fewer where quantiles coincide."""
    return tuple(np.unique(np.quantile(x[~np.isnan(x)], _KNOTS[n_knots])).tolist())


def spline_basis(x: Floats, t: tuple[float, ...]) -> Floats:
    """The basis for knots t."""
    width = t[-1] - t[0]  # cubes of shares of it neither overflow nor vanish

    def cube(z: Floats) -> Floats:
        return np.maximum(z / width, 0.0) ** 3

    columns = [x]
    for knot in t[:-2]:
        bend = cube(x - knot)
        bend = bend - cube(x - t[-2]) * ((t[-1] - knot) / (t[-1] - t[-2]))
        bend = bend + cube(x - t[-1]) * ((t[-2] - knot) / (t[-1] - t[-2]))
        columns.append(bend * width)
    return np.column_stack(columns)
