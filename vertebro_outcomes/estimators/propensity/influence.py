"""Standard errors from each patient's influence on an estimate, independent or within sites."""

import numpy as np

from vertebro_outcomes.estimators.arrays import Floats, Ints
from vertebro_outcomes.estimators.unanswerable import UnanswerableError

_COLLINEAR = 1e-10  # smallest eigenvalue of the scaled X'X of one arm


def se_from_influence(psi: Floats, cluster: Ints | None = None) -> float:
    """Square root of the sum of squared influences (summed within clusters first).

    `psi` holds each patient's share in estimate - truth, so its sum is zero at the estimate. No small-sample
    factor is applied.
    """
    summed = psi if cluster is None else np.bincount(cluster, weights=psi)
    return float(np.sqrt(summed @ summed))


def least_squares_by_arm(design: Floats, y: Floats, mine: Floats) -> tuple[Floats, Floats]:
    """Coefficients in the patients with `mine` = 1, and (sum of x x')^-1 there."""
    kept = mine > 0
    X = design[kept]
    XX = X.T @ X
    size = np.sqrt(np.diag(XX))
    if (size == 0).any() or np.linalg.eigvalsh(XX / np.outer(size, size))[0] < _COLLINEAR:
        raise UnanswerableError("within one arm a covariate is constant or follows from the others")
    gram = np.asarray(np.linalg.inv(XX), dtype=np.float64)
    return gram @ (X.T @ y[kept]), gram
