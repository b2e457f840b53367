"""Clone-censor-weight and landmark: by hand, against R's survival and glm, laws, and known truth."""

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from vertebro_outcomes.estimators.emulation.adherence import clones_of
from vertebro_outcomes.estimators.emulation.course import Course
from vertebro_outcomes.estimators.emulation.fit import (
    fit_clone_censor_weight,
    fit_landmark,
    fit_naive_from_procedure,
)
from vertebro_outcomes.estimators.unanswerable import UnanswerableError

R = json.loads((Path(__file__).parents[3] / "reference" / "target_trial.json").read_text())
INF = np.inf
MEAN_WAIT = 60.0


def pinned_course(kind):
    def column(name):
        return np.array([INF if row.get(name) is None else row[name] for row in R["data"]], float)

    cause = column("cause").astype(np.int64)
    other = column("other") if kind == "three_treatments" else np.full(len(cause), INF)
    if kind == "no_competing":
        cause = np.where(cause == 2, 0, cause)
    x = np.column_stack([column("age"), column("male")])
    return Course(column("time"), cause, column("own"), other, x, grace=R["grace"], day=R["day"])


@pytest.mark.parametrize("kind", ["three_treatments", "two_treatments", "no_competing"])
def test_risks_and_standard_errors_are_those_of_r(kind):
    fit = fit_clone_censor_weight(pinned_course(kind), truncate=1.0)
    pinned = R[kind]
    assert fit.value_t == pytest.approx(pinned["risk_t"], abs=1e-8)
    assert fit.value_c == pytest.approx(pinned["risk_c"], abs=1e-8)
    for influence, se in ((fit.influence_t, "se_t"), (fit.influence_c, "se_c")):
        assert np.sqrt(influence @ influence) == pytest.approx(pinned[se], rel=1e-6)
        assert influence.sum() == pytest.approx(0.0, abs=1e-10)


def by_hand(**changes):
    """Six patients: treated on days 5, 8 and 30; deaths on days 50, 7 and 60."""
    given = {
        "time": np.array([50.0, 200, 7, 60, 200, 200]),
        "cause": np.array([1, 0, 1, 1, 0, 0]),
        "own": np.array([5.0, 8, INF, INF, INF, 30]),
        "other": np.full(6, INF),
        "x": np.empty((6, 0)),
        "grace": 10,
        "day": 100,
    }
    return Course(**given | changes)


def test_risks_by_hand():
    """Treated in time: 5/6 survive day 7, then 2 stand for 5 and one of them dies. Others: 4/5 x 2/3."""
    fit = fit_clone_censor_weight(by_hand(), truncate=1.0)
    assert fit.value_t == pytest.approx(float(1 - Fraction(5, 6) * Fraction(1, 2)), rel=1e-14)
    assert fit.value_c == pytest.approx(float(1 - Fraction(4, 5) * Fraction(2, 3)), rel=1e-14)
    assert fit.estimate == pytest.approx(7 / 60, rel=1e-12)
    assert fit.in_t.tolist() == [True, True, False, False, False, False]
    assert fit.in_c.tolist() == [False, False, False, True, True, True]
    never = fit_clone_censor_weight(by_hand(never=True), truncate=1.0)
    assert never.value_c == pytest.approx(1 - 4 / 5 * 1 / 2, rel=1e-14)  # one leaves on day 30


def test_landmark_and_naive_clock_by_hand():
    land = fit_landmark(by_hand())
    assert (land.value_t, land.value_c) == pytest.approx((1 / 2, 1 / 3), rel=1e-12)
    never = fit_landmark(by_hand(never=True))
    assert never.value_c == pytest.approx(1 / 2, rel=1e-12)
    naive = fit_naive_from_procedure(by_hand())
    assert naive.value_t == pytest.approx(1 / 3, rel=1e-12)  # from the procedure: one of three
    assert naive.value_c == pytest.approx(
        2 / 3, rel=1e-12
    )  # deaths before treatment count here only


def test_scores_by_hand():
    seen = np.array([np.nan, 4.0, np.nan, np.nan, 6.0, 5.0])
    with pytest.raises(UnanswerableError, match="fewer than two"):
        fit_clone_censor_weight(by_hand(y=seen))
    dead_count = np.array([10.0, 4.0, 10.0, 10.0, 6.0, 5.0])  # worst score for the dead
    fit = fit_clone_censor_weight(by_hand(y=dead_count), truncate=1.0)
    # day 7: its weight is 1 in both arms up to a factor that all share
    share = 2 / 5  # stabiliser of the treated arm
    expected_t = (10 * 1 + (10 + 4) * share * 5 / 2) / (1 + 2 * share * 5 / 2)
    assert fit.value_t == pytest.approx(expected_t, rel=1e-12)
    assert fit.value_c == pytest.approx((10 + 10 + 6 + 5) / 4, rel=1e-12)


def drawn(rng, n, *, ratio=1.0, grace=21, day=365, never=False):
    """Treatment and death depend on x; treatment multiplies the hazard of death from its day on."""
    x = rng.normal(size=(n, 2))
    h = 0.0012 * np.exp(0.5 * x[:, 0] - 0.3 * x[:, 1])
    wait = np.floor(rng.exponential(MEAN_WAIT / np.exp(0.6 * x[:, 0]), n))
    spent = rng.exponential(size=n)
    before = spent / h
    after = wait + (spent - h * wait) / (h * ratio)
    death = np.ceil(np.where(before <= wait, before, after))
    end = np.floor(rng.uniform(200, 900, n))
    time = np.minimum(death, end)
    own = np.where(wait <= time, wait, INF)
    cause = (death <= end).astype(np.int64)
    return Course(time, cause, own, np.full(n, INF), x, grace=grace, day=day, never=never)


@pytest.mark.parametrize("fit", [fit_clone_censor_weight, fit_landmark])
def test_no_effect_is_found_where_there_is_none(fit):
    rng = np.random.default_rng(3)
    found, covered = [], 0
    for _ in range(60):
        one = fit(drawn(rng, 1500))
        psi = one.influence_t - one.influence_c
        found.append(one.estimate)
        covered += abs(one.estimate) <= 1.96 * np.sqrt(psi @ psi)
    assert abs(np.mean(found)) < 4 * np.std(found, ddof=1) / np.sqrt(60)
    assert abs(np.mean(found)) < 0.012
    assert covered >= 52  # 95 % of 60 is 57; less than 52 has a probability below 0.5 %


def test_the_naive_clock_finds_an_effect_where_there_is_none():
    rng = np.random.default_rng(3)
    found = [fit_naive_from_procedure(drawn(rng, 1500)).estimate for _ in range(30)]
    assert np.mean(found) < -0.08
    assert abs(np.mean(found)) > 8 * np.std(found, ddof=1) / np.sqrt(30)


def test_an_effect_is_found_where_there_is_one():
    """Against the risks of both strategies, integrated over patients without any model."""
    ratio, day, grace = 0.4, 365, 21
    rng = np.random.default_rng(5)
    x = rng.normal(size=(400_000, 2))
    h = 0.0012 * np.exp(0.5 * x[:, 0] - 0.3 * x[:, 1])
    wait = np.floor(rng.exponential(MEAN_WAIT / np.exp(0.6 * x[:, 0]), len(h)))
    in_time = wait <= grace
    treated = 1 - np.exp(-h * wait - ratio * h * (day - wait))
    risk_c = np.mean(1 - np.exp(-h * day))
    # those who would have waited longer start as early as patients like them who were treated in time
    chance = 1 - np.exp(-np.exp(0.6 * x[:, 0]) * (grace + 1) / MEAN_WAIT)
    risk_t = np.average(treated[in_time], weights=1 / chance[in_time])
    rng = np.random.default_rng(6)
    found = [
        fit_clone_censor_weight(
            drawn(rng, 3000, ratio=ratio, grace=grace, never=True), truncate=1.0
        )
        for _ in range(30)
    ]
    estimate = np.array([f.estimate for f in found])
    assert risk_t - risk_c < -0.1
    assert estimate.mean() == pytest.approx(risk_t - risk_c, abs=4 * estimate.std(ddof=1) / 30**0.5)


def test_order_and_units_do_not_matter():
    course = drawn(np.random.default_rng(1), 400)
    first = fit_clone_censor_weight(course)
    order = np.random.default_rng(2).permutation(400)
    again = fit_clone_censor_weight(course.rows(order))
    assert again.estimate == pytest.approx(first.estimate, rel=1e-10)
    np.testing.assert_allclose(again.influence_t, first.influence_t[order], atol=1e-10)
    scaled = Course(**{**course.__dict__, "x": course.x * [100.0, 0.1] + 3})
    assert fit_clone_censor_weight(scaled).estimate == pytest.approx(first.estimate, rel=1e-8)


def test_influences_are_derivatives():
    """Doubling one patient moves the estimate by the influence, weights taken as known."""
    course = by_hand()
    fit = fit_clone_censor_weight(course, truncate=1.0)
    n, step = 6, 1e-6
    for i in range(n):
        w = np.ones(n)
        w[i] += step
        alive = 1 - w[2] / w.sum()
        moved = 1 - alive * w[1] / (w[0] + w[1])
        assert (moved - fit.value_t) / step == pytest.approx(fit.influence_t[i], abs=1e-5)


def test_weights_are_truncated_at_their_quantile():
    course = drawn(np.random.default_rng(1), 600)
    whole, cut = clones_of(course, truncate=1.0)[0], clones_of(course, truncate=0.9)[0]
    kept = whole.kept_to(course.grace)
    w = whole.weight_on(30.0)[kept]
    assert cut.weight_on(30.0)[kept].max() == pytest.approx(np.quantile(w, 0.9))
    assert w.mean() == pytest.approx(1.0, abs=0.1)  # stabilised


@pytest.mark.parametrize(
    "changes",
    [{"own": np.full(6, INF)}, {"own": np.zeros(6)}, {"time": np.full(6, 5.0), "own": np.full(6, 4.0)}],
    ids=["nobody treated", "all treated", "nobody followed"],
)  # fmt: skip
@pytest.mark.parametrize("fit", [fit_clone_censor_weight, fit_landmark, fit_naive_from_procedure])
def test_no_number_where_nobody_keeps_to_a_strategy(changes, fit):
    with pytest.raises(UnanswerableError):
        fit(by_hand(**changes))


def test_separated_starters_are_refused():
    course = by_hand(x=np.array([[1.0], [1.0], [1.0], [0.0], [0.0], [0.0]]))
    with pytest.raises(UnanswerableError, match="separate"):
        fit_clone_censor_weight(course)
