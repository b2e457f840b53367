"""Overlap weights: both arms stand for the patients in equipoise."""

from functools import partial

from vertebro_outcomes.estimators.method import Method
from vertebro_outcomes.estimators.propensity.weighted_contrast import fit_weighted_contrast

METHOD = Method(
    name="overlap_weighting",
    fit=partial(fit_weighted_contrast, kind="overlap"),
    kind="continuous",
    estimand="average effect in the patients who could have had either treatment (ATO)",
    assumptions="no unmeasured confounding given the covariates; overlap; logistic model of treatment "
    "right; scores missing at random given arm",
    reference="Li, Thomas & Li (2019), Am J Epidemiol 188:250-257, doi:10.1093/aje/kwy201",
    variances=("sandwich", "sandwich_site", "fixed_propensity"),
    adjusts="propensity",
)
