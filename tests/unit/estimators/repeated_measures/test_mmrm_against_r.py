"""The mixed model for repeated measures against R mmrm, nlme::gls and its own definition."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from vertebro_outcomes.estimators.contrasts.clda import fit_clda
from vertebro_outcomes.estimators.contrasts.mmrm import fit_mmrm, visit_design
from vertebro_outcomes.estimators.repeated_measures.derivatives import restricted_likelihood
from vertebro_outcomes.estimators.repeated_measures.pattern_sums import (
    sums_of_patients,
    sums_of_rows,
)
from vertebro_outcomes.estimators.repeated_measures.reml import fit_reml
from vertebro_outcomes.estimators.two_arms import TwoArms
from vertebro_outcomes.estimators.unanswerable import UnanswerableError

REFERENCE = Path(__file__).parents[3] / "reference"
MMRM = json.loads((REFERENCE / "mmrm_reference.json").read_text())
GLS = json.loads((REFERENCE / "repeated_measures.json").read_text())
KEYS = {
    "satterthwaite": "satterthwaite",
    "kenward_roger": "kenward_roger",
    "kenward_roger_linear": "kenward_roger_linear",
    "empirical": "sandwich_empirical",
}


def arms_of(rows, *, time, arm, covariates, varies):
    scores = rows.pivot(index="id", columns=time, values="y")
    patients = rows.drop_duplicates("id").set_index("id").loc[scores.index]
    return TwoArms(
        y=np.full(len(patients), np.nan),
        treated=(patients["arm"] == arm).to_numpy(),
        x=patients[covariates].to_numpy(float),
        visits=scores.to_numpy(float),
        varies=np.array(varies),
    ), sorted(rows[time].unique())


def at_visit(data, visit):
    return TwoArms(
        data.y, data.treated, data.x, visits=data.visits, visit=visit, varies=data.varies
    )


@pytest.fixture(scope="module")
def vp_nsm():
    rows = pd.DataFrame(MMRM["data"])
    return arms_of(rows, time="day", arm="VP", covariates=["baseline"], varies=[True])


@pytest.mark.parametrize("variance", KEYS)
def test_contrasts_and_least_squares_means_are_those_of_r_mmrm(vp_nsm, variance):
    data, days = vp_nsm
    stored = MMRM[KEYS[variance]]
    means = {(m["day"], m["arm"]): m for m in stored["lsmeans"]}
    assert [c["day"] for c in stored["contrasts"]] == days == [7, 30, 90, 180]
    for visit, expected in enumerate(stored["contrasts"]):
        found = fit_mmrm(at_visit(data, visit), variance=variance)
        assert found.estimate == pytest.approx(expected["estimate"], rel=0, abs=1e-5)
        assert found.se == pytest.approx(expected["se"], rel=0, abs=1e-5)
        assert found.df == pytest.approx(expected["df"], rel=0, abs=1e-2)
        for arm, name in (("VP", "t"), ("NSM", "c")):
            mean = means[days[visit], arm]
            assert found.quantities[f"mean_{name}"] == pytest.approx(mean["mean"], rel=0, abs=1e-5)
            assert found.quantities[f"se_mean_{name}"] == pytest.approx(mean["se"], rel=0, abs=1e-5)


def test_we_stand_higher_on_the_likelihood_than_both_programs_and_close_to_them(vp_nsm):
    data, _ = vp_nsm
    loglik = fit_mmrm(data).quantities["loglik"]
    for theirs in (MMRM["satterthwaite"]["loglik"], MMRM["gls"]["loglik"]):
        assert theirs <= loglik <= theirs + 1e-6


def test_covariance_agrees_as_far_as_the_other_program_went(vp_nsm):
    """R mmrm stopped 3e-7 below the maximum, which moves Sigma by up to 1e-4 of its size."""
    data, _ = vp_nsm
    u = np.column_stack([np.ones(len(data.x)), data.treated, data.x])
    fit = fit_reml(sums_of_patients(data.visits, u, visit_design(4, [True] * 3)))
    theirs = np.array(MMRM["satterthwaite"]["covariance"])
    np.testing.assert_allclose(fit.Sigma, theirs, rtol=1e-4)
    at_theirs = restricted_likelihood(fit.at.sums, theirs)
    assert at_theirs.loglik == pytest.approx(MMRM["satterthwaite"]["loglik"], rel=0, abs=1e-8)


@pytest.fixture(scope="module")
def three_visits():
    rows = pd.DataFrame(GLS["data"])
    rows["y"] = pd.to_numeric(rows["y"])
    rows["arm"] = rows["arm"].map({0: "c", 1: "t"})
    return arms_of(
        rows, time="visit", arm="t", covariates=["baseline", "age"], varies=[True, False]
    )


def test_a_covariate_without_visit_interaction_against_gls(three_visits):
    data, visits = three_visits
    u = np.column_stack([np.ones(len(data.x)), data.treated, data.x])
    fit = fit_reml(sums_of_patients(data.visits, u, visit_design(3, [True, True, True, False])))
    assert fit.loglik == pytest.approx(GLS["loglik"], rel=0, abs=1e-7)
    np.testing.assert_allclose(fit.Sigma, GLS["covariance"], rtol=2e-5)
    names = [f"visit{v}{suffix}" for suffix in ("", ":arm", ":baseline") for v in visits] + ["age"]
    np.testing.assert_allclose(fit.beta, [GLS["coef"][n] for n in names], rtol=1e-5)
    np.testing.assert_allclose(
        np.sqrt(np.diag(fit.covariance)), [GLS["se"][n] for n in names], rtol=1e-5
    )


def test_constrained_model_against_gls(three_visits):
    data, _ = three_visits
    theirs = GLS["clda"]
    before = data.x[:, 0].copy()
    before[np.array(theirs["no_baseline"]) - 1] = np.nan
    for visit in range(3):
        fit = fit_clda(
            TwoArms(
                data.y, data.treated, data.x[:, 1:], visits=data.visits, visit=visit, before=before
            )
        )
        name = f"arm{visit + 1}"
        assert fit.estimate == pytest.approx(theirs["coef"][name], rel=2e-5)
        assert fit.se == pytest.approx(theirs["se"][name], rel=2e-5)
        assert fit.quantities["loglik"] == pytest.approx(theirs["loglik"], rel=0, abs=1e-7)


def test_all_visits_of_one_fit_are_the_fits_of_each_visit(vp_nsm):
    data, _ = vp_nsm
    together = fit_mmrm(data).by_visit
    for visit in range(4):
        one = fit_mmrm(at_visit(data, visit))
        assert together.estimate[visit] == pytest.approx(one.estimate, rel=1e-12)
        assert together.mean_t[visit] - together.mean_c[visit] == pytest.approx(
            one.estimate, rel=1e-9
        )


def test_likelihood_slope_and_curvature_are_those_of_the_definition(three_visits):
    """The sums against the dense likelihood, patient by patient, and against differences."""
    data, _ = three_visits
    u = np.column_stack([np.ones(len(data.x)), data.treated, data.x])
    design = visit_design(3, [True, True, True, False])
    sums = sums_of_patients(data.visits, u, design)
    Sigma = np.array([[4.0, 2.0, 1.0], [2.0, 5.0, 2.5], [1.0, 2.5, 6.0]])

    def dense(S):
        A, b, ell, n = np.zeros((10, 10)), np.zeros(10), 0.0, 0
        for y, row in zip(data.visits, u, strict=True):
            at = np.flatnonzero(~np.isnan(y))
            X, V = design[at] @ row, S[np.ix_(at, at)]
            A += X.T @ np.linalg.solve(V, X)
            b += X.T @ np.linalg.solve(V, y[at])
            ell += np.linalg.slogdet(V)[1] + y[at] @ np.linalg.solve(V, y[at])
            n += len(at)
        ell += np.linalg.slogdet(A)[1] - b @ np.linalg.solve(A, b)
        return -0.5 * (ell + (n - 10) * np.log(2 * np.pi))

    at = restricted_likelihood(sums, Sigma)
    assert at.loglik == pytest.approx(dense(Sigma), rel=1e-12)
    h = 1e-4
    step = [h * e for e in at.slopes]
    slope = [(dense(Sigma + s) - dense(Sigma - s)) / (2 * h) for s in step]
    np.testing.assert_allclose(at.score, slope, rtol=1e-6, atol=1e-7)
    for a, s in enumerate(step):
        up, down = (restricted_likelihood(sums, Sigma + sign * s).score for sign in (1, -1))
        np.testing.assert_allclose(
            -(up - down) / (2 * h), at.observed_information[a], rtol=1e-6, atol=1e-7
        )


@pytest.mark.parametrize("variance", ["satterthwaite", "kenward_roger_linear"])
def test_complete_data_give_least_squares_at_each_visit(variance):
    """With the same covariates at every visit and nothing missing, GLS is OLS and df is n - p exactly."""
    rng = np.random.default_rng(9)
    n = 23
    treated, x = np.arange(n) % 2 == 0, rng.normal(size=(n, 2))
    y = rng.normal(size=(n, 1)) + rng.normal(size=(n, 3)) - treated[:, None] + x[:, :1]
    X = np.column_stack([np.ones(n), treated, x])
    beta, rss = np.linalg.lstsq(X, y, rcond=None)[:2]
    se = np.sqrt(np.linalg.inv(X.T @ X)[1, 1] * rss / (n - 4))
    for visit in range(3):
        fit = fit_mmrm(
            TwoArms(y[:, visit], treated, x, visits=y, visit=visit, varies=np.array([True, True])),
            variance=variance,
        )
        assert fit.estimate == pytest.approx(beta[1, visit], rel=1e-9)
        assert fit.se == pytest.approx(se[visit], rel=1e-8)
        assert fit.df == pytest.approx(n - 4, rel=1e-7)


def test_means_are_those_of_conditional_means_put_in_for_unseen_scores():
    """Why a shift of the unseen scores moves the mean of an arm by their share of it."""
    rng = np.random.default_rng(4)
    n = 80
    treated = np.arange(n) % 2 == 0
    y = rng.normal(size=(n, 1)) + rng.normal(size=(n, 2)) - treated[:, None]
    y[(y[:, 0] > 0.5) & (rng.random(n) < 0.6), 1] = np.nan
    none = np.empty((n, 0))
    found = fit_mmrm(TwoArms(y[:, 1], treated, none, visits=y, visit=1)).by_visit
    u = np.column_stack([np.ones(n), treated])
    S = fit_reml(sums_of_patients(y, u, visit_design(2, [True, True]))).Sigma
    for arm, mean in ((treated, found.mean_t), (~treated, found.mean_c)):
        slope = S[0, 1] / S[0, 0]
        filled = np.where(np.isnan(y[:, 1]), mean[1] + slope * (y[:, 0] - mean[0]), y[:, 1])
        assert filled[arm].mean() == pytest.approx(mean[1], abs=1e-9)


def test_any_design_gives_the_sums_of_the_short_cut(three_visits):
    data, _ = three_visits
    u = np.column_stack([np.ones(len(data.x)), data.treated, data.x])
    design = visit_design(3, [True, True, True, False])
    short = sums_of_patients(data.visits, u, design)
    long = sums_of_rows(data.visits, np.einsum("jpq,nq->njp", design, u))
    np.testing.assert_array_equal(short.seen, long.seen)
    np.testing.assert_array_equal(short.n, long.n)
    np.testing.assert_allclose(short.moments, long.moments, rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("variance", KEYS)
def test_laws(vp_nsm, variance):
    data, _ = vp_nsm
    first = fit_mmrm(at_visit(data, 2), variance=variance)
    swapped = fit_mmrm(
        TwoArms(data.y, ~data.treated, data.x, visits=data.visits, visit=2, varies=data.varies),
        variance=variance,
    )
    order = np.random.default_rng(1).permutation(len(data.treated))
    shuffled = fit_mmrm(
        TwoArms(data.y[order], data.treated[order], data.x[order], visits=data.visits[order],
                visit=2, varies=data.varies),
        variance=variance,
    )  # fmt: skip
    scaled = fit_mmrm(
        TwoArms(data.y, data.treated, 10 * data.x, visits=10 * data.visits + 3, visit=2,
                varies=data.varies),
        variance=variance,
    )  # fmt: skip
    for other, sign, factor in ((swapped, -1, 1), (shuffled, 1, 1), (scaled, 1, 10)):
        assert other.estimate == pytest.approx(sign * factor * first.estimate, rel=1e-9)
        assert other.se == pytest.approx(factor * first.se, rel=1e-8)
        assert other.df == pytest.approx(first.df, rel=1e-7)


def test_what_cannot_be_answered_is_said():
    rng = np.random.default_rng(2)
    y = rng.normal(size=(40, 2))
    treated = np.arange(40) % 2 == 0
    y[:20, 0] = np.nan
    y[20:, 1] = np.nan
    with pytest.raises(UnanswerableError, match="seen together"):
        fit_mmrm(TwoArms(y[:, 0], treated, np.empty((40, 0)), visits=y))
    y = rng.normal(size=(40, 2))
    with pytest.raises(UnanswerableError, match="constant"):
        fit_mmrm(TwoArms(y[:, 0], treated, np.ones((40, 1)), visits=y))
    with pytest.raises(UnanswerableError):
        fit_mmrm(TwoArms(y[:, 0], treated, np.empty((40, 0)), visits=np.column_stack([y, y[:, 0]])))
