"""pool_counts against metafor, lme4, mantelhaen.test and likelihoods maximised in R.

The script is tests/reference/counts.R.
"""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo

REFERENCE = json.loads(
    (Path(__file__).parents[2] / "reference" / "counts.json").read_text(encoding="utf-8")
)
TWO_BY_TWO, RATES, ONE_ARM = (REFERENCE[name] for name in ("two_by_two", "rates", "one_arm"))
WITH_GLMM = [name for name, record in TWO_BY_TWO.items() if "glmm" in record]
CLOSED = {"estimate": 1e-9, "se": 1e-9, "q": 1e-9, "i2_pct": 1e-7, "h2": 1e-9}

# glmer's default optimiser stops early (largest gradient 0.009 where 0.002 is asked); run to the end it
# gives our value, see test_unconditional_models_equal_glmer_run_to_the_end.
METAFOR_STOPS_EARLY = {("nielweise2007", "UM.FS")}


def frame(record):
    return pd.DataFrame(record["data"])


def assert_agrees(fit, expected, tolerances):
    for name, tolerance in tolerances.items():
        scale = max(1.0, abs(expected[name]))
        assert getattr(fit, name) == pytest.approx(expected[name], rel=0, abs=tolerance * scale), (
            name
        )


def test_the_grid_is_whole():
    assert len(TWO_BY_TWO) == 10
    assert len(RATES) == 3
    assert len(ONE_ARM) == 3
    assert len(WITH_GLMM) == 8
    sizes = {len(record["data"]) for record in TWO_BY_TWO.values()}
    assert {1, 2, 3} <= sizes
    cells = pd.concat([frame(record) for record in TWO_BY_TWO.values()])
    assert ((cells.events_t == 0) & (cells.events_c == 0)).any()
    assert ((cells.events_t == cells.n_t) & (cells.events_c == cells.n_c)).any()
    assert ((cells.events_t == 0) & (cells.events_c > 0)).any()


@pytest.mark.parametrize("measure", ["OR", "RR", "RD"])
@pytest.mark.parametrize("name", TWO_BY_TWO)
def test_mantel_haenszel_equals_metafor(name, measure):
    expected = TWO_BY_TWO[name]["mantel_haenszel"][measure]
    if expected["h2"] is None:
        expected = expected | {"h2": 1.0, "i2_pct": 0.0}
    fit = vo.pool_counts(frame(TWO_BY_TWO[name]), measure=measure)
    assert_agrees(fit, expected, CLOSED)
    assert fit.q_df == expected["k_q"] - 1


@pytest.mark.parametrize("name", TWO_BY_TWO)
def test_peto_equals_metafor(name):
    fit = vo.pool_counts(frame(TWO_BY_TWO[name]), measure="PETO", method="peto")
    assert_agrees(fit, TWO_BY_TWO[name]["peto"], {n: CLOSED[n] for n in ("estimate", "se", "q")})
    assert fit.q_df == TWO_BY_TWO[name]["peto"]["k_q"] - 1


@pytest.mark.parametrize("measure", ["IRR", "IRD"])
@pytest.mark.parametrize("name", RATES)
def test_rates_equal_metafor(name, measure):
    expected = RATES[name]["mantel_haenszel"][measure]
    fit = vo.pool_counts(frame(RATES[name]), measure=measure)
    assert_agrees(fit, expected, CLOSED)
    assert fit.q_df == expected["k_q"] - 1


@pytest.mark.parametrize("name", [name for name, r in TWO_BY_TWO.items() if "mantelhaen" in r])
def test_common_odds_ratios_equal_mantelhaen_test(name):
    """Its exact estimate comes from uniroot with its default tolerance, about 1e-4."""
    expected, table = TWO_BY_TWO[name]["mantelhaen"], frame(TWO_BY_TWO[name])
    fit = vo.pool_counts(table, measure="OR")
    exact = vo.pool_counts(table, measure="OR", method="glmm", model="CM.EL", effects="common")
    assert np.exp(fit.estimate) == pytest.approx(expected["odds_ratio"], rel=1e-10)
    assert np.exp(exact.estimate) == pytest.approx(expected["conditional_odds_ratio"], rel=1.2e-4)


@pytest.mark.parametrize("name", WITH_GLMM)
def test_unconditional_models_equal_glmer_run_to_the_end(name):
    """Its standard errors come from finite differences, good to about 1e-5."""
    expected = TWO_BY_TWO[name]["glmer"]
    for points, record in ((7, expected["points_7"]), (25, expected["points_25"])):
        fit = vo.pool_counts(
            frame(TWO_BY_TWO[name]), measure="OR", method="glmm", quadrature_points=points
        )
        assert_agrees(fit, record, {"estimate": 2e-6, "se": 2e-5, "tau2": 2e-6})


@pytest.mark.parametrize("model", ["UM.FS", "CM.AL"])
@pytest.mark.parametrize("name", WITH_GLMM)
def test_mixed_models_equal_metafor(name, model):
    if (name, model) in METAFOR_STOPS_EARLY:
        tolerance = {"estimate": 1e-3, "se": 1e-3, "tau2": 1e-3}
    else:
        tolerance = {"estimate": 1e-4, "se": 1e-4, "tau2": 1e-4, "h2": 1e-4}
    expected = TWO_BY_TWO[name]["glmm"][model]
    fit = vo.pool_counts(frame(TWO_BY_TWO[name]), measure="OR", method="glmm", model=model)
    assert_agrees(fit, expected, tolerance)
    assert fit.q == pytest.approx(expected["q_lrt"], abs=1e-6)
    assert (fit.q_df, fit.k) == (expected["q_df"], expected["k"])


@pytest.mark.parametrize("name", WITH_GLMM)
def test_conditional_models_equal_the_likelihood_integrated_in_r(name):
    table = frame(TWO_BY_TWO[name])
    exact = vo.pool_counts(table, measure="OR", method="glmm", model="CM.EL")
    assert_agrees(
        exact, TWO_BY_TWO[name]["direct_exact"], {"estimate": 1e-6, "se": 1e-6, "tau2": 1e-6}
    )
    near = vo.pool_counts(table, measure="OR", method="glmm", model="CM.AL", quadrature_points=41)
    assert_agrees(
        near, TWO_BY_TWO[name]["direct_approximate"], {"estimate": 1e-6, "se": 1e-6, "tau2": 1e-6}
    )


@pytest.mark.parametrize("name", [name for name, r in TWO_BY_TWO.items() if "direct_laplace" in r])
def test_random_intercepts_equal_the_laplace_likelihood_in_r(name):
    expected = TWO_BY_TWO[name]["direct_laplace"]
    fit = vo.pool_counts(frame(TWO_BY_TWO[name]), measure="OR", method="glmm", model="UM.RS")
    assert_agrees(fit, expected, {"estimate": 1e-6, "se": 1e-6, "tau2": 1e-6})
    printed = re.search(r"intercepts: ([0-9.]+)\.", " ".join(fit.notes))
    assert float(printed.group(1)) == pytest.approx(expected["sigma2"], rel=1e-5)


@pytest.mark.parametrize("name", WITH_GLMM)
def test_random_intercepts_are_those_of_metafor(name):
    """metafor hands glmer's standard errors on, which differ from the information by up to 1e-3 here."""
    expected = TWO_BY_TWO[name]["glmm"]["UM.RS"]
    fit = vo.pool_counts(frame(TWO_BY_TWO[name]), measure="OR", method="glmm", model="UM.RS")
    assert_agrees(fit, expected, {"estimate": 1e-4, "se": 1e-3, "tau2": 1e-4})
    assert fit.q == pytest.approx(expected["q_lrt"], abs=2e-3)


@pytest.mark.parametrize("name", RATES)
def test_rate_models_equal_metafor_and_the_likelihood(name):
    table, record = frame(RATES[name]), RATES[name]
    fixed = vo.pool_counts(table, measure="IRR", method="glmm")
    exact = vo.pool_counts(table, measure="IRR", method="glmm", model="CM.EL")
    for fit, model in ((fixed, "UM.FS"), (exact, "CM.EL")):
        expected = record["glmm"][model]
        assert_agrees(fit, expected, {"estimate": 1e-4, "se": 1e-4, "tau2": 1e-4, "h2": 1e-4})
        assert fit.q == pytest.approx(expected["q_lrt"], abs=1e-6)
        assert (fit.q_df, fit.k) == (expected["q_df"], expected["k"])
    assert_agrees(fixed, record["glmer"]["points_7"], {"estimate": 1e-6, "se": 1e-6, "tau2": 1e-6})
    assert_agrees(exact, record["direct_exact"], {"estimate": 1e-6, "se": 1e-6, "tau2": 1e-6})


@pytest.mark.parametrize("name", ONE_ARM)
def test_proportions_equal_metafor_and_the_likelihood(name):
    table, record = frame(ONE_ARM[name]), ONE_ARM[name]
    fit = vo.pool_counts(table, measure="PLO", method="glmm")
    assert_agrees(fit, record["glmm"], {"estimate": 1e-4, "se": 1e-4, "tau2": 1e-4, "h2": 1e-4})
    assert fit.q == pytest.approx(record["glmm"]["q_lrt"], abs=1e-6)
    exact = vo.pool_counts(table, measure="PLO", method="glmm", quadrature_points=61)
    assert_agrees(exact, record["direct"], {"estimate": 1e-6, "se": 1e-6, "tau2": 1e-6})


@pytest.mark.parametrize("name", [name for name, r in TWO_BY_TWO.items() if "beta_binomial" in r])
def test_beta_binomial_equals_the_likelihood_maximised_in_r(name):
    expected = TWO_BY_TWO[name]["beta_binomial"]
    coefficient, covariance = np.array(expected["coef"]), np.array(expected["vcov"])
    p = 1 / (1 + np.exp(-coefficient))
    sign = np.array([1.0, -1.0])
    readings = {
        "OR": (coefficient, sign),
        "RR": (np.log(p), sign * (1 - p)),
        "RD": (p, sign * p * (1 - p)),
    }
    for measure, (value, slope) in readings.items():
        fit = vo.pool_counts(frame(TWO_BY_TWO[name]), measure=measure, method="beta_binomial")
        assert fit.estimate == pytest.approx(value[0] - value[1], abs=1e-6)
        assert fit.se == pytest.approx(np.sqrt(slope @ covariance @ slope), abs=1e-6)
        assert f"rho = {expected['rho']:.4g};" in fit.notes[0]


@pytest.mark.parametrize("name", ONE_ARM)
def test_one_arm_beta_binomial_equals_the_likelihood_maximised_in_r(name):
    expected = ONE_ARM[name]["beta_binomial"]
    fit = vo.pool_counts(frame(ONE_ARM[name]), measure="PLO", method="beta_binomial")
    assert fit.estimate == pytest.approx(np.ravel(expected["coef"])[0], abs=1e-6)
    assert fit.se == pytest.approx(np.sqrt(np.ravel(expected["vcov"])[0]), abs=1e-6)


@pytest.mark.parametrize("record", [*TWO_BY_TWO.values(), REFERENCE["firth_no_event_t"]])
def test_firth_equals_the_penalised_likelihood_maximised_in_r(record):
    fit = vo.pool_counts(frame(record), measure="OR", method="firth")
    assert_agrees(fit, record["firth"], {"estimate": 1e-6, "se": 1e-6})


def test_numbers_that_were_printed():
    """metafor's own checks print -1.2286 for the catheter trials with a common odds ratio (UM.FS)."""
    catheters = frame(TWO_BY_TWO["nielweise2007"])
    fit = vo.pool_counts(catheters, measure="OR", method="glmm", effects="common")
    assert f"{fit.estimate:.4f}" == "-1.2286"
    assert fit.tau2 == 0
