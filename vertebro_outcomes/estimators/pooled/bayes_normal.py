"""The normal-normal hierarchical model, solved by integration over tau; nothing is sampled.

y_i ~ N(theta_i, sigma_i²), theta_i ~ N(mu, tau²), mu normal or flat a priori, tau by a prior of choice.
Given tau everything is normal in closed form, so one-dimensional integration is enough.

References
----------
Röver (2020), J Stat Softw 93(6):1-51, doi:10.18637/jss.v093.i06, section 2 (equations of the model);
DuMouchel and Normand (2000), in Meta-Analysis in Medicine and Health Policy, CRC Press;
Dickey (1971), Ann Math Stat 42:204-223, doi:10.1214/aoms/1177693507 (Bayes factor as density ratio).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.pooled.normal_mixture import NormalMixture
from vertebro_outcomes.estimators.pooled.tau_posterior import TauPosterior, integrate_over_tau
from vertebro_outcomes.estimators.pooled.tau_priors import TauPrior

MOST_CELLS: Final = 1_000_000  # tau nodes times studies held in memory at once
_LOG_2PI: Final = float(np.log(2.0 * np.pi))


@dataclass(frozen=True)
class MeanPrior:
    """Normal prior of mu; an infinite `sd` is the flat, improper one."""

    mean: float
    sd: float

    @property
    def proper(self) -> bool:
        return bool(np.isfinite(self.sd))


@dataclass(frozen=True)
class GivenTau:
    """For each tau: mean and variance of mu, and the log-likelihood with mu integrated out."""

    mean: Floats
    variance: Floats
    log_likelihood: Floats


@dataclass(frozen=True)
class BayesNormalFit:
    """Posterior of mu, of the effect in a new study, of tau; Bayes factors in favour of the null.

    `bf_no_effect`: mu = 0 against its prior. `bf_no_heterogeneity`: tau = 0 against its prior. NaN where
    the prior is improper.
    """

    mu: NormalMixture
    new_study: NormalMixture
    tau: TauPosterior
    bf_no_effect: float
    bf_no_heterogeneity: float


def posterior_tail(k: int, tau_prior: TauPrior, mean_prior: MeanPrior) -> float:
    """The power a with which the posterior density of tau falls, as tau^-a; proper only if a > 1."""
    return tau_prior.tail + (k if mean_prior.proper else k - 1)


def fit_bayes_normal(
    y: Floats, v: Floats, *, tau_prior: TauPrior, mean_prior: MeanPrior
) -> BayesNormalFit:
    """Posterior of the normal-normal model.

    Parameters
    ----------
    y, v : arrays of length k
        Effects and sampling variances (> 0), without gaps.
    tau_prior, mean_prior
        Priors; together with the data they have to give a proper posterior (`posterior_tail` > 1).
    """
    a = posterior_tail(len(y), tau_prior, mean_prior)
    assert a > 1, "improper posterior"
    moments = 2 if a > 3 else 1 if a > 2 else 0

    def log_integrand(tau: Floats) -> Floats:
        return tau_prior.log_density(tau) + given_tau(y, v, tau, mean_prior).log_likelihood

    log_se = 0.5 * np.log(v)
    spread = float(np.ptp(y))
    log_spread = float(np.log(spread)) if spread > 0 else float(log_se.max())
    tau = integrate_over_tau(
        log_integrand,
        upper=tau_prior.upper,
        log_low=min(float(log_se.min()), log_spread, tau_prior.log_low),
        log_high=max(float(log_se.max()), log_spread, tau_prior.log_high),
        moments=moments,
    )
    given = given_tau(y, v, tau.nodes, mean_prior)
    mu = NormalMixture(
        tau.weights, given.mean, np.sqrt(given.variance), 2 if mean_prior.proper else moments
    )
    new_study = NormalMixture(
        tau.weights, given.mean, np.sqrt(given.variance + tau.nodes**2), moments
    )
    nothing = given_tau(y, v, np.zeros(1), mean_prior).log_likelihood[0]
    return BayesNormalFit(
        mu=mu,
        new_study=new_study,
        tau=tau,
        bf_no_effect=_density_ratio_at_zero(mu, mean_prior),
        bf_no_heterogeneity=(
            float(np.exp(nothing - tau.log_integral)) if tau_prior.proper else np.nan
        ),
    )


def given_tau(y: Floats, v: Floats, tau: Floats, prior: MeanPrior) -> GivenTau:
    """The posterior of mu given tau, and p(y | tau); Röver (2020), section 2."""
    w0 = 1.0 / prior.sd**2  # 0 for the flat prior
    centre = prior.mean if prior.proper else float(np.sum(y / v) / np.sum(1.0 / v))
    r = y - centre
    constant = -0.5 * len(y) * _LOG_2PI
    constant += -np.log(prior.sd) if prior.proper else 0.5 * _LOG_2PI
    mean, variance, log_likelihood = (np.empty(len(tau)) for _ in range(3))
    step = max(1, MOST_CELLS // len(y))
    for start in range(0, len(tau), step):
        part = slice(start, start + step)
        total = v[None, :] + (tau[part] ** 2)[:, None]
        w = 1.0 / total
        precision = w0 + w.sum(axis=1)
        shift = (w @ r) / precision
        rest = r[None, :] - shift[:, None]
        misfit = np.einsum("ij,ij,ij->i", w, rest, rest) + w0 * shift**2
        mean[part] = centre + shift
        variance[part] = 1.0 / precision
        log_likelihood[part] = constant - 0.5 * (
            np.log(total).sum(axis=1) + misfit + np.log(precision)
        )
    return GivenTau(mean, variance, log_likelihood)


def shrink_studies(fit: BayesNormalFit, y: Floats, v: Floats) -> NormalMixture:
    """Posterior of each study's own effect theta_i, one column per study; Röver (2020), section 2."""
    tau2 = (fit.tau.nodes**2)[:, None]
    own = tau2 / (tau2 + v[None, :])  # weight of the study's own estimate
    pulled = v[None, :] / (tau2 + v[None, :])
    means = own * y[None, :] + pulled * fit.mu.means[:, None]
    variances = own * v[None, :] + pulled**2 * (fit.mu.sds**2)[:, None]
    return NormalMixture(fit.tau.weights, means, np.sqrt(variances))


def _density_ratio_at_zero(mu: NormalMixture, prior: MeanPrior) -> float:
    if not prior.proper:
        return np.nan
    z = prior.mean / prior.sd
    log_prior = -0.5 * z * z - 0.5 * _LOG_2PI - np.log(prior.sd)
    return float(np.exp(np.log(max(float(mu.density(0.0)), 1e-300)) - log_prior))
