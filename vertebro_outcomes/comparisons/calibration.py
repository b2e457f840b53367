"""Effects calibrated with negative controls, beside the uncalibrated ones."""

from typing import Protocol

import numpy as np
import pandas as pd

from vertebro_outcomes.errors import InputError, Problem, refuse_argument
from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.negative_controls import (
    calibrate_estimates,
    fit_systematic_error,
)

FEWEST_CONTROLS = 5  # two numbers are learnt from them; fewer say next to nothing about a spread
_PAIR = ["treatment", "comparator"]


class Tabled(Protocol):
    """A result that has a table."""

    def to_frame(self) -> pd.DataFrame: ...


def calibrate(
    effects: pd.DataFrame | Tabled, *, controls: pd.DataFrame, level: float = 0.95
) -> pd.DataFrame:
    """Add calibrated intervals and p-values to effects, beside the uncalibrated ones.

    Parameters
    ----------
    effects : DataFrame or result
        A result of `compare`, `compare_arms` or `compare_methods`, or `estimate` and `se` on a scale
        where no effect is zero (differences, log ratios). Effects without an estimate stay without.
    controls : DataFrame
        `estimate` and `se` of outcomes that the treatment cannot change, estimated the same way, such
        as by `negative_controls`; at least five, better tens. Where both tables name `treatment` and
        `comparator`, every pair of arms has its own systematic error. Rows with a `reason` and
        without an estimate are left out.
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
    table = effects if isinstance(effects, pd.DataFrame) else _table(effects)
    own = table["estimate"].notna() if "estimate" in table else pd.Series(True, index=table.index)
    left = controls
    if isinstance(controls, pd.DataFrame) and {"reason", "estimate"} <= set(controls.columns):
        left = controls[controls["estimate"].notna() | controls["reason"].eq("")]
    known = table[own]
    if not isinstance(left, pd.DataFrame) or not set(_PAIR) <= set(left) & set(table):
        return table.join(_calibrated(known, left, level, "controls"))
    parts = [
        _calibrated(rows, _of_pair(left, t, c), level, f"controls, {t} vs {c}")
        for (t, c), rows in known.groupby(_PAIR, sort=False)
    ]
    return table.join(pd.concat(parts) if parts else _calibrated(known, left, level, "controls"))


def _table(effects: object) -> pd.DataFrame:
    if not hasattr(effects, "to_frame"):
        allowed = "a result, or a frame with estimate and se"
        raise refuse_argument("calibrate", "effects", type(effects).__name__, allowed)
    found: pd.DataFrame = effects.to_frame()
    return found


def _of_pair(controls: pd.DataFrame, t: object, c: object) -> pd.DataFrame:
    """The controls of two arms, whichever way round they were compared."""
    same = (controls["treatment"] == t) & (controls["comparator"] == c)
    turned = (controls["treatment"] == c) & (controls["comparator"] == t)
    mine = controls[same | turned]
    return mine.assign(estimate=mine["estimate"].where(same[mine.index], -mine["estimate"]))


def _calibrated(
    known: pd.DataFrame, controls: pd.DataFrame, level: float, name: str
) -> pd.DataFrame:
    """The added columns."""
    estimate, se = _columns(known, "effects", fewest=1)
    error = fit_systematic_error(*_columns(controls, name, fewest=FEWEST_CONTROLS))
    found = calibrate_estimates(estimate, se, error=error, level=level)
    return pd.DataFrame(
        {
            "calibrated_estimate": found.estimate, "calibrated_se": found.se,
            "calibrated_ci_low": found.ci_low, "calibrated_ci_high": found.ci_high,
            "calibrated_p_value": found.p_value, "systematic_error_mean": error.mean,
            "systematic_error_sd": error.sd, "n_controls": error.n_controls,
        },
        index=known.index,
    )  # fmt: skip


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
