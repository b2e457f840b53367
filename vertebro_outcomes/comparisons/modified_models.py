"""The models that let an effect follow a modifier, one for each method."""

from typing import Final, Literal, Protocol

import numpy as np

from vertebro_outcomes.comparisons.comparable import refuse_apart
from vertebro_outcomes.comparisons.covariates import Covariates
from vertebro_outcomes.comparisons.fitting import refuse_constant_arms
from vertebro_outcomes.comparisons.judgement import (
    balance_table,
    failure_words,
    weighted_diagnostics,
)
from vertebro_outcomes.comparisons.modifiers import CALL
from vertebro_outcomes.comparisons.preparation import Prepared
from vertebro_outcomes.comparisons.requests import Request
from vertebro_outcomes.errors import InputError, Problem
from vertebro_outcomes.estimators.arrays import Bools, Floats
from vertebro_outcomes.estimators.interaction import fit_linear
from vertebro_outcomes.estimators.propensity.weighted_interaction import fit_weighted_linear
from vertebro_outcomes.estimators.propensity.weights import WeightKind
from vertebro_outcomes.estimators.repeated_measures.interaction import fit_visit_questions
from vertebro_outcomes.estimators.unanswerable import UnanswerableError

ModifiedMethod = Literal[
    "ancova", "mmrm", "overlap_weighting", "ate_weighting", "att_weighting", "matching_weighting"
]
WEIGHTS: Final[dict[str, WeightKind]] = {
    "overlap_weighting": "overlap", "ate_weighting": "ate", "att_weighting": "att",
    "matching_weighting": "matching",
}  # fmt: skip
MODIFIED: Final = ("ancova", "mmrm", *WEIGHTS)


class Questions(Protocol):
    """A fitted model that answers linear questions about the first columns of its design."""

    def at(self, L: Floats) -> tuple[Floats, Floats, Floats]:
        """Estimates, standard errors, degrees of freedom."""
        ...

    def wald(self, L: Floats) -> tuple[float, int, float, float]:
        """F, its two degrees of freedom, p-value."""
        ...


def fit_modified(prepared: Prepared, request: Request, X: Floats, used: Covariates) -> Questions:
    """The model of the method: X holds modifier, arm and their products, of the analysed patients.

    Raises
    ------
    InputError
        If the data do not determine it.
    """
    kept = prepared.flow.kept
    x, treated, y = used.x[kept], prepared.flow.treated[kept], prepared.y[kept]
    name = request.method.name
    refuse_constant_arms(y, treated, request)
    if name not in WEIGHTS:
        refuse_apart(x, used.names, treated, CALL)
    try:
        if name == "mmrm":
            assert prepared.visits is not None
            varies = np.array([source == "baseline" for source in used.source], dtype=bool)
            return fit_visit_questions(
                prepared.visits[kept], X, x, varies=varies, visit=prepared.visit,
                variance=request.variance,
            )  # fmt: skip
        if name in WEIGHTS:
            return fit_weighted_linear(
                y, X, x=_propensity_columns(X, x, treated), treated=treated, kind=WEIGHTS[name],
                variance=request.variance,
            )  # fmt: skip
        return fit_linear(y, np.hstack([X, x]), variance=request.variance)
    except UnanswerableError as reason:
        problem = Problem(f"method {name}", str(reason), "data that determine the estimate")
        step = "leave out covariates that say the same as the modifier, or use fewer bands"
        raise InputError(f"{CALL}()", [problem], step) from None


def weights_failure(model: Questions, prepared: Prepared, used: Covariates) -> str:
    """The diagnostics of the weights that failed; empty if none did, or there are no weights."""
    w = getattr(model, "weights", None)
    if w is None:
        return ""
    kept = prepared.flow.kept
    treated = prepared.flow.treated[kept]
    terms = tuple(dict.fromkeys(used.source))
    balance = balance_table(used.rows(kept), treated, w, terms)
    return failure_words(weighted_diagnostics(w, treated, balance))


def _propensity_columns(X: Floats, x: Floats, treated: Bools) -> Floats:
    """Covariates, and the columns of the modifier that do not follow from them and the intercept."""
    own = [
        j for j in range(X.shape[1]) if not (X[~treated, j] == 0).all()
    ]  # without those of the arm
    columns = [np.ones(len(x)), *x.T]
    for j in own:
        tried = np.column_stack([*columns, X[:, j]])
        size = np.abs(tried).max(axis=0)
        if (size > 0).all() and np.linalg.svd(tried / size, compute_uv=False)[-1] > 1e-8 * np.sqrt(
            len(x)
        ):
            columns.append(X[:, j])
    return np.column_stack(columns[1:])
