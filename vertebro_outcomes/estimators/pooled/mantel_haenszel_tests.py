"""Tests that go with Mantel-Haenszel pooling: no association, and one common odds ratio.

References
----------
Mantel, Haenszel (1959), J Natl Cancer Inst 22:719-748, doi:10.1093/jnci/22.4.719;
Breslow, Day (1980), Statistical Methods in Cancer Research I, IARC, equation 4.32;
Tarone (1985), Biometrika 72:91-95, doi:10.1093/biomet/72.1.91.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.effect_sizes.two_by_two import Table, double_zero


@dataclass(frozen=True)
class ChiSquareTest:
    """A statistic, its degrees of freedom and upper tail probability."""

    statistic: float
    df: int
    p_value: float


def association_test(table: Table, *, continuity: bool = True) -> ChiSquareTest:
    """Cochran-Mantel-Haenszel test that the odds ratio is 1 in every table.

    `continuity` takes 0.5 off |O - E| where that is at least 0.5, as R's mantelhaen.test does.
    """
    a, b, c, d = table
    n1, n2, events, others = a + b, c + d, a + c, b + d
    n = n1 + n2
    gap = abs(float(np.sum(a - n1 * events / n)))
    variance = float(np.sum(n1 * n2 * events * others / (n**2 * (n - 1))))
    gap = gap - 0.5 if continuity and gap >= 0.5 else gap
    return _chi_square(gap**2 / variance, 1)


def rate_association_test(
    x1: Floats, t1: Floats, x2: Floats, t2: Floats, *, continuity: bool = True
) -> ChiSquareTest:
    """The same for event counts over person-time: binomial given each study's total."""
    share = t1 / (t1 + t2)
    gap = abs(float(np.sum(x1 - (x1 + x2) * share)))
    variance = float(np.sum((x1 + x2) * share * (1 - share)))
    gap = gap - 0.5 if continuity and gap >= 0.5 else gap
    return _chi_square(gap**2 / variance, 1)


def common_odds_ratio_test(
    table: Table, *, odds_ratio: float, tarone: bool = True
) -> ChiSquareTest:
    """Breslow-Day test that every table has this odds ratio, with Tarone's correction.

    Parameters
    ----------
    odds_ratio
        Mantel-Haenszel odds ratio (natural scale). Tables without information are left out.
    """
    informative = ~double_zero(table)
    a, b, c, d = (cell[informative] for cell in table)
    n1, n2, events = a + b, c + d, a + c
    expected = _expected_events(n1, n2, events, odds_ratio)
    variance = 1 / (
        1 / expected + 1 / (n1 - expected) + 1 / (events - expected) + 1 / (n2 - events + expected)
    )
    statistic = float(np.sum((a - expected) ** 2 / variance))
    if tarone:
        statistic -= float(np.sum(a - expected) ** 2 / variance.sum())
    return _chi_square(statistic, len(a) - 1)


def _expected_events(n1: Floats, n2: Floats, events: Floats, psi: float) -> Floats:
    """The count under treatment that, with the margins fixed, has odds ratio psi."""
    if psi == 1:
        return n1 * events / (n1 + n2)
    p, q, r = 1 - psi, n2 - events + psi * (n1 + events), -psi * n1 * events
    root = np.sqrt(q**2 - 4 * p * r)
    return np.asarray(-2 * r / (q + root))  # stable form of the admissible root


def _chi_square(statistic: float, df: int) -> ChiSquareTest:
    p_value = float(special.chdtrc(df, statistic)) if df > 0 else 1.0
    return ChiSquareTest(statistic, df, p_value)
