"""Firth's logistic regression, g-computation and weighted risks of a rare event against R."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from vertebro_outcomes.estimators.rates.boschloo import boschloo
from vertebro_outcomes.estimators.rates.firth_logistic import fit_firth_logistic
from vertebro_outcomes.estimators.rates.one_proportion import holm
from vertebro_outcomes.estimators.rates.standardised_risks import (
    standardised_risks,
    weighted_risks,
)
from vertebro_outcomes.estimators.rates.two_proportions import (
    TwoProportions,
    exact_odds_ratio,
    exact_p_value,
)
from vertebro_outcomes.estimators.unanswerable import UnanswerableError

PINS = json.loads((Path(__file__).parents[3] / "reference" / "complications.json").read_text())
DATA = {name: np.array(values, float) for name, values in PINS["data"].items()}
TREATED, EVENT = DATA["treated"] == 1, DATA["y"] == 1
COVARIATES = np.column_stack([DATA["age"], DATA["female"]])


def test_firth_with_covariates() -> None:
    """Against the penalised likelihood maximised and profiled by R's optim, and brglm2."""
    found = fit_firth_logistic(np.column_stack([TREATED, COVARIATES]), EVENT)
    pin = PINS["firth"]
    assert found.estimate == pytest.approx(PINS["firth_brglm2"], abs=1e-9)
    assert found.estimate == pytest.approx(pin["estimate"], abs=1e-6)  # optim stops there
    assert (found.ci_low, found.ci_high) == pytest.approx((pin["low"], pin["high"]), abs=1e-6)
    assert found.p_value == pytest.approx(pin["p"], abs=1e-7)


def test_firth_is_finite_where_an_arm_has_no_event() -> None:
    rare, pin = np.array(PINS["rare"]) == 1, PINS["firth_separated"]
    assert not rare[TREATED].any()
    found = fit_firth_logistic(TREATED[:, None].astype(float), rare)
    assert found.estimate == pytest.approx(pin["estimate"], abs=1e-6)
    assert (found.ci_low, found.ci_high) == pytest.approx((pin["low"], pin["high"]), abs=1e-5)
    assert found.p_value == pytest.approx(pin["p"], abs=1e-7)
    assert found.penalised_log_likelihood == pytest.approx(pin["value"], abs=1e-9)
    # A saturated table: Firth's penalty adds one half to each cell.
    x0, n1, n0 = rare.sum(), TREATED.sum(), (~TREATED).sum()
    by_hand = np.log(0.5 / (n1 + 0.5) / ((x0 + 0.5) / (n0 - x0 + 0.5)))
    assert found.estimate == pytest.approx(by_hand, abs=1e-10)


def test_firth_swaps_with_the_arms_and_the_event() -> None:
    x = np.column_stack([TREATED, COVARIATES]).astype(float)
    found = fit_firth_logistic(x, EVENT)
    swapped = fit_firth_logistic(np.column_stack([~TREATED, COVARIATES]), EVENT)
    other = fit_firth_logistic(x * [1, 0.1, 3], ~EVENT)
    for mirror in (swapped, other):
        assert (mirror.estimate, mirror.ci_low, mirror.ci_high) == pytest.approx(
            (-found.estimate, -found.ci_high, -found.ci_low), abs=1e-8
        )
        assert mirror.p_value == pytest.approx(found.p_value, abs=1e-9)


def test_firth_refuses_repeated_columns() -> None:
    for extra in (np.ones(len(TREATED)), TREATED * 2.0 + 1):
        with pytest.raises(UnanswerableError, match="follows from the others"):
            fit_firth_logistic(np.column_stack([TREATED, extra]), EVENT)


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize("name", ["g_computation", "overlap"])
def test_risks(name: str, place: int) -> None:
    """R's glm, derivatives taken numerically, stacked estimating equations."""
    fit = standardised_risks if name == "g_computation" else weighted_risks
    measure = ("RD", "RR", "OR")[place]
    estimate, se = fit(COVARIATES, TREATED, EVENT).contrast(measure)
    assert estimate == pytest.approx(PINS[name]["estimate"][place], abs=1e-9)
    assert se == pytest.approx(PINS[name]["se"][place], abs=1e-7)
    swapped = fit(COVARIATES, ~TREATED, EVENT).contrast(measure)
    assert swapped == pytest.approx((-estimate, se), abs=1e-9)


def test_risks_without_covariates_are_the_observed_ones() -> None:
    risks = standardised_risks(np.empty((len(EVENT), 0)), TREATED, EVENT)
    assert risks.risk == pytest.approx([EVENT[TREATED].mean(), EVENT[~TREATED].mean()], abs=1e-10)


def test_a_model_without_a_finite_estimate_says_so() -> None:
    rare = np.array(PINS["rare"]) == 1
    with pytest.raises(UnanswerableError, match="foretell the event"):
        standardised_risks(COVARIATES, TREATED, rare)
    with pytest.raises(UnanswerableError, match="follows from the others"):
        standardised_risks(COVARIATES[:, [0, 0]], TREATED, EVENT)


def test_exact_odds_ratio_and_its_test() -> None:
    table = TwoProportions(7, 100, 1, 120)
    found, pin = exact_odds_ratio(table), PINS["fisher_test"]
    assert found.estimate == pytest.approx(pin["estimate"], rel=1e-7)
    assert (found.ci_low, found.ci_high) == pytest.approx(pin["limits"], rel=1e-7)
    p, name = exact_p_value(table, boschloo_up_to=100)
    assert (p, name) == (pytest.approx(pin["p"], abs=1e-12), "fisher")
    p, name = exact_p_value(table, boschloo_up_to=1000)
    assert name == "boschloo"
    assert p < 2 * stats.hypergeom.sf(6, 220, 8, 100)  # uniformly more powerful, tail by tail
    none = TwoProportions(0, 10, 0, 12)
    assert exact_p_value(none, boschloo_up_to=1000) == (1.0, "boschloo")
    assert np.isnan(exact_odds_ratio(none).estimate)


def test_holm() -> None:
    pin = PINS["holm"]
    assert holm(np.array(pin["p"])) == pytest.approx(pin["adjusted"], abs=1e-14)


@pytest.mark.parametrize(
    "cells", [(7, 15, 12, 15), (0, 10, 4, 12), (5, 5, 0, 4), (3, 3, 3, 3), (2, 60, 8, 75)]
)
def test_boschloo(cells: tuple) -> None:
    """scipy searches the common rate over all tables by another optimiser."""
    x1, n1, x0, n0 = cells
    whole = stats.boschloo_exact([[x1, x0], [n1 - x1, n0 - x0]]).pvalue
    assert boschloo(*cells) == pytest.approx(whole, rel=1e-9)
    assert boschloo(x0, n0, x1, n1) == pytest.approx(whole, rel=1e-9)
    assert boschloo(n1 - x1, n1, n0 - x0, n0) == pytest.approx(whole, rel=1e-9)


@pytest.mark.parametrize(
    "cells", [(3, 120, 12, 90), (9, 80, 9, 80), (60, 70, 20, 70), (1, 1, 0, 9)]
)
def test_boschloo_by_tables_of_factorials_equals_the_plain_sum_over_all_tables(
    cells: tuple,
) -> None:
    """Every table judged by scipy's distributions, the common rate tried at ever closer points."""

    def one_sided(x1: int, n1: int, x0: int, n0: int) -> float:
        a, b = np.ogrid[: n1 + 1, : n0 + 1]
        p = stats.hypergeom.cdf(a, n1 + n0, a + b, n1)
        extreme = p <= p[x1, x0] * (1 + 1e-12)
        low, high = 0.0, 1.0
        for _ in range(4):
            rate = np.linspace(low, high, 501)
            one = stats.binom.pmf(np.arange(n1 + 1), n1, rate[:, None])
            other = stats.binom.pmf(np.arange(n0 + 1), n0, rate[:, None])
            height = ((one @ extreme) * other).sum(axis=1)
            best = int(height.argmax())
            low, high = rate[max(best - 1, 0)], rate[min(best + 1, 500)]
        return float(height.max())

    x1, n1, x0, n0 = cells
    whole = min(2 * min(one_sided(x1, n1, x0, n0), one_sided(x0, n0, x1, n1)), 1.0)
    assert boschloo(*cells) == pytest.approx(whole, rel=1e-9)
