"""Printed numbers against cases written by hand."""

import math

import pytest

from vertebro_outcomes.display.numbers import (
    as_given,
    count,
    effect,
    estimate_with_interval,
    heterogeneity,
    interval,
    number,
    p_value,
    percent,
    ratio,
    variance_component,
)
from vertebro_outcomes.measures import MEASURES

NAN = math.nan


@pytest.mark.parametrize(
    ("value", "decimals", "printed"),
    [
        (-1.8, 1, "−1.8"),
        (1.0, 2, "1.00"),
        (-0.001, 2, "0.00"),
        (-0.0, 1, "0.0"),
        (-0.4, 0, "0"),
        (2077944, 0, "2,077,944"),
        (-1234.5, 1, "−1,234.5"),
        (1.135 - 3e-16, 2, "1.14"),
        (1.135 + 3e-16, 2, "1.14"),
        (NAN, 1, "–"),
        (math.inf, 1, "∞"),
        (-math.inf, 1, "−∞"),
    ],
)
def test_number(value, decimals, printed):
    assert number(value, decimals) == printed


@pytest.mark.parametrize(
    ("value", "printed"), [(101, "101"), (10000.0, "10,000"), (12.5, "12.5"), (NAN, "–")]
)
def test_count(value, printed):
    assert count(value) == printed


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (0.68, "0.68"),
        (1.0, "1.00"),
        (9.994, "9.99"),
        (12.34, "12.3"),
        (140.2, "140"),
        (0.1, "0.10"),
        (0.0523, "0.052"),
        (0.00312, "0.0031"),
        (0.0, "0.00"),
        (NAN, "–"),
        (math.inf, "∞"),
    ],
)
def test_ratio(value, printed):
    assert ratio(value) == printed


@pytest.mark.parametrize(
    ("proportion", "decimals", "printed"),
    [
        (0.1234, 1, "12.3%"),
        (0.5, 0, "50%"),
        (0.0, 1, "0.0%"),
        (1.0, 1, "100.0%"),
        (0.0002, 1, "<0.1%"),
        (0.9998, 1, ">99.9%"),
        (0.003, 0, "<1%"),
        (0.0006, 1, "0.1%"),
        (-0.0523, 1, "−5.2%"),
        (NAN, 1, "–"),
    ],
)
def test_percent(proportion, decimals, printed):
    assert percent(proportion, decimals) == printed


@pytest.mark.parametrize(
    ("p", "printed"),
    [
        (0.0004, "P < 0.001"),
        (0.001, "P = 0.001"),
        (0.0042, "P = 0.004"),
        (0.0099, "P = 0.01"),
        (0.03, "P = 0.03"),
        (0.0487, "P = 0.049"),
        (0.0512, "P = 0.051"),
        (0.4, "P = 0.40"),
        (0.994, "P > 0.99"),
        (1.0, "P > 0.99"),
        (0.0, "P < 0.001"),
        (NAN, "P –"),
    ],
)
def test_p_value(p, printed):
    assert p_value(p) == printed


@pytest.mark.parametrize(("value", "printed"), [(1.5, "1.5"), (3.29, "3.29"), (-10.0, "−10")])
def test_a_given_number_keeps_its_digits(value, printed):
    assert as_given(value) == printed


@pytest.mark.parametrize(
    ("value", "measure", "printed"),
    [
        (0.9963, "RR", "0.996"),
        (1.004, "OR", "1.004"),
        (1.0, "HR", "1.00"),
        (0.99999, "HR", "1.00"),
        (-0.004, "MD", "−0.004"),
        (0.0, "MD", "0.00"),
        (1e-9, "MD", "0.00"),
        (1.0, "MD", "1.00"),
    ],
)
def test_rounding_does_not_hide_the_side_of_no_effect(value, measure, printed):
    assert effect(value, measure) == printed


def test_intervals():
    assert interval((-1.8, -0.2), decimals=1) == "(−1.8 to −0.2)"
    assert interval((0.48, 12.34), "RR") == "(0.48 to 12.3)"
    assert interval((0.012, 0.2), "PLO") == "(1.2% to 20.0%)"
    assert interval((NAN, NAN)) == "(–)"


def test_estimates():
    assert estimate_with_interval(0.68, (0.48, 0.96), measure="RR") == "0.68 (0.48 to 0.96)"
    said = estimate_with_interval(-1.0, (-1.8, -0.2), unit="points", decimals=1)
    assert said == "−1.0 points (−1.8 to −0.2)"
    assert estimate_with_interval(NAN, (NAN, NAN)) == "not estimable"


@pytest.mark.parametrize("measure", sorted(MEASURES))
def test_every_ratio_and_proportion_prints_as_one(measure):
    printed = effect(0.25, measure)
    if MEASURES[measure].is_ratio:
        assert printed == ratio(0.25)
        assert effect(140.2, measure) == "140"
    elif math.isnan(MEASURES[measure].no_effect) and measure != "MN":
        assert printed == "25.0%"
    elif measure != "RD":
        assert printed == "0.25"


@pytest.mark.parametrize(
    ("tau2", "printed"),
    [(0.313, "0.31"), (0.0, "0"), (0.0123, "0.012"), (0.00005, "<0.0001"), (12.0, "12.00")],
)
def test_variance_component(tau2, printed):
    assert variance_component(tau2) == printed


def test_heterogeneity_line():
    line = heterogeneity(tau2=0.3132, i2_pct=92.22, q=152.233, q_df=12, q_p_value=1e-20)
    assert line == "τ² = 0.31; I² = 92%; Q = 152.2, df = 12 (P < 0.001)"
    assert heterogeneity(tau2=2e-6, i2_pct=NAN, q=NAN, q_df=NAN, q_p_value=NAN) == "τ² < 0.0001"
