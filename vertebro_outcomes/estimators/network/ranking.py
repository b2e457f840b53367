"""Which treatment is best: P-scores, and ranks of draws from the estimates' distribution.

References
----------
Rücker and Schwarzer (2015), BMC Med Res Methodol 15:58, doi:10.1186/s12874-015-0060-8 (P-score);
Salanti, Ades and Ioannidis (2011), J Clin Epidemiol 64:163-171, doi:10.1016/j.jclinepi.2010.03.016
(rank probabilities, SUCRA).
"""

import numpy as np
from scipy import special

from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.network.fit import NetworkFit


def p_scores(fit: NetworkFit, *, small_is_good: bool) -> Floats:
    """Mean certainty (0 to 1) that a treatment is better than each of the others."""
    se = fit.se + np.eye(len(fit.mu))  # the diagonal is not used
    better = special.ndtr(fit.estimate / se * (-1.0 if small_is_good else 1.0))
    np.fill_diagonal(better, 0.0)
    return better.sum(axis=1) / (len(better) - 1)


def rank_probabilities(fit: NetworkFit, *, small_is_good: bool, seed: int, draws: int) -> Floats:
    """Share of draws in which a treatment (row) takes a rank (column, best first)."""
    values, vectors = np.linalg.eigh(fit.covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    n = len(fit.mu)
    theta = fit.mu + np.random.default_rng(seed).standard_normal((draws, n)) @ root.T
    order = np.argsort(theta if small_is_good else -theta, axis=1, kind="stable")
    places = np.arange(n)
    return np.stack([(order == t).mean(axis=0) for t in places])
