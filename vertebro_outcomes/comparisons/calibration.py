"""Effects calibrated with negative controls, beside the uncalibrated ones."""

import numpy as np
import pandas as pd

from vertebro_outcomes.errors import InputError, Problem, refuse_argument
from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.negative_controls import (
    calibrate_estimates,
    fit_systematic_error,
)

FEWEST_CONTROLS = 5  # two numbers are learnt from them; fewer say next to nothing about a spread


def calibrate(
    effects: pd.DataFrame, *, controls: pd.DataFrame, level: float = 0.95
) -> pd.DataFrame:
    """Add calibrated intervals and p-values to effects.

    Parameters
    ----------
    effects : DataFrame
        `estimate` and `se` on a scale where no effect is zero (differences, log ratios), such as
        `Comparison.to_frame()`.
    controls : DataFrame
        `estimate` and `se` of outcomes that the treatment cannot change, estimated the same way; at
        least five, better tens.
    level : float
        Of the intervals.

    Returns
    -------
    DataFrame
        `effects` with `calibrated_estimate calibrated_se calibrated_ci_low calibrated_ci_high
        calibrated_p_value systematic_error_mean systematic_error_sd n_controls`.

    Raises
    ------
    InputError
        If a column is missing, a standard error is not above zero, or controls are too few.

    Reference
    ---------
    Schuemie et al. (2018), PNAS 115:2571-2577, doi:10.1073/pnas.1708282114.

    Examples
    --------
    >>> controls = pd.DataFrame({"estimate": [0.3, 0.1, 0.2, 0.4, 0.25, 0.15], "se": [0.1] * 6})
    >>> found = calibrate(pd.DataFrame({"estimate": [0.3], "se": [0.1]}), controls=controls)
    >>> found["calibrated_estimate"].round(3).tolist()
    [0.067]
    """
    share: object = level
    if not isinstance(share, float) or not 0 < share < 1:
        raise refuse_argument("calibrate", "level", level, "between 0 and 1, such as 0.95")
    estimate, se = _columns(effects, "effects", fewest=1)
    error = fit_systematic_error(*_columns(controls, "controls", fewest=FEWEST_CONTROLS))
    found = calibrate_estimates(estimate, se, error=error, level=level)
    return effects.assign(
        calibrated_estimate=found.estimate,
        calibrated_se=found.se,
        calibrated_ci_low=found.ci_low,
        calibrated_ci_high=found.ci_high,
        calibrated_p_value=found.p_value,
        systematic_error_mean=error.mean,
        systematic_error_sd=error.sd,
        n_controls=error.n_controls,
    )


def _columns(frame: pd.DataFrame, name: str, *, fewest: int) -> tuple[Floats, Floats]:
    given: object = frame
    if not isinstance(given, pd.DataFrame) or not {"estimate", "se"} <= set(frame.columns):
        raise refuse_argument(
            "calibrate", name, type(frame).__name__, "a frame with estimate and se"
        )
    numbers = frame[["estimate", "se"]].apply(pd.to_numeric, errors="coerce").to_numpy(float)
    if not np.isfinite(numbers).all() or not (numbers[:, 1] > 0).all():
        problem = Problem(
            f"argument {name}",
            "a blank, a word, an infinite number, or a se not above 0",
            "finite numbers, se > 0",
        )
        raise InputError("calibrate()", [problem], "leave out rows without an estimate")
    if len(numbers) < fewest:
        problem = Problem(f"argument {name}", f"{len(numbers)} rows", f"at least {fewest}")
        raise InputError("calibrate()", [problem], "add negative controls")
    return numbers[:, 0], numbers[:, 1]
