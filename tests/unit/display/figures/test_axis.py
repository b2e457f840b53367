"""Limits and ticks of an axis, against cases written by hand."""

import math
from itertools import pairwise

import pytest

from vertebro_outcomes.display.figures.axis import axis_limits, linear_ticks, log_ticks


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (0.11, 6.9, [0.2, 0.5, 1, 2, 5]),
        (0.8, 1.25, [0.8, 0.9, 1.0, 1.1, 1.2]),
        (0.005, 150, [0.01, 0.1, 1, 10, 100]),
        (0.0001, 10000, [0.0001, 0.01, 1, 100, 10000]),
    ],
)
def test_log_ticks(low, high, ticks):
    assert log_ticks(low, high) == pytest.approx(ticks)


@pytest.mark.parametrize("low", [1e-6, 0.003, 0.2, 0.62, 0.97])
@pytest.mark.parametrize("high", [1.02, 1.6, 7.0, 350.0, 1e6])
def test_log_ticks_hold_one_and_never_touch(low, high):
    ticks = log_ticks(low, high)
    assert 1.0 in ticks
    assert 2 <= len(ticks) <= 10
    assert all(low * 0.99 <= tick <= high * 1.01 for tick in ticks)
    gaps = [math.log(b / a) for a, b in pairwise(ticks)]
    assert min(gaps) > math.log(high / low) / 12


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (-2.7, 0.4, [-2.5, -2.0, -1.5, -1.0, -0.5, 0.0]),
        (0.0, 1.0, [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (-13, 8, [-10, -5, 0, 5]),
    ],
)
def test_linear_ticks(low, high, ticks):
    assert linear_ticks(low, high) == pytest.approx(ticks)


def test_limits_show_estimates_and_cut_endless_intervals():
    low, high = axis_limits(
        [0.5, 0.6, 0.0, 0.4], [1.5, 1.4, 900.0, 1.2], [0.8, 0.9, 3.0, 0.7, 1.0], log=True
    )
    assert low < 0.7
    assert 3.0 < high < 900.0
    assert low > 0


def test_limits_stay_within_bounds():
    low, high = axis_limits([0.01], [0.99], [0.5], log=False, bounds=(0.0, 1.0))
    assert (low, high) == (0.0, 1.0)


def test_limits_of_nothing_are_still_limits():
    low, high = axis_limits([math.nan], [math.nan], [0.0], log=False)
    assert low < 0 < high
