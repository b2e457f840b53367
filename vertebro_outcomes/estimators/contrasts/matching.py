"""Nearest-neighbour matching on the logit of the propensity within a caliper."""

import numpy as np

from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.method import Method
from vertebro_outcomes.estimators.propensity.logistic import SEPARATED, fit_logistic
from vertebro_outcomes.estimators.propensity.matching import (
    Matches,
    caliper_width,
    match_nearest,
)
from vertebro_outcomes.estimators.two_arms import ContrastFit, TwoArms
from vertebro_outcomes.estimators.unanswerable import UnanswerableError


def fit_matching(data: TwoArms, *, variance: str = "replacement") -> ContrastFit:
    """Mean difference between the treated and their matched comparators (one to `data.n_ratio`).

    Parameters
    ----------
    data : TwoArms
    variance : {"replacement", "pairs"}
        "replacement" lets a comparator serve several treated patients and takes the variance of
        Abadie & Imbens for the matched treated. "pairs" uses every comparator at most once and takes
        the spread of the differences within matched sets; where comparators are scarce its pairs
        stay apart by up to the caliper, which the balance shows. Both take the propensity as known.

    Returns
    -------
    ContrastFit

    Raises
    ------
    UnanswerableError
        If the arms are separated, or fewer than two patients find a partner.

    Reference
    ---------
    Austin (2011), Pharm Stat 10:150-161, doi:10.1002/pst.433;
    Abadie & Imbens (2006), Econometrica 74:235-267, doi:10.1111/j.1468-0262.2006.00655.x, section 4.
    """
    e = fit_logistic(data.x, data.treated).probability
    score = np.log(e) - np.log1p(-e)
    caliper = caliper_width(score, caliper_sd=data.caliper_sd)
    replace = variance == "replacement"
    pairs = match_nearest(
        score,
        data.treated,
        caliper=caliper,
        ratio=data.n_ratio,
        replace=replace,
        strata=data.strata,
    )
    n_partners = np.bincount(pairs.treated, minlength=len(data.y))
    matched = np.flatnonzero(n_partners)
    if len(matched) < 2:
        raise UnanswerableError(SEPARATED)
    share = 1.0 / n_partners[pairs.treated]
    weights = np.zeros(len(data.y))
    weights += np.bincount(pairs.comparator, share, minlength=len(data.y))
    n_comparators = int((weights > 0).sum())
    weights[matched] = 1.0
    partner_mean = np.bincount(pairs.treated, share * data.y[pairs.comparator])[matched]
    difference = data.y[matched] - partner_mean
    n1 = len(matched)
    variance_of_mean = float(np.var(difference, ddof=1)) / n1
    if replace:
        variance_of_mean = float(np.var(difference)) / n1
        variance_of_mean += _reuse(data, score, pairs, share) / n1**2
    return ContrastFit(
        estimate=float(difference.mean()),
        se=float(np.sqrt(variance_of_mean)),
        df=np.inf if replace else float(n1 - 1),
        weights=weights,
        propensity=e,
        quantities={
            "mean_t": float(data.y[matched].mean()),
            "mean_c": float(partner_mean.mean()),
            "n_treated_matched": float(n1),
            "n_treated_unmatched": float(data.treated.sum() - n1),
            "n_comparators_used": float(n_comparators),
            "caliper": caliper,
        },
    )


def _reuse(data: TwoArms, score: Floats, pairs: Matches, share: Floats) -> float:
    """Sum over comparators of (K^2 - K') sigma^2, sigma^2 from the next comparator on the score."""
    K = np.bincount(pairs.comparator, share, minlength=len(score))
    K2 = np.bincount(pairs.comparator, share**2, minlength=len(score))
    order = np.flatnonzero(~data.treated)
    order = order[np.argsort(score[order], kind="stable")]
    gap = np.diff(score[order])
    back, ahead = np.append(np.inf, gap), np.append(gap, np.inf)
    place = np.arange(len(order))
    nearest = np.where(ahead <= back, place + 1, place - 1)
    if len(order) < 2:
        return 0.0
    sigma2 = (data.y[order] - data.y[order[nearest]]) ** 2 / 2.0
    return float(((K[order] ** 2 - K2[order]) * sigma2).sum())


METHOD = Method(
    name="matching",
    fit=fit_matching,
    kind="continuous",
    estimand="average effect in the treated who have a comparable comparator (ATT within the caliper)",
    assumptions="no unmeasured confounding given the covariates; logistic model of treatment right; "
    "scores missing at random given arm",
    reference="Austin (2011), Pharm Stat 10:150-161, doi:10.1002/pst.433",
    variances=("replacement", "pairs"),
    adjusts="propensity",
)
