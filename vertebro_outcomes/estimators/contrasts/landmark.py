"""Landmark: patients who reach the end of the grace period, by what they had by then."""

from vertebro_outcomes.estimators.emulation.fit import fit_landmark
from vertebro_outcomes.estimators.method import Method

METHOD = Method(
    name="landmark",
    fit=fit_landmark,
    kind="target_trial",
    estimand="average effect from the landmark on, in patients who reached it (ATE)",
    assumptions="no unmeasured reason to treat that also changes the outcome, given the baseline "
    "covariates; says nothing about what happens before the landmark",
    reference="Anderson, Cain & Gelber (1983), J Clin Oncol 1:710-719, doi:10.1200/JCO.1983.1.11.710",
    variances=("robust", "robust_site", "bootstrap"),
    adjusts="propensity",
)
