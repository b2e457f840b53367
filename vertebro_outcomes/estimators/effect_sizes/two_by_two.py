"""Effects of two-by-two tables: a events and b non-events under treatment, c and d under comparator.

References
----------
Fleiss and Berlin, in Cooper, Hedges, Valentine (2009), The Handbook of Research Synthesis (OR RR RD);
Yusuf et al. (1985), Prog Cardiovasc Dis 27:335-371, doi:10.1016/S0033-0620(85)80003-7 (Peto).
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from vertebro_outcomes.estimators.arrays import Bools, Floats

Table = tuple[Floats, Floats, Floats, Floats]
Effect = tuple[Floats, Floats]


def zero_cells(table: Table) -> Bools:
    """Studies with at least one empty cell."""
    a, b, c, d = table
    return (a == 0) | (b == 0) | (c == 0) | (d == 0)


def double_zero(table: Table) -> Bools:
    """Studies without an event in either arm, or with nothing but events in both."""
    a, b, c, d = table
    return ((a == 0) & (c == 0)) | ((b == 0) & (d == 0))


def odds_ratio(table: Table) -> Effect:
    """Log odds ratio and its variance (Woolf)."""
    a, b, c, d = table
    return np.log(a * d / (b * c)), 1 / a + 1 / b + 1 / c + 1 / d


def risk_ratio(table: Table) -> Effect:
    """Log risk ratio and its variance."""
    a, b, c, d = table
    n1, n2 = a + b, c + d
    return np.log(a / n1) - np.log(c / n2), 1 / a - 1 / n1 + 1 / c - 1 / n2


def risk_difference(table: Table) -> Effect:
    """Risk difference and its variance."""
    a, b, c, d = table
    n1, n2 = a + b, c + d
    return a / n1 - c / n2, a * b / n1**3 + c * d / n2**3


def peto_odds_ratio(table: Table) -> Effect:
    """Peto's one-step log odds ratio (O - E)/V and its variance 1/V."""
    a, b, c, d = table
    n1, n2 = a + b, c + d
    events, others, n = a + c, b + d, a + b + c + d
    variance = n1 * n2 * events * others / (n**2 * (n - 1))
    return (a - n1 * events / n) / variance, 1 / variance


TWO_BY_TWO: Final[dict[str, Callable[[Table], Effect]]] = {
    "OR": odds_ratio,
    "RR": risk_ratio,
    "RD": risk_difference,
    "PETO": peto_odds_ratio,
}
