"""Imputation by the reference arm: closed forms, conditional means by hand in R, and the posterior draws."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from vertebro_outcomes.estimators.contrasts.mmrm import visit_design
from vertebro_outcomes.estimators.imputation.reference_based import (
    Chains,
    Visits,
    conditional,
    fitted_parameters,
    impute_visits,
    reference_means,
)
from vertebro_outcomes.estimators.repeated_measures.pattern_sums import sums_of_patients
from vertebro_outcomes.estimators.repeated_measures.reml import fit_reml
from vertebro_outcomes.estimators.unanswerable import UnanswerableError

PIN = json.loads((Path(__file__).parents[3] / "reference" / "reference_based.json").read_text())
WAYS = list(PIN["results"])


def trial():
    rows = pd.DataFrame(PIN["data"])
    rows["y"] = pd.to_numeric(rows["y"])
    y = rows.pivot(index="id", columns="visit", values="y")
    patients = rows.drop_duplicates("id").set_index("id").loc[y.index]
    return Visits(
        y.to_numpy(float),
        patients["arm"].to_numpy() == 1,
        patients[["baseline", "age"]].to_numpy(float),
    )


DATA = trial()


def test_the_model_is_that_of_gls():
    B, Sigma = fitted_parameters(DATA)
    assert pytest.approx(np.array(PIN["covariance"]), rel=2e-4) == Sigma
    names = ("", ":arm", ":baseline", ":age")
    coef = [[PIN["coef"][f"visit{v}{name}"] for v in (1, 2, 3)] for name in names]
    assert pytest.approx(np.array(coef), rel=1e-3, abs=1e-4) == B


@pytest.mark.parametrize("how", WAYS)
def test_expectations_are_the_conditional_means_worked_out_in_r(how):
    """At the fitted parameters: the mean of many draws, patient by patient and in the regression."""
    drawn = impute_visits(DATA, how=how, m=4000, rng=np.random.default_rng(1), burn_in=0)
    copies = np.array([y[:, 2] for y in drawn])
    mean, error = copies.mean(axis=0), copies.std(axis=0) / np.sqrt(len(copies))
    expected = np.array(PIN["results"][how]["y3"])
    gone = np.isnan(DATA.y[:, 2])
    assert gone.sum() > 30
    assert np.abs((mean - expected)[gone] / error[gone]).max() < 4.5
    assert (copies[:, ~gone] == expected[~gone]).all()
    X = np.column_stack([DATA.u])
    arm = np.linalg.lstsq(X, copies.T, rcond=None)[0][1]
    wanted = PIN["results"][how]["estimate"]
    assert arm.mean() == pytest.approx(wanted, abs=4 * arm.std() / np.sqrt(len(arm)))


def test_the_four_ways_differ_by_more_than_the_test_allows():
    estimates = [PIN["results"][how]["estimate"] for how in WAYS]
    assert np.diff(np.sort(estimates)).min() > 0.02


def test_two_visits_by_hand():
    """One patient seen at the first of two visits, 3 above the own mean of 4; the reference has 5 and 6."""
    own, reference, last = np.array([[4.0, 3.0]]), np.array([[5.0, 6.0]]), np.array([1])
    slopes, root = conditional(np.array([[4.0, 2.0], [2.0, 5.0]]), np.array([0]), np.array([1]))
    assert slopes[0, 0] == 0.5
    assert root[0, 0] ** 2 == pytest.approx(5 - 2 * 2 / 4)
    second = {}
    for how in WAYS:
        means = reference_means(own, reference, last, how)
        second[how] = means[0, 1] + 0.5 * (7.0 - means[0, 0])
    assert second == {
        "own_arm": 3 + 1.5,
        "jump_to_reference": 6 + 1.5,
        "copy_reference": 6 + 0.5 * 2,
        "copy_increments": (6 - 5) + 4 + 1.5,
    }


def test_who_never_came_is_like_the_reference_in_all_three():
    own, reference = np.array([[1.0, 2.0]]), np.array([[5.0, 7.0]])
    for how in WAYS[1:]:
        assert reference_means(own, reference, np.array([0]), how).tolist() == reference.tolist()


def test_the_chains_draw_from_the_posterior():
    """Coefficients: around the likelihood's, as spread as it says; the covariance around its own."""
    B, Sigma = fitted_parameters(DATA)
    chains = Chains(DATA, np.tile(B, (1500, 1, 1)), np.tile(Sigma, (1500, 1, 1)))
    chains.run(100, "own_arm", np.random.default_rng(2))
    u = DATA.u
    fit = fit_reml(sums_of_patients(DATA.y, u, visit_design(3, [True] * 4)))
    se = np.sqrt(np.diag(fit.covariance)).reshape(4, 3)
    assert np.abs((chains.B.mean(axis=0) - B) / se).max() < 0.15
    # the t tails of some 60 free patients, and a covariance that is not known
    assert np.abs(chains.B.std(axis=0) / se - 1.06).max() < 0.1
    ratio = np.median(chains.Sigma, axis=0)[np.diag_indices(3)] / np.diag(Sigma)
    assert np.abs(ratio - 1).max() < 0.1


def test_a_seed_repeats_and_what_was_seen_stays():
    one, two = (
        np.array([*impute_visits(DATA, how="jump_to_reference", m=3, rng=np.random.default_rng(7))])
        for _ in "ab"
    )
    assert np.array_equal(one, two)
    seen = ~np.isnan(DATA.y)
    assert np.array_equal(one[:, seen], np.tile(DATA.y[seen], (3, 1)))
    assert not np.isnan(one).any()


def test_nobody_left_makes_all_ways_missing_at_random():
    y = DATA.y.copy()
    y[np.isnan(y[:, 2]) & DATA.treated, 2] = 4.0 + DATA.x[np.isnan(y[:, 2]) & DATA.treated, 0] % 1
    whole = Visits(y, DATA.treated, DATA.x)
    copies = [
        np.array([*impute_visits(whole, how=how, m=3, rng=np.random.default_rng(7), burn_in=5)])
        for how in WAYS
    ]
    for other in copies[1:]:
        assert np.array_equal(copies[0], other)


def test_too_few_patients_are_said():
    few = Visits(DATA.y[:6], DATA.treated[:6], DATA.x[:6])
    with pytest.raises(UnanswerableError):
        impute_visits(few, how="own_arm", m=2, rng=np.random.default_rng(0))
