"""Naive: the clock of the treated starts at their procedure. Biased; only by name, for comparison."""

from vertebro_outcomes.estimators.emulation.fit import fit_naive_from_procedure
from vertebro_outcomes.estimators.method import Method

METHOD = Method(
    name="naive_from_procedure",
    fit=fit_naive_from_procedure,
    kind="target_trial",
    estimand="none: the arms start their clocks at different points of the illness",
    assumptions="that nobody dies, recovers or leaves while waiting for the procedure, which is never so",
    reference="Suissa (2008), Am J Epidemiol 167:492-499, doi:10.1093/aje/kwm324",
    variances=("robust", "robust_site", "bootstrap"),
    adjusts="propensity",
)
