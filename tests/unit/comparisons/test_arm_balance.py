"""Balance from patterns against the same estimators on patients one by one."""

import numpy as np
import pytest

import vertebro_outcomes as vo
from vertebro_outcomes.comparisons import arm_balance
from vertebro_outcomes.estimators.propensity.balance import (
    balance_before_and_after,
    covariate_balance,
    effective_n,
)
from vertebro_outcomes.estimators.propensity.logistic import fit_logistic
from vertebro_outcomes.estimators.propensity.weights import balancing_weights

ARMS = {"treatment": "KP", "comparator": "NSM"}
TERMS = ["age_years", "sex", "fracture_age_days"]


@pytest.fixture(scope="module")
def cohort():
    return vo.simulate_registry(n_patients=2000, seed=4)[0]


@pytest.mark.parametrize(
    ("method", "kind"), [("overlap_weighting", "overlap"), ("ate_weighting", "ate"), ("att_weighting", "att")]
)  # fmt: skip
def test_patterns_give_what_patients_give(cohort, method, kind):
    found = vo.balance(cohort, **ARMS, covariates=TERMS, method=method)
    people = cohort.frame("patients").merge(cohort.frame("episodes"), on="patient_id")
    people = people[people["treatment"].isin(["KP", "NSM"])]
    x = np.column_stack(
        [people["age_years"], people["sex"] == "male", people["fracture_age_days"].astype(float)]
    ).astype(float)
    treated = (people["treatment"] == "KP").to_numpy(bool)
    whole = ~np.isnan(x).any(axis=1)
    x, treated = x[whole], treated[whole]
    w = balancing_weights(fit_logistic(x, treated).probability, treated, kind=kind)
    before, after = balance_before_and_after(x, treated, w)
    for when, plain in (("before", before), ("after", after)):
        for measure in ("smd", "variance_ratio", "ks"):
            np.testing.assert_allclose(
                found.table[f"{measure}_{when}"], getattr(plain, measure), rtol=1e-8, atol=1e-9
            )
    np.testing.assert_allclose(found.effective_n_t, effective_n(w[treated]), rtol=1e-8)
    assert (found.n_t, found.n_c) == (treated.sum(), (~treated).sum())


def test_a_row_for_several_patients_is_those_patients_written_out():
    rng = np.random.default_rng(1)
    x = np.column_stack([rng.integers(0, 2, 60), rng.normal(size=60)]).astype(float)
    treated, w, f = rng.random(60) < 0.4, rng.uniform(0.2, 3, 60), rng.integers(1, 5, 60)
    counted = covariate_balance(x, treated, w, alike=f.astype(float))
    plain = covariate_balance(np.repeat(x, f, axis=0), np.repeat(treated, f), np.repeat(w, f))
    for measure in ("mean_t", "mean_c", "sd_t", "sd_c", "smd", "variance_ratio", "ks"):
        np.testing.assert_allclose(getattr(counted, measure), getattr(plain, measure), rtol=1e-12)


def test_spread_of_the_arms_is_that_of_their_patients():
    rng = np.random.default_rng(2)
    x, treated = rng.normal(5, 3, 50), rng.random(50) < 0.4
    found = covariate_balance(np.column_stack([x, x > 5]).astype(float), treated)
    assert found.sd_t[0] == pytest.approx(np.std(x[treated], ddof=1), rel=1e-12)
    assert found.sd_c[0] == pytest.approx(np.std(x[~treated], ddof=1), rel=1e-12)
    share = (x[treated] > 5).mean()
    assert found.sd_t[1] == pytest.approx(np.sqrt(share * (1 - share)), rel=1e-12)


def test_swapped_arms_change_the_sign(cohort):
    one = vo.balance(cohort, **ARMS, covariates=TERMS)
    other = vo.balance(cohort, treatment="NSM", comparator="KP", covariates=TERMS)
    np.testing.assert_allclose(one.table["smd_before"], -other.table["smd_before"], rtol=1e-12)


def test_it_shows_itself(cohort):
    found = vo.balance(cohort, **ARMS, covariates=TERMS)
    assert "Synthetic data." in str(found)
    assert "<table" in found._repr_html_()
    assert found.to_frame()["synthetic"].all()
    labels = [tick.get_text() for tick in found.plot().get_yticklabels()]
    assert labels == found.table["covariate"].tolist()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"cohort": "registry"}, "argument cohort"),
        ({"method": "matching"}, "argument method"),
        ({"covariates": []}, "argument covariates"),
        ({"covariates": ["death_day"]}, "argument covariates"),
        ({"covariates": "age_years"}, "argument covariates"),
        ({"comparator": "KP"}, "argument comparator"),
    ],
)
def test_mistakes_are_refused(cohort, wrong, said):
    asked = {"cohort": cohort, **ARMS, "covariates": TERMS, **wrong}
    with pytest.raises(vo.InputError, match=said):
        vo.balance(asked.pop("cohort"), **asked)


def test_more_patterns_than_fit_are_refused(cohort, monkeypatch):
    monkeypatch.setattr(arm_balance, "MOST_ROWS", 5)
    with pytest.raises(vo.InputError, match="more than 5 patterns"):
        vo.balance(cohort, **ARMS, covariates=TERMS)
