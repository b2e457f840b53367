"""Conversions against the Cochrane Handbook's worked rules, direct algebra and the normal distribution."""

import numpy as np
import pytest
from scipy import special, stats

from vertebro_outcomes.estimators.effect_sizes import conversions


def test_standard_error_and_interval_are_inverse():
    assert conversions.se_from_interval(-1.96, 1.96) == pytest.approx(1.96 / 1.959964, rel=1e-7)
    assert conversions.se_from_interval(0.0, 2.0, level=0.9) == pytest.approx(
        1 / 1.6448536, rel=1e-7
    )


def test_standard_error_from_p_value_gives_the_p_value_back():
    se = conversions.se_from_p_value(-1.3, 0.013)
    assert 2 * stats.norm.sf(1.3 / se) == pytest.approx(0.013, rel=1e-12)
    se = conversions.se_from_p_value(0.8, 0.2, df=11)
    assert 2 * stats.t.sf(0.8 / se, 11) == pytest.approx(0.2, rel=1e-12)


@pytest.mark.parametrize("p", [0.0, 1.0, -0.1, np.nan])
def test_a_p_value_that_is_none_gives_nothing(p):
    assert np.isnan(conversions.se_from_p_value(1.0, p))


def test_sd_from_the_interval_of_a_mean_gives_the_interval_back():
    sd = conversions.sd_from_interval(6.9, 7.8, 28)
    low, high = stats.t.interval(0.95, 27, loc=7.35, scale=sd / np.sqrt(28))
    assert (low, high) == pytest.approx((6.9, 7.8), abs=1e-12)
    large = conversions.sd_from_interval(6.9, 7.8, 28, small_sample=False)
    assert large == pytest.approx(np.sqrt(28) * 0.9 / 3.919928, rel=1e-6)  # Handbook 6.5.2.2
    assert conversions.sd_from_se(0.2, 25) == pytest.approx(1.0)


def test_two_arms_together_are_the_sample_they_came_from():
    rng = np.random.default_rng(4)
    a, b = rng.normal(3, 1, 17), rng.normal(5, 2, 9)
    n, mean, sd = conversions.combine_arms(
        (len(a), len(b)), (a.mean(), b.mean()), (a.std(ddof=1), b.std(ddof=1))
    )
    whole = np.concatenate([a, b])
    assert (n, mean, sd) == pytest.approx((26, whole.mean(), whole.std(ddof=1)), rel=1e-12)


def test_change_score_and_its_correlation_are_inverse():
    rng = np.random.default_rng(5)
    before = rng.normal(7, 1.5, 40)
    after = 0.5 * before + rng.normal(0, 1, 40)
    r = np.corrcoef(before, after)[0, 1]
    sds = before.std(ddof=1), after.std(ddof=1)
    change = (after - before).std(ddof=1)
    assert conversions.change_sd(*sds, correlation=r) == pytest.approx(change, rel=1e-12)
    assert conversions.change_correlation(*sds, change) == pytest.approx(r, rel=1e-12)
    assert np.isnan(conversions.change_sd(1.0, 1.0, correlation=1.2))


def expected_order_statistics(n):
    """Expected minimum, quartiles and maximum of n standard normal values, by integration."""
    x = np.linspace(-9, 9, 20001)
    cdf, pdf = special.ndtr(x), stats.norm.pdf(x)

    def expected(rank):
        log_c = special.gammaln(n + 1) - special.gammaln(rank) - special.gammaln(n - rank + 1)
        with np.errstate(divide="ignore"):
            log_density = (rank - 1) * np.log(cdf) + (n - rank) * np.log(special.ndtr(-x))
        return np.trapezoid(x * pdf * np.exp(log_c + log_density), x)

    return expected(1), expected((n + 3) / 4), expected((3 * n + 1) / 4), expected(n)


@pytest.mark.parametrize("n", [21, 61, 201])
def test_quantiles_of_a_normal_sample_give_its_mean_and_sd(n):
    """The expected range of n normal values is what Wan's denominators approximate (within 1 %)."""
    low, q1, q3, high = (10 + 3 * value for value in expected_order_statistics(n))
    for spread in (
        {"q1": q1, "q3": q3},
        {"low": low, "high": high},
        {"q1": q1, "q3": q3, "low": low, "high": high},
    ):
        assert conversions.mean_from_quantiles(n, 10.0, **spread) == pytest.approx(10.0, abs=1e-3)
        assert conversions.sd_from_quantiles(n, **spread) == pytest.approx(3.0, rel=0.01)


def test_luo_weights_sum_to_one_and_follow_the_sample_size():
    """Shifting every quantile by one shifts the mean by one; the extremes lose weight with n."""
    five = {"q1": 2.0, "q3": 5.0, "low": 0.0, "high": 10.0}
    shifted = {name: value + 1 for name, value in five.items()}
    n = np.array([10.0, 50.0, 400.0])
    mean = conversions.mean_from_quantiles(n, 3.0, **five)
    assert conversions.mean_from_quantiles(n, 4.0, **shifted) == pytest.approx(mean + 1)
    assert (np.diff(mean) < 0).all()
    # Equation 7 by hand for n = 16: w = 4/(4 + 16^0.75) = 4/12
    assert conversions.mean_from_quantiles(16.0, 3.0, low=0.0, high=12.0) == pytest.approx(
        6 / 3 + 3 * 2 / 3
    )
    # Equation 11 by hand for n = 39: w = 0.7 + 0.01
    assert conversions.mean_from_quantiles(39.0, 3.0, q1=2.0, q3=6.0) == pytest.approx(
        0.71 * 4 + 0.29 * 3
    )


def test_without_quantiles_there_is_no_estimate():
    assert np.isnan(conversions.mean_from_quantiles(20.0, 3.0))
    assert np.isnan(conversions.sd_from_quantiles(20.0))
