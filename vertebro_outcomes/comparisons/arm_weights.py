"""Propensity weights of patients for times to events."""

from collections.abc import Sequence
from typing import Final, Literal, get_args

import numpy as np
import pandas as pd

from vertebro_outcomes.comparisons.hazard_models import alike_of, all_known, covariate_columns
from vertebro_outcomes.errors import InputError, Problem, refuse_argument
from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.propensity.logistic import fit_logistic, fit_multinomial
from vertebro_outcomes.estimators.propensity.weights import balancing_weights, multinomial_weights
from vertebro_outcomes.estimators.unanswerable import UnanswerableError

Adjust = Literal["none", "overlap_weighting", "ate_weighting", "att_weighting"]
KIND: Final = {"overlap_weighting": "overlap", "ate_weighting": "ate", "att_weighting": "att"}
FIXED: Final = (
    "Propensity weights count as known in the standard errors, which is on the safe side."
)


def check_adjust(function: str, adjust: object, covariates: Sequence[str] | None) -> None:
    """Refuse an unknown adjustment, and weights without covariates."""
    if adjust not in get_args(Adjust):
        raise refuse_argument(function, "adjust", adjust, ", ".join(get_args(Adjust)))
    if adjust != "none" and not covariates:
        raise refuse_argument(function, "covariates", covariates, "what the weights are to balance")


def with_weights(
    people: pd.DataFrame,
    *,
    covariates: Sequence[str],
    adjust: Adjust,
    arm: Floats,
    function: str,
    notes: list[str],
) -> tuple[pd.DataFrame, Floats | None]:
    """Patients with every covariate known, and the weight of each (of each of those alike).

    `arm` numbers the arms from 0; of two arms the treated one is 1. Weights average one.
    """
    if adjust == "none":
        return people, None
    x, _ = covariate_columns(people, tuple(covariates), function)
    whole = all_known(people, x, notes)
    people, x, arm = people.loc[whole].reset_index(drop=True), x[whole], arm[whole]
    alike = alike_of(people)
    several = int(arm.max(initial=0)) > 1
    if several and adjust == "att_weighting":
        raise refuse_argument(function, "adjust", adjust, "overlap_weighting or ate_weighting here")
    try:
        if np.unique(arm).size < 2:
            raise UnanswerableError("only one arm has patients with every covariate known")
        if several:
            kind: Literal["overlap", "ate"] = "ate" if adjust == "ate_weighting" else "overlap"
            w = multinomial_weights(
                fit_multinomial(x, arm.astype(np.int64), weight=alike).probability, arm, kind=kind
            )
        else:
            treated = arm == 1
            e = fit_logistic(x, treated, weight=alike).probability
            w = balancing_weights(e, treated, kind=KIND[adjust])  # type: ignore[arg-type]
    except UnanswerableError as reason:
        problem = Problem("argument covariates", str(reason), "covariates on which arms overlap")
        step = "leave out the covariate that separates the arms or repeats another"
        raise InputError(f"{function}()", [problem], step) from None
    notes.append(FIXED)
    return people, w / np.average(w, weights=alike)
