"""Direct and indirect evidence of every comparison, by back-calculation.

References
----------
Dias et al. (2010), Stat Med 29:932-944, doi:10.1002/sim.3767, section 3.1 (back-calculation);
König, Krahn and Binder (2013), Stat Med 32:5414-5429, doi:10.1002/sim.6001 (direct evidence proportion).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from vertebro_outcomes.estimators.arrays import Floats, Ints
from vertebro_outcomes.estimators.network.fit import NetworkFit

# A comparison whose direct share is this close to 1 has no indirect evidence: 1/(1 - share) would
# blow rounding up. netmeta's netsplit has the same limit (argument tol.direct).
SHARE_TOLERANCE: Final = 5e-4


@dataclass(frozen=True)
class SplitEvidence:
    """Matrices, row minus column; NaN where a kind of evidence is absent. `share`: of direct, 0 to 1."""

    direct: Floats
    direct_se: Floats
    studies: Ints
    share: Floats
    indirect: Floats
    indirect_se: Floats


@dataclass(frozen=True)
class Pairs:
    """All contrasts as given: `effect` = treatment `t` minus `c` (indices), sampling variance `v`."""

    t: Ints
    c: Ints
    effect: Floats
    v: Floats


def split_evidence(pairs: Pairs, fit: NetworkFit, *, tau2: float) -> SplitEvidence:
    """Split each network estimate: network = share x direct + (1 - share) x indirect.

    The direct estimate pools the studies that compare the two treatments, with the network's tau².
    """
    n = len(fit.mu)
    w = 1.0 / (pairs.v + tau2)
    total, product = np.zeros((n, n)), np.zeros((n, n))
    studies = np.zeros((n, n), dtype=np.int64)
    for one, two, sign in ((pairs.t, pairs.c, 1.0), (pairs.c, pairs.t, -1.0)):
        np.add.at(total, (one, two), w)
        np.add.at(product, (one, two), sign * w * pairs.effect)
        np.add.at(studies, (one, two), 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        direct = product / np.where(total > 0, total, np.nan)
        variance = 1.0 / np.where(total > 0, total, np.nan)
        share = np.where(total > 0, np.minimum(fit.se**2 / variance, 1.0), 0.0)
        rest = np.where(share < 1.0 - SHARE_TOLERANCE, 1.0 - share, np.nan)
        indirect = (fit.estimate - np.where(total > 0, share * direct, 0.0)) / rest
        indirect_se = fit.se / np.sqrt(rest)
    for matrix in (share, indirect, indirect_se):
        np.fill_diagonal(matrix, np.nan)
    return SplitEvidence(direct, np.sqrt(variance), studies, share, indirect, indirect_se)
