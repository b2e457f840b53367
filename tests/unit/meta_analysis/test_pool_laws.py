"""What must hold for every pool, whatever the data."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

import vertebro_outcomes as vo

METHODS = ("EE", "DL", "HE", "HS", "SJ", "ML", "REML", "EB", "PM")
effects = st.floats(-5, 5).map(lambda x: round(x, 3))
variances = st.floats(-3, 1).map(lambda e: round(10**e, 5))
studies = st.lists(st.tuples(effects, variances), min_size=2, max_size=12)
method = st.sampled_from(METHODS)
interval = st.sampled_from(("wald", "hksj", "hksj_adhoc"))


def frame(rows):
    return pd.DataFrame(rows, columns=["effect", "variance"])


def numbers(fit):
    row = fit.to_frame().iloc[0]
    return row[["estimate", "ci_low", "ci_high", "tau2", "i2_pct", "q", "prediction_low"]].astype(
        float
    )


@settings(max_examples=60, deadline=None)
@given(rows=studies, method=method, ci=interval, seed=st.integers(0, 99))
def test_the_order_of_studies_changes_nothing(rows, method, ci, seed):
    es = frame(rows)
    shuffled = es.sample(frac=1, random_state=seed)
    a, b = (numbers(vo.pool(x, method=method, ci=ci)) for x in (es, shuffled))
    assert b.to_numpy() == pytest.approx(a.to_numpy(), rel=1e-7, abs=1e-7, nan_ok=True)


@settings(max_examples=60, deadline=None)
@given(rows=studies, method=method, ci=interval)
def test_swapping_the_arms_turns_the_sign(rows, method, ci):
    es = frame(rows)
    a, b = (vo.pool(x, method=method, ci=ci) for x in (es, es.assign(effect=-es["effect"])))
    assert b.estimate == pytest.approx(-a.estimate, abs=1e-9)
    assert (b.ci_low, b.ci_high) == pytest.approx((-a.ci_high, -a.ci_low), abs=1e-8)
    assert b.tau2 == pytest.approx(a.tau2, rel=1e-8, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(rows=studies, method=method, c=st.sampled_from((0.1, 10.0, 100.0)))
def test_a_change_of_unit_scales_the_result(rows, method, c):
    es = frame(rows)
    scaled = es.assign(effect=c * es["effect"], variance=c**2 * es["variance"])
    a, b = (vo.pool(x, method=method) for x in (es, scaled))
    assert b.estimate == pytest.approx(c * a.estimate, rel=1e-7, abs=1e-7 * c)
    assert b.tau2 == pytest.approx(c**2 * a.tau2, rel=1e-6, abs=1e-8 * c**2)
    assert b.i2_pct == pytest.approx(a.i2_pct, abs=1e-5)


@settings(max_examples=40, deadline=None)
@given(rows=studies, method=method, ci=interval)
def test_pool_many_is_pool(rows, method, ci):
    es = frame(rows)
    k = len(es)
    y = np.full((3, k + 2), np.nan)
    v = y.copy()
    y[0, :k], v[0, :k] = es["effect"], es["variance"]
    y[1, 2:], v[1, 2:] = es["effect"], es["variance"]
    y[2, 0], v[2, 0] = es["effect"][0], es["variance"][0]
    many = vo.pool_many(y, v, method=method, ci=ci)
    for i, fit in enumerate(
        (vo.pool(es, method=method, ci=ci),) * 2 + (vo.pool(es[:1], method=method, ci=ci),)
    ):
        for name in ("estimate", "se", "ci_low", "ci_high", "tau2", "q", "i2_pct", "k"):
            assert getattr(many, name)[i] == pytest.approx(getattr(fit, name), rel=1e-8, abs=1e-8)


@pytest.mark.parametrize("ci", ["wald", "hksj", "hksj_adhoc"])
@pytest.mark.parametrize("method", METHODS)
def test_a_single_study_is_returned_as_it_is(method, ci):
    fit = vo.pool(frame([(0.4, 0.09)]), method=method, ci=ci)
    assert (fit.estimate, fit.se, fit.tau2) == pytest.approx((0.4, 0.3, 0.0))
    assert fit.weights_pct == pytest.approx([100.0])
    assert np.isnan(fit.tau2_ci_low)
    assert "One study only" in fit.notes[0]


@pytest.mark.parametrize("method", METHODS)
def test_equal_effects_have_no_heterogeneity(method):
    fit = vo.pool(frame([(0.3, 0.1), (0.3, 0.2), (0.3, 0.05)]), method=method)
    assert (fit.tau2, fit.i2_pct, fit.q) == pytest.approx((0.0, 0.0, 0.0), abs=1e-12)
    assert fit.estimate == pytest.approx(0.3)


@settings(max_examples=40, deadline=None)
@given(rows=studies)
def test_likelihood_estimates_maximise_the_likelihood(rows):
    """Second derivation: the (restricted) log-likelihood itself, searched on a fine grid of tau²."""
    y, v = np.array(rows).T
    grid = np.concatenate([[0.0], np.geomspace(1e-6, 200, 800)])

    def minus_twice(t, restricted):
        w = 1 / (v + t)
        mu = (w * y).sum() / w.sum()
        return -np.log(w).sum() + (w * (y - mu) ** 2).sum() + restricted * np.log(w.sum())

    for method, restricted in (("ML", 0), ("REML", 1)):
        values = np.array([minus_twice(t, restricted) for t in grid])
        local = [
            i for i in range(1, len(grid) - 1) if values[i] <= min(values[i - 1], values[i + 1])
        ]
        if len(local) + (values[0] < values[1]) != 1:
            continue  # several local maxima: which one is found is a choice, not a law
        tau2 = vo.pool(frame(rows), method=method).tau2
        best = 0.0
        if local:
            i = local[0]
            best = optimize.minimize_scalar(
                minus_twice, bounds=(grid[i - 1], grid[i + 1]), args=(restricted,),
                method="bounded", options={"xatol": 1e-12},
            ).x  # fmt: skip
        assert minus_twice(tau2, restricted) <= minus_twice(best, restricted) + 1e-9


@settings(max_examples=40, deadline=None)
@given(rows=studies)
def test_q_profile_limits_meet_their_quantiles(rows):
    from scipy import stats

    fit = vo.pool(frame(rows), method="PM")
    y, v = np.array(rows).T

    def q(t):
        w = 1 / (v + t)
        return (w * (y - (w * y).sum() / w.sum()) ** 2).sum()

    for tau2, target in (
        (fit.tau2, len(y) - 1),
        (fit.tau2_ci_low, stats.chi2.isf(0.025, len(y) - 1)),
        (fit.tau2_ci_high, stats.chi2.isf(0.975, len(y) - 1)),
    ):
        if tau2 > 0:
            assert q(tau2) == pytest.approx(target, rel=1e-8)
        else:
            assert q(0.0) <= target * (1 + 1e-9)


@pytest.mark.parametrize("spread", [10, 12])
def test_variances_spanning_many_orders_are_searched_to_the_end(spread):
    v = np.geomspace(1e-5, 10.0 ** (spread - 5), 6)
    for signs in ([1, -1, 1, -1, 1, -1], [1, 1, 1, -1, -1, -1], [0, 0, 0, 0, 0, 1]):
        es = frame(list(zip(np.array(signs) * np.sqrt(v) * 2, v, strict=True)))
        for method in ("ML", "REML", "EB", "PM"):
            fit = vo.pool(es, method=method)
            assert not [note for note in fit.notes if "did not end" in note]
            assert np.isfinite([fit.estimate, fit.se, fit.tau2]).all()
