"""The three-parameter selection model on a table of effects."""

from typing import Literal

import numpy as np
import pandas as pd
from scipy import special

from vertebro_outcomes.errors import InputError, Problem, refuse_argument
from vertebro_outcomes.estimators.pooled.selection import (
    LARGEST_DELTA,
    SelectionFit,
    fit_selection,
    significant,
)
from vertebro_outcomes.meta_analysis.pool import check_level, check_option, two_sided
from vertebro_outcomes.meta_analysis.small_study import FEW_STUDIES
from vertebro_outcomes.meta_analysis.study_rows import StudyRows, study_rows
from vertebro_outcomes.results.adjusted_effect import SelectedEffect

Alternative = Literal["greater", "less"]
_FUNCTION = "selection_model"


def selection_model(
    es: pd.DataFrame,
    *,
    alternative: Alternative | None = None,
    alpha: float = 0.025,
    level: float = 0.95,
    measure: str | None = None,
) -> SelectedEffect:
    """Estimate the effect and how much less often non-significant studies are seen.

    Parameters
    ----------
    es : DataFrame
        `effect` and `variance` on the analysis scale; optional `study`, `measure`.
    alternative
        Direction of the effects that are favoured: "greater" or "less" than 0. None: the direction of the
        effect pooled without selection.
    alpha : float
        One-sided p-value at which the chance to be seen changes, between 0 and 1; 0.025 is p = 0.05
        two-sided.
    level : float
        Confidence level, between 0 and 1.
    measure
        Name of `MEASURES`, if `es` has no such column.

    Returns
    -------
    SelectedEffect
        `estimate`, `tau2`, `weight` (of studies with larger p-values, 1 = no selection) and the likelihood
        ratio test `lrt`, `lrt_p_value` against no selection; maximum likelihood throughout.

    Raises
    ------
    InputError
        Fewer than 4 studies, or no study with a p-value above `alpha`.

    References
    ----------
    Vevea and Hedges (1995), Psychometrika 60:419-435, doi:10.1007/BF02294384, equations (3) to (6).

    Examples
    --------
    >>> import pandas as pd, vertebro_outcomes as vo
    >>> effect, variance = [0.9, 0.8, 0.5, 0.2, 0.1, 0.6], [0.12, 0.15, 0.08, 0.03, 0.02, 0.09]
    >>> fit = vo.selection_model(pd.DataFrame({"effect": effect, "variance": variance}))
    >>> fit.alternative, fit.n_significant
    ('greater', 3)
    """
    check_level(level, function=_FUNCTION)
    check_option("alternative", alternative or "less", ("greater", "less"), function=_FUNCTION)
    if not 0 < alpha < 1:
        raise refuse_argument(_FUNCTION, "alpha", alpha, "a number between 0 and 1, such as 0.025")
    rows = study_rows(es, function=_FUNCTION, measure=measure)
    if len(rows.effects) < 4:
        raise refuse_argument(_FUNCTION, "es", f"{len(rows.effects)} studies", "at least 4 studies")
    if alternative is None:
        pooled = float(np.average(rows.effects, weights=1.0 / rows.variances))
        alternative = "less" if pooled < 0 else "greater"
    sign = -1.0 if alternative == "less" else 1.0
    if significant(sign * rows.effects, rows.variances, alpha=alpha).all():
        problem = Problem(
            "argument es", f"every study has a one-sided p of at most {alpha:g}", "some above it"
        )
        raise InputError(
            f"{_FUNCTION}()",
            [problem],
            "the weight of studies above cannot be estimated; choose alpha",
        )
    fit = fit_selection(sign * rows.effects, rows.variances, alpha=alpha)
    return _result(fit, rows, alternative=alternative, alpha=alpha, level=level)


def _result(
    fit: SelectionFit, rows: StudyRows, *, alternative: Alternative, alpha: float, level: float
) -> SelectedEffect:
    sign = -1.0 if alternative == "less" else 1.0
    z = float(-special.ndtri((1.0 - level) / 2.0))
    lrt = max(0.0, 2.0 * (fit.log_likelihood - fit.log_likelihood_unadjusted))
    estimate = sign * fit.mu
    return SelectedEffect(
        measure=rows.measure,
        alternative=alternative,
        alpha=alpha,
        level=level,
        k=len(rows.effects),
        n_significant=fit.n_significant,
        estimate=estimate,
        se=fit.mu_se,
        ci_low=estimate - z * fit.mu_se,
        ci_high=estimate + z * fit.mu_se,
        statistic=estimate / fit.mu_se,
        p_value=two_sided(estimate / fit.mu_se, df=None),
        tau2=fit.tau2,
        tau2_se=fit.tau2_se,
        weight=fit.delta,
        weight_se=fit.delta_se,
        weight_ci_low=max(0.0, fit.delta - z * fit.delta_se),
        weight_ci_high=fit.delta + z * fit.delta_se,
        lrt=lrt,
        lrt_p_value=float(special.chdtrc(1, lrt)),
        log_likelihood=fit.log_likelihood,
        unadjusted_estimate=sign * fit.mu_unadjusted,
        unadjusted_tau2=fit.tau2_unadjusted,
        studies=pd.DataFrame(
            {
                "study": list(rows.labels),
                "effect": rows.effects,
                "variance": rows.variances,
                "se": np.sqrt(rows.variances),
            }
        ),
        excluded=rows.excluded,
        notes=_notes(fit, len(rows.effects)),
    )


def _notes(fit: SelectionFit, k: int) -> tuple[str, ...]:
    notes = []
    if fit.delta >= LARGEST_DELTA or fit.delta < 1e-6 or not fit.n_significant:
        notes.append(
            "The weight ran to the end of its range: these data hardly determine it"
            + (
                "; no study is significant in the direction asked for."
                if not fit.n_significant
                else "."
            )
        )
    elif not fit.converged:
        notes.append("The search for the maximum likelihood did not end; the numbers are not safe.")
    if fit.tau2 == 0:
        notes.append("The between-study variance is at its lower end, 0.")
    if k < FEW_STUDIES:
        notes.append(f"Fewer than {FEW_STUDIES} studies: the weight is a weak guess.")
    return tuple(notes)
