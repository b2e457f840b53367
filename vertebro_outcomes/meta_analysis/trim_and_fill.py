"""Trim-and-fill on a table of effects."""

from typing import Final

import numpy as np
import pandas as pd

from vertebro_outcomes.errors import refuse_argument
from vertebro_outcomes.estimators.pooled.heterogeneity import TAU2_METHODS, Tau2Method
from vertebro_outcomes.estimators.pooled.inverse_variance import INTERVALS, Interval
from vertebro_outcomes.estimators.pooled.trim_and_fill import (
    MissingEstimator,
    Side,
    TrimAndFillFit,
    fit_trim_and_fill,
)
from vertebro_outcomes.meta_analysis.pool import check_level, check_option, pool
from vertebro_outcomes.meta_analysis.small_study import FEW_STUDIES
from vertebro_outcomes.meta_analysis.study_rows import study_rows
from vertebro_outcomes.results.adjusted_effect import TrimAndFill

FEWEST_STUDIES: Final = 3  # below 3 there is no funnel
_FUNCTION = "trim_and_fill"


def trim_and_fill(
    es: pd.DataFrame,
    *,
    estimator: MissingEstimator = "L0",
    method: Tau2Method = "DL",
    side: Side | None = None,
    ci: Interval = "wald",
    level: float = 0.95,
    measure: str | None = None,
) -> TrimAndFill:
    """Add the studies that seem to be missing from one side of the funnel, and pool again.

    Parameters
    ----------
    es : DataFrame
        `effect` and `variance` on the analysis scale; optional `study`, `measure`.
    estimator
        Of the number of missing studies: "L0", "R0" or "Q0".
    method
        tau² estimator of every pool, trimmed and filled.
    side
        "left" if studies with small effects are thought to be missing, "right" if those with large ones;
        None: the side opposite to the small studies, by the slope of the effect on its standard error.
    ci, level
        Interval of the pools, as in `pool`.
    measure
        Name of `MEASURES`, if `es` has no such column.

    Returns
    -------
    TrimAndFill
        `estimate`, `ci_low`, `ci_high`, `k_added`, `side`, `filled` (the added rows), and the pool without
        them in `unadjusted`.

    Raises
    ------
    InputError
        Fewer than 3 studies, unknown options, or "Q0" where it is not defined.

    References
    ----------
    Duval and Tweedie (2000), J Am Stat Assoc 95:89-98, doi:10.1080/01621459.2000.10473905, and
    Biometrics 56:455-463, doi:10.1111/j.0006-341X.2000.00455.x.

    Examples
    --------
    >>> import pandas as pd, vertebro_outcomes as vo
    >>> effect, variance = [0.9, 0.8, 0.5, 0.2, 0.1], [0.2, 0.15, 0.08, 0.03, 0.02]
    >>> fit = vo.trim_and_fill(pd.DataFrame({"effect": effect, "variance": variance}))
    >>> fit.k_added, fit.side, round(fit.estimate, 3)
    (2, 'left', 0.215)
    """
    check_option("estimator", estimator, ("L0", "R0", "Q0"), function=_FUNCTION)
    check_option("method", method, TAU2_METHODS, function=_FUNCTION)
    check_option("ci", ci, INTERVALS, function=_FUNCTION)
    check_option("side", side or "left", ("left", "right"), function=_FUNCTION)
    check_level(level, function=_FUNCTION)
    rows = study_rows(es, function=_FUNCTION, measure=measure)
    k = len(rows.effects)
    if k < FEWEST_STUDIES:
        raise refuse_argument(_FUNCTION, "es", f"{k} usable studies", "at least 3 studies")
    fit = fit_trim_and_fill(
        rows.effects, rows.variances, estimator=estimator, method=method, side=side
    )
    if np.isnan(fit.k_added_se):
        raise refuse_argument(
            _FUNCTION,
            "estimator",
            estimator,
            "L0 or R0: Q0 is not defined for so lopsided a funnel",
        )
    unadjusted = pool(es, method=method, ci=ci, level=level, measure=rows.measure)
    filled = _filled(fit, rows.labels)
    there = unadjusted.studies[["study", "effect", "variance"]]
    both = pd.concat([there, filled[there.columns]], ignore_index=True) if len(filled) else there
    return TrimAndFill(
        estimator=estimator,
        side=fit.side,
        k=k,
        k_added=fit.k_added,
        k_added_se=fit.k_added_se,
        adjusted=pool(both, method=method, ci=ci, level=level, measure=rows.measure),
        unadjusted=unadjusted,
        filled=filled,
        notes=_notes(fit, k),
    )


def _filled(fit: TrimAndFillFit, labels: tuple[str, ...]) -> pd.DataFrame:
    mirrors = [labels[i] for i in fit.mirrored]
    return pd.DataFrame(
        {
            "study": [f"filled: {label}" for label in mirrors],
            "effect": fit.effects,
            "variance": fit.variances,
            "se": np.sqrt(fit.variances),
            "mirrors": mirrors,
        }
    )


def _notes(fit: TrimAndFillFit, k: int) -> tuple[str, ...]:
    notes = [
        "Filled studies are a thought experiment: asymmetry has other causes than missing studies."
    ]
    if not fit.converged:
        notes.append("The number of missing studies did not settle; it alternates between rounds.")
    if k < FEW_STUDIES:
        notes.append(
            f"Fewer than {FEW_STUDIES} studies: the number of missing ones is a weak guess."
        )
    return tuple(notes)
