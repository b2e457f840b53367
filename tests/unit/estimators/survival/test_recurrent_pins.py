"""Delayed entry and recurrent events against R's survival, and the mean count against its algebra."""

import json
from pathlib import Path

import numpy as np
import pytest

from vertebro_outcomes.estimators.survival.aalen_johansen import fit_aalen_johansen
from vertebro_outcomes.estimators.survival.cox import fit_cox
from vertebro_outcomes.estimators.survival.recurrent import fit_mean_count, fit_rate_ratio

PINS = json.loads((Path(__file__).parents[3] / "reference" / "recurrent.json").read_text())
EXACT = {"rtol": 0, "atol": 1e-9}
PEOPLE = {name: np.array(column) for name, column in PINS["people"].items()}
EVENT = {name: np.array(column) for name, column in PINS["events"].items()}
END, DIED = PEOPLE["end"].astype(float), PEOPLE["dead"] == 1
WHO, DAY = EVENT["id"] - 1, EVENT["day"].astype(float)


def bladder(key: str, **extra) -> None:
    pin = PINS["bladder2"]
    columns = {name: np.array(column) for name, column in pin.items() if isinstance(column, list)}
    x = np.column_stack([columns["rx"], columns["size"], columns["number"]]).astype(float)
    fit = fit_cox(
        columns["stop"].astype(float), columns["event"] == 1, x=x, cluster=columns["id"],
        entry=columns["start"].astype(float),
        stratum=columns["enum"] if key == "conditional" else None, **extra,
    )  # fmt: skip
    np.testing.assert_allclose(fit.beta, pin[key]["beta"], **EXACT)
    np.testing.assert_allclose(fit.covariance, pin[key]["cov"], **EXACT)
    np.testing.assert_allclose(fit.robust, pin[key]["robust"], **EXACT)
    assert fit.log_likelihood == pytest.approx(pin[key]["loglik"][1], abs=1e-9)


@pytest.mark.parametrize("key", ["andersen_gill", "breslow", "conditional"])
def test_recurrences_of_bladder_cancer(key: str) -> None:
    bladder(key, **({"ties": "breslow"} if key == "breslow" else {}))


def test_delayed_entry_with_weights_and_strata() -> None:
    late = {name: np.array(column, float) for name, column in PINS["late"].items()}
    fit = fit_cox(
        late["leave"], late["event"] == 1, x=np.column_stack([late["x"], late["g"]]),
        entry=late["enter"], weight=late["w"], stratum=late["s"],
    )  # fmt: skip
    for ours, key in ((fit.beta, "beta"), (fit.covariance, "cov"), (fit.robust, "robust")):
        np.testing.assert_allclose(ours, PINS["late_fit"][key], **EXACT)


@pytest.mark.parametrize("weighted", [False, True])
def test_rate_ratios(weighted: bool) -> None:
    fit = fit_rate_ratio(
        END, event_patient=WHO, event_day=DAY,
        x=np.column_stack([PEOPLE["arm"], PEOPLE["x"]]).astype(float),
        weight=PEOPLE["w"] if weighted else None,
    )  # fmt: skip
    pin = PINS["lwyy_w" if weighted else "lwyy"]
    np.testing.assert_allclose(fit.beta, pin["beta"], **EXACT)
    np.testing.assert_allclose(fit.robust, pin["robust"], **EXACT)


@pytest.mark.parametrize("weighted", [False, True])
def test_mean_cumulative_count(weighted: bool) -> None:
    pin = PINS["mcc"]
    curve = fit_mean_count(
        END, DIED, event_patient=WHO, event_day=DAY, weight=PEOPLE["w"] if weighted else None
    )
    mean, se, _ = curve.at(np.array(pin["at"], float))
    np.testing.assert_allclose(mean, pin["weighted" if weighted else "all"], **EXACT)
    np.testing.assert_allclose(se, pin["weighted_se" if weighted else "se"], rtol=1e-7)


def test_one_event_each_is_the_cumulative_incidence() -> None:
    """Counting only a first event that ends follow-up gives Aalen and Johansen's curve back."""
    rng = np.random.default_rng(2)
    time, cause = np.ceil(rng.exponential(20, 80)), rng.integers(0, 3, 80)
    had = np.flatnonzero(cause == 1)
    days = np.array([5.0, 20.0, 40.0])
    curve = fit_mean_count(time, cause > 0, event_patient=had, event_day=time[had])
    expected, se, n = fit_aalen_johansen(time, cause).at(days)
    ours = curve.at(days)
    np.testing.assert_allclose(ours[0], expected, rtol=1e-12)
    np.testing.assert_allclose(ours[1], se, rtol=1e-10)
    np.testing.assert_array_equal(ours[2], n)
