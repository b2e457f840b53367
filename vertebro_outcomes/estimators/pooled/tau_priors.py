"""Prior distributions for the between-study standard deviation tau.

References
----------
Gelman (2006), Bayesian Anal 1:515-534, doi:10.1214/06-BA117A (half-normal, half-Cauchy, uniform);
Friede, Röver, Wandel and Neuenschwander (2017), Res Synth Methods 8:79-91, doi:10.1002/jrsm.1217
(half-normal with scale 0.5 or 1 for log odds ratios);
Turner et al. (2015), Stat Med 34:984-998, doi:10.1002/sim.6381 (log-normal for tau²).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from vertebro_outcomes.estimators.arrays import Floats

INFINITE: Final = float("inf")


@dataclass(frozen=True)
class TauPrior:
    """One prior: `log_density` in tau (> 0); the rest tells the integration where to look.

    `upper` ends the support (inf if it has no end). `tail` is the power a of a density that falls
    like tau^-a (inf if faster). `log_low`, `log_high` enclose where log tau is likely a priori.
    `proper` is False if the density does not integrate to 1.
    """

    name: str
    log_density: Callable[[Floats], Floats]
    log_low: float
    log_high: float
    upper: float = INFINITE
    tail: float = INFINITE
    proper: bool = True


def half_normal(scale: float) -> TauPrior:
    """Prior of tau = |x| with x normal about 0; `scale` is the standard deviation of x."""
    constant = 0.5 * np.log(2.0 / np.pi) - np.log(scale)
    at = float(np.log(scale))
    return TauPrior(
        f"half-normal, scale {scale:g}",
        lambda tau: constant - 0.5 * np.square(np.minimum(tau / scale, 1e150)),
        log_low=at,
        log_high=at,
    )


def half_cauchy(scale: float) -> TauPrior:
    """Prior of tau = |x| with x Cauchy about 0; half of the mass lies below `scale`."""
    constant = np.log(2.0 / np.pi) - np.log(scale)
    at = float(np.log(scale))
    return TauPrior(
        f"half-Cauchy, scale {scale:g}",
        lambda tau: constant - 2.0 * np.log(np.hypot(1.0, tau / scale)),
        log_low=at,
        log_high=at,
        tail=2.0,
    )


def uniform(upper: float) -> TauPrior:
    """A prior of tau between 0 and `upper`, each value as likely as the other."""
    constant = -float(np.log(upper))
    return TauPrior(
        f"uniform from 0 to {upper:g}",
        lambda tau: np.full_like(tau, constant),
        log_low=-constant,
        log_high=-constant,
        upper=upper,
    )


def log_normal(mu: float, sigma: float) -> TauPrior:
    """The log of tau is normal with mean `mu` and standard deviation `sigma`."""
    return TauPrior(
        f"log-normal, log \N{GREEK SMALL LETTER TAU} about {mu:g} (SD {sigma:g})",
        _log_normal_density(mu, sigma),
        log_low=mu - 10.0 * sigma,
        log_high=mu + 10.0 * sigma,
    )


def log_normal_tau2(mu: float, sigma: float) -> TauPrior:
    """The log of tau² is normal with mean `mu`, standard deviation `sigma`, as Turner et al. print."""
    inner = log_normal(mu / 2.0, sigma / 2.0)
    return TauPrior(
        f"log-normal, log \N{GREEK SMALL LETTER TAU}² about {mu:g} (SD {sigma:g})",
        inner.log_density,
        log_low=inner.log_low,
        log_high=inner.log_high,
    )


def flat() -> TauPrior:
    """Density 1 for every tau: improper; needs three studies (two if the mean has a normal prior)."""
    return TauPrior(
        "flat (improper)",
        np.zeros_like,
        log_low=INFINITE,
        log_high=-INFINITE,
        tail=0.0,
        proper=False,
    )


def _log_normal_density(mu: float, sigma: float) -> Callable[[Floats], Floats]:
    constant = -0.5 * np.log(2.0 * np.pi) - np.log(sigma)

    def log_density(tau: Floats) -> Floats:
        log_tau = np.log(tau)
        return constant - log_tau - 0.5 * ((log_tau - mu) / sigma) ** 2

    return log_density


TAU_PRIORS: Final[dict[str, Callable[..., TauPrior]]] = {
    "half_normal": half_normal,
    "half_cauchy": half_cauchy,
    "uniform": uniform,
    "log_normal": log_normal,
    "log_normal_tau2": log_normal_tau2,
    "flat": flat,
}
