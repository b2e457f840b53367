"""Bayesian pooling: the normal-normal model with priors on the mean effect and on tau."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd

from vertebro_outcomes.errors import InputError, refuse_argument
from vertebro_outcomes.estimators.pooled.bayes_normal import (
    MeanPrior,
    fit_bayes_normal,
    posterior_tail,
)
from vertebro_outcomes.estimators.pooled.tau_priors import TAU_PRIORS, TauPrior, flat
from vertebro_outcomes.estimators.unanswerable import UnanswerableError
from vertebro_outcomes.measures import MEASURES
from vertebro_outcomes.meta_analysis.pool import check_level, check_option
from vertebro_outcomes.meta_analysis.study_rows import study_rows
from vertebro_outcomes.results.bayes_effect import BayesEffect, CredibleInterval

INTERVALS: Final = ("equal_tailed", "shortest")
_TAU_FORMS: Final = (
    '("half_normal", scale), ("half_cauchy", scale), ("uniform", upper), ("log_normal", mu, sigma) on '
    'log tau, ("log_normal_tau2", mu, sigma) on log tau², or "flat" (improper); scales above 0'
)
_MEAN_FORMS: Final = '("normal", mean, sd) with sd above 0, or "flat"'
Prior = str | Sequence[str | float]
DEFAULT_TAU_PRIOR: Final = ("half_normal", 0.5)  # Friede et al. (2017), for log odds ratios


def pool_bayes(
    es: pd.DataFrame,
    *,
    tau_prior: Prior = DEFAULT_TAU_PRIOR,
    mean_prior: Prior = ("normal", 0, 4),
    level: float = 0.95,
    interval: CredibleInterval = "equal_tailed",
    measure: str | None = None,
) -> BayesEffect:
    """Pool the effects of several studies with prior distributions, without sampling.

    The posterior is found by integrating over tau to machine precision, so that the same data give
    the same numbers every time.

    Parameters
    ----------
    es : DataFrame
        `effect` and `variance` on the analysis scale (log for ratios), as `effect_sizes` gives;
        optional `study`, `measure`. Rows where either is NaN are left out and listed.
    tau_prior
        Prior of the between-study standard deviation tau, in units of the effect:
        ("half_normal", scale), ("half_cauchy", scale), ("uniform", upper), ("log_normal", mu, sigma)
        for log tau, ("log_normal_tau2", mu, sigma) for log tau² as Turner et al. (2015) and others
        print their predictive distributions, or "flat": improper, needs 3 studies (2 with a normal
        prior of the mean). The default suits log odds ratios and standardised mean differences; give
        your own scale for mean differences in points.
    mean_prior
        ("normal", mean, sd) or "flat". The default, normal(0, 4), is vague for log odds ratios.
    level : float
        Probability of all credible intervals, between 0 and 1.
    interval
        Kind of `ci_low` to `ci_high` and the others: "equal_tailed", or "shortest" (highest density).
    measure
        Name of `MEASURES`, if `es` has no such column.

    Returns
    -------
    BayesEffect
        `estimate` (posterior mean), `median`, `se` (posterior SD), intervals, prediction interval,
        tau, Bayes factors, `prob_below(x)`, `prob_above(x)`, `shrinkage`. One study is enough.

    Raises
    ------
    InputError
        Priors that do not give a proper posterior or are not understood; a table `pool` would refuse.

    References
    ----------
    Röver (2020), J Stat Softw 93(6):1-51, doi:10.18637/jss.v093.i06, section 2;
    Friede et al. (2017), Res Synth Methods 8:79-91, doi:10.1002/jrsm.1217 (the default priors).

    Examples
    --------
    >>> import pandas as pd, vertebro_outcomes as vo
    >>> es = pd.DataFrame({"effect": [-0.9, -0.3, -0.5], "variance": [0.10, 0.05, 0.08]})
    >>> fit = vo.pool_bayes(es)
    >>> round(fit.prob_below(0.0), 3)
    0.977
    """
    check_level(level, function="pool_bayes")
    check_option("interval", interval, INTERVALS, function="pool_bayes")
    tau, mean = _tau_prior(tau_prior), _mean_prior(mean_prior)
    rows = study_rows(es, function="pool_bayes", measure=measure)
    k = len(rows.effects)
    if not k:
        raise refuse_argument(
            "pool_bayes", "es", f"{len(es)} rows, none with an effect", "at least one study"
        )
    if posterior_tail(k, tau, mean) <= 1:
        needed = "3 studies" if not mean.proper else "2 studies"
        raise refuse_argument(
            "pool_bayes",
            "tau_prior",
            f"flat with {k} {'study' if k == 1 else 'studies'}",
            f"a proper prior; flat needs at least {needed} here",
        )
    try:
        fit = fit_bayes_normal(rows.effects, rows.variances, tau_prior=tau, mean_prior=mean)
    except UnanswerableError as reason:
        allowed = "effects and priors in the same unit"
        raise refuse_argument("pool_bayes", "es", str(reason), allowed) from None
    return BayesEffect(
        measure=rows.measure,
        tau_prior=tau.name,
        mean_prior=mean,
        interval=interval,
        level=level,
        k=k,
        labels=rows.labels,
        effects=rows.effects,
        variances=rows.variances,
        posterior=fit,
        excluded=rows.excluded,
        notes=(
            *_unit_note(rows.measure, tau_prior),
            *_notes(k, tau, mean, converged=fit.tau.converged),
        ),
    )


def _tau_prior(given: Prior) -> TauPrior:
    name, numbers = _read(given, "tau_prior", _TAU_FORMS)
    if name == "flat" or (name == "uniform" and not numbers):
        return flat()
    makers = {key: maker for key, maker in TAU_PRIORS.items() if key != "flat"}
    wanted = 2 if name.startswith("log_normal") else 1
    if name not in makers or len(numbers) != wanted or not numbers[-1] > 0:
        raise refuse_argument("pool_bayes", "tau_prior", given, _TAU_FORMS)
    return makers[name](*numbers)


def _mean_prior(given: Prior) -> MeanPrior:
    name, numbers = _read(given, "mean_prior", _MEAN_FORMS)
    if name in ("flat", "uniform") and not numbers:
        return MeanPrior(0.0, float("inf"))
    if name != "normal" or len(numbers) != 2 or not numbers[1] > 0:
        raise refuse_argument("pool_bayes", "mean_prior", given, _MEAN_FORMS)
    return MeanPrior(*numbers)


def _read(given: Prior, argument: str, allowed: str) -> tuple[str, list[float]]:
    """A prior as its name and finite numbers."""
    refusal: InputError = refuse_argument("pool_bayes", argument, given, allowed)
    if isinstance(given, str):
        return given, []
    try:
        name, numbers = given[0], [float(number) for number in given[1:]]
    except (TypeError, ValueError, IndexError, KeyError):
        raise refusal from None
    if not isinstance(name, str) or not all(np.isfinite(numbers)):
        raise refusal
    return name, numbers


def _unit_note(measure: str, tau_prior: Prior) -> tuple[str, ...]:
    suits = MEASURES[measure].scale in ("log", "logit") or measure in ("SMD", "GEN")
    if suits or tau_prior != DEFAULT_TAU_PRIOR:
        return ()
    return (
        f"The default prior of tau is meant for log ratios and standardised differences; for {measure} "
        "give priors in its own unit.",
    )


def _notes(k: int, tau: TauPrior, mean: MeanPrior, *, converged: bool) -> tuple[str, ...]:
    notes = []
    tail = posterior_tail(k, tau, mean)
    if not converged:
        notes.append("The integration over tau did not reach its precision; results are not safe.")
    if tail <= 2:
        notes.append(
            "With these priors the posterior has no mean; the estimate is the posterior median."
            if not mean.proper
            else "With these priors tau and the effect in a new study have no posterior mean."
        )
    elif tail <= 3:
        notes.append("With these priors tau has no finite posterior standard deviation.")
    if not tau.proper:
        notes.append("The prior of tau is improper: no Bayes factor for heterogeneity.")
    if not mean.proper:
        notes.append("The prior of the mean is improper: no Bayes factor for the effect.")
    if k == 1:
        notes.append("One study only: what is said about tau is the prior.")
    return tuple(notes)
