"""The pieces of the mixed models: kernels, quadrature, derivatives, Newton's method."""

import math

import numpy as np
import pytest
from scipy import integrate, stats

from vertebro_outcomes.estimators.pooled import glmm_kernels
from vertebro_outcomes.estimators.pooled.arrowhead_newton import maximise
from vertebro_outcomes.estimators.pooled.beta_binomial import _log_probability
from vertebro_outcomes.estimators.pooled.glmm_kernels import (
    BothArms,
    FisherHypergeometric,
    binomial,
    poisson,
)
from vertebro_outcomes.estimators.pooled.numeric_derivatives import differentiate
from vertebro_outcomes.estimators.pooled.quadrature import gauss_hermite, log_marginal, modes

A, N1 = np.array([3.0, 0.0, 12.0]), np.array([20.0, 15.0, 12.0])
C, N2 = np.array([7.0, 2.0, 5.0]), np.array([22.0, 31.0, 14.0])
KERNELS = {
    "binomial": lambda x: binomial(A, N1, x),
    "poisson": lambda x: poisson(A, N1, x),
    "both_arms": lambda x: BothArms(counts=(A, C), sizes=(N1, N2), rates=False).given_alpha(
        np.array([-1.0, -2.0, 1.0]), x
    ),
    "hypergeometric": FisherHypergeometric(A, N1, C, N2),
}


@pytest.mark.parametrize("name", KERNELS)
def test_derivatives_of_kernels_are_those_of_their_values(name):
    kernel, delta, h = KERNELS[name], np.array([-0.7, 0.2, 1.1]), 1e-4
    up, here, down = kernel(delta + h), kernel(delta), kernel(delta - h)
    assert (up[0] - down[0]) / (2 * h) == pytest.approx(here[1], abs=1e-6)
    assert (up[1] - down[1]) / (2 * h) == pytest.approx(here[2], abs=1e-6)


def test_the_hypergeometric_kernel_is_scipys_distribution():
    delta = np.array([-0.7, 0.2, 1.1])
    expected = [
        stats.nchypergeom_fisher.logpmf(a, n1 + n2, n1, a + c, math.exp(d))
        for a, n1, c, n2, d in zip(A, N1, C, N2, delta, strict=True)
    ]
    assert KERNELS["hypergeometric"](delta)[0] == pytest.approx(expected, abs=1e-10)


def test_large_hypergeometric_sums_are_taken_row_by_row(monkeypatch):
    kernel, delta = KERNELS["hypergeometric"], np.linspace(-2, 2, 15).reshape(5, 3)
    whole = kernel(delta)
    monkeypatch.setattr(glmm_kernels, "MOST_TERMS", 1)
    for part, other in zip(kernel(delta), whole, strict=True):
        assert part == pytest.approx(other, rel=1e-14)


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("tau", [0.0, 0.3, 1.5])
def test_quadrature_equals_scipys_integral(name, tau):
    kernel, theta = KERNELS[name], np.array([-0.5, -0.5, -0.5])
    found = log_marginal(kernel, theta, np.array([tau]), points=61)
    for i in range(3):
        total = integrate.quad(
            lambda b, i=i: math.exp(kernel(theta + tau * b)[0][i]) * stats.norm.pdf(b),
            -9, 9, epsabs=0, epsrel=1e-11, limit=200,
        )[0]  # fmt: skip
        assert found[i] == pytest.approx(math.log(total), abs=1e-7)


def test_quadrature_is_even_in_tau_and_its_nodes_integrate_polynomials():
    kernel, theta = KERNELS["both_arms"], np.full(3, 0.3)
    plus, minus = (log_marginal(kernel, theta, np.array([t]), points=7) for t in (0.8, -0.8))
    assert plus == pytest.approx(minus, abs=1e-12)
    z, w = gauss_hermite(7)
    assert [w @ z**power for power in (0, 2, 4, 6)] == pytest.approx([1, 1, 3, 15])
    b, s = modes(kernel, theta, np.array([0.0]))
    assert (b.tolist(), s.tolist()) == ([0, 0, 0], [1, 1, 1])


def _bowl(alpha, shared):
    """Three studies, each quadratic in its own alpha and in (theta, spread²)."""
    centre = np.array([1.0, -2.0, 0.5])
    theta, spread = shared[..., 0], shared[..., 1]
    return -((alpha - centre - theta) ** 2) - (theta - 0.7) ** 2 - (spread**2 - 0.25) ** 2


def test_newton_finds_the_top_and_leaves_the_saddle_at_spread_zero():
    found = maximise(
        _bowl, differentiate(_bowl), alpha=np.zeros(3), shared=np.array([0.0, 1e-9]), free=2
    )
    assert found.converged
    assert found.shared[0] == pytest.approx(0.7, abs=1e-8)
    assert abs(found.shared[1]) == pytest.approx(0.5, abs=1e-8)
    assert found.alpha == pytest.approx([1.7, -1.3, 1.2], abs=1e-8)
    assert found.covariance[0, 0] == pytest.approx(1 / 6, rel=1e-6)


def test_numeric_derivatives_of_a_polynomial():
    derive = differentiate(lambda a, g: a**3 * g[..., 0] + g[..., 0] ** 4 * g[..., 1] ** 2)
    local = derive(np.array([2.0, -1.0]), np.array([0.5, 3.0]))
    a, t, s = 2.0, 0.5, 3.0
    gradient = [3 * a**2 * t, a**3 + 4 * t**3 * s**2, 2 * t**4 * s]
    hessian = [
        [6 * a * t, 3 * a**2, 0],
        [3 * a**2, 12 * t**2 * s**2, 8 * t**3 * s],
        [0, 8 * t**3 * s, 2 * t**4],
    ]
    assert local.gradient[0] == pytest.approx(gradient, abs=1e-9)
    assert local.hessian[0] == pytest.approx(np.array(hessian), abs=1e-6)


@pytest.mark.parametrize("ratio", [1e-12, 1e-6, 1e-3, 0.05, 2.0])
def test_beta_binomial_probability_is_a_product_of_urn_draws(ratio):
    x, n, p = 7, 60, 0.12
    eta = math.log(p / (1 - p))
    expected = (
        sum(math.log(p + r * ratio) for r in range(x))
        + sum(math.log(1 - p + r * ratio) for r in range(n - x))
        - sum(math.log1p(r * ratio) for r in range(n))
    )
    found = _log_probability(np.array([x]), np.array([n]), np.array([eta]), np.array(ratio))
    assert found[0] == pytest.approx(expected, rel=1e-12)
