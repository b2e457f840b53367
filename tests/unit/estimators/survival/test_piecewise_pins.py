"""Piecewise rates and gamma frailty against R's glm, optim and MASS::glm.nb."""

import json
from pathlib import Path

import numpy as np
import pytest

from vertebro_outcomes.estimators.survival import units as rows_of_patients
from vertebro_outcomes.estimators.survival.piecewise import fit_piecewise, fit_shared_frailty
from vertebro_outcomes.estimators.survival.units import Units

PINS = json.loads((Path(__file__).parents[3] / "reference" / "piecewise.json").read_text())
DATA = {name: np.array(column) for name, column in PINS["data"].items()}
PATTERNS = np.array([(near == 1, near == 2, leak) for near in (1, 2, 3) for leak in (0, 1)], float)


def units(**changes) -> Units:
    given = {
        "patient": DATA["id"] - 1, "pattern": 2 * (DATA["near"] - 1) + DATA["leak"],
        "time": DATA["time"].astype(float), "event": DATA["event"] == 1, "z": PATTERNS,
        "cuts": np.array(PINS["cuts"], float),
    }  # fmt: skip
    return Units(**{**given, **changes})


def test_rates_and_the_variance_by_patient() -> None:
    fit, pin = fit_piecewise(units()), PINS["poisson"]
    np.testing.assert_allclose(fit.beta, pin["beta"], rtol=0, atol=1e-8)
    np.testing.assert_allclose(fit.covariance, pin["cov"], rtol=0, atol=1e-8)
    np.testing.assert_allclose(fit.robust, pin["robust"], rtol=0, atol=1e-8)


def test_gamma_frailty() -> None:
    fit, pin = fit_shared_frailty(units()), PINS["frailty"]
    assert fit.converged
    np.testing.assert_allclose(fit.beta, pin["beta"], rtol=0, atol=1e-4)
    assert fit.theta == pytest.approx(pin["theta"], abs=1e-4)
    # R's optim stops a little short of the maximum; ours may only be higher
    constant = fit.log_likelihood - pin["loglik"]
    assert -1e-8 < constant < 1e-5
    np.testing.assert_allclose(np.sqrt(np.diag(fit.covariance)), pin["se"], rtol=1e-3)
    assert fit.theta_se == pytest.approx(pin["theta_se"], rel=1e-3)


def test_one_pattern_per_patient_is_the_negative_binomial() -> None:
    """Each patient's units fracture at the end of follow-up: the counts are negative binomial."""
    count = {name: np.array(column) for name, column in PINS["counts"].items()}
    rows = np.maximum(count["count"], 1)  # one row per event, or one without
    patient = np.repeat(np.arange(count["x"].size), rows)
    within = np.arange(patient.size) - np.repeat(np.r_[0, np.cumsum(rows)[:-1]], rows)
    exposure = (count["units"] * count["time"])[patient] / rows[patient]
    fit = fit_shared_frailty(
        Units(patient, count["x"][patient], exposure, within < count["count"][patient],
              np.array([[0.0], [1.0]]), np.empty(0))
    )  # fmt: skip
    np.testing.assert_allclose(fit.beta, PINS["nb"]["beta"], rtol=0, atol=1e-5)
    assert fit.theta == pytest.approx(PINS["nb"]["theta"], abs=1e-4)


def test_blocks_of_patients_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = fit_shared_frailty(units())
    monkeypatch.setattr(rows_of_patients, "ROWS_AT_ONCE", 50)
    assert sum(1 for _ in units().blocks()) > 10
    again = fit_shared_frailty(units())
    np.testing.assert_allclose(again.beta, whole.beta, atol=1e-10)
    np.testing.assert_allclose(again.robust, whole.robust, atol=1e-12)


def test_other_units_of_time() -> None:
    years = units(time=DATA["time"] / 365.25, cuts=np.array(PINS["cuts"]) / 365.25)
    fit, plain = fit_piecewise(years), fit_piecewise(units())
    np.testing.assert_allclose(fit.beta[3:], plain.beta[3:], rtol=1e-9)
    np.testing.assert_allclose(fit.beta[:3], plain.beta[:3] + np.log(365.25), rtol=1e-9)


def test_without_frailty_the_variance_is_nothing() -> None:
    """Each patient breaks exactly as often as expected: less spread than chance gives."""
    patient = np.repeat(np.arange(60), 4)
    event = np.tile([True, False, False, False], 60)
    calm = Units(patient, np.zeros(240, dtype=int), np.full(240, 100.0), event,
                 np.empty((1, 0)), np.empty(0))  # fmt: skip
    fit = fit_shared_frailty(calm)
    assert fit.theta == 0.0
    assert fit.beta[0] == pytest.approx(np.log(60 / 24_000), abs=1e-9)


def test_no_finite_ratio_is_undefined() -> None:
    never = units(event=(DATA["event"] == 1) & (DATA["near"] != 1))
    assert not fit_piecewise(never).converged
    assert np.isnan(fit_shared_frailty(never).beta).all()
    double = units(z=np.column_stack([PATTERNS, PATTERNS[:, 0]]))
    assert not fit_piecewise(double).converged


def alike(n: int = 900) -> Units:
    """Patients with three vertebrae each and few days, so that many are equal."""
    rng = np.random.default_rng(8)
    leak, end = rng.integers(0, 2, n), rng.choice([900.0, 1000.0], n)
    event = rng.random((n, 3)) < 0.12
    time = np.where(event, rng.choice([20.0, 150.0, 380.0, 800.0], (n, 1)), end[:, None])
    pattern = 2 * np.arange(3) + leak[:, None]
    return units(
        patient=np.repeat(np.arange(n), 3), pattern=pattern.ravel(), time=time.ravel(),
        event=event.ravel(),
    )  # fmt: skip


def counted(rows: Units) -> Units:
    """The same patients, those with equal vertebrae once."""
    cells = np.column_stack([rows.pattern, rows.time, rows.event]).reshape(-1, 9)
    kinds, n = np.unique(cells, axis=0, return_counts=True)
    pattern, time, event = kinds.reshape(-1, 3).T
    return units(
        patient=np.repeat(np.arange(len(kinds)), 3), pattern=pattern.astype(int), time=time,
        event=event == 1, alike=n.astype(float),
    )  # fmt: skip


@pytest.mark.parametrize("fit", [fit_piecewise, fit_shared_frailty])
def test_patients_who_are_alike_are_counted(fit) -> None:
    written_out, small = fit(alike()), counted(alike())
    assert small.patient.size < 0.1 * alike().patient.size
    found = fit(small)
    for name in ("beta", "covariance", "robust", "log_likelihood", "theta", "n_rows", "n_events"):
        np.testing.assert_allclose(
            getattr(found, name), getattr(written_out, name), rtol=1e-8, atol=1e-12
        )
    assert found.converged
