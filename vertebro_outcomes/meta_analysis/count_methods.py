"""Each way to pool counts, from checked rows to the numbers of a pooled effect."""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from vertebro_outcomes.dialects import Dialect
from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.effect_sizes import proportions, rates
from vertebro_outcomes.estimators.effect_sizes.two_by_two import (
    TWO_BY_TWO,
    double_zero,
    zero_cells,
)
from vertebro_outcomes.estimators.pooled.beta_binomial import (
    fit_beta_binomial,
    fit_beta_binomial_one_arm,
)
from vertebro_outcomes.estimators.pooled.glmm import (
    POINTS,
    GlmmFit,
    fit_binomial_normal,
    fit_conditional_exact,
    fit_unconditional,
)
from vertebro_outcomes.estimators.pooled.glmm_random_intercepts import fit_random_intercepts
from vertebro_outcomes.estimators.pooled.mantel_haenszel import (
    CountFit,
    corrected,
    fit_mantel_haenszel,
    fit_mantel_haenszel_rates,
    fit_mantel_haenszel_revman,
)
from vertebro_outcomes.estimators.pooled.mantel_haenszel_random import (
    fit_around_centre,
    study_effects_revman,
)
from vertebro_outcomes.estimators.pooled.peto import fit_peto
from vertebro_outcomes.meta_analysis.count_rows import (
    CountRows,
    is_rate_measure,
    is_two_by_two,
)

GlmmModel = Literal["UM.FS", "UM.RS", "CM.EL", "CM.AL"]
Effects = Literal["common", "random"]
ADD: Final = 0.5  # to the cells of studies with a zero cell, for their own effects
_NAN: Final = float("nan")


@dataclass(frozen=True)
class CountPool:
    """What a method found; `effects` and `variances` are each study's own, NaN where undefined."""

    estimate: float
    se: float
    effects: Floats
    variances: Floats
    weights: Floats
    tau2: float
    q: float
    q_df: int
    i2_pct: float
    h2: float
    random: bool
    notes: tuple[str, ...] = ()


def pool_mantel_haenszel(rows: CountRows, *, rules: Dialect, effects: Effects) -> CountPool:
    """Mantel-Haenszel; with random effects DerSimonian-Laird around it."""
    revman = rules.name != "metafor" and rows.measure not in ("IRR", "IRD")
    y, v = study_effects(rows, revman=revman)
    fit = _fit_mantel_haenszel(rows, revman=revman)
    around = fit_around_centre(y, v, centre=fit.estimate)
    i2, h2 = _from_q(around.q, around.df)
    notes = _corrections(rows, in_sums=revman)
    if effects == "common" or len(rows.labels) == 1:
        found = fit.estimate, fit.se, fit.weights, 0.0
    else:
        found = around.estimate, around.se, around.weights, around.tau2
        notes += ("tau² by DerSimonian-Laird with Q taken around the Mantel-Haenszel estimate.",)
    return CountPool(
        estimate=found[0],
        se=found[1],
        effects=y,
        variances=v,
        weights=found[2],
        tau2=found[3],
        q=around.q,
        q_df=max(around.df, 0),
        i2_pct=i2,
        h2=h2,
        random=effects == "random",
        notes=notes,
    )


def _fit_mantel_haenszel(rows: CountRows, *, revman: bool) -> CountFit:
    x, measure = rows.columns, rows.measure
    if is_rate_measure(measure):
        return fit_mantel_haenszel_rates(
            x["events_t"], x["time_t"], x["events_c"], x["time_c"], measure=measure
        )
    assert is_two_by_two(measure)
    if revman:
        return fit_mantel_haenszel_revman(rows.table, measure=measure)
    return fit_mantel_haenszel(rows.table, measure=measure)


def pool_peto(rows: CountRows) -> CountPool:
    """Peto's one-step odds ratio."""
    fit = fit_peto(rows.table)
    i2, h2 = _from_q(fit.q, fit.df)
    return CountPool(
        estimate=fit.estimate,
        se=fit.se,
        effects=fit.observed_minus_expected / fit.weights,
        variances=1.0 / fit.weights,
        weights=fit.weights,
        tau2=0.0,
        q=fit.q,
        q_df=fit.df,
        i2_pct=i2,
        h2=h2,
        random=False,
    )


def pool_glmm(
    rows: CountRows, *, model: GlmmModel, effects: Effects, points: int = POINTS
) -> CountPool:
    """Generalised linear mixed model; heterogeneity test by likelihood ratio."""
    random = effects == "random" and len(rows.labels) > 1
    fit = _fit_glmm(rows, model=model, random=random, points=points)
    y, v = study_effects(rows, revman=False)
    typical = _typical_variance(v)
    share = fit.tau2 / (fit.tau2 + typical) if len(rows.labels) > 1 else 0.0
    notes = [
        _MODEL_WORDS[model if rows.measure != "PLO" else "PLO"],
        "Q is the likelihood-ratio statistic against one effect per study; "
        "study weights are not defined.",
    ]
    if not np.isnan(fit.sigma2):
        notes.append(f"Variance of the study intercepts: {fit.sigma2:.6g}.")
    if not fit.converged:
        notes.append("The search for the maximum did not end; estimate and interval are not safe.")
    return CountPool(
        estimate=fit.estimate,
        se=fit.se,
        effects=y,
        variances=v,
        weights=np.full(len(y), _NAN),
        tau2=fit.tau2,
        q=fit.q,
        q_df=fit.df,
        i2_pct=100.0 * share,
        h2=1.0 / (1.0 - share),
        random=effects == "random",
        notes=(*notes, *_corrections(rows, in_sums=False)),
    )


def _fit_glmm(rows: CountRows, *, model: GlmmModel, random: bool, points: int) -> GlmmFit:
    x = rows.columns
    if rows.measure == "PLO":
        return fit_binomial_normal(x["events"], x["n"], random=random, points=points)
    is_rate = rows.measure == "IRR"
    size = "time" if is_rate else "n"
    a, n1, c, n2 = x["events_t"], x[f"{size}_t"], x["events_c"], x[f"{size}_c"]
    if model == "UM.FS":
        return fit_unconditional((a, c), (n1, n2), rates=is_rate, random=random, points=points)
    if model == "UM.RS":
        return fit_random_intercepts((a, c), (n1, n2), rates=is_rate, random=random)
    if model == "CM.EL" and not is_rate:
        return fit_conditional_exact(a, n1, c, n2, random=random)
    return fit_binomial_normal(a, a + c, offset=np.log(n1 / n2), random=random, points=points)


def pool_beta_binomial(rows: CountRows) -> CountPool:
    """Beta-binomial with one intra-study correlation for both arms."""
    x, measure = rows.columns, rows.measure
    if measure == "PLO":
        fit = fit_beta_binomial_one_arm(x["events"], x["n"])
    else:
        assert is_two_by_two(measure)
        arms = x["events_t"], x["n_t"], x["events_c"], x["n_c"]
        fit = fit_beta_binomial(arms, measure=measure)
    y, v = study_effects(rows, revman=False)
    means = " and ".join(f"{p:.4g}" for p in fit.probabilities)
    notes = [
        f"Intra-study correlation rho = {fit.rho:.4g}; mean probability {means}. Study weights, "
        "tau², Q and I² are not defined for this model."
    ]
    if not fit.converged:
        notes.append("The search for the maximum did not end; estimate and interval are not safe.")
    return CountPool(
        estimate=fit.estimate,
        se=fit.se,
        effects=y,
        variances=v,
        weights=np.full(len(y), _NAN),
        tau2=_NAN,
        q=_NAN,
        q_df=len(y) - 1,
        i2_pct=_NAN,
        h2=_NAN,
        random=False,
        notes=(*notes, *_corrections(rows, in_sums=False)),
    )


def study_effects(rows: CountRows, *, revman: bool) -> tuple[Floats, Floats]:
    """Each study's own effect and variance, 0.5 added where a cell is zero.

    Without `revman`, studies with no (or with only) events are NaN whatever the measure.
    """
    x, measure = rows.columns, rows.measure
    with np.errstate(divide="ignore", invalid="ignore"):
        if measure == "PLO":
            plus = np.where((x["events"] == 0) | (x["events"] == x["n"]), ADD, 0.0)
            return proportions.logit(x["events"] + plus, x["n"] + 2 * plus)
        if is_rate_measure(measure):
            formula = rates.rate_ratio if measure == "IRR" else rates.rate_difference
            a, c = x["events_t"], x["events_c"]
            plus = np.where((a == 0) | (c == 0), ADD, 0.0)
            y, v = formula(a + plus, x["time_t"], c + plus, x["time_c"])
            silent = (a == 0) & (c == 0)
        elif revman and is_two_by_two(measure):
            y, v, kept = study_effects_revman(rows.table, measure=measure)
            silent = ~kept
        else:
            y, v = TWO_BY_TWO[measure](corrected(rows.table, add=ADD, add_to="only_zero"))
            silent = double_zero(rows.table)
    return np.where(silent, _NAN, y), np.where(silent, _NAN, v)


def _from_q(q: float, df: int) -> tuple[float, float]:
    """I² in percent and H² from Q."""
    if df < 1:
        return 0.0, 1.0
    return (100.0 * (q - df) / q if q > df else 0.0), q / df


def _typical_variance(v: Floats) -> float:
    """Higgins and Thompson (2002), equation 9."""
    w = 1.0 / v[~np.isnan(v)]
    spread = w.sum() ** 2 - np.sum(w**2)
    return float((len(w) - 1) * w.sum() / spread) if len(w) > 1 else _NAN


def _corrections(rows: CountRows, *, in_sums: bool) -> tuple[str, ...]:
    x = rows.columns
    if rows.measure == "PLO":
        zero = (x["events"] == 0) | (x["events"] == x["n"])
    elif rows.measure in ("IRR", "IRD"):
        zero = (x["events_t"] == 0) | (x["events_c"] == 0)
    else:
        zero = zero_cells(rows.table)
    if not zero.any():
        return ()
    names = ", ".join(label for label, bad in zip(rows.labels, zero, strict=True) if bad)
    where = "their own effects only"
    if in_sums:
        both = "their own variances and the pooled one"
        where = both if rows.measure == "RD" else "their own effects and the pooled sums"
    return (f"Zero cell: {names}. {ADD} was added to all cells for {where}.",)


_MODEL_WORDS: Final = {
    "UM.FS": "Model UM.FS: unconditional, fixed study effects, random treatment effects.",
    "UM.RS": "Model UM.RS: unconditional, random study and treatment effects (Laplace approximation).",
    "CM.EL": "Model CM.EL: conditional on the events of each study, exact likelihood.",
    "CM.AL": "Model CM.AL: conditional on the events of each study, binomial approximation.",
    "PLO": "Logit-normal model of the proportions.",
}
