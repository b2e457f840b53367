"""Simulated trials and registries with a known effect: bias and coverage of every method."""

import numpy as np
import pytest

from vertebro_outcomes.comparisons.methods import METHODS
from vertebro_outcomes.estimators.t_interval import t_quantile
from vertebro_outcomes.estimators.two_arms import TwoArms

REPLICATES, N, EFFECT = 250, 300, -1.0


def one(rng, *, confounded):
    """Pain at two visits, a quarter of the later scores missing where the earlier pain was high."""
    x = rng.normal(size=(N, 2))
    lean = 0.7 * x[:, 0] - 0.4 * x[:, 1] if confounded else np.zeros(N)
    treated = rng.random(N) < 1 / (1 + np.exp(-lean))
    own = rng.normal(size=N)
    early = 5 + 0.8 * x[:, 0] - 0.5 * x[:, 1] + EFFECT * treated + own + rng.normal(size=N)
    late = 4 + 0.8 * x[:, 0] - 0.5 * x[:, 1] + EFFECT * treated + own + rng.normal(size=N)
    return treated, x, early, late


def run(method, *, confounded, seed):
    rng = np.random.default_rng(seed)
    error, covered = [], []
    for _ in range(REPLICATES):
        treated, x, early, late = one(rng, confounded=confounded)
        visits = np.column_stack([early, late])
        if method == "mmrm":
            visits[(early > 6) & (rng.random(N) < 0.5), 1] = np.nan
        varies = np.zeros(2, dtype=bool)
        fit = METHODS[method].fit(
            TwoArms(late, treated, x, visits=visits, visit=1, varies=varies),
            variance=METHODS[method].variances[0],
        )
        half = float(t_quantile(np.array(fit.df), level=0.95)) * fit.se
        error.append(fit.estimate - EFFECT)
        covered.append(abs(fit.estimate - EFFECT) <= half)
    return np.array(error), float(np.mean(covered))


@pytest.mark.parametrize(
    ("method", "confounded"),
    [("unadjusted", False), ("ancova", False), ("mmrm", False), ("ancova", True), ("mmrm", True),
     ("overlap_weighting", True), ("ate_weighting", True), ("att_weighting", True), ("aipw", True),
     ("g_computation", True), ("matching", True)],
)  # fmt: skip
def test_no_bias_and_nominal_coverage(method, confounded):
    """Bias within four of its standard errors; coverage within the same of 95 % (binomial)."""
    error, coverage = run(method, confounded=confounded, seed=11)
    assert abs(error.mean()) < 4 * error.std(ddof=1) / np.sqrt(REPLICATES)
    assert abs(error.mean()) < 0.05
    assert 0.95 - 4 * np.sqrt(0.95 * 0.05 / REPLICATES) < coverage
    if METHODS[method].adjusts != "propensity":  # weights may be conservative
        assert coverage < 0.99


def test_the_naive_analysis_of_the_confounded_registry_fails():
    error, coverage = run("unadjusted", confounded=True, seed=11)
    assert error.mean() > 0.2
    assert coverage < 0.6
