"""Leave out patients like whom hardly anybody had the other treatment; the flow chart counts them."""

import numpy as np

from vertebro_outcomes.comparisons.covariates import Covariates
from vertebro_outcomes.comparisons.sample import FlowChart
from vertebro_outcomes.comparisons.tuning import Tuning
from vertebro_outcomes.display.numbers import number
from vertebro_outcomes.errors import InputError, Problem
from vertebro_outcomes.estimators.propensity.logistic import fit_logistic
from vertebro_outcomes.estimators.propensity.trimming import kept_range
from vertebro_outcomes.estimators.unanswerable import UnanswerableError


def trim(flow: FlowChart, used: Covariates, *, tuning: Tuning) -> None:
    """Drop patients outside the range of the rule; the propensity is fitted again without them.

    Raises
    ------
    InputError
        If the propensity cannot be estimated.
    """
    assert tuning.trim is not None
    kept = flow.kept.copy()
    try:
        e = fit_logistic(used.x[kept], flow.treated[kept]).probability
    except UnanswerableError as reason:
        problem = Problem("argument trim", str(reason), "covariates that leave some overlap")
        raise InputError(
            "compare()", [problem], "restrict the cohort, or change covariates"
        ) from None
    low, high = kept_range(e, flow.treated[kept], rule=tuning.trim, at=tuning.trim_at)
    out = np.zeros(len(kept), dtype=bool)
    out[kept] = (e < low) | (e > high)
    words = f"propensity outside {number(low, 3)} to {number(high, 3)} ({tuning.trim} trimming)"
    flow.drop(out, words, always=True)
