"""Peto's one-step odds ratio.

Reference: Yusuf, Peto, Lewis, Collins, Sleight (1985), Prog Cardiovasc Dis 27:335-371,
doi:10.1016/S0033-0620(85)80003-7, appendix.
"""

from dataclasses import dataclass

import numpy as np

from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.effect_sizes.two_by_two import Table


@dataclass(frozen=True)
class PetoFit:
    """Pooled log odds ratio ΣO-E / ΣV with its Q (df: studies with V > 0, less one).

    `observed_minus_expected` and `weights` (V, hypergeometric variance) have length k; a study
    without (or with only) events has 0 in both. NaN where no study has V > 0.
    """

    estimate: float
    se: float
    q: float
    df: int
    observed_minus_expected: Floats
    weights: Floats


def fit_peto(table: Table) -> PetoFit:
    """Pool arrays a, b, c, d of length k; no correction is ever needed."""
    a, b, c, d = table
    n1, n2, events, others = a + b, c + d, a + c, b + d
    n = n1 + n2
    with np.errstate(divide="ignore", invalid="ignore"):
        v = np.where(n > 1, n1 * n2 * events * others / (n**2 * (n - 1)), 0.0)
    return fit_peto_from_sums(np.asarray(a - n1 * events / n), v)


def fit_peto_from_sums(observed_minus_expected: Floats, v: Floats) -> PetoFit:
    """The same from O - E and V, as trials with time-to-event outcomes print them."""
    informative = v > 0
    o_e, v1 = observed_minus_expected[informative], v[informative]
    if not len(v1):
        nan = float("nan")
        return PetoFit(nan, nan, nan, 0, observed_minus_expected, v)
    total = float(v1.sum())
    estimate = float(o_e.sum()) / total
    q = float(np.sum((o_e - v1 * estimate) ** 2 / v1))
    return PetoFit(estimate, total**-0.5, q, len(v1) - 1, observed_minus_expected, v)
