"""Pool effects by inverse variance: common effect or random effects."""

import math
from typing import Final

import numpy as np
import pandas as pd
from scipy import special

from vertebro_outcomes.dialects import DIALECTS, Dialect
from vertebro_outcomes.errors import refuse_argument
from vertebro_outcomes.estimators.pooled.heterogeneity import TAU2_METHODS, Tau2Method
from vertebro_outcomes.estimators.pooled.inverse_variance import (
    INTERVALS,
    PREDICTIONS,
    Interval,
    InverseVarianceFit,
    Prediction,
    fit_inverse_variance,
)
from vertebro_outcomes.meta_analysis.study_rows import StudyRows, numeric_column, study_rows
from vertebro_outcomes.results.pooled_effect import PooledEffect

NO_SPREAD: Final = 1e-12  # HKSJ over Wald standard error below which only rounding is left


def pool(
    es: pd.DataFrame,
    *,
    method: Tau2Method | None = None,
    ci: Interval | None = None,
    level: float = 0.95,
    prediction: Prediction | None = None,
    dialect: str = "metafor",
    measure: str | None = None,
) -> PooledEffect:
    """Pool the effects of several studies.

    Parameters
    ----------
    es : DataFrame
        `effect` and `variance` on the analysis scale (log for ratios), as `effect_sizes` gives;
        optional `study`, `measure`. Rows where either is NaN are left out and listed.
    method
        tau² estimator: DL HE HS SJ ML REML EB PM, or EE for the common effect. Default: the dialect's.
    ci
        "wald" (normal quantile), "hksj" (Hartung-Knapp-Sidik-Jonkman, t on k - 1), "hksj_adhoc"
        (the same, its standard error never below the Wald one). Default: the dialect's.
    level : float
        Confidence level of all intervals, between 0 and 1.
    prediction
        Quantile of the prediction interval: "z", "t_k1", "t_k2", "none". Default: the dialect's;
        under "metafor" normal with `ci="wald"`, t on k - 1 otherwise.
    dialect
        A name of `DIALECTS`; explicit arguments win over it.
    measure
        Name of `MEASURES`, if `es` has no such column.

    Returns
    -------
    PooledEffect
        On the analysis scale. A single study is returned as it is, with its Wald interval.

    Raises
    ------
    InputError
        Missing columns, text, zero or negative variances, no usable study, unknown options.

    References
    ----------
    Viechtbauer (2010), J Stat Softw 36(3), doi:10.18637/jss.v036.i03, for the quantities reported;
    the estimators name their own.

    Examples
    --------
    >>> import pandas as pd, vertebro_outcomes as vo
    >>> es = pd.DataFrame({"effect": [-0.9, -0.3, -0.5], "variance": [0.10, 0.05, 0.08]})
    >>> fit = vo.pool(es, method="EE")
    >>> round(fit.estimate, 4), fit.k
    (-0.5, 3)
    """
    rules = pick_dialect(dialect, function="pool")
    method = method or rules.tau2_method
    ci = ci or rules.ci
    check_option("method", method, TAU2_METHODS)
    check_option("ci", ci, INTERVALS)
    check_option("prediction", prediction or "none", PREDICTIONS)
    check_level(level, function="pool")
    rows = study_rows(es, function="pool", measure=measure)
    if not len(rows.effects):
        raise refuse_argument(
            "pool", "es", f"{len(es)} rows, none with an effect", "at least one study"
        )
    fit = fit_inverse_variance(rows.effects[None, :], rows.variances[None, :], method=method)
    return _result(fit, rows, es, method=method, ci=ci, level=level, rules=rules, asked=prediction)


def pick_dialect(name: str, *, function: str) -> Dialect:
    """The dialect of that name, or an InputError that lists the known ones."""
    if name not in DIALECTS:
        raise refuse_argument(function, "dialect", name, ", ".join(DIALECTS))
    return DIALECTS[name]


def check_level(level: object, *, function: str) -> None:
    """Raise an InputError unless the confidence level lies strictly between 0 and 1."""
    if not isinstance(level, int | float | np.number) or not 0 < level < 1:
        raise refuse_argument(function, "level", level, "a number between 0 and 1, such as 0.95")


def check_option(
    argument: str, value: object, allowed: tuple[str, ...], *, function: str = "pool"
) -> None:
    """Raise an InputError that lists what is allowed unless `value` is one of it."""
    if value not in allowed:
        raise refuse_argument(function, argument, value, ", ".join(allowed))


def _result(
    fit: InverseVarianceFit,
    rows: StudyRows,
    es: pd.DataFrame,
    *,
    method: Tau2Method,
    ci: Interval,
    level: float,
    rules: Dialect,
    asked: Prediction | None,
) -> PooledEffect:
    k = len(rows.effects)
    estimate = float(fit.estimate[0])
    se = float(fit.standard_error(ci=ci)[0])
    half = float(fit.quantile(ci=ci, level=level)[0]) * se
    predicted = asked if asked is not None else rules.prediction
    reach = float(fit.prediction_half_width(prediction=predicted, ci=ci, level=level)[0])
    statistic = (
        estimate / se if se > 0 else math.copysign(math.inf, estimate) if estimate else math.nan
    )
    q, df = float(fit.q[0]), k - 1
    return PooledEffect(
        measure=rows.measure,
        method=method,
        ci=ci,
        level=level,
        dialect=rules.name,
        k=k,
        estimate=estimate,
        se=se,
        ci_low=estimate - half,
        ci_high=estimate + half,
        statistic=statistic,
        p_value=two_sided(statistic, df=None if ci == "wald" or k == 1 else df),
        tau2=float(fit.tau2[0]),
        i2_pct=float(fit.i2_pct(definition=rules.i2)[0]),
        h2=float(fit.h2(definition=rules.i2)[0]),
        q=q,
        q_df=df,
        q_p_value=float(special.chdtrc(df, q)) if df else 1.0,
        prediction_low=estimate - reach,
        prediction_high=estimate + reach,
        labels=rows.labels,
        effects=rows.effects,
        variances=rows.variances,
        weights_pct=100.0 * fit.weights[0] / fit.weights[0].sum(),
        excluded=rows.excluded,
        notes=_notes(fit, k=k, ci=ci, method=method, measure=rows.measure),
        harmonic_n=_harmonic_n(es, rows) if rows.measure == "PFT" else None,
    )


def no_width(where: str) -> str:
    """The note where all effects agree, so that HKSJ sees no spread at all."""
    return (
        f"All effects agree in {where}: the HKSJ interval has no width, which is no certainty; "
        "compare ci='hksj_adhoc'."
    )


def two_sided(statistic: float, *, df: float | None) -> float:
    """Two-sided p-value from the normal (df None) or the t distribution."""
    if math.isnan(statistic):
        return math.nan
    tail = special.ndtr(-abs(statistic)) if df is None else special.stdtr(df, -abs(statistic))
    return float(2.0 * tail)


def _harmonic_n(es: pd.DataFrame, rows: StudyRows) -> float | None:
    if "n" not in es.columns:
        return None
    n = numeric_column(es, "n", function="pool")[rows.kept]
    return float(len(n) / np.sum(1.0 / n))


def _notes(
    fit: InverseVarianceFit, *, k: int, ci: Interval, method: str, measure: str
) -> tuple[str, ...]:
    notes = []
    if not fit.converged[0]:
        notes.append(
            f"The search for tau² ({method}) did not end; estimate and interval are not safe."
        )
    if k == 1:
        notes.append("One study only: nothing was pooled, heterogeneity cannot be estimated.")
        if ci != "wald":
            notes.append("The interval is the study's own Wald interval.")
    elif ci == "hksj" and fit.se_hksj[0] <= NO_SPREAD * fit.se_wald[0]:
        notes.append(no_width("this pool"))
    elif ci == "hksj" and fit.se_hksj[0] < fit.se_wald[0]:
        notes.append("The HKSJ standard error is below the Wald one; compare ci='hksj_adhoc'.")
    if measure == "PFT":
        notes.append(
            "Back-transforming a pooled double arcsine with the harmonic mean of n can mislead when "
            "study sizes differ much (Schwarzer et al. 2019, doi:10.1002/jrsm.1348); compare PLO."
        )
    return tuple(notes)
