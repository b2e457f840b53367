"""Rows in blocks and days as ranks give the sums written out patient by patient."""

import numpy as np
import pytest

from vertebro_outcomes.estimators.survival import risk_sets as blocks
from vertebro_outcomes.estimators.survival.aalen_johansen import fit_aalen_johansen
from vertebro_outcomes.estimators.survival.cox import fit_cox
from vertebro_outcomes.estimators.survival.fine_gray import fit_fine_gray
from vertebro_outcomes.estimators.survival.proportional_hazards import moments
from vertebro_outcomes.estimators.survival.ranks import ordered, ranks

N = 90


@pytest.fixture(scope="module")
def people():
    """Ties, fractions of days, weights, strata, late entries, clusters, rows for several patients."""
    rng = np.random.default_rng(5)
    time = np.ceil(rng.exponential(9, N)) + np.where(rng.random(N) < 0.2, 0.5, 0.0)
    return {
        "time": time,
        "cause": rng.integers(0, 3, N),
        "x": np.column_stack([rng.normal(size=N), rng.integers(0, 2, N)]).astype(float),
        "weight": rng.uniform(0.2, 3, N),
        "stratum": rng.integers(0, 3, N) * 10,
        "cluster": rng.integers(0, 30, N) * 7,
        "entry": np.floor(time * rng.uniform(0, 0.9, N)),
        "alike": rng.integers(1, 4, N).astype(float),
    }


def plain(people, beta, *, entry):
    """Log partial likelihood (Efron), score and information by loops over events and patients."""
    time, x, f = people["time"], people["x"], people["alike"]
    event, w = people["cause"] == 1, people["weight"]
    value, score, information = 0.0, np.zeros(2), np.zeros((2, 2))
    for s in np.unique(people["stratum"]):
        mine = people["stratum"] == s
        for t in np.unique(time[mine & event]):
            at_risk = np.flatnonzero(mine & (time >= t) & (entry < t))
            tied = np.flatnonzero(mine & (time == t) & event)
            r = w * f * np.exp(x @ beta)
            d = int(f[tied].sum())
            share = (w * f)[tied].sum() / d
            value += (w * f)[tied] @ (x[tied] @ beta)
            score += (w * f)[tied] @ x[tied]
            for k in range(d):
                left = r.copy()
                left[tied] *= 1 - k / d
                v = left[at_risk]
                mean = v @ x[at_risk] / v.sum()
                value -= share * np.log(v.sum())
                score -= share * mean
                second = (v[:, None] * x[at_risk]).T @ x[at_risk] / v.sum()
                information += share * (second - np.outer(mean, mean))
    return value, score, information


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("rows", [1, 7, 8192])
def test_risk_sets_in_blocks_are_the_sums_written_out(people, monkeypatch, rows, late):
    monkeypatch.setattr(blocks, "ROWS_AT_ONCE", rows)
    entry = people["entry"] if late else np.full(N, -1.0)
    beta = np.array([0.4, -0.7])
    sets = blocks.risk_sets(
        people["time"], people["cause"] == 1, weight=people["weight"],
        stratum=people["stratum"], alike=people["alike"], entry=entry if late else None,
    )  # fmt: skip
    found = moments(sets, people["x"][sets.order], beta)
    value, score, information = plain(people, beta, entry=entry)
    assert found.log_likelihood == pytest.approx(value, rel=1e-12)
    assert found.score == pytest.approx(score, rel=1e-10)
    assert found.information == pytest.approx(information, rel=1e-11)


@pytest.mark.parametrize("by", [{}, {"cluster": "cluster"}, {"stratum": "stratum"}])
def test_the_size_of_the_blocks_changes_nothing(people, monkeypatch, by):
    chosen = {name: people[column] for name, column in by.items()}
    given = {"x": people["x"], "weight": people["weight"], "alike": people["alike"], **chosen}

    def fits():
        return (
            fit_cox(people["time"], people["cause"] == 1, **given),
            fit_fine_gray(people["time"], people["cause"], **given),
        )

    at_once = fits()
    monkeypatch.setattr(blocks, "ROWS_AT_ONCE", 5)
    for whole, pieces in zip(at_once, fits(), strict=True):
        assert pieces.beta == pytest.approx(whole.beta, rel=1e-9)
        assert pieces.covariance == pytest.approx(whole.covariance, rel=1e-10)
        assert pieces.robust == pytest.approx(whole.robust, rel=1e-10)


def test_a_column_without_any_difference_is_not_fitted_whatever_the_weights(people):
    x = np.column_stack([people["x"][:, 0], np.full(N, 0.1)])
    fit = fit_cox(people["time"], people["cause"] == 1, x=x, weight=people["weight"])
    assert not fit.converged


def test_clustered_incidence_is_the_sum_over_clusters_of_what_each_moves(people):
    time, cause, w, cluster = (people[name] for name in ("time", "cause", "weight", "cluster"))
    curve = fit_aalen_johansen(time, cause, weight=w, cluster=cluster)
    step = 1e-5
    variance = np.zeros(curve.time.size)
    for c in np.unique(cluster):  # the derivative by the weight of the whole cluster
        up, down = (
            fit_aalen_johansen(time, cause, weight=w * np.where(cluster == c, 1 + h, 1.0))
            for h in (step, -step)
        )
        variance += ((up.incidence - down.incidence) / (2 * step)) ** 2
    assert curve.se == pytest.approx(np.sqrt(variance), rel=1e-8)


@pytest.mark.parametrize(
    "values",
    [
        np.array([4.0, 2.0, 4.0, -3.0, 2.0]),
        np.array([4.5, 2.0, 4.5, -3.25, 2.0]),
        np.array([10**12, 3, 10**12, -5]),
        np.array([7, 7, 7]),
        np.array([True, False, True]),
        np.array(["b", "a", "b"]),
        np.array([], dtype=float),
        np.array([1.0, np.nan, 0.0]),
        np.array([0.1, 1.1, 2.1, 0.1 + 1.0]),
    ],
)
def test_ranks_are_those_of_a_sort(values):
    distinct, code = ranks(values)
    expected, place = np.unique(values, return_inverse=True)
    assert np.array_equal(distinct, expected, equal_nan=values.dtype.kind == "f")
    assert np.array_equal(code, place)
    assert distinct.dtype == values.dtype


def test_counting_sorts_stably_beyond_one_digit():
    code = np.random.default_rng(2).integers(0, 200_000, 3000)
    code = np.r_[code, code]
    assert np.array_equal(ordered(code, 200_000), np.argsort(code, kind="stable"))
