"""Many meta-analyses in one call, on arrays."""

from dataclasses import dataclass, fields
from typing import Final

import numpy as np

from vertebro_outcomes.errors import InputError, Problem, list_some, refuse_argument
from vertebro_outcomes.estimators.arrays import Floats, Ints
from vertebro_outcomes.estimators.pooled.heterogeneity import TAU2_METHODS, Tau2Method
from vertebro_outcomes.estimators.pooled.inverse_variance import (
    INTERVALS,
    Interval,
    fit_inverse_variance,
)
from vertebro_outcomes.meta_analysis.pool import check_level, check_option
from vertebro_outcomes.meta_analysis.study_rows import IN_RANGE, out_of_range

ROWS_AT_ONCE: Final = 8192  # a block of rows that stays in the processor's cache


@dataclass(frozen=True)
class ManyPooled:
    """Arrays of length B, one value per meta-analysis, analysis scale; NaN for a row without studies."""

    estimate: Floats
    se: Floats
    ci_low: Floats
    ci_high: Floats
    tau2: Floats
    q: Floats
    i2_pct: Floats
    k: Ints


def pool_many(
    effects: Floats,
    variances: Floats,
    *,
    method: Tau2Method = "REML",
    ci: Interval = "wald",
    level: float = 0.95,
) -> ManyPooled:
    """Pool every row of two arrays; equal to a call of `pool` per row.

    Parameters
    ----------
    effects, variances : array-like of shape (B, k)
        One meta-analysis per row, analysis scale; NaN marks an absent study.
    method, ci, level
        As for `pool`.

    Raises
    ------
    InputError
        Shapes that differ, text, infinite values, variances of zero or below, unknown options.

    Examples
    --------
    >>> import numpy as np, vertebro_outcomes as vo
    >>> many = vo.pool_many(np.array([[0.1, 0.3], [0.2, np.nan]]), np.full((2, 2), 0.04))
    >>> many.estimate.round(2).tolist(), many.k.tolist()
    ([0.2, 0.2], [2, 1])
    """
    check_option("method", method, TAU2_METHODS, function="pool_many")
    check_option("ci", ci, INTERVALS, function="pool_many")
    check_level(level, function="pool_many")
    y, v = _arrays(effects, variances)
    blocks = [
        _pool_block(
            y[i : i + ROWS_AT_ONCE], v[i : i + ROWS_AT_ONCE], method=method, ci=ci, level=level
        )
        for i in range(0, len(y), ROWS_AT_ONCE)
    ] or [_pool_block(y, v, method=method, ci=ci, level=level)]
    return ManyPooled(
        **{
            field.name: np.concatenate([getattr(block, field.name) for block in blocks])
            for field in fields(ManyPooled)
        }
    )


def _pool_block(
    y: Floats, v: Floats, *, method: Tau2Method, ci: Interval, level: float
) -> ManyPooled:
    fit = fit_inverse_variance(y, v, method=method)
    se = np.where(fit.k > 0, fit.standard_error(ci=ci), np.nan)
    half = fit.quantile(ci=ci, level=level) * se
    return ManyPooled(
        estimate=fit.estimate,
        se=se,
        ci_low=fit.estimate - half,
        ci_high=fit.estimate + half,
        tau2=fit.tau2,
        q=fit.q,
        i2_pct=fit.i2_pct(),
        k=fit.k,
    )


def _arrays(effects: Floats, variances: Floats) -> tuple[Floats, Floats]:
    try:
        y, v = np.asarray(effects, dtype=float), np.asarray(variances, dtype=float)
    except (TypeError, ValueError):
        found = "values that are no numbers, or rows of different length"
        raise refuse_argument("pool_many", "effects, variances", found, "numbers (B, k)") from None
    if y.ndim != 2 or y.shape != v.shape or y.shape[1] < 1:
        found = f"shapes {y.shape} and {v.shape}"
        raise refuse_argument("pool_many", "effects, variances", found, "two arrays (B, k), k >= 1")
    beyond = [where for _, _, where, _ in out_of_range(y, v)]
    bad = (v <= 0) | np.isinf(v) | np.isinf(y) | np.logical_or.reduce(beyond)
    if bad.any():
        rows = np.flatnonzero(bad.any(axis=1))
        problem = Problem(
            f"rows {list_some(rows.tolist())} (from 0)",
            "an infinite value, a variance of zero or below, or a number too small or large",
            f"finite effects and positive variances, {IN_RANGE}; NaN for an absent study",
        )
        raise InputError("pool_many()", [problem], "correct these rows, or set them to NaN")
    return y, v
