"""Intervals and tests of rare events against R."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from vertebro_outcomes.estimators.rates import one_proportion as one
from vertebro_outcomes.estimators.rates import two_proportions as two

PINS = json.loads((Path(__file__).parents[3] / "reference" / "rates.json").read_text())
X, N = np.array(PINS["x"], float), np.array(PINS["n"], float)


@pytest.mark.parametrize(
    ("name", "limits"),
    [
        ("wilson", one.wilson(X, N)),
        ("exact", one.clopper_pearson(X, N)),
        ("poisson", one.exact_rate(X, N * 10)),
        ("jeffreys", one.jeffreys(X[1:5], N[1:5])),
    ],
)
def test_one_sample(name: str, limits: tuple) -> None:
    np.testing.assert_allclose(np.column_stack(limits), PINS[name], rtol=0, atol=1e-12)


def test_benjamini_hochberg() -> None:
    adjusted = one.benjamini_hochberg(np.array(PINS["bh"]["p"]))
    np.testing.assert_allclose(adjusted, PINS["bh"]["adjusted"], atol=1e-14)


@pytest.mark.parametrize("case", range(4))
def test_differences(case: int) -> None:
    """Newcombe's method 10 as package Epi has it; the score limits as R solves them numerically."""
    table = two.TwoProportions(*PINS["cells"][case])
    found = two.newcombe(table)
    assert (found.ci_low, found.ci_high) == pytest.approx(PINS["hybrid"][case], abs=1e-9)
    found = two.score_difference(table)  # R's maximum is flat: half of the digits
    assert (found.ci_low, found.ci_high) == pytest.approx(PINS["score"][case], abs=1e-7)


@pytest.mark.parametrize("cells", [(7, 100, 1, 120), (56, 70, 48, 80), (3, 250, 12, 240)])
def test_swapping_arms(cells: tuple) -> None:
    table, swapped = two.TwoProportions(*cells), two.TwoProportions(*cells[2:], *cells[:2])
    for interval in (two.newcombe, two.score_difference):
        a, b = interval(table), interval(swapped)
        assert (a.ci_low, a.ci_high) == pytest.approx((-b.ci_high, -b.ci_low), abs=1e-9)
    for interval in (two.score_ratio, two.score_odds_ratio):
        a, b = interval(table), interval(swapped)
        assert (a.ci_low, a.ci_high) == pytest.approx((1 / b.ci_high, 1 / b.ci_low), rel=1e-8)


def test_score_limits_meet_the_pearson_test_where_no_effect_is_the_limit() -> None:
    """At the limit 1 (or 0) all three score statistics are Pearson's, with (n - 1)/n."""
    table = two.TwoProportions(7, 100, 1, 120)
    chi2 = stats.chi2_contingency([[7, 93], [1, 119]], correction=False)[0]
    level = 1 - 2 * stats.norm.sf(np.sqrt(chi2 * 219 / 220))
    assert two.score_difference(table, level=level).ci_low == pytest.approx(0, abs=1e-9)
    assert two.score_ratio(table, level=level).ci_low == pytest.approx(1, abs=1e-8)
    assert two.score_odds_ratio(table, level=level).ci_low == pytest.approx(1, abs=1e-8)


def test_exact_tests() -> None:
    p = two.exact_p_values(two.TwoProportions(7, 100, 1, 120))
    assert p["fisher"] == pytest.approx(PINS["fisher"], abs=1e-12)
    # scipy's documentation of barnard_exact and boschloo_exact (Mehta and Senchaudhuri 2003)
    vaccine = two.exact_p_values(two.TwoProportions(7, 15, 12, 15))
    assert vaccine["barnard"] == pytest.approx(0.0682, abs=5e-5)


def test_clusters_of_one_differ_by_n_minus_1_only() -> None:
    event = np.r_[np.ones(3), np.zeros(37)]
    fit = one.clustered_proportion(event, np.arange(40))
    assert fit.se == pytest.approx(np.sqrt(0.075 * 0.925 / 39), abs=1e-14)
    doubled = one.clustered_proportion(np.repeat(event, 2), np.repeat(np.arange(40), 2))
    assert doubled.se == pytest.approx(fit.se, abs=1e-14)


@pytest.mark.parametrize("level", [0.9, 0.95])
def test_nobody_and_everybody_with_the_event(level: float) -> None:
    """Solved by hand where the restricted likelihood has its maximum in closed form.

    0/10 and 0/20: for a positive difference the comparator's rate is 0, for a negative one the
    treated's. 10/10 and 0/10: by symmetry the rates are (1 + d)/2 and (1 - d)/2.
    """
    z2 = stats.norm.ppf((1 + level) / 2) ** 2
    none, all_or_none = two.TwoProportions(0, 10, 0, 20), two.TwoProportions(10, 10, 0, 10)
    found = two.newcombe(none, level=level)
    expected = (-z2 / (20 + z2), z2 / (10 + z2))
    assert (found.ci_low, found.ci_high) == pytest.approx(expected, abs=1e-12)
    found = two.newcombe(all_or_none, level=level)
    expected = (1 - np.sqrt(2) * z2 / (10 + z2), 1.0)
    assert (found.ci_low, found.ci_high) == pytest.approx(expected, abs=1e-12)
    found = two.score_difference(none, level=level)
    up, down = z2 * 30 / 29 / 10, z2 * 30 / 29 / 20
    assert (found.ci_low, found.ci_high) == pytest.approx(
        (-down / (1 + down), up / (1 + up)), abs=1e-9
    )
    found = two.score_difference(all_or_none, level=level)
    assert (found.ci_low, found.ci_high) == pytest.approx(((19 - z2) / (19 + z2), 1.0), abs=1e-9)
