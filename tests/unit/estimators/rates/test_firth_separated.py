"""Firth's logistic regression where covariates foretell the event."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import optimize, special

from vertebro_outcomes.estimators.rates.firth_logistic import fit_firth_logistic

PINS = json.loads((Path(__file__).parents[3] / "reference" / "firth.json").read_text())


def data(name: str, first: int) -> tuple[np.ndarray, np.ndarray]:
    """Columns with the one of interest first, and the events."""
    x = np.array(PINS[name]["x"], dtype=float)
    return x[:, [first, *(j for j in range(3) if j != first)]], np.array(PINS[name]["y"]) == 1


@pytest.fixture(scope="module")
def separated():
    return fit_firth_logistic(*data("separated", 0))


@pytest.mark.parametrize(
    ("name", "first"),
    [("endometrial", 0), ("endometrial", 1), ("endometrial", 2), ("separated", 0)],
)
def test_estimates_are_those_of_brglm2(name, first, separated):
    fit = separated if name == "separated" else fit_firth_logistic(*data(name, first))
    assert fit.estimate == pytest.approx(PINS[name]["fit"]["beta"][first + 1], rel=1e-7)
    assert fit.se == pytest.approx(PINS[name]["fit"]["se"][first + 1], rel=1e-7)


def test_limits_are_where_the_profile_has_fallen_by_half_a_chi_square():
    x, y = data("endometrial", 0)
    fit = fit_firth_logistic(x, y)
    X = np.column_stack([np.ones(len(x)), x])

    def penalised(beta):
        p = special.expit(X @ beta)
        information = (X * (p * (1 - p))[:, None]).T @ X
        value = np.where(y, np.log(p), np.log1p(-p)).sum()
        return value + 0.5 * np.linalg.slogdet(information)[1]

    top = penalised(np.array(PINS["endometrial"]["fit"]["beta"]))
    for limit in (fit.ci_low, fit.ci_high):
        best = optimize.minimize(
            lambda b, at=limit: -penalised(np.array([b[0], at, b[1], b[2]])), [4.0, -0.03, -2.5],
            method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12, "maxiter": 4000},
        )  # fmt: skip
        fallen = 2 * (top + best.fun)
        assert fallen == pytest.approx(special.chdtri(1, 0.05), rel=1e-6)


def test_a_limit_that_the_profile_never_reaches_is_infinite(separated):
    assert separated.ci_high == np.inf
    assert 0 < separated.ci_low < separated.estimate
    assert 0 < separated.p_value < 0.001
