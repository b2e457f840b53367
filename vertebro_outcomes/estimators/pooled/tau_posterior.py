"""Integration over tau on (0, inf) or (0, upper) by Gauss-Legendre panels on a stretched axis.

The axis is t = log tau, or t = log(tau / (upper - tau)) for a bounded support. On it the integrand is
analytic in a strip of half-width pi/2 and falls at least exponentially at both ends, so panels of
width 1.5 with sixteen nodes integrate it to machine precision; narrower posteriors get narrower panels.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from scipy import optimize, special

from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.pooled.normal_mixture import shortest_interval
from vertebro_outcomes.estimators.unanswerable import UnanswerableError

NODES: Final = 16
NEGLIGIBLE: Final = 37.0  # natural log: what lies below exp(-37) of the peak is left out
COARSE_STEP: Final = 0.5
FEWEST_POINTS: Final = 16  # inside the window that is integrated, before panels are laid
MOST_PANELS: Final = 4096
WIDEST_PANEL: Final = 1.5
# Last Legendre coefficients of a panel as a share of the whole integral. The error of the integral
# goes with the square of it.
SMOOTH: Final = 1e-7
_X, _W = np.polynomial.legendre.leggauss(NODES)
_TO_LEGENDRE: Final = (
    np.polynomial.legendre.legvander(_X, NODES - 1) * _W[:, None] * (np.arange(NODES) + 0.5)
).T

LogIntegrand = Callable[[Floats], Floats]  # log of prior times likelihood, as a function of tau


@dataclass(frozen=True)
class TauPosterior:
    """The posterior of tau: nodes with `weights` that sum to 1, and the curve between them.

    `log_integral` is the log of the normalising constant; `moments` how many moments of tau exist;
    `converged` is False if the panels could not be made narrow enough.
    """

    log_integrand: LogIntegrand
    upper: float
    edges: Floats
    cumulative: Floats  # posterior probability below each edge
    nodes: Floats
    weights: Floats
    log_integral: float
    moments: int
    converged: bool

    def mean(self) -> float:
        """Posterior mean; infinite where the tail is too heavy."""
        return float(self.weights @ self.nodes) if self.moments >= 1 else np.inf

    def sd(self) -> float:
        """Posterior standard deviation; infinite where the tail is too heavy."""
        if self.moments < 2:
            return np.inf
        return float(np.sqrt(self.weights @ (self.nodes - self.mean()) ** 2))

    def density(self, tau: float) -> float:
        """Posterior density of tau, per unit of tau."""
        if tau >= self.upper and np.isfinite(self.upper):
            tau = float(np.nextafter(self.upper, 0.0))
        found = self.log_integrand(np.array([max(tau, self._smallest)]))
        return float(np.exp(found[0] - self.log_integral))

    def cdf(self, tau: float) -> float:
        """Posterior probability of a value up to tau."""
        return self._below(float(stretch(np.array(tau), self.upper))) if tau > 0 else 0.0

    def quantile(self, p: float) -> float:
        """Value with posterior probability p below it."""
        if p <= 0.0:
            return 0.0
        if p >= 1.0:
            return self.upper
        panel = int(np.clip(np.searchsorted(self.cumulative, p) - 1, 0, len(self.edges) - 2))
        low, high = float(self.edges[panel]), float(self.edges[panel + 1])
        if self._below(low) >= p:
            return float(unstretch(np.array(low), self.upper)[0])
        if self._below(high) <= p:
            return float(unstretch(np.array(high), self.upper)[0])
        t = float(optimize.brentq(lambda t: self._below(t) - p, low, high, xtol=1e-14, rtol=1e-14))
        return float(unstretch(np.array(t), self.upper)[0])

    def shortest(self, level: float) -> tuple[float, float]:
        """The shortest interval that holds `level`; it starts at 0 where the density falls from 0 on."""
        return shortest_interval(self.quantile, self.density, level=level)

    @cached_property
    def _smallest(self) -> float:
        return float(unstretch(self.edges[:1], self.upper)[0][0])

    def _below(self, t: float) -> float:
        """Posterior probability below t: whole panels, then the started one by its own nodes."""
        if t <= self.edges[0]:
            return 0.0
        if t >= self.edges[-1]:
            return 1.0
        panel = int(np.searchsorted(self.edges, t, side="right") - 1)
        half = 0.5 * (t - self.edges[panel])
        at = self.edges[panel] + half * (_X + 1.0)
        values = np.exp(_log_on_axis(self.log_integrand, at, self.upper) - self.log_integral)
        return float(self.cumulative[panel] + half * (_W @ values))


def stretch(tau: Floats, upper: float) -> Floats:
    """From tau to t."""
    return np.log(tau) if np.isinf(upper) else special.logit(tau / upper)


def unstretch(t: Floats, upper: float) -> tuple[Floats, Floats]:
    """From t to tau, with the log of dtau/dt."""
    if np.isinf(upper):
        return np.exp(t), np.asarray(t, dtype=float)
    tau = upper * special.expit(t)
    return tau, np.log(upper) + special.log_expit(t) + special.log_expit(-t)


def integrate_over_tau(
    log_integrand: LogIntegrand,
    *,
    upper: float,
    log_low: float,
    log_high: float,
    moments: int,
) -> TauPosterior:
    """Normalise prior times likelihood.

    Parameters
    ----------
    log_integrand
        log of the unnormalised posterior density of tau, vectorised.
    upper
        End of the support (inf if none).
    log_low, log_high
        log tau between which the data or the prior change the integrand; outside it falls evenly.
    moments
        How many moments of tau exist (0, 1, 2); the window reaches far enough for them.
    """
    first, last = _window(
        log_integrand, upper=upper, log_low=log_low, log_high=log_high, moments=moments
    )
    panels = max(FEWEST_POINTS, int(np.ceil((last - first) / WIDEST_PANEL)))
    while True:
        edges = np.linspace(first, last, panels + 1)
        half = 0.5 * (edges[1] - edges[0])
        t = (edges[:-1, None] + half * (_X + 1.0)[None, :]).ravel()
        log_values = _log_on_axis(log_integrand, t, upper)
        peak = float(log_values.max())
        values = np.exp(log_values - peak).reshape(panels, NODES)
        masses = half * (values @ _W)
        total = float(masses.sum())
        rough = half * np.abs(values @ _TO_LEGENDRE[-2:].T).max()
        converged = bool(rough <= SMOOTH * total)
        if converged or panels >= MOST_PANELS:
            break
        panels *= 2
    weights = (half * values * _W[None, :]).ravel() / total
    tau = unstretch(t, upper)[0]
    matters = weights * np.maximum(tau / tau[np.argmax(weights)], 1.0) ** moments > 1e-17
    return TauPosterior(
        log_integrand=log_integrand,
        upper=upper,
        edges=edges,
        cumulative=np.concatenate([[0.0], np.cumsum(masses)]) / total,
        nodes=tau[matters],
        weights=weights[matters] / weights[matters].sum(),
        log_integral=peak + float(np.log(total)),
        moments=moments,
        converged=converged,
    )


def _window(
    log_integrand: LogIntegrand, *, upper: float, log_low: float, log_high: float, moments: int
) -> tuple[float, float]:
    """Where the integrand, times tau to the power `moments`, is not negligible on the t axis."""
    if np.isinf(upper):
        first, last = log_low - 1.2 * NEGLIGIBLE, log_high + 1.2 * NEGLIGIBLE
    else:
        first = min(log_low - np.log(upper), 0.0) - 1.2 * NEGLIGIBLE
        last = 1.2 * NEGLIGIBLE
    points = int(np.ceil((last - first) / COARSE_STEP)) + 1
    for _ in range(60):
        t = np.linspace(first, last, points)
        height = _log_on_axis(log_integrand, t, upper)
        reach = height + moments * np.log(unstretch(t, upper)[0])
        inside = (height > height.max() - NEGLIGIBLE) | (reach > reach.max() - NEGLIGIBLE)
        where = np.flatnonzero(inside)
        if not len(where):
            raise UnanswerableError("the effects lie too far from the priors to compute with")
        left, right = max(where[0] - 1, 0), min(where[-1] + 1, points - 1)
        first, last = float(t[left]), float(t[right])
        if right - left >= FEWEST_POINTS:
            break
        points = 4 * FEWEST_POINTS
    return first, last


def _log_on_axis(log_integrand: LogIntegrand, t: Floats, upper: float) -> Floats:
    tau, log_jacobian = unstretch(t, upper)
    return log_integrand(tau) + log_jacobian
