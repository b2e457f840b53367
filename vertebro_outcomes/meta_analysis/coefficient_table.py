"""Estimates, intervals and tests of regression coefficients as a table."""

import numpy as np
import pandas as pd

from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.t_interval import t_quantile, t_tail


def certain_terms(covariance: Floats) -> tuple[str, ...]:
    """The note where a coefficient has a standard error of 0, as no residual is left."""
    if (np.diag(covariance) > 0).all() or np.isnan(covariance).any():
        return ()
    return (
        "The effects lie exactly on the model, so that an interval from their spread has no width, "
        "which is no certainty; compare ci='wald' without robust.",
    )


def coefficient_table(
    terms: tuple[str, ...], estimate: Floats, *, covariance: Floats, df: Floats, level: float
) -> pd.DataFrame:
    """One row per term: `estimate se ci_low ci_high statistic df p_value`.

    `df` is infinite where the normal distribution is meant.
    """
    se = np.sqrt(np.diag(covariance))
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = estimate / se
    half = t_quantile(df, level=level) * se
    return pd.DataFrame(
        {
            "estimate": estimate,
            "se": se,
            "ci_low": estimate - half,
            "ci_high": estimate + half,
            "statistic": statistic,
            "df": df,
            "p_value": 2.0 * t_tail(df, np.abs(statistic)),
        },
        index=pd.Index(terms, name="term"),
    )
