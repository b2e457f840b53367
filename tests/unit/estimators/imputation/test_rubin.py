"""Rubin's rules against R mice, and the laws they obey."""

import json
from pathlib import Path

import numpy as np
import pytest

from vertebro_outcomes.estimators.imputation.rubin import pool_imputations
from vertebro_outcomes.estimators.unanswerable import UnanswerableError

PINS = json.loads((Path(__file__).parents[3] / "reference" / "imputation.json").read_text())


@pytest.mark.parametrize("pin", PINS["pooled"], ids=lambda p: f"{p['name']} {p['df_complete']}")
def test_rules_and_degrees_of_freedom_are_those_of_mice(pin):
    """Means and standard errors printed for PROC MIANALYZE, and regressions pooled by pool()."""
    Q, U = np.array(pin["Q"]), np.array(pin["se"]) ** 2
    found = pool_imputations(Q, U, df_complete=float(pin["df_complete"]))
    for name in ("estimate", "within", "between", "total", "increase", "df", "fmi"):
        assert getattr(found, name) == pytest.approx(pin[name], rel=1e-10), name


def test_a_worked_example_as_printed():
    """Ten imputations of the IBM SPSS Amos 21 User's Guide, example 31: from B and the mean of U to t and v.

    https://manualsdump.com/en/manuals/ibm-spss_amos_21/120450/498
    """
    apart = np.sqrt(0.0085 * 9 / 10) * np.array([1.0, -1.0] * 5)  # any ten with this variance
    found = pool_imputations(1.172 + apart, np.full(10, 0.0233))
    assert found.between == pytest.approx(0.0085)
    assert found.total == pytest.approx(0.0326, abs=0.0001)  # of B and U as printed
    assert found.se == pytest.approx(0.1807, abs=0.0001)
    assert found.estimate / found.se == pytest.approx(6.49, abs=0.005)
    assert int(found.df) == 109


def test_the_degrees_of_freedom_that_small_samples_must_not_have():
    """SAS/STAT 14.1, details of PROC MI: five imputations and r = 10 % have 484, however few the patients.

    http://support.sas.com/documentation/cdl/en/statug/68162/HTML/default/statug_mi_details53.htm
    """
    apart = np.sqrt(0.1 / 1.2) * np.array([1.0, 1.0, 0.0, -1.0, -1.0])
    found = pool_imputations(apart, np.ones(5))
    assert found.increase == pytest.approx(0.1)
    assert found.df == pytest.approx(484)
    assert pool_imputations(apart, np.ones(5), df_complete=30).df < 30


def test_equal_estimates_leave_the_variance_of_one_analysis():
    found = pool_imputations(np.full(5, 2.0), np.full(5, 0.25), df_complete=20.0)
    assert found.total == 0.25
    assert found.df == pytest.approx(21 / 23 * 20)
    assert found.monte_carlo_se == 0.0
    assert np.isinf(pool_imputations(np.full(5, 2.0), np.full(5, 0.25)).df)


def test_another_unit_scales_and_the_order_does_not_matter():
    rng = np.random.default_rng(0)
    Q, U = rng.normal(2, 0.3, 9), rng.uniform(0.1, 0.2, 9)
    one, other = (
        pool_imputations(Q, U, df_complete=50),
        pool_imputations(-10 * Q[::-1], 100 * U[::-1], df_complete=50),
    )
    assert other.estimate == pytest.approx(-10 * one.estimate)
    assert other.se == pytest.approx(10 * one.se)
    assert (other.df, other.fmi) == pytest.approx((one.df, one.fmi))
    assert one.se == np.sqrt(one.total)


@pytest.mark.parametrize(
    ("Q", "U", "said"),
    [
        ([1.0], [1.0], "one imputation says nothing"),
        ([1.0, np.nan], [1.0, 1.0], "no estimate"),
        ([1.0, 2.0], [1.0, 0.0], "no estimate"),
    ],
)
def test_what_cannot_be_pooled_is_refused(Q, U, said):
    with pytest.raises(UnanswerableError, match=said):
        pool_imputations(np.array(Q), np.array(U))
