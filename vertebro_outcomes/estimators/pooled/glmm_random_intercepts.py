"""Mixed model with random study effects and random treatment effects (UM.RS), Laplace approximation.

Study effects mu + sigma b0 and treatment effects theta + tau b1 are independent normal; half of the treatment
effect goes to each arm.

Reference: Jackson, Law, Stijnen, Viechtbauer, White (2018), Stat Med 37:1059-1085,
doi:10.1002/sim.7588, model 5.
"""

import numpy as np

from vertebro_outcomes.estimators.arrays import Floats
from vertebro_outcomes.estimators.pooled.arrowhead_newton import maximise
from vertebro_outcomes.estimators.pooled.glmm import (
    LARGEST_TAU,
    SMALLEST_TAU,
    START_TAU,
    GlmmFit,
    standard_error,
)
from vertebro_outcomes.estimators.pooled.glmm_kernels import BothArms
from vertebro_outcomes.estimators.pooled.numeric_derivatives import differentiate
from vertebro_outcomes.estimators.pooled.quadrature import (
    FARTHEST_STEP,
    MODE_STEP,
    MOST_MODE_STEPS,
)


def fit_random_intercepts(
    counts: tuple[Floats, Floats],
    sizes: tuple[Floats, Floats],
    *,
    rates: bool = False,
    random: bool = True,
) -> GlmmFit:
    """Random study effects: parameters as in `fit_unconditional`; double-zero studies may stay.

    `q` compares with one effect per study added to a random intercept of the comparator arms.
    """
    arms = BothArms(counts=counts, sizes=sizes, rates=rates)

    def value(_: Floats | None, shared: Floats) -> Floats:
        mu, theta, sigma, tau = (shared[..., i] for i in range(4))
        return _laplace(arms, (mu, theta), (sigma, tau))

    def own_effects(alpha: Floats | None, shared: Floats) -> Floats:
        assert alpha is not None
        middle = shared[..., 0] + 0.5 * alpha  # the study intercept is the comparator's
        return _laplace(arms, (middle, alpha), (shared[..., 1], 0.0 * shared[..., 1]))

    k = len(counts[0])
    total = float(np.sum(counts[0] + counts[1])), float(np.sum(sizes[0] + sizes[1]))
    middle = np.log(total[0] / (total[1] if rates else total[1] - total[0]))
    best = maximise(
        value,
        differentiate(value),
        alpha=None,
        shared=np.array([middle, 0.0, 1.0, 0.0]),
        free=3,
    )
    saturated = maximise(
        own_effects,
        differentiate(own_effects),
        alpha=np.full(k, best.shared[1]),
        shared=best.shared[[0, 2]] - [0.5 * best.shared[1], 0.0],
        free=2,
    )
    q = max(0.0, 2.0 * (saturated.log_likelihood - best.log_likelihood))
    converged = best.converged
    if random and k > 1:
        start = np.array([*best.shared[:3], START_TAU])
        mixed = maximise(value, differentiate(value), alpha=None, shared=start, free=4)
        converged = converged and mixed.converged
        if abs(mixed.shared[3]) > SMALLEST_TAU and mixed.log_likelihood > best.log_likelihood:
            best = mixed
    return GlmmFit(
        estimate=float(best.shared[1]),
        se=standard_error(best, 1),
        tau2=float(best.shared[3] ** 2),
        sigma2=float(best.shared[2] ** 2),
        q=q,
        df=k - 1,
        log_likelihood=best.log_likelihood,
        converged=converged and abs(best.shared[3]) < LARGEST_TAU,
    )


def _laplace(
    arms: BothArms, centre: tuple[Floats, Floats], spread: tuple[Floats, Floats]
) -> Floats:
    """Log marginal likelihood of every study: height and curvature at the mode in (b0, b1)."""
    (mu, theta), (sigma, tau) = centre, spread
    shape = np.broadcast_shapes(np.shape(mu), np.shape(theta), arms.counts[0].shape, np.shape(tau))
    b0, b1 = np.zeros(shape), np.zeros(shape)
    for _ in range(MOST_MODE_STEPS):
        t, c = arms.derivatives(mu + sigma * b0, theta + tau * b1)
        g0 = sigma * (t[1] + c[1]) - b0
        g1 = 0.5 * tau * (t[1] - c[1]) - b1
        i00 = 1.0 - sigma**2 * (t[2] + c[2])
        i01 = -0.5 * sigma * tau * (t[2] - c[2])
        i11 = 1.0 - 0.25 * tau**2 * (t[2] + c[2])
        determinant = i00 * i11 - i01**2
        step0 = (i11 * g0 - i01 * g1) / determinant
        step1 = (i00 * g1 - i01 * g0) / determinant
        reach = np.maximum(np.abs(sigma * step0), np.abs(tau * step1))
        shrink = FARTHEST_STEP / np.maximum(reach, FARTHEST_STEP)
        b0, b1 = b0 + shrink * step0, b1 + shrink * step1
        if max(np.max(np.abs(step0)), np.max(np.abs(step1))) < MODE_STEP:
            break
    t, c = arms.derivatives(mu + sigma * b0, theta + tau * b1)
    bend0, bend1 = -(t[2] + c[2]), -(t[2] - c[2])
    determinant = (1 + sigma**2 * bend0) * (1 + 0.25 * tau**2 * bend0) - (
        0.5 * sigma * tau * bend1
    ) ** 2
    return np.asarray(t[0] + c[0] - 0.5 * (b0**2 + b1**2) - 0.5 * np.log(determinant))
