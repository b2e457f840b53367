"""Inverse-probability weights: both arms stand for all patients."""

from functools import partial

from vertebro_outcomes.estimators.method import Method
from vertebro_outcomes.estimators.propensity.weighted_contrast import fit_weighted_contrast

METHOD = Method(
    name="ate_weighting",
    fit=partial(fit_weighted_contrast, kind="ate"),
    kind="continuous",
    estimand="average effect in all patients of both arms (ATE)",
    assumptions="no unmeasured confounding given the covariates; overlap; logistic model of treatment "
    "right; scores missing at random given arm",
    reference="Lunceford & Davidian (2004), Stat Med 23:2937-2960, doi:10.1002/sim.1903",
    variances=("sandwich", "sandwich_site", "fixed_propensity"),
    adjusts="propensity",
)
