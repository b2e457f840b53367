"""Proportional odds: scores as ordered categories, one odds ratio over the whole scale."""

from typing import Final

import numpy as np
from scipy import special

from vertebro_outcomes.estimators.arrays import Ints
from vertebro_outcomes.estimators.method import Method
from vertebro_outcomes.estimators.ordinal.cumulative_logit import (
    CumulativeLogit,
    fit_cumulative_logit,
)
from vertebro_outcomes.estimators.two_arms import ContrastFit, TwoArms
from vertebro_outcomes.estimators.unanswerable import UnanswerableError

# The check of proportional odds needs patients above and below every cut in both arms: scales with more
# values are cut into this many groups of about equal size.
GROUPS_OF_CHECK: Final = 5
MOST_CATEGORIES: Final = 250  # a score with more values is a measurement


def fit_proportional_odds(data: TwoArms, *, variance: str = "model") -> ContrastFit:
    """Log odds ratio of a higher value, treatment over comparator, at equal covariates.

    Parameters
    ----------
    data : TwoArms
    variance : {"model", "sandwich"}
        Inverse of the observed information, or robust.

    Returns
    -------
    ContrastFit
        `quantities` hold the odds ratio and the likelihood-ratio test that it is the same at every
        cut of the scale.

    Raises
    ------
    UnanswerableError
        If the data do not determine it.

    Reference
    ---------
    McCullagh (1980), J R Stat Soc B 42:109-142, doi:10.1111/j.2517-6161.1980.tb01109.x.
    """
    values, category = np.unique(data.y, return_inverse=True)
    if len(values) < 2:
        raise UnanswerableError("all scores are equal")
    if len(values) > MOST_CATEGORIES:
        raise UnanswerableError(
            f"{len(values)} different scores are no ordered categories; round them first"
        )
    category = category.astype(np.int64)
    fit = fit_cumulative_logit(category, np.column_stack([data.treated.astype(float), data.x]))
    cov = fit.covariance if variance == "model" else fit.sandwich
    chi2, df, groups = _same_at_every_cut(category, data, fit)
    quantities = {
        "odds_ratio": float(np.exp(fit.coef[0])),
        "categories": float(len(values)),
        "proportional_odds_groups": float(groups),
        "proportional_odds_chi2": chi2,
        "proportional_odds_df": float(df),
        "proportional_odds_p": float(special.chdtrc(df, chi2)) if df else np.nan,
    }
    return ContrastFit(
        estimate=float(fit.coef[0]), se=float(np.sqrt(cov[0, 0])), quantities=quantities
    )


def _same_at_every_cut(
    category: Ints, data: TwoArms, fit: CumulativeLogit
) -> tuple[float, int, int]:
    """Likelihood-ratio test of an odds ratio of the arm of its own at every cut; NaN if it has none."""
    grouped = _grouped(category)
    groups = int(grouped.max()) + 1
    if groups < 3:
        return np.nan, 0, groups
    treated = data.treated.astype(float)
    try:
        same = fit
        if groups <= int(category.max()):
            same = fit_cumulative_logit(grouped, np.column_stack([treated, data.x]))
        own = fit_cumulative_logit(grouped, data.x, by_cut=treated[:, None], start=same.cuts)
    except UnanswerableError:
        return np.nan, 0, groups
    return max(2.0 * (own.loglik - same.loglik), 0.0), groups - 2, groups


def _grouped(category: Ints) -> Ints:
    """At most five neighbouring groups of about equal size."""
    if category.max() < GROUPS_OF_CHECK:
        return category
    below = np.cumsum(np.bincount(category)) / len(category)
    middle = below - np.bincount(category) / (2.0 * len(category))
    group = np.minimum((middle * GROUPS_OF_CHECK).astype(np.int64), GROUPS_OF_CHECK - 1)
    return np.unique(group, return_inverse=True)[1][category].astype(np.int64)


METHOD = Method(
    name="proportional_odds",
    fit=fit_proportional_odds,
    kind="ordinal",
    estimand="odds ratio of a better score at equal covariates, the same at every cut of the scale",
    assumptions="proportional odds (tested); effect of the covariates linear and equal in both arms; "
    "scores missing at random given arm and covariates; no unmeasured confounding",
    reference="McCullagh (1980), J R Stat Soc B 42:109-142, doi:10.1111/j.2517-6161.1980.tb01109.x",
    variances=("model", "sandwich"),
    adjusts="outcome_model",
    measure="OR",
)
