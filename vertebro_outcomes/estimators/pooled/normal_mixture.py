"""Mixtures of normal distributions: probabilities, quantiles, shortest intervals.

A posterior that is normal given tau is, over a grid of tau, such a mixture. Components are rows;
columns (if any) are separate mixtures with the same weights.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import optimize, special

from vertebro_outcomes.estimators.arrays import Floats

MOST_STEPS: Final = 200
RELATIVE_STEP: Final = 1e-11  # of |x| + scale: the step after which the next is below rounding
_ROOT_2PI: Final = float(np.sqrt(2.0 * np.pi))


@dataclass(frozen=True)
class NormalMixture:
    """`weights` (J) sum to 1; `means` and `sds` have shape (J) or (J, c). `moments`: how many exist."""

    weights: Floats
    means: Floats
    sds: Floats
    moments: int = 2

    def cdf(self, x: "Floats | float") -> Floats:
        """P(X <= x), one per column."""
        return np.tensordot(self.weights, special.ndtr((x - self.means) / self.sds), axes=1)

    def sf(self, x: "Floats | float") -> Floats:
        """P(X > x), one per column."""
        return np.tensordot(self.weights, special.ndtr((self.means - x) / self.sds), axes=1)

    def density(self, x: "Floats | float") -> Floats:
        """Probability density at x, one per column."""
        z = np.minimum(np.abs((x - self.means) / self.sds), 1e10)
        return np.tensordot(self.weights, np.exp(-0.5 * z * z) / (self.sds * _ROOT_2PI), axes=1)

    def _log_slope(self, x: float) -> tuple[float, float]:
        """Density at x, and the derivative of its logarithm."""
        z = (x - self.means) / self.sds
        parts = self.weights * np.exp(-0.5 * z * z) / (self.sds * _ROOT_2PI)
        f = float(parts.sum())
        return f, float(-(parts @ (z / self.sds)) / f) if f > 0 else float("nan")

    def mean(self) -> Floats:
        """Expected value; NaN where it does not exist."""
        found = np.tensordot(self.weights, self.means, axes=1)
        return found if self.moments >= 1 else np.full_like(found, np.nan)

    def sd(self) -> Floats:
        """Standard deviation; infinite where the variance is."""
        centre = np.tensordot(self.weights, self.means, axes=1)
        if self.moments < 2:
            return np.full_like(centre, np.inf)
        spread = self.sds**2 + (self.means - centre) ** 2
        return np.sqrt(np.tensordot(self.weights, spread, axes=1))

    def quantile(self, p: float) -> Floats:
        """Find x with P(X <= x) = p, one per column: Newton inside a bracket."""
        middle = int(np.searchsorted(np.cumsum(self.weights), 0.5))
        middle = min(middle, len(self.weights) - 1)
        centre, scale = self.means[middle], self.sds[middle]
        z = special.ndtri(p)
        x = np.asarray(centre + z * scale, dtype=float)
        low, high = self._bracket(p, x, np.asarray(scale, dtype=float))
        upper_tail = p > 0.5
        for _ in range(MOST_STEPS):
            excess = (1.0 - p) - self.sf(x) if upper_tail else self.cdf(x) - p
            low, high = np.where(excess < 0, x, low), np.where(excess < 0, high, x)
            with np.errstate(divide="ignore", invalid="ignore"):
                new = x - excess / self.density(x)
            new = np.where((new > low) & (new < high), new, 0.5 * (low + high))
            step, x = np.abs(new - x), new
            if np.all(step <= RELATIVE_STEP * (np.abs(x) + scale)):
                break
        return x

    def _bracket(self, p: float, x: Floats, scale: Floats) -> tuple[Floats, Floats]:
        low, high = x - scale, x + scale
        for _ in range(MOST_STEPS):
            above, below = self.cdf(low) > p, self.sf(high) > 1.0 - p
            if not (np.any(above) or np.any(below)):
                break
            low = np.where(above, x - 2.0 * (x - low), low)
            high = np.where(below, x + 2.0 * (high - x), high)
        return low, high

    def shortest(self, level: float) -> tuple[float, float]:
        """The shortest interval that holds `level`; for a single mixture with one mode.

        Newton for F(b) - F(a) = level and f(a) = f(b), from the equal-tailed interval.
        """
        a, b = float(self.quantile((1 - level) / 2)), float(self.quantile((1 + level) / 2))
        width = b - a
        for _ in range(MOST_STEPS // 10):
            (f_a, slope_a), (f_b, slope_b) = self._log_slope(a), self._log_slope(b)
            if not (f_a > 0 and f_b > 0):
                break
            missing = level - (1.0 - float(self.cdf(a)) - float(self.sf(b)))
            uneven = float(np.log(f_b / f_a))
            determinant = f_a * slope_b - f_b * slope_a
            step_a = (missing * slope_b + uneven * f_b) / -determinant
            step_b = -(f_a * uneven + slope_a * missing) / determinant
            a, b = a + step_a, b + step_b
            if not (a < b < a + 10.0 * width):
                break
            if abs(step_a) + abs(step_b) <= RELATIVE_STEP * width:
                return a, b
        return shortest_interval(
            lambda p: float(self.quantile(p)), lambda x: float(self.density(x)), level=level
        )


def shortest_interval(
    quantile: Callable[[float], float], density: Callable[[float], float], *, level: float
) -> tuple[float, float]:
    """Both ends have the same density, or one end is where the distribution begins.

    Exact for a distribution with one mode. Where the density falls from the lower end of the support
    on, the interval starts there.
    """
    outside = 1.0 - level

    def imbalance(p: float) -> float:
        return density(quantile(p)) - density(quantile(p + level))

    first, last = outside * 1e-9, outside * (1.0 - 1e-9)
    if imbalance(first) >= 0:
        return quantile(0.0), quantile(level)
    if imbalance(last) <= 0:
        return quantile(outside), quantile(1.0)
    p = float(optimize.brentq(imbalance, first, last, xtol=1e-14, rtol=1e-12))
    return quantile(p), quantile(p + level)
