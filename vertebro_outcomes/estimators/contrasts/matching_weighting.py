"""Matching weights: both arms stand for the patients that 1:1 matching would pair, all patients used."""

from functools import partial

from vertebro_outcomes.estimators.method import Method
from vertebro_outcomes.estimators.propensity.weighted_contrast import fit_weighted_contrast

METHOD = Method(
    name="matching_weighting",
    fit=partial(fit_weighted_contrast, kind="matching"),
    kind="continuous",
    estimand="average effect in the patients whom 1:1 matching would pair (ATM)",
    assumptions="no unmeasured confounding given the covariates; overlap; logistic model of treatment "
    "right; scores missing at random given arm",
    reference="Li & Greene (2013), Int J Biostat 9:215-234, doi:10.1515/ijb-2012-0030",
    variances=("sandwich", "sandwich_site", "fixed_propensity"),
    adjusts="propensity",
)
