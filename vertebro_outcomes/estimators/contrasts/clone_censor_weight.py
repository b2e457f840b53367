"""Clone-censor-weight: treatment within a grace period against none, from one time zero."""

from vertebro_outcomes.estimators.emulation.fit import fit_clone_censor_weight
from vertebro_outcomes.estimators.method import Method

METHOD = Method(
    name="clone_censor_weight",
    fit=fit_clone_censor_weight,
    kind="target_trial",
    estimand="average effect in all eligible patients of treatment within the grace period against "
    "none within it (ATE)",
    assumptions="no unmeasured reason to treat that also changes the outcome, given the baseline "
    "covariates; the day of treatment within the grace period does not matter; end "
    "of follow-up independent of the outcome",
    reference="Hernan & Robins (2016), Am J Epidemiol 183:758-764, doi:10.1093/aje/kwv254; "
    "Maringe et al. (2020), Int J Epidemiol 49:1719-1729, doi:10.1093/ije/dyaa057",
    variances=("robust", "robust_site", "bootstrap"),
    adjusts="propensity",
)
