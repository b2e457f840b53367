"""Three-parameter selection model: non-significant studies are seen with another probability.

The density of an effect is its normal density times a weight that is 1 for one-sided p <= alpha and
delta above, divided by the probability to be seen. mu, tau² and delta are estimated by maximum likelihood.

References
----------
Hedges (1992), Stat Sci 7:246-255, doi:10.1214/ss/1177011364;
Vevea and Hedges (1995), Psychometrika 60:419-435, doi:10.1007/BF02294384, equations (3) to (6).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import optimize, special

from vertebro_outcomes.estimators.arrays import Bools, Floats
from vertebro_outcomes.estimators.pooled.heterogeneity import estimate_tau2

LARGEST_DELTA: Final = 100.0  # beyond it the weight is not determined by the data
GRADIENT_END: Final = 1e-9  # of the log-likelihood, per unit of the scaled parameters
_LOG_2PI: Final = float(np.log(2.0 * np.pi))


@dataclass(frozen=True)
class SelectionFit:
    """Maximum likelihood with and without selection; standard errors from the observed information.

    `delta` is the chance of a study with p > alpha to be seen, relative to one with p <= alpha.
    """

    mu: float
    mu_se: float
    tau2: float
    tau2_se: float
    delta: float
    delta_se: float
    log_likelihood: float
    log_likelihood_unadjusted: float
    mu_unadjusted: float
    tau2_unadjusted: float
    n_significant: int
    converged: bool


def significant(y: Floats, v: Floats, *, alpha: float) -> Bools:
    """One-sided p-value of effect > 0 is at most alpha."""
    return special.ndtr(-y / np.sqrt(v)) <= alpha


def fit_selection(y: Floats, v: Floats, *, alpha: float) -> SelectionFit:
    """Selection in favour of large effects: one-sided p-values for effect > 0.

    Parameters
    ----------
    y, v : arrays of length k
        Effects (favoured direction positive) and sampling variances; studies on both sides of alpha.
    alpha
        The step: one-sided p-values up to it are always seen.
    """
    model = _Model(y, v, alpha)
    tau2 = float(estimate_tau2(y[None, :], v[None, :], method="ML").tau2[0])
    w = 1.0 / (v + tau2)
    mu = float(w @ y / w.sum())
    unadjusted = np.array([mu, tau2, 1.0])
    found, converged = _maximise(model, unadjusted)
    se = _standard_errors(model, found)
    return SelectionFit(
        mu=float(found[0]),
        mu_se=float(se[0]),
        tau2=float(found[1]),
        tau2_se=float(se[1]),
        delta=float(found[2]),
        delta_se=float(se[2]),
        log_likelihood=model.value(found),
        log_likelihood_unadjusted=model.value(unadjusted),
        mu_unadjusted=mu,
        tau2_unadjusted=tau2,
        n_significant=int(model.sure.sum()),
        converged=converged,
    )


class _Model:
    """Log-likelihood of (mu, tau², delta) and its gradient."""

    def __init__(self, y: Floats, v: Floats, alpha: float) -> None:
        self.y, self.v = y, v
        self.sure = significant(y, v, alpha=alpha)
        self.step = -special.ndtri(alpha) * np.sqrt(v)  # the effect at which p = alpha

    def value(self, theta: Floats) -> float:
        mu, tau2, delta = theta
        s2 = self.v + tau2
        sd = np.sqrt(s2)
        below = special.ndtr((self.step - mu) / sd)
        seen = special.ndtr((mu - self.step) / sd) + delta * below
        normal = -0.5 * (_LOG_2PI + np.log(s2) + (self.y - mu) ** 2 / s2)
        return float(np.sum(normal - np.log(seen)) + (~self.sure).sum() * np.log(delta))

    def gradient(self, theta: Floats) -> Floats:
        mu, tau2, delta = theta
        s2 = self.v + tau2
        sd = np.sqrt(s2)
        z = (self.step - mu) / sd
        below = special.ndtr(z)
        seen = special.ndtr(-z) + delta * below
        density = np.exp(-0.5 * z * z - 0.5 * _LOG_2PI)
        rest = self.y - mu
        pull = (1.0 - delta) * density / (sd * seen)  # d log(seen) / d mu
        by_mu = rest / s2 - pull
        by_tau2 = -0.5 / s2 + 0.5 * (rest / s2) ** 2 - 0.5 * pull * z / sd
        by_delta = (~self.sure).sum() / delta - np.sum(below / seen)
        return np.array([by_mu.sum(), by_tau2.sum(), by_delta])

    def information(self, theta: Floats) -> Floats:
        """Minus the second derivatives: central differences of the gradient, extrapolated once."""
        columns = []
        for i in range(3):
            h = 1e-4 * max(abs(theta[i]), float(np.sqrt(self.v.min()) if i == 0 else self.v.min()))
            h = min(h, 0.5 * theta[i]) if i else h
            columns.append((4 * self._slope(theta, i, h / 2) - self._slope(theta, i, h)) / 3)
        hessian = np.array(columns)
        return -0.5 * (hessian + hessian.T)

    def _slope(self, theta: Floats, i: int, h: float) -> Floats:
        if i == 1 and theta[1] <= h:  # one-sided at the edge of the parameter space
            h = h or 1e-5 * float(self.v.min())
            up, further = (self.gradient(theta + h * n * np.eye(3)[1]) for n in (1, 2))
            return (4 * up - 3 * self.gradient(theta) - further) / (2 * h)
        return (
            self.gradient(theta + h * np.eye(3)[i]) - self.gradient(theta - h * np.eye(3)[i])
        ) / (2 * h)


def _maximise(model: _Model, start: Floats) -> tuple[Floats, bool]:
    """Quasi-Newton in (mu, tau, log delta) from several starts, then Newton steps."""
    scale = np.sqrt(np.median(model.v))

    def unpack(x: Floats) -> Floats:
        return np.array([scale * x[0], (scale * x[1]) ** 2, np.exp(x[2])])

    def cost(x: Floats) -> tuple[float, Floats]:
        theta = unpack(x)
        g = model.gradient(theta)
        slope = np.array([g[0] * scale, g[1] * 2 * scale * scale * x[1], g[2] * theta[2]])
        return -model.value(theta), -slope

    best: tuple[float, Floats] = (np.inf, start)
    bounds = [(None, None), (0.0, None), (-25.0, float(np.log(LARGEST_DELTA)))]
    for log_delta in (0.0, -1.5):
        for tau in (np.sqrt(start[1]) / scale, 0.5):
            x0 = np.array([start[0] / scale, tau, log_delta])
            found = optimize.minimize(
                cost, x0, jac=True, method="L-BFGS-B", bounds=bounds,
                options={"maxiter": 1000, "ftol": 1e-12, "gtol": 1e-8},
            )  # fmt: skip
            if found.fun < best[0] - 1e-10:
                best = (float(found.fun), unpack(found.x))
    return _polish(model, best[1], scale=float(scale))


def _polish(model: _Model, theta: Floats, *, scale: float) -> tuple[Floats, bool]:
    """Newton steps on the parameters that are not at a bound."""
    unit = np.array([scale, scale**2, max(theta[2], 1e-8)])
    free = np.ones(3, dtype=bool)
    for _ in range(30):
        g = model.gradient(theta)
        free = np.array([True, theta[1] > 1e-10 * scale**2 or g[1] > 0, theta[2] < LARGEST_DELTA])
        if not free[1]:
            theta = np.array([theta[0], 0.0, theta[2]])
            g = model.gradient(theta)
            free[1] = bool(g[1] > 0)
        if np.max(np.abs(g * unit)[free]) < GRADIENT_END:
            return theta, bool(free[2])
        information = model.information(theta)[np.ix_(free, free)]
        if not np.all(np.linalg.eigvalsh(information * np.outer(unit[free], unit[free])) > 0):
            return theta, False
        step = np.zeros(3)
        step[free] = np.linalg.solve(information, g[free])
        new = theta + step
        for _halving in range(40):
            if new[1] >= 0 and new[2] > 0 and model.value(new) >= model.value(theta) - 1e-12:
                break
            step = step / 2
            new = theta + step
        theta = np.array([new[0], max(new[1], 0.0), new[2]])
    return theta, bool(np.max(np.abs(model.gradient(theta) * unit)[free]) < 1e-6)


def _standard_errors(model: _Model, theta: Floats) -> Floats:
    """From the inverse of the observed information; tau² at 0 is taken as known."""
    free = np.array([True, theta[1] > 0, True])
    se = np.full(3, np.nan)
    information = model.information(theta)[np.ix_(free, free)]
    size = np.sqrt(np.abs(np.diag(information)))
    if not (np.isfinite(information).all() and (size > 0).all()):
        return se
    scaled = information / np.outer(size, size)
    if np.linalg.eigvalsh(scaled)[0] <= 1e-12:
        return se
    se[free] = np.sqrt(np.diag(np.linalg.inv(scaled))) / size
    return se
