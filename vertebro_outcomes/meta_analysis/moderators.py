"""Read the moderators of a formula from a table of studies, and say what is wrong with them."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from vertebro_outcomes.errors import InputError, Problem, list_some, refuse_argument
from vertebro_outcomes.estimators.arrays import Bools, Floats
from vertebro_outcomes.meta_analysis.study_rows import StudyRows, require_columns, study_rows
from vertebro_outcomes.results.moderator_design import ModeratorDesign, plain_moderator
from vertebro_outcomes.results.pooled_effect import ExcludedStudy

SAME_DIRECTION = 1e-10  # share of a column's length not explained by the columns before it


@dataclass(frozen=True)
class ModeratedStudies:
    """Studies with an effect and all moderators: `rows`, their X (k, p) and how it was made."""

    rows: StudyRows
    x: Floats
    design: ModeratorDesign


def moderated_studies(
    es: pd.DataFrame,
    formula: str,
    *,
    function: str,
    measure: str | None = None,
    also: tuple[str, ...] = (),
) -> ModeratedStudies:
    """Studies that have an effect, its variance, every moderator and every column of `also`.

    Raises
    ------
    InputError
        What `study_rows` refuses; a formula that cannot be read; a column that is not there, has one
        value only, or follows from the others; fewer studies than coefficients.
    """
    rows = study_rows(es, function=function, measure=measure)
    parsed, names = _parse(formula, function=function)
    require_columns(es, ["effect", *names, *also], function=function)
    moderators = pd.DataFrame({name: _one(es, name, function) for name in names}, index=es.index)
    others = pd.DataFrame({name: _one(es, name, function) for name in also}, index=es.index)
    rows, kept = _without_missing(rows, pd.concat([moderators, others], axis=1))
    used = moderators[kept].reset_index(drop=True)
    used = pd.DataFrame({name: plain_moderator(used[name]) for name in names})
    _refuse_odd_values(used, function=function)
    columns, spec = _columns(parsed, used, k=len(rows.effects), function=function)
    terms = tuple(map(str, columns.columns))
    x = columns.to_numpy(dtype=float)
    _refuse_undetermined(x, terms, function=function)
    return ModeratedStudies(rows, x, ModeratorDesign(formula, terms, spec, used))


def _parse(formula: str, *, function: str) -> tuple[Any, list[str]]:
    """Formulaic's formula and the columns it needs, in the order they are written."""
    from formulaic import Formula
    from formulaic.errors import FormulaicError

    allowed = "the right-hand side of a formula, such as '~ year + blinded'"
    if not str(formula).strip():
        raise refuse_argument(function, "formula", formula, allowed)
    try:
        parsed = Formula(str(formula))
    except (FormulaicError, SyntaxError, TypeError, ValueError):
        raise refuse_argument(function, "formula", formula, allowed) from None
    if hasattr(parsed, "lhs") or not hasattr(parsed, "required_variables"):
        raise refuse_argument(
            function, "formula", formula, f"{allowed}; the column effect is understood"
        )
    names = {str(name) for name in parsed.required_variables} - {"np"}
    return parsed, sorted(names, key=lambda name: (formula.find(name), name))


def _one(es: pd.DataFrame, name: str, function: str) -> pd.Series:
    column = es[name]
    if isinstance(column, pd.DataFrame):
        problem = Problem(f"column {name}", "it stands there more than once", "one column")
        raise InputError(f"{function}()", [problem], "drop the surplus column")
    return column


def _without_missing(rows: StudyRows, needed: pd.DataFrame) -> tuple[StudyRows, Bools]:
    """The studies with every needed column, and their place among all rows of the table."""
    missing = needed.isna().to_numpy()
    complete = ~missing[rows.kept].any(axis=1)
    kept = rows.kept.copy()
    kept[rows.kept] = complete
    if complete.all():
        return rows, kept
    lost = tuple(
        ExcludedStudy(label, f"missing: {', '.join(needed.columns[gaps])}")
        for label, gaps, whole in zip(rows.labels, missing[rows.kept], complete, strict=True)
        if not whole
    )
    labels = tuple(label for label, whole in zip(rows.labels, complete, strict=True) if whole)
    left = StudyRows(
        effects=rows.effects[complete],
        variances=rows.variances[complete],
        labels=labels,
        kept=kept,
        excluded=(*rows.excluded, *lost),
        measure=rows.measure,
    )
    return left, kept


def _refuse_odd_values(used: pd.DataFrame, *, function: str) -> None:
    problems = []
    for name in used.columns:
        column = used[name]
        values = column.dropna().unique()
        if pd.api.types.is_float_dtype(column) and np.isinf(column.to_numpy()).any():
            problems.append(Problem(f"column {name}", "an infinite value", "finite numbers"))
        elif len(values) == 1 and len(used) > 1:
            found = f"one value only ({values[0]}) in the {len(used)} studies used"
            problems.append(Problem(f"column {name}", found, "at least two different values"))
    if problems:
        names = ", ".join(problem.where.removeprefix("column ") for problem in problems)
        raise InputError(f"{function}()", problems, f"take {names} out of the formula")


def _columns(parsed: Any, used: pd.DataFrame, *, k: int, function: str) -> tuple[pd.DataFrame, Any]:
    from formulaic.errors import FormulaicError

    if not len(used.columns):
        if not len(parsed):
            raise refuse_argument(function, "formula", str(parsed), "at least one term")
        return pd.DataFrame({"Intercept": np.ones(k)}), None
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            made = parsed.get_model_matrix(used, context={"np": np}, na_action="ignore")
    except (FormulaicError, ValueError, TypeError, KeyError, AttributeError) as error:
        found = f"{parsed}: {str(error).splitlines()[0]}"
        problem = Problem("argument formula", found, "terms that can be computed from the columns")
        raise InputError(f"{function}()", [problem], "correct the formula") from None
    frame = pd.DataFrame(made)
    broken = [
        str(name) for name in frame.columns if not np.isfinite(frame[name].astype(float)).all()
    ]
    if broken:
        problem = Problem(
            f"terms {', '.join(broken)}", "undefined for some studies", "finite numbers"
        )
        raise InputError(f"{function}()", [problem], "use a transformation defined for every study")
    return frame, made.model_spec


def _refuse_undetermined(x: Floats, terms: tuple[str, ...], *, function: str) -> None:
    """Fewer studies than coefficients, or a column that follows from the ones before it."""
    k, p = x.shape
    if k < p or not k:
        problem = Problem(
            "argument es",
            f"{k} studies with all moderators for {p} coefficients ({list_some(terms)})",
            f"at least {max(p, 1)} studies",
        )
        raise InputError(f"{function}()", [problem], "use fewer moderators or levels")
    size = np.sqrt((x * x).sum(axis=0))
    scaled = x / np.where(size > 0, size, 1.0)
    for j in range(p):
        solution = np.linalg.lstsq(scaled[:, :j], scaled[:, j], rcond=None)[0]
        rest = scaled[:, j] - scaled[:, :j] @ solution
        if np.sqrt(rest @ rest) < SAME_DIRECTION:
            source = [terms[i] for i in range(j) if abs(solution[i]) > 1e-8]
            found = (
                f"follows exactly from {list_some(source)} in the {k} studies used"
                if source
                else "is 0 in all studies used"
            )
            problem = Problem(f"term {terms[j]}", found, "moderators that are not collinear")
            raise InputError(f"{function}()", [problem], f"take {terms[j]} out of the formula")
