"""Proportions of one arm: x events among n, on five scales.

References
----------
Freeman and Tukey (1950), Ann Math Stat 21:607-611, doi:10.1214/aoms/1177729756 (double arcsine, halved);
Miller (1978), The American Statistician 32:138, doi:10.1080/00031305.1978.10479283 (its inverse).
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from vertebro_outcomes.estimators.arrays import Floats

Effect = tuple[Floats, Floats]


def raw(x: Floats, n: Floats) -> Effect:
    """Proportion and binomial variance."""
    p = x / n
    return p, p * (1 - p) / n


def log(x: Floats, n: Floats) -> Effect:
    """Log proportion."""
    return np.log(x / n), 1 / x - 1 / n


def logit(x: Floats, n: Floats) -> Effect:
    """Log odds."""
    return np.log(x / (n - x)), 1 / x + 1 / (n - x)


def arcsine(x: Floats, n: Floats) -> Effect:
    """Arcsine of the square root; variance 1/(4n)."""
    return np.arcsin(np.sqrt(x / n)), 1 / (4 * n)


def freeman_tukey(x: Floats, n: Floats) -> Effect:
    """Half the double arcsine; variance 1/(4n + 2)."""
    total = np.arcsin(np.sqrt(x / (n + 1))) + np.arcsin(np.sqrt((x + 1) / (n + 1)))
    return 0.5 * total, 1 / (4 * n + 2)


PROPORTIONS: Final[dict[str, Callable[[Floats, Floats], Effect]]] = {
    "PR": raw,
    "PLN": log,
    "PLO": logit,
    "PAS": arcsine,
    "PFT": freeman_tukey,
}
NEVER_CORRECTED: Final = frozenset({"PAS", "PFT"})  # defined at 0 and at n
