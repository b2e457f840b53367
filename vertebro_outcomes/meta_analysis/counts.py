"""Pool event counts by methods made for them."""

from typing import Final, Literal

import numpy as np
import pandas as pd
from scipy import special

from vertebro_outcomes.dialects import Dialect
from vertebro_outcomes.errors import refuse_argument
from vertebro_outcomes.estimators.pooled.glmm import LARGEST_TAU, POINTS
from vertebro_outcomes.meta_analysis.count_likelihoods import (
    GlmmModel,
    pool_beta_binomial,
    pool_firth,
    pool_glmm,
)
from vertebro_outcomes.meta_analysis.count_methods import (
    CountPool,
    Effects,
    pool_mantel_haenszel,
    pool_peto,
)
from vertebro_outcomes.meta_analysis.count_rows import (
    CountRows,
    count_rows,
    refuse_without_estimate,
)
from vertebro_outcomes.meta_analysis.pool import (
    check_level,
    check_option,
    pick_dialect,
    two_sided,
)
from vertebro_outcomes.results.pooled_effect import PooledEffect

CountMethod = Literal["mantel_haenszel", "peto", "glmm", "beta_binomial", "firth"]
CountMeasure = Literal["OR", "RR", "RD", "PETO", "IRR", "IRD", "PLO"]

MEASURES_OF: Final[dict[str, tuple[str, ...]]] = {
    "mantel_haenszel": ("OR", "RR", "RD", "IRR", "IRD"),
    "peto": ("PETO", "OR"),
    "glmm": ("OR", "IRR", "PLO"),
    "beta_binomial": ("OR", "RR", "RD", "PLO"),
    "firth": ("OR",),
}
DEFAULT_METHOD: Final[dict[str, CountMethod]] = {"PETO": "peto", "PLO": "glmm"}
MODELS_OF: Final[dict[str, tuple[str, ...]]] = {
    "OR": ("UM.FS", "UM.RS", "CM.EL", "CM.AL"),
    "IRR": ("UM.FS", "UM.RS", "CM.EL"),
}
EFFECTS_OF: Final[dict[str, tuple[Effects, ...]]] = {  # the first is the default
    "mantel_haenszel": ("common", "random"),
    "peto": ("common",),
    "glmm": ("random", "common"),
    "beta_binomial": ("random",),
    "firth": ("common",),
}


def pool_counts(
    table: pd.DataFrame,
    *,
    measure: CountMeasure,
    method: CountMethod | None = None,
    model: GlmmModel | None = None,
    effects: Effects | None = None,
    quadrature_points: int = POINTS,
    level: float = 0.95,
    dialect: str = "metafor",
) -> PooledEffect:
    """Pool event counts without turning each study into an effect first.

    Parameters
    ----------
    table : DataFrame
        `events_t n_t events_c n_c` (OR RR RD PETO), `events_t time_t events_c time_c` (IRR IRD) or
        `events n` (PLO), whole counts; optional `study`. Rows with a missing value are left out and
        listed.
    measure
        OR RR RD IRR IRD with "mantel_haenszel", PETO with "peto", OR IRR PLO with "glmm", OR RR RD
        PLO with "beta_binomial", OR with "firth".
    method
        "mantel_haenszel" (Robins-Breslow-Greenland, Greenland-Robins, Sato variances), "peto",
        "glmm" (maximum likelihood, adaptive quadrature), "beta_binomial" (a common intra-study
        correlation), "firth" (penalised logistic regression, finite where an arm has no event).
        Default: Mantel-Haenszel; "peto" for PETO, "glmm" for PLO.
    model
        GLMM of two arms: "UM.FS" unconditional with fixed study effects (default), "UM.RS" with
        random ones, "CM.EL" conditional and exact (noncentral hypergeometric; binomial for rates),
        "CM.AL" conditional and approximate (OR with rare events).
    effects
        "common" or "random". Default: random for GLMM and beta-binomial, common for the others.
        Random Mantel-Haenszel is DerSimonian-Laird with Q around the Mantel-Haenszel estimate.
    quadrature_points : int, 1 to 101
        Nodes of the adaptive quadrature of UM.FS, CM.AL, rates and PLO. 7, as `metafor::rma.glmm`;
        25 is as good as exact, 1 the Laplace approximation. CM.EL for OR is always exact, UM.RS
        always Laplace.
    level : float
        Confidence level, between 0 and 1.
    dialect
        "metafor": sums from the counts as they are, risk difference with Sato's variance. All
        others, as RevMan: 0.5 in all cells of studies with a zero cell, risk difference with the
        Greenland-Robins variance.

    Returns
    -------
    PooledEffect
        On the analysis scale, Wald interval. Studies without an event in either arm are listed in
        `excluded` where they carry no information (OR, RR, PETO, IRR) and stay where they do (RD,
        IRD, PLO, beta-binomial). Q is that of the method; for a GLMM the likelihood-ratio statistic.
        `notes` name the model and the studies with a zero cell.

    Raises
    ------
    InputError
        Missing columns, text, counts that are negative, fractional or above n, an estimate at
        infinity, a measure the method does not know.

    References
    ----------
    Robins et al. (1986), doi:10.2307/2531052; Greenland and Robins (1985), doi:10.2307/2530643;
    Sato (1989), doi:10.2307/2531784; Yusuf et al. (1985), doi:10.1016/S0033-0620(85)80003-7;
    Stijnen et al. (2010), doi:10.1002/sim.4040; Kuss (2015), doi:10.1002/sim.6383;
    Firth (1993), doi:10.1093/biomet/80.1.27.

    Examples
    --------
    >>> import pandas as pd, vertebro_outcomes as vo
    >>> arms = pd.DataFrame({"events_t": [1, 3, 0], "n_t": [100, 120, 60],
    ...                      "events_c": [3, 5, 1], "n_c": [98, 119, 61]})
    >>> fit = vo.pool_counts(arms, measure="OR", method="mantel_haenszel")
    >>> round(fit.estimate, 4), fit.k
    (-0.844, 3)
    """
    rules = pick_dialect(dialect, function="pool_counts")
    check_level(level, function="pool_counts")
    method = method or DEFAULT_METHOD.get(measure, "mantel_haenszel")
    measure, model, effects = _checked(measure, method, model, effects)
    if quadrature_points not in range(1, 102):
        raise refuse_argument(
            "pool_counts", "quadrature_points", quadrature_points, "a whole number from 1 to 101"
        )
    rows = count_rows(table, measure=measure, keep_uninformative=method == "beta_binomial")
    corrects = method == "mantel_haenszel" and rules.name != "metafor"
    if method != "firth":
        refuse_without_estimate(rows, corrects=corrects, by_arm=method == "beta_binomial")
    if method == "mantel_haenszel":
        found = pool_mantel_haenszel(rows, rules=rules, effects=effects)
    elif method == "peto":
        found = pool_peto(rows)
    elif method == "glmm":
        found = pool_glmm(rows, model=model, effects=effects, points=quadrature_points)
    elif method == "beta_binomial":
        found = pool_beta_binomial(rows)
    else:
        found = pool_firth(rows)
    if np.isnan(found.se) or found.tau2 > LARGEST_TAU**2:
        raise refuse_argument(
            "pool_counts",
            "table",
            f"the likelihood of {method} has no maximum: every study has an empty cell",
            "more studies with events on both sides, or effects='common', or another method",
        )
    if not found.se > 0:
        raise refuse_argument(
            "pool_counts",
            "table",
            "no event (or nothing but events) in any arm, so that no standard error exists",
            "events in at least one arm, or dialect='revman5', which adds 0.5 to these cells",
        )
    return _result(found, rows, method=method, level=level, rules=rules)


def _checked(
    measure: str, method: str, model: str | None, effects: str | None
) -> tuple[CountMeasure, GlmmModel, Effects]:
    check_option("method", method, tuple(MEASURES_OF), function="pool_counts")
    check_option("measure", measure, MEASURES_OF[method], function="pool_counts")
    if model is not None:
        allowed = MODELS_OF.get(measure, ()) if method == "glmm" else ()
        if model not in allowed:
            words = ", ".join(allowed) or f"none for measure {measure} with method {method}"
            raise refuse_argument("pool_counts", "model", model, words)
    choices = EFFECTS_OF[method]
    check_option("effects", effects or choices[0], choices, function="pool_counts")
    if method == "peto":
        measure = "PETO"
    return measure, model or "UM.FS", effects or choices[0]  # type: ignore[return-value]


def _result(
    found: CountPool, rows: CountRows, *, method: str, level: float, rules: Dialect
) -> PooledEffect:
    k = len(rows.labels)
    z = -float(special.ndtri((1.0 - level) / 2.0))
    reach = _prediction_reach(found, k=k, z=z, rules=rules, level=level)
    statistic = found.estimate / found.se
    total = found.weights.sum()
    notes = found.notes
    if k == 1:
        notes += ("One study only: nothing was pooled, heterogeneity cannot be estimated.",)
    return PooledEffect(
        measure=rows.measure,
        method=method,
        ci="wald",
        level=level,
        dialect=rules.name,
        k=k,
        estimate=found.estimate,
        se=found.se,
        ci_low=found.estimate - z * found.se,
        ci_high=found.estimate + z * found.se,
        statistic=statistic,
        p_value=two_sided(statistic, df=None),
        tau2=found.tau2,
        i2_pct=found.i2_pct,
        h2=found.h2,
        q=found.q,
        q_df=found.q_df,
        q_p_value=_upper_tail(found.q, found.q_df),
        prediction_low=found.estimate - reach,
        prediction_high=found.estimate + reach,
        labels=rows.labels,
        effects=found.effects,
        variances=found.variances,
        weights_pct=100.0 * found.weights / total if total > 0 else found.weights,
        excluded=rows.excluded,
        notes=notes,
        tau2_method=False,
    )


def _upper_tail(q: float, df: int) -> float:
    if np.isnan(q):
        return q
    return float(special.chdtrc(df, q)) if df > 0 else 1.0


def _prediction_reach(found: CountPool, *, k: int, z: float, rules: Dialect, level: float) -> float:
    """Half-width of the interval for the effect in a new study; NaN where it is not defined."""
    kind = rules.prediction or "z"
    if not found.random or kind == "none":
        return float("nan")
    quantile = z
    if kind != "z":
        df = k - (1 if kind == "t_k1" else 2)
        if df < 1:
            return float("nan")
        quantile = -float(special.stdtrit(df, (1.0 - level) / 2.0))
    return quantile * float(np.sqrt(found.tau2 + found.se**2))
