"""Numbers behind a contour-enhanced funnel plot."""

from typing import Final

import numpy as np
import pandas as pd
from scipy import special

from vertebro_outcomes.errors import refuse_argument
from vertebro_outcomes.estimators.pooled.heterogeneity import TAU2_METHODS, Tau2Method
from vertebro_outcomes.estimators.pooled.inverse_variance import fit_inverse_variance
from vertebro_outcomes.measures import MEASURES
from vertebro_outcomes.meta_analysis.pool import check_level, check_option
from vertebro_outcomes.meta_analysis.study_rows import study_rows

CONTOUR_LEVELS: Final = (0.10, 0.05, 0.01)  # two-sided p, as in Peters et al. (2008)
_FUNCTION = "funnel_data"


def funnel_data(
    es: pd.DataFrame,
    *,
    method: Tau2Method = "EE",
    level: float = 0.95,
    measure: str | None = None,
) -> pd.DataFrame:
    """Every study with its place in the funnel and its significance contour.

    Parameters
    ----------
    es : DataFrame
        `effect` and `variance` on the analysis scale; optional `study`, `measure`.
    method
        How the centre of the funnel is pooled; "EE" is the common effect.
    level : float
        Of the pseudo-interval around the centre, between 0 and 1.
    measure
        Name of `MEASURES`, if `es` has no such column.

    Returns
    -------
    DataFrame
        `study effect variance se centre pseudo_ci_low pseudo_ci_high p_value contour` and, at the
        study's standard error, the limits of two-sided p = 0.10, 0.05 and 0.01 around no effect:
        `p10_low p10_high p05_low p05_high p01_low p01_high`. One-arm measures have no contours (NaN).

    Raises
    ------
    InputError
        No usable study, missing columns, unknown options.

    References
    ----------
    Peters et al. (2008), J Clin Epidemiol 61:991-996, doi:10.1016/j.jclinepi.2007.11.010.

    Examples
    --------
    >>> import pandas as pd, vertebro_outcomes as vo
    >>> es = pd.DataFrame({"effect": [-0.9, -0.3], "variance": [0.10, 0.05]})
    >>> vo.funnel_data(es)["contour"].tolist()
    ['p < 0.01', 'p >= 0.1']
    """
    check_level(level, function=_FUNCTION)
    check_option("method", method, TAU2_METHODS, function=_FUNCTION)
    rows = study_rows(es, function=_FUNCTION, measure=measure)
    if not len(rows.effects):
        raise refuse_argument(_FUNCTION, "es", "no usable study", "at least one study")
    y, se = rows.effects, np.sqrt(rows.variances)
    fit = fit_inverse_variance(y[None, :], rows.variances[None, :], method=method)
    centre = float(fit.estimate[0])
    reach = -special.ndtri((1.0 - level) / 2.0) * se
    no_effect = MEASURES[rows.measure].no_effect
    p = 2.0 * special.ndtr(-np.abs(y - no_effect) / se)
    frame = pd.DataFrame(
        {
            "study": list(rows.labels),
            "effect": y,
            "variance": rows.variances,
            "se": se,
            "centre": centre,
            "pseudo_ci_low": centre - reach,
            "pseudo_ci_high": centre + reach,
            "p_value": p,
            "contour": [_contour(value) for value in p],
        }
    )
    for alpha in CONTOUR_LEVELS:
        z = -special.ndtri(alpha / 2.0)
        frame[f"p{100 * alpha:02.0f}_low"] = no_effect - z * se
        frame[f"p{100 * alpha:02.0f}_high"] = no_effect + z * se
    return frame


def _contour(p: float) -> str | None:
    if np.isnan(p):
        return None
    below = [alpha for alpha in CONTOUR_LEVELS if p < alpha]
    return f"p < {min(below):g}" if below else f"p >= {max(CONTOUR_LEVELS):g}"
