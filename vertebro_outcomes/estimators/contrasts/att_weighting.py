"""Weighting by the odds: the comparators stand for the treated."""

from functools import partial

from vertebro_outcomes.estimators.method import Method
from vertebro_outcomes.estimators.propensity.weighted_contrast import fit_weighted_contrast

METHOD = Method(
    name="att_weighting",
    fit=partial(fit_weighted_contrast, kind="att"),
    kind="continuous",
    estimand="average effect in the treated (ATT)",
    assumptions="no unmeasured confounding given the covariates; overlap; logistic model of treatment "
    "right; scores missing at random given arm",
    reference="Austin & Stuart (2015), Stat Med 34:3661-3679, doi:10.1002/sim.6607",
    variances=("sandwich", "sandwich_site", "fixed_propensity"),
    adjusts="propensity",
)
