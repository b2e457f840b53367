"""Log-likelihoods of one study's counts, given its effect delta, with two derivatives in delta.

Constants that no parameter enters are left out. Arrays have the study as last axis.

References
----------
Stijnen, Hamza, Özdemir (2010), Stat Med 29:3046-3067, doi:10.1002/sim.4040 (all models);
Turner, Omar, Yang, Goldstein, Thompson (2000), Stat Med 19:3417-3432,
doi:10.1002/1097-0258(20001230)19:24<3417::AID-SIM614>3.0.CO;2-L (random effect split over the arms).
"""

from typing import Final

import numpy as np
from scipy import special

from vertebro_outcomes.estimators.arrays import Floats, Ints

MOST_TERMS: Final = 4_000_000  # of the hypergeometric sums held in memory at once
Derivatives = tuple[Floats, Floats, Floats]


def binomial(x: Floats, n: Floats, eta: Floats) -> Derivatives:
    """X events among n with log odds eta; derivatives in eta."""
    p = special.expit(eta)
    return x * eta - n * np.logaddexp(0.0, eta), x - n * p, -n * p * (1.0 - p)


def poisson(x: Floats, time: Floats, eta: Floats) -> Derivatives:
    """X events in `time` with log rate eta; derivatives in eta."""
    expected = time * np.exp(eta)
    return x * eta - expected, x - expected, -expected


class BothArms:
    """Both arms of every study around a study effect alpha, half of delta in each arm.

    `arm` is `binomial` (sizes n: patients) or `poisson` (sizes: person-time).
    """

    def __init__(self, *, counts: tuple[Floats, Floats], sizes: tuple[Floats, Floats], rates: bool):
        self.counts, self.sizes = counts, sizes
        self.arm = poisson if rates else binomial

    def derivatives(self, alpha: Floats, delta: Floats) -> tuple[Derivatives, Derivatives]:
        """The arms' log-likelihoods with derivatives in their own linear predictors."""
        return (
            self.arm(self.counts[0], self.sizes[0], alpha + 0.5 * delta),
            self.arm(self.counts[1], self.sizes[1], alpha - 0.5 * delta),
        )

    def given_alpha(self, alpha: Floats, delta: Floats) -> Derivatives:
        """Log-likelihood of the study and derivatives in delta."""
        t, c = self.derivatives(alpha, delta)
        return t[0] + c[0], 0.5 * (t[1] - c[1]), 0.25 * (t[2] + c[2])


class FisherHypergeometric:
    """Events under treatment given both margins: Fisher's noncentral hypergeometric distribution.

    log p(a | m, delta) = log C(n1, a) C(n2, m - a) + a delta - log Σ_j C(n1, j) C(n2, m - j) e^(j delta).
    The supports of all studies lie end to end in flat arrays.
    """

    def __init__(self, a: Floats, n1: Floats, c: Floats, n2: Floats) -> None:
        m = a + c
        first, last = np.maximum(0.0, m - n2), np.minimum(n1, m)
        self.lengths: Ints = (last - first + 1).astype(np.int64)
        self.starts: Ints = np.concatenate([[0], np.cumsum(self.lengths)[:-1]]).astype(np.int64)
        offset = np.arange(int(self.lengths.sum())) - np.repeat(self.starts, self.lengths)
        j = np.repeat(first, self.lengths) + offset
        n1_, n2_, m_ = (np.repeat(x, self.lengths) for x in (n1, n2, m))
        log_ways = -(
            special.gammaln(j + 1)
            + special.gammaln(n1_ - j + 1)
            + special.gammaln(m_ - j + 1)
            + special.gammaln(n2_ - m_ + j + 1)
        )
        observed = log_ways[self.starts + (a - first).astype(np.int64)]
        self.distance = j - np.repeat(a, self.lengths)  # from the observed count
        self.log_ways = log_ways - np.repeat(observed, self.lengths)

    def __call__(self, delta: Floats) -> Derivatives:
        """Log-probability of the observed count and its derivatives in delta."""
        if delta.ndim > 1 and len(delta) * len(self.distance) > MOST_TERMS:
            value, slope, bend = zip(*(self(row) for row in delta), strict=True)
            return np.stack(value), np.stack(slope), np.stack(bend)
        height = self.log_ways + self.distance * np.repeat(delta, self.lengths, axis=-1)
        top = np.maximum.reduceat(height, self.starts, axis=-1)
        weight = np.exp(height - np.repeat(top, self.lengths, axis=-1))
        total = np.add.reduceat(weight, self.starts, axis=-1)
        mean = np.add.reduceat(weight * self.distance, self.starts, axis=-1) / total
        square = np.add.reduceat(weight * self.distance**2, self.starts, axis=-1) / total
        return -(top + np.log(total)), -mean, mean**2 - square
