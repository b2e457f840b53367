"""Quantiles and tails of the t distribution, normal where the degrees of freedom are infinite."""

import numpy as np
from scipy import special

from vertebro_outcomes.estimators.arrays import Floats


def t_quantile(df: Floats, *, level: float) -> Floats:
    """Half-width of a two-sided interval in standard errors; NaN where df is not positive."""
    df = np.asarray(df, dtype=float)
    tail = (1.0 - level) / 2.0
    usual = np.where(np.isfinite(df) & (df > 0), df, 1.0)
    t = np.where(df > 0, -special.stdtrit(usual, tail), np.nan)
    return np.where(np.isposinf(df), -special.ndtri(tail), t)


def t_tail(df: Floats, statistic: Floats) -> Floats:
    """Upper tail probability; NaN where df is not positive."""
    df = np.asarray(df, dtype=float)
    usual = np.where(np.isfinite(df) & (df > 0), df, 1.0)
    t = np.where(df > 0, special.stdtr(usual, -statistic), np.nan)
    return np.where(np.isposinf(df), special.ndtr(-statistic), t)
