"""Leave each study out in turn, or add one after the other: many pools of one table."""

from typing import Final

import numpy as np
import pandas as pd
from scipy import special

from vertebro_outcomes.dialects import Dialect
from vertebro_outcomes.errors import InputError, Problem, refuse_argument
from vertebro_outcomes.estimators.arrays import Bools, Floats
from vertebro_outcomes.estimators.pooled.heterogeneity import TAU2_METHODS, Tau2Method
from vertebro_outcomes.estimators.pooled.inverse_variance import (
    INTERVALS,
    Interval,
    fit_inverse_variance,
)
from vertebro_outcomes.estimators.t_interval import t_tail
from vertebro_outcomes.meta_analysis.pool import (
    NO_SPREAD,
    check_level,
    check_option,
    no_width,
    pick_dialect,
)
from vertebro_outcomes.meta_analysis.study_rows import StudyRows, require_columns, study_rows
from vertebro_outcomes.results.pooled_effect import ExcludedStudy
from vertebro_outcomes.results.repeated_pools import Kind, RepeatedPools

CELLS_AT_ONCE: Final = 400_000


def leave_one_out(
    es: pd.DataFrame,
    *,
    method: Tau2Method | None = None,
    ci: Interval | None = None,
    level: float = 0.95,
    dialect: str = "metafor",
    measure: str | None = None,
) -> RepeatedPools:
    """Pool all studies but one, each left out in turn.

    Parameters
    ----------
    es : DataFrame
        `effect` and `variance` as for `pool`; at least two usable studies.
    method, ci, level, dialect, measure
        As for `pool`.

    Returns
    -------
    RepeatedPools
        A pool per study, in the order of the rows, named by the study left out.

    Raises
    ------
    InputError
        Fewer than two usable studies, or what `pool` refuses.

    Examples
    --------
    >>> import pandas as pd, vertebro_outcomes as vo
    >>> es = pd.DataFrame({"effect": [0.1, 0.2, 0.9], "variance": [0.02, 0.02, 0.02]})
    >>> vo.leave_one_out(es, method="EE").estimate.round(2).tolist()
    [0.55, 0.5, 0.15]
    """
    rules = pick_dialect(dialect, function="leave_one_out")
    rows = study_rows(es, function="leave_one_out", measure=measure)
    k = len(rows.effects)
    if k < 2:
        raise refuse_argument("leave_one_out", "es", f"{k} usable studies", "at least 2 studies")
    return _pools(
        rows,
        ~np.eye(k, dtype=bool),
        kind="leave_one_out",
        method=method or rules.tau2_method,
        ci=ci or rules.ci,
        level=level,
        rules=rules,
    )


def cumulative(
    es: pd.DataFrame,
    *,
    order: str | None = "year",
    method: Tau2Method | None = None,
    ci: Interval | None = None,
    level: float = 0.95,
    dialect: str = "metafor",
    measure: str | None = None,
) -> RepeatedPools:
    """Pool the first study, the first two, and so on.

    Parameters
    ----------
    es : DataFrame
        `effect` and `variance` as for `pool`, and the column `order`.
    order : str, optional
        Column to sort by, smallest first; rows with equal values keep their order. None takes the
        rows as they come.
    method, ci, level, dialect, measure
        As for `pool`. tau² is estimated anew at each step.

    Returns
    -------
    RepeatedPools
        A pool per study, named by the study added last.

    Raises
    ------
    InputError
        No column `order`, no usable study, or what `pool` refuses.

    Examples
    --------
    >>> import pandas as pd, vertebro_outcomes as vo
    >>> es = pd.DataFrame({"effect": [0.4, 0.2], "variance": [0.02, 0.02], "year": [2015, 2009]})
    >>> vo.cumulative(es, order="year", method="EE").estimate.round(2).tolist()
    [0.2, 0.3]
    """
    rules = pick_dialect(dialect, function="cumulative")
    rows = study_rows(es, function="cumulative", measure=measure)
    if order is not None:
        rows = _in_order(rows, es, order)
    k = len(rows.effects)
    if k < 1:
        raise refuse_argument("cumulative", "es", f"{k} usable studies", "at least one study")
    return _pools(
        rows,
        np.tri(k, dtype=bool),
        kind="cumulative",
        method=method or rules.tau2_method,
        ci=ci or rules.ci,
        level=level,
        rules=rules,
        order=order,
    )


def _in_order(rows: StudyRows, es: pd.DataFrame, order: str) -> StudyRows:
    require_columns(es, [order], function="cumulative")
    values = es[order][rows.kept].reset_index(drop=True)
    try:
        places = values.sort_values(kind="stable", na_position="last").index.to_numpy()
    except TypeError:
        problem = Problem(f"column {order}", "numbers and text mixed", "values that can be sorted")
        raise InputError("cumulative()", [problem], f"correct the column {order}") from None
    places = places[values.notna().to_numpy()[places]]
    lost = tuple(
        ExcludedStudy(label, f"missing: {order}")
        for label, known in zip(rows.labels, values.notna(), strict=True)
        if not known
    )
    return StudyRows(
        effects=rows.effects[places],
        variances=rows.variances[places],
        labels=tuple(rows.labels[i] for i in places),
        kept=rows.kept,
        excluded=(*rows.excluded, *lost),
        measure=rows.measure,
    )


def _pools(
    rows: StudyRows,
    members: Bools,
    *,
    kind: Kind,
    method: Tau2Method,
    ci: Interval,
    level: float,
    rules: Dialect,
    order: str | None = None,
) -> RepeatedPools:
    check_option("method", method, TAU2_METHODS, function=kind)
    check_option("ci", ci, INTERVALS, function=kind)
    check_level(level, function=kind)
    block = max(1, CELLS_AT_ONCE // members.shape[1])
    parts = [
        _block(rows, members[i : i + block], method=method, ci=ci, level=level, rules=rules)
        for i in range(0, len(members), block)
    ]
    columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    safe = columns.pop("converged").astype(bool)
    notes = []
    if not safe.all():
        notes.append(f"The search for tau² ({method}) did not end in {(~safe).sum()} of the pools.")
    if flat := int(columns.pop("flat").sum()):
        notes.append(no_width(f"{flat} of the pools"))
    return RepeatedPools(
        kind=kind,
        measure=rows.measure,
        method=method,
        ci=ci,
        level=level,
        dialect=rules.name,
        labels=rows.labels,
        order=order,
        excluded=rows.excluded,
        notes=tuple(notes),
        **columns,
    )


def _block(
    rows: StudyRows,
    members: Bools,
    *,
    method: Tau2Method,
    ci: Interval,
    level: float,
    rules: Dialect,
) -> dict[str, Floats]:
    y = np.where(members, rows.effects, np.nan)
    v = np.where(members, rows.variances, np.nan)
    fit = fit_inverse_variance(y, v, method=method)
    se = fit.standard_error(ci=ci)
    half = fit.quantile(ci=ci, level=level) * se
    reach = fit.prediction_half_width(prediction=rules.prediction, ci=ci, level=level)
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = fit.estimate / se
    df = np.where((fit.k > 1) & (ci != "wald"), fit.k - 1.0, np.inf)
    q_df = np.maximum(fit.k - 1, 1)
    return {
        "k": fit.k,
        "estimate": fit.estimate,
        "se": se,
        "ci_low": fit.estimate - half,
        "ci_high": fit.estimate + half,
        "statistic": statistic,
        "p_value": 2.0 * t_tail(df, np.abs(statistic)),
        "prediction_low": fit.estimate - reach,
        "prediction_high": fit.estimate + reach,
        "tau2": fit.tau2,
        "i2_pct": fit.i2_pct(definition=rules.i2),
        "h2": fit.h2(definition=rules.i2),
        "q": fit.q,
        "q_p_value": np.where(fit.k > 1, special.chdtrc(q_df, fit.q), 1.0),
        "converged": fit.converged,
        "flat": (ci == "hksj") & (fit.k > 1) & (se <= NO_SPREAD * fit.se_wald),
    }
