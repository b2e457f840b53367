"""Propensity models, weighted and doubly robust contrasts against glm and stacked equations in R."""

import json
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from vertebro_outcomes.estimators.contrasts.aipw import fit_aipw
from vertebro_outcomes.estimators.contrasts.ancova import fit_ancova
from vertebro_outcomes.estimators.contrasts.g_computation import fit_g_computation
from vertebro_outcomes.estimators.contrasts.matching import fit_matching
from vertebro_outcomes.estimators.contrasts.welch import fit_welch
from vertebro_outcomes.estimators.propensity import logistic
from vertebro_outcomes.estimators.propensity.balance import covariate_balance, effective_n
from vertebro_outcomes.estimators.propensity.logistic import fit_logistic, fit_multinomial
from vertebro_outcomes.estimators.propensity.weighted_contrast import fit_weighted_contrast
from vertebro_outcomes.estimators.propensity.weights import (
    WEIGHT_KINDS,
    balancing_weights,
    multinomial_weights,
    stabilised,
)
from vertebro_outcomes.estimators.two_arms import TwoArms
from vertebro_outcomes.estimators.unanswerable import UnanswerableError

R = json.loads((Path(__file__).parents[3] / "reference" / "weighting.json").read_text())
FRAME = pd.DataFrame(R["data"])
COVARIATES = ["baseline", "age", "female", "bmd"]
DATA = TwoArms(
    y=FRAME["y"].to_numpy(float),
    treated=FRAME["treated"].to_numpy() == 1,
    x=FRAME[COVARIATES].to_numpy(float),
    cluster=FRAME["site"].to_numpy(np.int64),
)
WEIGHTED = {entry["kind"]: entry for entry in R["weighted"]}
METHODS = {
    "welch": fit_welch,
    "ancova": fit_ancova,
    "g_computation": fit_g_computation,
    "aipw": fit_aipw,
    "matching": fit_matching,
    **{kind: partial(fit_weighted_contrast, kind=kind) for kind in WEIGHT_KINDS},
}


def test_logistic_model_is_that_of_glm():
    fit = fit_logistic(DATA.x, DATA.treated)
    np.testing.assert_allclose(fit.coef, R["glm"]["coef"], rtol=1e-8)
    np.testing.assert_allclose(np.sqrt(np.diag(fit.covariance)), R["glm"]["se"], rtol=1e-8)
    np.testing.assert_allclose(fit.probability, R["glm"]["probability"], rtol=1e-8)
    assert fit.loglik == pytest.approx(R["glm"]["loglik"], rel=1e-10)


def test_a_start_from_some_of_very_many_patients_ends_at_the_same_model(monkeypatch):
    monkeypatch.setattr(logistic, "_ENOUGH_TO_SAMPLE", 100)
    fit = fit_logistic(DATA.x, DATA.treated)
    np.testing.assert_allclose(fit.coef, R["glm"]["coef"], rtol=1e-8)
    np.testing.assert_allclose(fit.probability, R["glm"]["probability"], rtol=1e-8)
    rare = np.column_stack(
        [DATA.x, np.isin(np.arange(len(DATA.y)), np.flatnonzero(DATA.treated)[:3])]
    )
    rare[np.flatnonzero(~DATA.treated)[1], -1] = 1.0  # too few for the sample, not for all
    some = fit_logistic(rare, DATA.treated).coef
    monkeypatch.undo()
    np.testing.assert_allclose(some, fit_logistic(rare, DATA.treated).coef, rtol=1e-9)


def test_three_arms_are_those_of_multinom_and_of_the_likelihood_equations():
    x, arm = FRAME[COVARIATES[:3]].to_numpy(float), FRAME["arm3"].to_numpy(np.int64)
    fit = fit_multinomial(x, arm)
    np.testing.assert_allclose(fit.coef, R["multinom"]["coef"], rtol=0, atol=1e-4)
    assert fit.loglik == pytest.approx(R["multinom"]["loglik"], rel=1e-8)
    indicator = np.eye(3)[arm]
    slope = np.column_stack([np.ones(len(x)), x]).T @ (indicator - fit.probability)
    np.testing.assert_allclose(slope, 0, atol=1e-7)
    overlap = multinomial_weights(fit.probability, arm, kind="overlap")
    ate = multinomial_weights(fit.probability, arm, kind="ate")
    np.testing.assert_allclose(
        overlap, ate / sum(1 / fit.probability[:, k] for k in range(3)), rtol=1e-12
    )


def test_two_classes_of_the_multinomial_model_are_the_logistic_model():
    two = fit_multinomial(DATA.x, DATA.treated.astype(np.int64))
    one = fit_logistic(DATA.x, DATA.treated)
    np.testing.assert_allclose(two.coef[0], one.coef, rtol=1e-9)


@pytest.mark.parametrize("kind", WEIGHT_KINDS)
def test_weighted_contrast(kind):
    theirs = WEIGHTED[kind]
    for variance, name in (
        ("sandwich", "se"),
        ("sandwich_site", "se_site"),
        ("fixed_propensity", "se_fixed"),
    ):
        fit = fit_weighted_contrast(DATA, kind=kind, variance=variance)
        assert fit.estimate == pytest.approx(theirs["estimate"], rel=1e-8)
        assert fit.se == pytest.approx(theirs[name], rel=1e-6)
    np.testing.assert_allclose(fit.weights, theirs["weights"], rtol=1e-7)
    for arm, name in ((DATA.treated, "ess_t"), (~DATA.treated, "ess_c")):
        assert effective_n(fit.weights[arm]) == pytest.approx(theirs[name], rel=1e-7)


def test_every_kind_of_weight_was_pinned():
    assert set(WEIGHTED) == set(WEIGHT_KINDS)


@pytest.mark.parametrize(
    ("name", "fit"), [("aipw", fit_aipw), ("g_computation", fit_g_computation)]
)
def test_outcome_models(name, fit):
    for variance, key in (("sandwich", "se"), ("sandwich_site", "se_site")):
        found = fit(DATA, variance=variance)
        assert found.estimate == pytest.approx(R[name]["estimate"], rel=1e-8)
        assert found.se == pytest.approx(R[name][key], rel=1e-6)


def test_ancova_and_welch():
    data = TwoArms(DATA.y, DATA.treated, FRAME[["baseline", "age"]].to_numpy(float))
    for variance in ("hc3", "hc2", "model"):
        fit = fit_ancova(data, variance=variance)
        assert fit.estimate == pytest.approx(R["ancova"]["estimate"], rel=1e-10)
        assert fit.se == pytest.approx(R["ancova"][variance], rel=1e-10)
        assert fit.df == R["ancova"]["df"]
    fit = fit_welch(data)
    for name in ("estimate", "se", "df"):
        assert getattr(fit, name) == pytest.approx(R["welch"][name], rel=1e-10)


def test_balance_before_and_after_overlap_weighting():
    weights = np.array(WEIGHTED["overlap"]["weights"])
    before = covariate_balance(DATA.x, DATA.treated)
    after = covariate_balance(DATA.x, DATA.treated, weights)
    assert [entry["covariate"] for entry in R["balance"]] == COVARIATES
    for j, theirs in enumerate(R["balance"]):
        assert before.smd[j] == pytest.approx(theirs["smd_before"], rel=1e-10)
        assert after.smd[j] == pytest.approx(0.0, abs=1e-7)  # exact for overlap weights
        assert theirs["smd_after"] == pytest.approx(0.0, abs=1e-7)
        assert before.ks[j] == pytest.approx(theirs["ks_before"], rel=1e-10)
        assert after.ks[j] == pytest.approx(theirs["ks_after"], rel=1e-7)
        if theirs["variance_ratio"]:
            assert after.variance_ratio[j] == pytest.approx(theirs["variance_ratio"], rel=1e-7)
        else:
            assert np.isnan(after.variance_ratio[j])


@pytest.mark.parametrize("name", METHODS)
def test_laws_of_every_method(name):
    fit = METHODS[name]
    first = fit(DATA)
    order = np.random.default_rng(3).permutation(len(DATA.y))
    shuffled = fit(TwoArms(DATA.y[order], DATA.treated[order], DATA.x[order]))
    scaled = fit(TwoArms(10 * DATA.y - 4, DATA.treated, DATA.x * [1, 12, 1, 0.1] + [0, 3, 0, 1]))
    assert shuffled.estimate == pytest.approx(first.estimate, rel=1e-9)
    assert shuffled.se == pytest.approx(first.se, rel=1e-8)
    assert scaled.estimate == pytest.approx(10 * first.estimate, rel=1e-7)
    assert scaled.se == pytest.approx(10 * first.se, rel=1e-6)
    mirror = {"att": "atc", "atc": "att"}.get(name, name)
    if name != "matching":  # stands for the treated: another question when the arms are swapped
        swapped = METHODS[mirror](TwoArms(DATA.y, ~DATA.treated, DATA.x))
        assert swapped.estimate == pytest.approx(-first.estimate, rel=1e-7)
        assert swapped.se == pytest.approx(first.se, rel=1e-7)


def test_stabilising_changes_no_normalised_mean():
    e = np.array(R["glm"]["probability"])
    w = balancing_weights(e, DATA.treated, kind="ate")
    s = stabilised(w, DATA.treated)
    for arm in (DATA.treated, ~DATA.treated):
        assert np.average(DATA.y[arm], weights=s[arm]) == pytest.approx(
            np.average(DATA.y[arm], weights=w[arm]), rel=1e-12
        )
    assert s.mean() == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize("shift", [0.0, 1e-9])
def test_separated_arms_are_refused(shift):
    rng = np.random.default_rng(5)
    treated = np.arange(60) < 30
    x = np.where(treated, 1.0, 0.0) * (rng.random(60) + shift)  # quasi-complete: ties at zero only
    complete = np.where(treated, 1.0, -1.0) + rng.uniform(-0.5, 0.5, 60)
    for column in (x, complete):
        data = TwoArms(rng.normal(size=60), treated, column[:, None])
        for name in set(METHODS) - {"welch", "ancova"}:
            with pytest.raises(UnanswerableError, match="separate"):
                METHODS[name](data)


def test_a_category_that_only_one_arm_has_is_refused():
    rng = np.random.default_rng(6)
    treated = np.arange(200) % 2 == 0
    rare = (treated & (np.arange(200) < 6)).astype(float)
    with pytest.raises(UnanswerableError, match="separate"):
        fit_logistic(np.column_stack([rng.normal(size=200), rare]), treated)


def test_strong_but_overlapping_selection_is_not_called_separation():
    rng = np.random.default_rng(7)
    x = rng.normal(size=(20_000, 1))
    treated = rng.random(20_000) < 1 / (1 + np.exp(-5 * x[:, 0]))
    assert fit_logistic(x, treated).coef[1] == pytest.approx(5.0, abs=0.4)


@pytest.mark.parametrize("name", sorted(set(METHODS) - {"welch"}))
def test_collinear_covariates_are_refused(name):
    x = np.column_stack([DATA.x, DATA.x[:, 0] + DATA.x[:, 1]])
    with pytest.raises(UnanswerableError, match="follows from the others"):
        METHODS[name](TwoArms(DATA.y, DATA.treated, x))
