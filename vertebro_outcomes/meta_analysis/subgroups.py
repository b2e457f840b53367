"""Pool by subgroup, and test whether the subgroups differ."""

import math
from dataclasses import replace
from functools import partial
from typing import cast

import numpy as np
import pandas as pd
from scipy import special

from vertebro_outcomes.errors import InputError, Problem
from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.pooled.heterogeneity import Tau2Method
from vertebro_outcomes.estimators.pooled.inverse_variance import Interval, Prediction
from vertebro_outcomes.estimators.pooled.mixed_effects import MixedEffectsFit, fit_mixed_effects
from vertebro_outcomes.estimators.t_interval import t_quantile, t_tail
from vertebro_outcomes.meta_analysis.pool import pool
from vertebro_outcomes.meta_analysis.study_rows import require_columns, study_rows
from vertebro_outcomes.results.pooled_effect import ExcludedStudy, PooledEffect
from vertebro_outcomes.results.subgroups import Subgroups


def subgroups(
    es: pd.DataFrame,
    *,
    by: str,
    method: Tau2Method | None = None,
    ci: Interval | None = None,
    level: float = 0.95,
    prediction: Prediction | None = None,
    dialect: str = "metafor",
    measure: str | None = None,
    common_tau2: bool = False,
) -> Subgroups:
    """Pool the studies of each subgroup and test whether the subgroups differ.

    Parameters
    ----------
    es : DataFrame
        `effect` and `variance` as for `pool`, and the column `by`. Rows without a value there are
        left out and listed.
    by : str
        Column that names the subgroup.
    method, ci, level, prediction, dialect, measure
        As for `pool`.
    common_tau2 : bool
        False: tau² is estimated in each subgroup (meta, RevMan). True: one tau² for all, as in a
        meta-regression on the subgroup; HKSJ intervals and the F test then share k - groups df.

    Returns
    -------
    Subgroups
        Q between is Σ (effect - mean)² / se² over the pooled subgroup effects, weights 1/se².

    Raises
    ------
    InputError
        No column `by`, fewer than two subgroups, or what `pool` refuses.

    Reference
    ---------
    Borenstein and Higgins (2013), Prev Sci 14:134-143, doi:10.1007/s11121-013-0377-7.

    Examples
    --------
    >>> import pandas as pd, vertebro_outcomes as vo
    >>> es = pd.DataFrame({"effect": [0.1, 0.3, 0.6, 0.8], "variance": [0.02] * 4, "blind": list("yynn")})
    >>> vo.subgroups(es, by="blind", method="DL")["y"].estimate.__round__(2)
    0.2
    """
    rows = study_rows(es, function="subgroups", measure=measure)
    require_columns(es, [by], function="subgroups")
    named = es[by].notna().to_numpy()
    used = es[rows.kept & named]
    names = sorted(map(str, used[by].unique()))
    if len(names) < 2:
        found = (
            f"{len(names)} subgroup{'' if len(names) == 1 else 's'} ({', '.join(names) or 'none'})"
        )
        problem = Problem(f"column {by}", found, "at least two different values")
        raise InputError("subgroups()", [problem], "pool these studies with pool()")
    label = used[by].map(str)
    pooled = partial(
        pool,
        method=method,
        ci=ci,
        level=level,
        prediction=prediction,
        dialect=dialect,
        measure=rows.measure,
    )
    fits = {name: pooled(used[label == name]) for name in names}
    overall = pooled(used)
    df2 = math.inf
    if common_tau2:
        fits, left = _sharing_tau2(
            fits, label, used, measure=rows.measure, method=cast("Tau2Method", overall.method)
        )
        if overall.ci != "wald" and left > 0:
            df2 = float(left)
    q, df = _between(list(fits.values()))
    if math.isinf(df2):
        p_value = float(special.chdtrc(df, q))
    else:
        q = q / df
        p_value = float(special.fdtrc(df, df2, q))
    unnamed = tuple(
        ExcludedStudy(label, f"missing: {by}")
        for label, known in zip(rows.labels, named[rows.kept], strict=True)
        if not known
    )
    return Subgroups(
        by=by,
        groups=fits,
        overall=overall,
        common_tau2=common_tau2,
        q_between=q,
        q_between_df=df,
        q_between_df2=df2,
        q_between_p_value=p_value,
        excluded=(*rows.excluded, *unnamed),
    )


def _between(fits: list[PooledEffect]) -> tuple[float, int]:
    estimate = np.array([fit.estimate for fit in fits])
    w = 1.0 / np.array([fit.se for fit in fits]) ** 2
    mean = (w * estimate).sum() / w.sum()
    return float((w * (estimate - mean) ** 2).sum()), len(fits) - 1


def _sharing_tau2(
    fits: dict[str, PooledEffect],
    label: pd.Series,
    used: pd.DataFrame,
    *,
    measure: str,
    method: Tau2Method,
) -> tuple[dict[str, PooledEffect], int]:
    """The subgroups of one model with a mean for each and a single tau²; and its residual df."""
    rows = study_rows(used, function="subgroups", measure=measure)
    x = np.array([[one == name for name in fits] for one in label], dtype=float)
    fit = fit_mixed_effects(rows.effects[None], rows.variances[None], x=x, method=method)
    left = int(fit.df[0])
    shared = {
        name: _with_shared_tau2(old, fit, place=j, x=x[:, j])
        for j, (name, old) in enumerate(fits.items())
    }
    return shared, left


def _with_shared_tau2(
    old: PooledEffect, fit: MixedEffectsFit, *, place: int, x: Floats
) -> PooledEffect:
    estimate, tau2 = float(fit.beta[0, place]), float(fit.tau2[0])
    se = math.sqrt(float(fit.covariance(ci=cast("Interval", old.ci))[0, place, place]))
    df = np.array(math.inf if old.ci == "wald" or fit.df[0] <= 0 else float(fit.df[0]))
    quantile = float(t_quantile(df, level=old.level))
    reach = quantile * math.sqrt(se**2 + tau2) if not math.isnan(old.prediction_low) else math.nan
    w = fit.weights[0][x > 0]
    typical = float(fit.typical_variance[0])
    return replace(
        old,
        estimate=estimate,
        se=se,
        ci_low=estimate - quantile * se,
        ci_high=estimate + quantile * se,
        statistic=estimate / se,
        p_value=float(2.0 * t_tail(df, np.array(abs(estimate / se)))),
        tau2=tau2,
        i2_pct=old.i2_pct if fit.common_effect or not typical else 100.0 * tau2 / (tau2 + typical),
        h2=old.h2 if fit.common_effect or not typical else 1.0 + tau2 / typical,
        prediction_low=estimate - reach,
        prediction_high=estimate + reach,
        weights_pct=100.0 * w / w.sum(),
        tau2_method=False,
        notes=(*old.notes, "tau² and I² are shared by all subgroups."),
    )
