"""Chained equations: what the draws must be distributed as, and R mice on the same patients."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from vertebro_outcomes.estimators.contrasts.ancova import fit_ancova
from vertebro_outcomes.estimators.imputation.chained import (
    DONORS,
    Block,
    draw_regression,
    impute_chained,
    nearest_donors,
)
from vertebro_outcomes.estimators.imputation.rubin import pool_imputations
from vertebro_outcomes.estimators.two_arms import TwoArms
from vertebro_outcomes.estimators.unanswerable import UnanswerableError

REFERENCE = Path(__file__).parents[3] / "reference"
MICE = json.loads((REFERENCE / "imputation.json").read_text())["chained"]
DATA = json.loads((REFERENCE / "repeated_measures.json").read_text())["data"]


def test_the_draws_of_a_regression_follow_its_posterior():
    """Coefficients: multivariate t around least squares; residual variance: scaled inverse chi-square."""
    rng = np.random.default_rng(1)
    n, copies = 12, 40_000
    x = np.column_stack([np.ones(n), rng.normal(size=n)])
    y = x @ [1.0, 2.0] + rng.normal(size=n)
    hat, drawn, sigma = draw_regression(np.repeat(x[None], copies, axis=0), y[:, None], rng)
    beta, squares = np.linalg.lstsq(x, y, rcond=None)[:2]
    df, XtXi = n - 2, np.linalg.inv(x.T @ x)
    assert hat[0, :, 0] == pytest.approx(beta, abs=1e-4)  # the ridge
    scale = np.sqrt(squares[0] / df * np.diag(XtXi))
    for j in range(2):
        t = (drawn[:, j, 0] - beta[j]) / scale[j]
        assert stats.kstest(t, stats.t(df).cdf).pvalue > 0.001
    assert stats.kstest(squares[0] / sigma[:, 0] ** 2, stats.chi2(df).cdf).pvalue > 0.001


def test_scores_missing_given_a_covariate_add_nothing_to_the_regression_of_those_seen():
    """With the model of the analysis, many imputations give the complete cases' own estimate and error."""
    rng = np.random.default_rng(2)
    n, m = 150, 3000
    x = rng.normal(size=n)
    y = 1 + 0.7 * x + rng.normal(size=n)
    z = np.column_stack([x, np.where(rng.random(n) < 1 / (1 + np.exp(-x)), np.nan, y)])
    blocks = (Block("x", 0, 1), Block("y", 1, 2, "normal"))
    copies = np.array([*impute_chained(z, blocks, m=m, rng=np.random.default_rng(3))])
    design = np.column_stack([np.ones(n), x])
    beta = np.linalg.lstsq(design, copies[:, :, 1].T, rcond=None)[0]
    squares = ((copies[:, :, 1].T - design @ beta) ** 2).sum(axis=0)
    variance = squares / (n - 2) * np.linalg.inv(design.T @ design)[1, 1]
    pool = pool_imputations(beta[1], variance, df_complete=n - 2)
    seen = ~np.isnan(z[:, 1])
    alone = stats.linregress(x[seen], y[seen])
    assert pool.estimate == pytest.approx(alone.slope, abs=4 * pool.monte_carlo_se)
    assert pool.monte_carlo_se < 0.01 * alone.stderr * 4
    assert pool.se == pytest.approx(alone.stderr, rel=0.06)


def by_arm(model, m):
    rows = pd.DataFrame(DATA)
    rows["y"] = pd.to_numeric(rows["y"])
    y = rows.pivot(index="id", columns="visit", values="y")
    patients = rows.drop_duplicates("id").set_index("id").loc[y.index]
    z = np.column_stack([patients[["baseline", "age"]], y]).astype(float)
    arm = patients["arm"].to_numpy() == 1
    blocks = [Block("baseline", 0, 1), Block("age", 1, 2)]
    blocks += [Block(f"y{j}", 2 + j, 3 + j, model) for j in range(3)]
    copies = np.repeat(z[None], m, axis=0)
    for mine, seed in ((arm, 1), (~arm, 2)):
        own = impute_chained(z[mine], blocks, m=m, rng=np.random.default_rng(seed))
        copies[:, mine] = np.array([*own])
    fits = [fit_ancova(TwoArms(c[:, 4], arm, c[:, :2]), variance="model") for c in copies]
    return (
        z,
        copies,
        pool_imputations(
            np.array([f.estimate for f in fits]),
            np.array([f.se**2 for f in fits]),
            df_complete=fits[0].df,
        ),
    )


def test_three_visits_with_gaps_are_imputed_as_by_mice():
    _, _, pool = by_arm("normal", 400)
    error = np.hypot(pool.monte_carlo_se, np.sqrt(MICE["between"] / MICE["m"]))
    assert pool.estimate == pytest.approx(MICE["estimate"], abs=4 * error)
    assert pool.within == pytest.approx(MICE["within"], rel=0.01)
    assert pool.between == pytest.approx(
        MICE["between"], rel=0.3
    )  # 4 sd of a variance of 400 draws
    assert pool.df == pytest.approx(MICE["df"], rel=0.02)


def test_matching_gives_values_that_somebody_had_and_keeps_what_was_seen():
    z, copies, _ = by_arm("pmm", 5)
    assert np.array_equal(copies[:, ~np.isnan(z)], np.tile(z[~np.isnan(z)], (5, 1)))
    for j in (2, 3, 4):
        assert np.isin(copies[:, :, j].round(6), z[~np.isnan(z[:, j]), j].round(6)).all()
    assert not np.isnan(copies).any()
    again = by_arm("pmm", 5)[1]
    assert np.array_equal(copies, again)


def test_a_category_is_imputed_whole():
    rng = np.random.default_rng(5)
    n = 200
    kind = rng.integers(3, size=n)
    z = np.column_stack([kind + rng.normal(0, 0.05, n), kind == 1, kind == 2]).astype(float)
    gone = rng.random(n) < 0.3
    z[gone, 1:] = np.nan
    blocks = (Block("x", 0, 1), Block("kind", 1, 3))
    copies = np.array([*impute_chained(z, blocks, m=20, rng=rng)])
    words = copies[:, :, 1] + 2 * copies[:, :, 2]
    assert set(np.unique(words)) == {0.0, 1.0, 2.0}
    assert (words[:, gone] == kind[gone]).mean() > 0.95  # x tells the kind


def test_donors_are_the_nearest_and_ties_are_broken_by_lot():
    rng = np.random.default_rng(6)
    predicted = np.arange(50.0)[:, None]
    taken = np.array([nearest_donors(predicted, np.array([[20.2]]), rng)[0] for _ in range(300)])
    assert set(taken) == {18, 19, 20, 21, 22}
    assert len(set(taken)) == DONORS
    tied = np.array(
        [nearest_donors(np.zeros((9, 1)), np.zeros((1, 1)), rng)[0] for _ in range(300)]
    )
    assert set(tied) == set(range(9))


def test_too_few_patients_for_the_model_are_said():
    z = np.column_stack([np.arange(6.0), np.arange(6.0) ** 2, [1, 2, 4, np.nan, np.nan, np.nan]])
    blocks = [Block(name, j, j + 1) for j, name in enumerate(("a", "b", "score"))]
    with pytest.raises(UnanswerableError, match=r"3 patients with score are too few .* 3 coef"):
        impute_chained(z, blocks, m=2, rng=np.random.default_rng(0))


def test_intervals_cover_the_truth_where_those_of_the_patients_seen_do_not():
    """400 trials of 200 patients; who is missing depends on an earlier score, in each arm otherwise."""
    alone, found, covered, errors = [], [], [], []
    blocks = (Block("before", 0, 1), Block("early", 1, 2), Block("score", 2, 3, "normal"))
    for seed in range(400):
        rng = np.random.default_rng(seed)
        arm = np.arange(200) % 2 == 0
        before = rng.normal(size=200)
        early = before + rng.normal(0, 0.6, 200) - arm
        late = early + rng.normal(0, 0.6, 200)
        lean = np.where(arm, 1.2, -1.2) * (early + arm)
        gone = rng.random(200) < 1 / (1 + np.exp(0.4 + lean))
        z = np.column_stack([before, early, np.where(gone, np.nan, late)])
        copies = np.repeat(z[None], 20, axis=0)
        for mine in (arm, ~arm):
            copies[:, mine] = np.array([*impute_chained(z[mine], blocks, m=20, rng=rng)])
        fits = [fit_ancova(TwoArms(c[:, 2], arm, c[:, :1]), variance="model") for c in copies]
        pool = pool_imputations(
            np.array([f.estimate for f in fits]),
            np.array([f.se**2 for f in fits]),
            df_complete=197.0,
        )
        seen = ~gone
        alone.append(fit_ancova(TwoArms(late[seen], arm[seen], before[seen, None])).estimate)
        found.append(pool.estimate)
        errors.append(pool.se)
        covered.append(abs(pool.estimate + 1) < stats.t.ppf(0.975, pool.df) * pool.se)
    spread = np.std(found, ddof=1)
    assert np.mean(alone) > -0.9
    assert abs(np.mean(found) + 1) < 3 * spread / 20
    assert np.mean(errors) == pytest.approx(spread, rel=0.12)
    assert 0.93 <= np.mean(covered) <= 0.98
