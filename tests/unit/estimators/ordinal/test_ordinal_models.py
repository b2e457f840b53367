"""Cumulative logit against MASS::polr and ordinal::clm, wins against placements and printed numbers."""

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from vertebro_outcomes.estimators.contrasts.proportional_odds import fit_proportional_odds
from vertebro_outcomes.estimators.contrasts.win_odds import fit_win_odds
from vertebro_outcomes.estimators.ordinal.cumulative_logit import fit_cumulative_logit
from vertebro_outcomes.estimators.ordinal.wins import fit_wins
from vertebro_outcomes.estimators.two_arms import TwoArms
from vertebro_outcomes.estimators.unanswerable import UnanswerableError

PINNED = json.loads((Path(__file__).parents[3] / "reference" / "ordinal.json").read_text())
D = {name: np.array(values, dtype=float) for name, values in PINNED["data"].items()}
X = np.column_stack([D["treated"], D["base"], D["age"]])
TWO = TwoArms(D["y5"], D["treated"] == 1, X[:, 1:])


def category(name):
    return np.unique(D[name], return_inverse=True)[1].astype(np.int64)


@pytest.mark.parametrize("name", ["y3", "y5", "y11"])
def test_the_model_is_that_of_clm_and_polr(name):
    fit, r = fit_cumulative_logit(category(name), X), PINNED[name]
    n_cuts = len(r["clm"]["cuts"])
    assert fit.coef == pytest.approx(r["clm"]["coef"], rel=1e-8)
    assert fit.cuts[:, 0] == pytest.approx(r["clm"]["cuts"], rel=1e-7)
    assert np.sqrt(np.diag(fit.covariance)) == pytest.approx(r["clm"]["se"][n_cuts:], rel=1e-7)
    assert fit.loglik == pytest.approx(r["clm"]["loglik"], rel=1e-11)
    assert fit.coef == pytest.approx(r["polr"]["coef"], rel=1e-6)
    assert fit.cuts[:, 0] == pytest.approx(r["polr"]["zeta"], rel=1e-6)
    assert -2 * fit.loglik == pytest.approx(r["polr"]["deviance"], rel=1e-11)


@pytest.mark.parametrize("name", ["y3", "y5", "y11"])
def test_an_effect_of_its_own_at_every_cut_is_that_of_clm(name):
    own = fit_cumulative_logit(category(name), X[:, 1:], by_cut=X[:, :1])
    assert own.loglik == pytest.approx(PINNED[name]["nominal"]["loglik"], rel=1e-10)


@pytest.mark.parametrize("name", ["y3", "y5"])
def test_the_check_of_proportional_odds_is_that_of_clm(name):
    fit = fit_proportional_odds(TwoArms(D[name], TWO.treated, TWO.x))
    r, q = PINNED[name]["nominal"], fit.quantities
    assert q["proportional_odds_chi2"] == pytest.approx(r["chi2"], rel=1e-6)
    assert q["proportional_odds_df"] == r["df"]
    assert q["proportional_odds_p"] == pytest.approx(r["p"], rel=1e-6)
    assert fit.estimate == pytest.approx(PINNED[name]["clm"]["coef"][0], rel=1e-8)


def test_many_values_are_checked_in_five_groups():
    fit = fit_proportional_odds(TwoArms(D["y11"], TWO.treated, TWO.x))
    assert fit.quantities["categories"] == 11
    assert fit.quantities["proportional_odds_groups"] == 5
    assert fit.quantities["proportional_odds_df"] == 3


def test_bitterness_of_wine():
    """Randall (1989), Biom J 31:781-793, as analysed by ordinal::clm."""
    r = PINNED["wine"]
    x = np.column_stack([r["warm"], r["contact"]]).astype(float)
    fit = fit_cumulative_logit(np.array(r["rating"]) - 1, x)
    assert fit.coef == pytest.approx(r["coef"], rel=1e-6)
    assert np.sqrt(np.diag(fit.covariance)) == pytest.approx(r["se"][-2:], rel=1e-5)
    assert fit.loglik == pytest.approx(r["loglik"], rel=1e-10)


def test_two_categories_are_a_logistic_regression():
    import statsmodels.api as sm

    y = (D["y5"] > 3).astype(int)
    fit = fit_cumulative_logit(y, X)
    model = sm.Logit(y, sm.add_constant(X))
    plain = model.fit(disp=0, method="newton", tol=1e-13)
    robust = model.fit(disp=0, method="newton", tol=1e-13, cov_type="HC0")
    assert fit.coef == pytest.approx(plain.params[1:], rel=1e-8)
    assert np.sqrt(np.diag(fit.covariance)) == pytest.approx(plain.bse[1:], rel=1e-7)
    assert np.sqrt(np.diag(fit.sandwich)) == pytest.approx(robust.bse[1:], rel=1e-7)


def test_the_order_alone_counts_and_turning_the_scale_turns_the_sign():
    first = fit_proportional_odds(TWO, variance="sandwich")
    other = fit_proportional_odds(
        TwoArms(np.exp(TWO.y), TWO.treated, 3 * TWO.x - 7), variance="sandwich"
    )
    turned = fit_proportional_odds(TwoArms(-TWO.y, TWO.treated, TWO.x), variance="sandwich")
    assert other.estimate == pytest.approx(first.estimate, rel=1e-8)
    assert other.se == pytest.approx(first.se, rel=1e-8)
    assert turned.estimate == pytest.approx(-first.estimate, rel=1e-8)
    assert turned.se == pytest.approx(first.se, rel=1e-8)
    win, lose = (
        fit_win_odds(d) for d in (TWO, TwoArms(-TWO.y, TWO.treated, TWO.x))
    )  # fmt: skip
    assert lose.estimate == pytest.approx(-win.estimate, rel=1e-12)
    assert lose.quantities["share_win"] == pytest.approx(win.quantities["share_loss"], rel=1e-12)


def test_wins_are_counted_over_all_pairs():
    y1, y0 = D["y5"][TWO.treated], D["y5"][~TWO.treated]
    found, r = fit_wins(y1, y0), PINNED["wmw"]
    assert found.probability == pytest.approx(r["p"], rel=1e-12)
    assert found.probability == pytest.approx(r["W"] / len(y1) / len(y0), rel=1e-12)
    assert (found.se, found.df) == pytest.approx((r["se"], r["df"]), rel=1e-10)
    pairs = y1[:, None] - y0
    assert found.share_win == pytest.approx((pairs > 0).mean(), rel=1e-12)
    assert found.share_tie == pytest.approx((pairs == 0).mean(), rel=1e-12)


def test_pain_on_the_third_day_after_surgery():
    """Brunner & Munzel (2000): 14 patients on one drug, 11 on the other; printed by scipy's manual."""
    y = np.array([1, 2, 1, 1, 1, 1, 1, 1, 1, 1, 2, 4, 1, 1, 3, 3, 4, 3, 1, 2, 3, 1, 1, 5, 4], float)
    fit = fit_win_odds(TwoArms(y, np.arange(25) >= 14, np.empty((25, 0))))
    q = fit.quantities
    assert (q["win_probability"] - 0.5) / q["win_probability_se"] == pytest.approx(
        3.1374674823029505, rel=1e-12
    )
    assert q["brunner_munzel_p"] == pytest.approx(0.0057862086661515377, rel=1e-12)
    test = stats.brunnermunzel(y[14:], y[:14])
    assert q["brunner_munzel_p"] == pytest.approx(test.pvalue, rel=1e-10)


@pytest.mark.parametrize(
    ("y", "x", "said"),
    [
        (np.r_[np.zeros(5), np.ones(5)], None, "infinite"),
        (np.zeros(10), None, "all scores are equal"),
        (np.arange(10.0) % 3, np.ones((10, 1)), "constant"),
        (np.arange(10.0) % 3, np.arange(20.0).reshape(10, 2), "follows from the others"),
    ],
)
def test_what_has_no_answer(y, x, said):
    treated = np.arange(10) >= 5
    with pytest.raises(UnanswerableError, match=said):
        fit_proportional_odds(TwoArms(y, treated, np.empty((10, 0)) if x is None else x))


def test_measurements_are_no_categories_and_wins_need_losses():
    rng = np.random.default_rng(1)
    treated = np.arange(600) % 2 == 0
    with pytest.raises(UnanswerableError, match="round them first"):
        fit_proportional_odds(TwoArms(rng.normal(size=600), treated, np.empty((600, 0))))
    with pytest.raises(UnanswerableError, match="compare alike"):
        fit_win_odds(TwoArms(treated.astype(float), treated, np.empty((600, 0))))
    with pytest.raises(UnanswerableError, match="fewer than two"):
        fit_wins(np.array([1.0]), np.array([1.0, 2.0]))
