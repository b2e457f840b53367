"""Weights for staying against R glm, lm and the stacked sandwich by hand; the laws they obey."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from vertebro_outcomes.estimators.censoring import Staying, fit_censored, staying_weights
from vertebro_outcomes.estimators.contrasts.ancova import fit_ancova
from vertebro_outcomes.estimators.two_arms import TwoArms
from vertebro_outcomes.estimators.unanswerable import UnanswerableError

REFERENCE = Path(__file__).parents[2] / "reference"
FITS = json.loads((REFERENCE / "censoring.json").read_text())["fits"]
ROWS = pd.DataFrame(json.loads((REFERENCE / "reference_based.json").read_text())["data"])


def trial():
    rows = ROWS.assign(y=pd.to_numeric(ROWS["y"]))
    y = rows.pivot(index="id", columns="visit", values="y").to_numpy(float)
    patients = rows.drop_duplicates("id").set_index("id").sort_index()
    arm, x = patients["arm"].to_numpy(float), patients[["baseline", "age"]].to_numpy(float)
    seen = ~np.isnan(y)
    stayed = np.logical_or.accumulate(seen[:, ::-1], axis=1)[:, ::-1]
    last, history = x[:, 0], []
    for j in range(3):
        history.append(np.column_stack([arm, x, last, arm * last]))
        last = np.where(seen[:, j], y[:, j], last)
    return y[:, 2], x, Staying(stayed, np.stack(history, axis=1), arm == 1)


Y, X, STAYING = trial()


@pytest.mark.parametrize("pin", FITS, ids=lambda p: f"cut at {p['truncate']}")
def test_estimate_weights_and_stacked_errors_are_those_of_r(pin):
    fit, _ = fit_censored(Y, X, STAYING, used=STAYING.stayed[:, -1], truncate=pin["truncate"])
    assert fit.weights == pytest.approx(np.array(pin["weights"]), rel=1e-7)
    assert fit.estimate == pytest.approx(pin["estimate"], rel=1e-7)
    assert fit.se == pytest.approx(pin["se"], rel=1e-6)
    assert fit.df == pin["df"]


def test_swapped_arms_shuffled_patients_and_another_unit():
    used = STAYING.stayed[:, -1]
    one, _ = fit_censored(Y, X, STAYING, used=used, truncate=1.0)
    swapped = Staying(STAYING.stayed, STAYING.history, ~STAYING.treated)
    other, _ = fit_censored(Y, X, swapped, used=used, truncate=1.0)
    assert (other.estimate, other.se) == pytest.approx((-one.estimate, one.se), rel=1e-8)
    at = np.random.default_rng(0).permutation(len(Y))
    mixed = Staying(STAYING.stayed[at], STAYING.history[at], STAYING.treated[at])
    again, _ = fit_censored(10 * Y[at], X[at], mixed, used=used[at], truncate=1.0)
    assert (again.estimate, again.se) == pytest.approx((10 * one.estimate, 10 * one.se), rel=1e-8)


def test_nobody_left_gives_least_squares():
    rng = np.random.default_rng(1)
    whole = Staying(np.ones_like(STAYING.stayed), STAYING.history, STAYING.treated)
    y = rng.normal(size=len(Y)) + X[:, 0]
    fit, staying = fit_censored(y, X, whole, used=np.ones(len(y), dtype=bool), truncate=0.99)
    plain = fit_ancova(TwoArms(y, whole.treated, X))
    assert fit.estimate == pytest.approx(plain.estimate, rel=1e-10)
    assert (staying.w == 1).all()
    assert staying.n_left == 0


def test_leaving_by_the_arm_alone_weighs_everybody_alike():
    """With nothing but the arm in the model, the stabilised weight is one."""
    only_arm = Staying(STAYING.stayed, STAYING.history[:, :, :1], STAYING.treated)
    saturated = np.concatenate(
        [only_arm.history * (np.arange(3) == j)[:, None] for j in range(3)], axis=2
    )
    found = staying_weights(Staying(STAYING.stayed, saturated, STAYING.treated), truncate=1.0)
    assert found.w[STAYING.stayed[:, -1]] == pytest.approx(1.0, rel=1e-8)


def test_estimated_weights_are_counted_in_the_variance():
    """300 patients, 150 times: the stacked error is the spread of the estimates."""
    rng = np.random.default_rng(3)
    estimates, errors = [], []
    for _ in range(150):
        n = 300
        arm = rng.random(n) < 0.5
        before = rng.normal(size=n)
        stays = rng.random(n) < 1 / (1 + np.exp(-1.0 - np.where(arm, 1.5, -1.5) * before))
        y = np.where(stays, before + rng.normal(0, 0.5, n), np.nan)
        history = np.column_stack([arm, before, arm * before])[:, None, :].astype(float)
        data = Staying(stays[:, None], history, arm)
        fit, _ = fit_censored(y, np.empty((n, 0)), data, used=stays, truncate=1.0)
        estimates.append(fit.estimate)
        errors.append(fit.se)
    assert abs(np.mean(estimates)) < 4 * np.std(estimates) / np.sqrt(150)
    assert np.mean(errors) == pytest.approx(np.std(estimates), rel=0.2)


def test_what_tells_for_certain_who_left_is_said():
    history = np.where(STAYING.stayed[:, :, None], 1.0, 0.0)
    data = Staying(STAYING.stayed, history, STAYING.treated)
    with pytest.raises(UnanswerableError, match="nobody like them stayed"):
        staying_weights(data, truncate=1.0)
    emptied = STAYING.stayed.copy()
    emptied[STAYING.treated, 2] = False
    one_arm = Staying(emptied, STAYING.history[:, :, 1:2], STAYING.treated)
    with pytest.raises(UnanswerableError, match="nobody like them stayed"):
        staying_weights(one_arm, truncate=1.0)


def test_covariates_that_follow_from_others_are_refused():
    twice = np.column_stack([X, X[:, 0]])
    with pytest.raises(UnanswerableError, match="follows from the others"):
        fit_censored(Y, twice, STAYING, used=STAYING.stayed[:, -1], truncate=1.0)
