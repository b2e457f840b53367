"""Matching in sorted order against a search through all pairs."""

import numpy as np
import pytest

from vertebro_outcomes.estimators.contrasts.matching import fit_matching
from vertebro_outcomes.estimators.propensity.e_value import e_value, e_values_of_difference
from vertebro_outcomes.estimators.propensity.matching import match_nearest
from vertebro_outcomes.estimators.two_arms import TwoArms


def brute_force(score, treated, *, caliper, ratio, replace, strata):
    """Every comparator looked at for every treated patient; ties as the docstring says."""
    pairs = []
    for group in np.unique(strata):
        t = sorted(np.flatnonzero(treated & (strata == group)), key=lambda i: (-score[i], i))
        free = set(np.flatnonzero(~treated & (strata == group)))
        wanting, own = t, {i: [] for i in t}
        for _ in range(ratio):
            served = []
            for i in wanting:

                def rank(c, i=i):
                    above = score[c] >= score[i]
                    return abs(score[c] - score[i]), not above, c if above else -c

                best = min((c for c in free if c not in own[i]), key=rank, default=None)
                if best is not None and abs(score[best] - score[i]) <= caliper:
                    own[i].append(best)
                    served.append(i)
                    if not replace:
                        free.remove(best)
            wanting = served
        pairs += [(i, c) for i in t for c in own[i]]
    return sorted(pairs)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize("ratio", [1, 3])
@pytest.mark.parametrize("n_strata", [1, 3])
def test_the_same_pairs_as_a_search_through_all(seed, replace, ratio, n_strata):
    rng = np.random.default_rng(seed)
    n = 150
    score = np.round(rng.normal(size=n), 1 if seed % 2 else 6)  # odd seeds: many equal scores
    treated = rng.random(n) < 0.4
    strata = rng.integers(n_strata, size=n)
    caliper = [np.inf, 0.2][seed % 3 > 0]
    options = {"caliper": caliper, "ratio": ratio, "replace": replace, "strata": strata}
    found = match_nearest(score, treated, **options)
    pairs = sorted(zip(found.treated.tolist(), found.comparator.tolist(), strict=True))
    assert pairs == brute_force(score, treated, **options)
    assert (np.abs(score[found.treated] - score[found.comparator]) <= caliper).all()
    assert treated[found.treated].all()
    assert not treated[found.comparator].any()


def test_pairs_give_the_paired_t_interval():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(300, 1))
    treated = rng.random(300) < 1 / (1 + np.exp(0.8 - x[:, 0]))
    y = x[:, 0] - treated + rng.normal(size=300)
    fit = fit_matching(TwoArms(y, treated, x), variance="pairs")
    assert fit.weights[treated].sum() == fit.weights[~treated].sum() == fit.df + 1
    score = np.log(fit.propensity / (1 - fit.propensity))
    pairs = match_nearest(score, treated, caliper=0.2 * np.std(score, ddof=1))
    d = y[pairs.treated] - y[pairs.comparator]
    assert fit.estimate == pytest.approx(d.mean(), rel=1e-12)
    assert fit.se == pytest.approx(d.std(ddof=1) / np.sqrt(len(d)), rel=1e-12)


@pytest.mark.parametrize("ratio", [1, 2])
def test_reused_comparators_have_the_variance_of_abadie_and_imbens(ratio):
    rng = np.random.default_rng(2)
    x = rng.normal(size=(200, 1))
    treated = rng.random(200) < 1 / (1 + np.exp(-x[:, 0]))
    y = x[:, 0] - treated + rng.normal(size=200)
    fit = fit_matching(TwoArms(y, treated, x, n_ratio=ratio))
    score = np.log(fit.propensity / (1 - fit.propensity))
    caliper = 0.2 * np.std(score, ddof=1)
    controls = np.flatnonzero(~treated)
    differences, uses, squares = [], np.zeros(200), np.zeros(200)
    for i in np.flatnonzero(treated):
        near = controls[np.argsort(np.abs(score[controls] - score[i]))][:ratio]
        near = near[np.abs(score[near] - score[i]) <= caliper]
        if len(near):
            differences.append(y[i] - y[near].mean())
            uses[near] += 1 / len(near)
            squares[near] += 1 / len(near) ** 2
    d = np.array(differences)
    total = ((d - d.mean()) ** 2).sum()
    for c in controls:
        others = controls[controls != c]
        twin = others[np.argmin(np.abs(score[others] - score[c]))]
        total += (uses[c] ** 2 - squares[c]) * (y[c] - y[twin]) ** 2 / 2
    assert fit.estimate == pytest.approx(d.mean(), rel=1e-12)
    assert fit.se == pytest.approx(np.sqrt(total) / len(d), rel=1e-12)
    assert uses.max() > 1


def test_nobody_within_the_caliper_gives_no_pairs():
    found = match_nearest(np.array([0.0, 1.0]), np.array([True, False]), caliper=0.5)
    assert len(found.treated) == len(found.comparator) == 0


def test_e_values_as_printed():
    """VanderWeele & Ding (2017): RR 3.9 (95% CI 1.8 to 8.7) has the E-values 7.26 and 3.0."""
    assert e_value(3.9) == pytest.approx(7.26, abs=0.005)
    assert e_value(1.8) == pytest.approx(3.0, abs=0.05)
    assert e_value(1 / 3.9) == pytest.approx(e_value(3.9), rel=1e-12)
    point, limit = e_values_of_difference(-1.0, (-2.0, 0.1), sd=2.0)
    assert point == pytest.approx(e_value(np.exp(0.455)), rel=1e-12)
    assert limit == 1.0
