"""Likelihood methods for counts, from checked rows to the numbers of a pooled effect."""

from typing import Final, Literal

import numpy as np

from vertebro_outcomes.errors import refuse_argument
from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.pooled.beta_binomial import (
    fit_beta_binomial,
    fit_beta_binomial_one_arm,
)
from vertebro_outcomes.estimators.pooled.firth import fit_firth
from vertebro_outcomes.estimators.pooled.glmm import (
    POINTS,
    GlmmFit,
    fit_binomial_normal,
    fit_conditional_exact,
    fit_unconditional,
)
from vertebro_outcomes.estimators.pooled.glmm_random_intercepts import fit_random_intercepts
from vertebro_outcomes.meta_analysis.count_methods import (
    CountPool,
    Effects,
    corrections_note,
    study_effects,
)
from vertebro_outcomes.meta_analysis.count_rows import CountRows, is_two_by_two

GlmmModel = Literal["UM.FS", "UM.RS", "CM.EL", "CM.AL"]
_NAN: Final = float("nan")
MOST_TABLES: Final = 1_000_000  # each is revisited at every step of the search
_NOT_ENDED: Final = "The search for the maximum did not end; estimate and interval are not safe."


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
        notes.append(_NOT_ENDED)
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
        notes=(*notes, *corrections_note(rows, in_sums=False)),
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
        _refuse_too_many_tables(a, n1, c, n2)
        return fit_conditional_exact(a, n1, c, n2, random=random)
    return fit_binomial_normal(a, a + c, offset=np.log(n1 / n2), random=random, points=points)


def _refuse_too_many_tables(a: Floats, n1: Floats, c: Floats, n2: Floats) -> None:
    tables = float((np.minimum(n1, a + c) - np.maximum(0.0, a + c - n2) + 1).sum())
    if tables > MOST_TABLES:
        raise refuse_argument(
            "pool_counts",
            "model",
            f"CM.EL would sum over {tables:.3g} possible tables",
            f"at most {MOST_TABLES:.0e}; with so many events UM.FS says the same",
        )


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
        notes.append(_NOT_ENDED)
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
        notes=(*notes, *corrections_note(rows, in_sums=False)),
    )


def pool_firth(rows: CountRows) -> CountPool:
    """Logistic regression with study intercepts and Firth's penalty: a common odds ratio."""
    fit = fit_firth(rows.table)
    y, v = study_effects(rows, revman=False)
    notes = [
        "Penalised likelihood with one intercept a study; finite even if an arm has no event. "
        "Study weights, Q and I² are not defined."
    ]
    if not fit.converged:
        notes.append(_NOT_ENDED)
    return CountPool(
        estimate=fit.estimate,
        se=fit.se,
        effects=y,
        variances=v,
        weights=np.full(len(y), _NAN),
        tau2=0.0,
        q=_NAN,
        q_df=len(y) - 1,
        i2_pct=_NAN,
        h2=_NAN,
        random=False,
        notes=(*notes, *corrections_note(rows, in_sums=False)),
    )


def _typical_variance(v: Floats) -> float:
    """Higgins and Thompson (2002), equation 9."""
    w = 1.0 / v[~np.isnan(v)]
    spread = w.sum() ** 2 - np.sum(w**2)
    return float((len(w) - 1) * w.sum() / spread) if len(w) > 1 else _NAN


_MODEL_WORDS: Final = {
    "UM.FS": "Model UM.FS: unconditional, fixed study effects, random treatment effects.",
    "UM.RS": "Model UM.RS: unconditional, random study and treatment effects (Laplace approximation).",
    "CM.EL": "Model CM.EL: conditional on the events of each study, exact likelihood.",
    "CM.AL": "Model CM.AL: conditional on the events of each study, binomial approximation.",
    "PLO": "Logit-normal model of the proportions.",
}
