"""Beta-binomial models for one arm or two arms per study.

The probability of an event in an arm varies between studies as a beta distribution with mean p and
intra-study correlation rho (first shape parameter p(1 - rho)/rho, second (1 - p)(1 - rho)/rho). Both
arms share rho; each has its own p, on the logit scale. As the two means are free, the maximum of the
likelihood is the same whichever measure is read from it; risk ratio and risk difference follow by the delta
method. Studies without events stay in.

References
----------
Kuss (2015), Stat Med 34:1097-1116, doi:10.1002/sim.6383, section 3 (beta-binomial regression);
Felsch, Beckmann, Bender, Jaki, Kuss (2022), BMC Med Res Methodol 22:319,
doi:10.1186/s12874-022-01779-3 (common-rho model).
"""

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from scipy import special

from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.pooled.arrowhead_newton import maximise
from vertebro_outcomes.estimators.pooled.numeric_derivatives import differentiate

START_SPREAD: Final = 0.3
SMALLEST_SPREAD: Final = 1e-4
LARGE: Final = 30.0  # from here Stirling's series for log gamma is exact to double precision


@dataclass(frozen=True)
class BetaBinomialFit:
    """Effect and standard error on the analysis scale; `rho` is the intra-study correlation (0 to 1).

    `probabilities` are the mean probabilities: of the treatment and comparator arm, or of the one arm.
    """

    estimate: float
    se: float
    rho: float
    probabilities: tuple[float, ...]
    log_likelihood: float
    converged: bool


def fit_beta_binomial(
    table: tuple[Floats, Floats, Floats, Floats], *, measure: Literal["OR", "RR", "RD"]
) -> BetaBinomialFit:
    """Two arms: counts a, n1, c, n2 of k studies, with 0 < Σa < Σn1 and 0 < Σc < Σn2."""
    a, n1, c, n2 = table
    x, n = np.concatenate([a, c]), np.concatenate([n1, n2])
    second = np.repeat([0, 1], [len(a), len(c)])
    return _fit(x, n, arm=second, measure=measure)


def fit_beta_binomial_one_arm(x: Floats, n: Floats) -> BetaBinomialFit:
    """One arm: logit of the mean probability of x events among n, with 0 < Σx < Σn."""
    return _fit(x, n, arm=np.zeros(len(x), dtype=int), measure="PLO")


def _fit(x: Floats, n: Floats, *, arm: np.ndarray, measure: str) -> BetaBinomialFit:
    def value(_: Floats | None, shared: Floats) -> Floats:
        eta = np.take(shared[..., 0, :], arm, axis=-1)
        return _log_probability(x, n, eta, shared[..., -1] ** 2)

    arms = int(arm.max()) + 1
    totals = [(x[arm == i].sum(), n[arm == i].sum()) for i in range(arms)]
    start = np.array([np.log(events / (size - events)) for events, size in totals])
    derive = differentiate(value)
    best = maximise(value, derive, alpha=None, shared=np.append(start, 0.0), free=arms)
    converged = best.converged
    if len(x) > arms:
        mixed = maximise(
            value, derive, alpha=None, shared=np.append(start, START_SPREAD), free=arms + 1
        )
        converged = converged and mixed.converged
        if abs(mixed.shared[-1]) > SMALLEST_SPREAD and mixed.log_likelihood > best.log_likelihood:
            best = mixed
    logits, ratio = best.shared[:arms], float(best.shared[-1] ** 2)
    estimate, slope = _read(logits, measure)
    variance = float(slope @ best.covariance[:arms, :arms] @ slope)
    return BetaBinomialFit(
        estimate=estimate,
        se=math.sqrt(variance) if variance > 0 else math.nan,
        rho=ratio / (1.0 + ratio),
        probabilities=tuple(float(p) for p in special.expit(logits)),
        log_likelihood=best.log_likelihood,
        converged=converged,
    )


def _read(logits: Floats, measure: str) -> tuple[float, Floats]:
    """The effect and its gradient in the logits."""
    p = special.expit(logits)
    q = 1.0 - p
    if measure == "PLO":
        return float(logits[0]), np.ones(1)
    sign = np.array([1.0, -1.0])
    effect, slope = {
        "OR": (logits, np.ones(2)),
        "RR": (np.log(p), q),
        "RD": (p, p * q),
    }[measure]
    return float(effect[0] - effect[1]), sign * slope


def _log_probability(x: Floats, n: Floats, eta: Floats, ratio: Floats) -> Floats:
    """Log of the beta-binomial probability without its binomial coefficient.

    Σ_{r<x} log(p + r g) + Σ_{r<n-x} log(1 - p + r g) - Σ_{r<n} log(1 + r g), with g = rho/(1 - rho).
    """
    p, q = special.expit(eta), special.expit(-eta)
    g = np.maximum(ratio, 1e-30)
    return _log_rising(p, x, g) + _log_rising(q, n - x, g) - _log_rising(np.ones_like(p), n, g)


def _log_rising(p: Floats, x: Floats, g: Floats) -> Floats:
    """Σ_{r=0}^{x-1} log(p + r g), without cancellation when g is small."""
    z = p / g
    with np.errstate(over="ignore", invalid="ignore"):
        small = x * np.log(g) + special.gammaln(z + x) - special.gammaln(z)
        large = (
            x * np.log(p)
            + (z + x - 0.5) * np.log1p(x / z)
            - x
            + _stirling_tail(z + x)
            - _stirling_tail(z)
        )
    return np.asarray(np.where(z < LARGE, small, large))


def _stirling_tail(z: Floats) -> Floats:
    u = 1.0 / (z * z)
    return (1 / 12 - u * (1 / 360 - u * (1 / 1260 - u * (1 / 1680 - u / 1188)))) / z
