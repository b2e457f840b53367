"""Two proportions: difference, ratio and odds ratio with score limits, exact tests."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.optimize import brentq
from scipy.special import ndtri

from vertebro_outcomes.estimators.rates.boschloo import boschloo
from vertebro_outcomes.estimators.rates.one_proportion import wilson


@dataclass(frozen=True)
class TwoProportions:
    """x1 of n1 under treatment, x0 of n0 under comparator."""

    x1: int
    n1: int
    x0: int
    n0: int


@dataclass(frozen=True)
class Limits:
    """An estimate with its limits."""

    estimate: float
    ci_low: float
    ci_high: float


def newcombe(table: TwoProportions, *, level: float = 0.95) -> Limits:
    """Risk difference from two Wilson intervals.

    Reference: Newcombe 1998, doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I,
    method 10.
    """
    x, n = np.array([table.x1, table.x0], float), np.array([table.n1, table.n0], float)
    low, high = wilson(x, n, level=level)
    p = x / n
    d = float(p[0] - p[1])
    below = np.sqrt((p[0] - low[0]) ** 2 + (high[1] - p[1]) ** 2)
    above = np.sqrt((high[0] - p[0]) ** 2 + (p[1] - low[1]) ** 2)
    return Limits(d, d - float(below), d + float(above))


def score_difference(table: TwoProportions, *, level: float = 0.95) -> Limits:
    """Risk difference by inversion of Miettinen and Nurminen's score test.

    Reference: Miettinen and Nurminen 1985, doi:10.1002/sim.4780040211, equations 8 and 9.
    """
    d = table.x1 / table.n1 - table.x0 / table.n0

    def z(delta: float) -> float:
        p0 = _restricted(table, delta)
        p1 = p0 + delta
        n = table.n1 + table.n0
        v = (p1 * (1 - p1) / table.n1 + p0 * (1 - p0) / table.n0) * n / (n - 1)
        return _standard(d - delta, v)

    edge = 1 - 1e-12
    return Limits(d, _root(z, -edge, d, level, +1), _root(z, d, edge, level, -1))


def score_ratio(table: TwoProportions, *, level: float = 0.95) -> Limits:
    """Risk ratio by inversion of Miettinen and Nurminen's score test (equation 10)."""
    x1, n1, x0, n0 = table.x1, table.n1, table.x0, table.n0
    n = n1 + n0
    estimate = _divide(x1 / n1, x0 / n0)

    def z(log_ratio: float) -> float:
        r = float(np.exp(log_ratio))
        a, b, c = n * r, -(n1 * r + x1 + n0 + x0 * r), x1 + x0
        p0 = (-b - np.sqrt(max(b * b - 4 * a * c, 0.0))) / (2 * a)
        p1 = p0 * r
        v = (p1 * (1 - p1) / n1 + r * r * p0 * (1 - p0) / n0) * n / (n - 1)
        return _standard(x1 / n1 - r * x0 / n0, v)

    return _log_limits(z, estimate, level)


def score_odds_ratio(table: TwoProportions, *, level: float = 0.95) -> Limits:
    """Odds ratio by inversion of Miettinen and Nurminen's score test (equation 11)."""
    x1, n1, x0, n0 = table.x1, table.n1, table.x0, table.n0
    estimate = _divide(x1 * (n0 - x0), x0 * (n1 - x1))

    def z(log_odds_ratio: float) -> float:
        t = float(np.exp(log_odds_ratio))
        a, b, c = n0 * (t - 1), n1 * t + n0 - (x1 + x0) * (t - 1), -(x1 + x0)
        root = np.sqrt(b * b - 4 * a * c)
        p0 = -2 * c / (b + root)
        p1 = p0 * t / (1 + p0 * (t - 1))
        v = 1 / (1 / (n1 * p1 * (1 - p1)) + 1 / (n0 * p0 * (1 - p0)))
        return _standard(x1 - n1 * p1, v * (n1 + n0) / (n1 + n0 - 1))

    return _log_limits(z, estimate, level)


def exact_p_values(table: TwoProportions) -> dict[str, float]:
    """Two-sided p-values of Fisher, Boschloo and Barnard (pooled variance)."""
    cells = [[table.x1, table.x0], [table.n1 - table.x1, table.n0 - table.x0]]
    if table.x1 + table.x0 in (0, table.n1 + table.n0):
        return {"fisher": 1.0, "boschloo": 1.0, "barnard": 1.0}
    return {
        "fisher": float(stats.fisher_exact(cells).pvalue),
        "boschloo": boschloo(table.x1, table.n1, table.x0, table.n0),
        "barnard": float(stats.barnard_exact(cells).pvalue),
    }


def exact_odds_ratio(table: TwoProportions, *, level: float = 0.95) -> Limits:
    """Conditional maximum likelihood and exact conditional limits, as goes with Fisher's test.

    Reference: Cornfield 1956, Proc Third Berkeley Symp 4:135-148; Agresti 1992,
    doi:10.1214/ss/1177011454.
    """
    if table.x1 + table.x0 in (0, table.n1 + table.n0):
        return Limits(np.nan, 0.0, np.inf)
    cells = [[table.x1, table.x0], [table.n1 - table.x1, table.n0 - table.x0]]
    found = stats.contingency.odds_ratio(cells, kind="conditional")
    limits = found.confidence_interval(confidence_level=level)
    return Limits(float(found.statistic), float(limits.low), float(limits.high))


def exact_p_value(table: TwoProportions, *, boschloo_up_to: int) -> tuple[float, str]:
    """Two-sided Boschloo test, Fisher's where both arms together are larger; with its name."""
    small = table.n1 + table.n0 <= boschloo_up_to
    name = "boschloo" if small else "fisher"
    if table.x1 + table.x0 in (0, table.n1 + table.n0):
        return 1.0, name
    cells = [[table.x1, table.x0], [table.n1 - table.x1, table.n0 - table.x0]]
    if small:
        return boschloo(table.x1, table.n1, table.x0, table.n0), name
    return min(float(stats.fisher_exact(cells).pvalue), 1.0), name


def _restricted(table: TwoProportions, delta: float) -> float:
    """Maximum likelihood of the comparator's proportion where the difference is delta."""

    def slope(p: float) -> float:
        q = p + delta
        up = table.x0 / p if table.x0 else 0.0
        up += table.x1 / q if table.x1 else 0.0
        down = (table.n0 - table.x0) / (1 - p) if table.n0 > table.x0 else 0.0
        down += (table.n1 - table.x1) / (1 - q) if table.n1 > table.x1 else 0.0
        return up - down

    low, high = max(0.0, -delta), min(1.0, 1.0 - delta)
    step = 1e-14 + 1e-13 * (high - low)
    if slope(low + step) <= 0:
        return low
    if slope(high - step) >= 0:
        return high
    return float(brentq(slope, low + step, high - step, xtol=1e-15, rtol=1e-14))


def _standard(distance: float, variance: float) -> float:
    if abs(distance) < 1e-15:
        return 0.0
    return float(distance / np.sqrt(variance)) if variance > 0 else float(np.sign(distance) * 1e9)


def _root(z: Callable[[float], float], low: float, high: float, level: float, side: int) -> float:
    bound = side * float(ndtri((1 + level) / 2))
    at_low, at_high = z(low) - bound, z(high) - bound
    if at_low * at_high > 0:
        return round(low if side > 0 else high, 9)
    return float(brentq(lambda v: z(v) - bound, low, high, xtol=1e-14, rtol=1e-13))


def _log_limits(z: Callable[[float], float], estimate: float, level: float) -> Limits:
    far = 30.0
    if np.isnan(estimate):
        return Limits(np.nan, 0.0, np.inf)
    middle = float(np.clip(np.log(estimate) if estimate > 0 else -far, -far, far))
    low = 0.0 if estimate == 0 else float(np.exp(_root(z, -far, middle, level, +1)))
    high = np.inf if np.isinf(estimate) else float(np.exp(_root(z, middle, far, level, -1)))
    return Limits(estimate, low, high)


def _divide(up: float, down: float) -> float:
    if down > 0:
        return up / down
    return float("inf") if up > 0 else float("nan")
