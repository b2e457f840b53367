"""Limits of many sites' proportions that count how little is known of the mean and of the spread.

The hierarchical model in full: the likelihood of mean and spread is summed over a grid, and the limits
are quantiles of each site's posterior averaged over it. Where few sites, or rare events, say little
about the spread, limits at its best estimate are too narrow.

References
----------
Gelman et al. 2013, Bayesian Data Analysis, 3rd ed., section 5.3 (the prior of the beta-binomial model,
flat in mean and (a + b)^-1/2); Gelman 2006, Bayesian Anal 1:515-533, doi:10.1214/06-BA117A (flat in the
standard deviation of the logits).
"""

from typing import Final, Literal

import numpy as np
from scipy import special

from vertebro_outcomes.estimators.arrays import Floats

Model = Literal["beta_binomial", "logit_normal"]
SPREADS: Final = 101  # grid of the spread
MEANS: Final = 31  # grid of the mean, for each spread
WIDE: Final = 6.0  # standard errors of the mean to both sides
TAIL: Final = 25.0  # logits beyond the ends at which rates next to 0 or 1 have their mass
STEPS: Final = 2400  # logits at which densities are held
OWN: Final = 49  # further logits around each site that its own data pin down
NARROW: Final = (
    0.1  # standard deviation of logits below which a density is summed to one on the grid
)
# Largest standard deviation of the logits, and largest (a + b)^-1/2 (rates next to 0 or 1), of a grid.
LARGEST: Final = {"logit_normal": 4.0, "beta_binomial": 3.0}


def posterior_limits(x: Floats, n: Floats, *, model: Model, level: float) -> tuple[Floats, Floats]:
    """Quantiles (1 -+ level)/2 of the posterior of each site's rate.

    Parameters
    ----------
    x, n : arrays (k,)
        Events among n of each site, 0 < sum of x < sum of n.
    model : {"beta_binomial", "logit_normal"}
    level : float
        Between 0 and 1.

    Returns
    -------
    (array, array)
        Lower and upper limits.
    """
    logit, width = _grid(x, n)
    own = x[:, None] * special.log_expit(logit) + (n - x)[:, None] * special.log_expit(-logit)
    own = np.exp(own - own.max(axis=1, keepdims=True))
    average = np.zeros_like(own)
    parts = []
    for spread in _spreads(model):
        prior, weight = _priors(x, n, logit, width, model=model, spread=spread)
        chance = own @ (prior * width[:, None])  # (k, means): of the site's events
        with np.errstate(divide="ignore"):
            parts.append((np.log(chance).sum(axis=0) + weight, prior, chance))
    top = max(float(part.max()) for part, _, _ in parts)
    for part, prior, chance in parts:
        share = np.exp(part - top)
        if share.max() > 1e-12:
            good = share > 0
            average += (share[good] / chance[:, good]) @ prior[:, good].T
    density = own * average
    return _quantiles(logit, density, (1 - level) / 2), _quantiles(logit, density, (1 + level) / 2)


def _grid(x: Floats, n: Floats) -> tuple[Floats, Floats]:
    """Logits and what each stands for: even between the ends, closer where a site pins its rate down."""
    high = 2.0 - float(special.logit(0.02 / (n.max() + 1)))
    low = -high
    at = [np.linspace(low, high, STEPS), np.linspace(low - TAIL, high + TAIL, STEPS // 3)]
    rate = (x + 0.5) / (n + 1.0)
    size = 1.0 / np.sqrt(n * rate * (1 - rate))
    middle, typical = special.logit(rate), (high - low) / STEPS
    fine = np.flatnonzero(size < 8 * typical)
    at += [middle[j] + size[j] * np.linspace(-6, 6, OWN) for j in fine]
    pooled = x.sum() / n.sum()
    se = 1.0 / np.sqrt(n.sum() * pooled * (1 - pooled))
    at.append(special.logit(pooled) + np.linspace(-8, 8, 801) * max(se, typical / 4))
    logit = np.unique(np.concatenate(at))
    return logit, np.gradient(logit)


def _spreads(model: Model) -> Floats:
    """Even steps from nearly none."""
    return np.asarray(LARGEST[model] * (np.arange(SPREADS) + 0.5) ** 2 / SPREADS**2)


def _priors(
    x: Floats, n: Floats, logit: Floats, width: Floats, *, model: Model, spread: float
) -> tuple[Floats, Floats]:
    """Densities of the logits (grid, means), and the log prior weight of every mean."""
    pooled = float((x.sum() + 0.5) / (n.sum() + 1.0))
    tau = spread if model == "logit_normal" else spread / np.sqrt(pooled * (1 - pooled))
    own = 1.0 / (n * pooled * (1 - pooled))
    se = 1.0 / np.sqrt((1.0 / (own + tau**2)).sum())
    mean = special.logit(pooled) + WIDE * se * np.linspace(-1, 1, MEANS)
    q = -mean
    if model == "logit_normal":
        size = 0.5 * ((logit[:, None] - mean) / spread) ** 2
        log, weight = -size - np.log(spread * np.sqrt(2 * np.pi)), np.zeros(MEANS)
    else:
        a, b = spread**-2.0 * special.expit(mean), spread**-2.0 * special.expit(q)
        log = a * special.log_expit(logit)[:, None] + b * special.log_expit(-logit)[:, None]
        log = log - special.betaln(a, b)
        weight = special.log_expit(mean) + special.log_expit(q)  # flat in the mean itself
    density = np.exp(log)
    if tau < NARROW:  # the grid holds a few points of it, whose sum is not its integral
        mass = (density * width[:, None]).sum(axis=0)
        density = np.divide(density, mass, out=density, where=mass > 0)
    step = np.log(se) + 0.5 * np.log(spread)  # of the means, and of the spreads (squared steps)
    return density, weight + step


def _quantiles(logit: Floats, density: Floats, share: float) -> Floats:
    """Where the posterior of each site reaches the share."""
    cells = 0.5 * (density[:, 1:] + density[:, :-1]) * np.diff(logit)
    total = np.concatenate([np.zeros((len(cells), 1)), np.cumsum(cells, axis=1)], axis=1)
    found = [np.interp(share * line[-1], line, logit) for line in total]
    return np.asarray(special.expit(np.array(found)))
