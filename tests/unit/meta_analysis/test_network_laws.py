"""What must hold for every network, whatever the data."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import vertebro_outcomes as vo
from vertebro_outcomes.estimators.network.fit import NetworkFit
from vertebro_outcomes.estimators.network.ranking import p_scores

METHOD = st.sampled_from(("EE", "DL", "REML_exact"))
LETTERS = "ABCDEF"


@st.composite
def networks(draw, most_arms=4):
    """Studies with arm variances and arm effects; a first study of every treatment pair with A."""
    seed = draw(st.integers(0, 2**31))
    rng = np.random.default_rng(seed)
    names = LETTERS[: draw(st.integers(3, 6))]
    arms = [["A", other] for other in names[1:]]
    for _ in range(draw(st.integers(1, 8))):
        size = rng.integers(2, min(most_arms, len(names)) + 1)
        arms.append(sorted(rng.choice(list(names), size, replace=False)))
    rows = []
    for i, members in enumerate(arms):
        theta = rng.normal(0, 1, len(members))
        s = rng.uniform(0.01, 0.5, len(members))
        for a, b in combinations(range(len(members)), 2):
            se = np.sqrt(s[a] + s[b])
            rows.append((f"study {i}", members[a], members[b], theta[a] - theta[b], se))
    return pd.DataFrame(rows, columns=["study", "treat_t", "treat_c", "effect", "se"])


def same(a, b, *, within=1e-7, model="random"):
    order = list(a.treatments)
    for name in ("estimate", "se"):
        one = getattr(a, name)(model)
        two = getattr(b, name)(model).loc[order, order]
        np.testing.assert_allclose(one, two, atol=within)
    assert b.tau2 == pytest.approx(a.tau2, abs=within)
    assert b.q == pytest.approx(a.q, abs=within)


@settings(max_examples=25, deadline=None)
@given(table=networks(), method=METHOD, seed=st.integers(0, 99))
def test_rows_may_come_in_any_order_and_direction(table, method, seed):
    shuffled = table.sample(frac=1, random_state=seed).reset_index(drop=True)
    turn = np.random.default_rng(seed).random(len(table)) < 0.5
    turned = shuffled.assign(
        treat_t=shuffled["treat_c"].where(turn, shuffled["treat_t"]),
        treat_c=shuffled["treat_t"].where(turn, shuffled["treat_c"]),
        effect=shuffled["effect"].where(~turn, -shuffled["effect"]),
    )
    same(vo.pool_network(table, method=method), vo.pool_network(turned, method=method))


@settings(max_examples=25, deadline=None)
@given(table=networks(), method=METHOD, seed=st.integers(0, 99))
def test_other_names_are_other_labels(table, method, seed):
    names = sorted({*table["treat_t"], *table["treat_c"]})
    new = dict(zip(names, np.random.default_rng(seed).permutation(names), strict=True))
    renamed = table.replace({"treat_t": new, "treat_c": new})
    a, b = (vo.pool_network(x, method=method) for x in (table, renamed))
    back = b.estimate().loc[[new[x] for x in a.treatments], [new[x] for x in a.treatments]]
    np.testing.assert_allclose(a.estimate(), back, atol=1e-7)
    scores = b.p_scores()[[new[x] for x in a.treatments]]
    np.testing.assert_allclose(a.p_scores(), scores, atol=1e-7)
    assert b.inconsistency().loc["within designs", "q"] == pytest.approx(
        a.inconsistency().loc["within designs", "q"], abs=1e-8
    )


@settings(max_examples=25, deadline=None)
@given(table=networks(), method=METHOD, c=st.sampled_from((0.1, 10.0, 100.0)))
def test_a_change_of_unit_scales_the_result(table, method, c):
    scaled = table.assign(effect=c * table["effect"], se=c * table["se"])
    a, b = (vo.pool_network(x, method=method, closure_tolerance=0.1) for x in (table, scaled))
    np.testing.assert_allclose(b.estimate(), c * a.estimate(), atol=1e-6 * c)
    assert b.tau2 == pytest.approx(c**2 * a.tau2, abs=1e-7 * c**2)
    assert b.q == pytest.approx(a.q, rel=1e-8, abs=1e-8)
    np.testing.assert_allclose(b.contributions(), a.contributions(), atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(table=networks(), method=METHOD)
def test_the_network_is_consistent(table, method):
    net = vo.pool_network(table, method=method)
    for model in ("common", "random"):
        d = net.estimate(model).to_numpy()
        gaps = d[:, :, None] + d[None, :, :] - d[:, None, :]
        assert np.abs(gaps).max() < 1e-12 * max(1.0, np.abs(d).max()) * 10
        np.testing.assert_allclose(d, -d.T)
        np.testing.assert_allclose(net.se(model), net.se(model).T)
    assert (net.se("random") >= net.se("common") - 1e-9).all().all()


@settings(max_examples=15, deadline=None)
@given(table=networks(), method=METHOD)
def test_the_reference_is_only_for_show(table, method):
    a, b = (vo.pool_network(table, method=method, reference=x) for x in ("A", "B"))
    same(a, b, within=0)
    assert set(a.to_frame()["comparator"]) == {"A"}
    assert set(b.to_frame()["comparator"]) == {"B"}


@settings(max_examples=25, deadline=None)
@given(table=networks())
def test_q_adds_up(table):
    q = vo.pool_network(table).inconsistency()
    assert q.loc["total", "q"] == pytest.approx(
        q.loc["within designs", "q"] + q.loc["between designs", "q"], abs=1e-8
    )
    assert (
        q.loc["total", "q_df"] == q.loc["within designs", "q_df"] + q.loc["between designs", "q_df"]
    )


@settings(max_examples=25, deadline=None)
@given(table=networks(), model=st.sampled_from(("common", "random")))
def test_direct_and_indirect_make_the_network_estimate(table, model):
    split = vo.pool_network(table).node_split(model)
    both = split[split["direct"].notna() & split["indirect"].notna()]
    share = both["direct_share"]
    mixed = share * both["direct"] + (1 - share) * both["indirect"]
    np.testing.assert_allclose(mixed, both["network"], atol=1e-8)
    precision = both["direct_se"] ** -2 + both["indirect_se"] ** -2
    np.testing.assert_allclose(precision, both["network_se"] ** -2, rtol=1e-8)
    assert (split["k"] > 0).eq(split["direct"].notna()).all()


@settings(max_examples=25, deadline=None)
@given(table=networks(), method=st.sampled_from(("shortest_path", "random_walk")))
def test_contributions_are_proportions(table, method):
    net = vo.pool_network(table)
    shares = net.contributions(method=method)
    np.testing.assert_allclose(shares.sum(axis=1), 1.0, atol=1e-8)
    assert (shares >= -1e-12).all().all()
    compared = net.comparisons["treat_t"] + ":" + net.comparisons["treat_c"]
    assert list(shares.columns) == list(compared)


@settings(max_examples=25, deadline=None)
@given(table=networks())
def test_p_scores_average_one_half_and_turn_with_the_direction(table):
    net = vo.pool_network(table)
    scores = net.p_scores()
    assert scores.mean() == pytest.approx(0.5)
    np.testing.assert_allclose(1 - scores, net.p_scores(small_is_good=False), atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.floats(-3, 3), st.floats(0.05, 2), st.booleans()), min_size=1, max_size=9
    ),
    method=METHOD,
)
def test_two_treatments_are_a_pairwise_pool(rows, method):
    effects = [-y if turned else y for y, _, turned in rows]
    table = pd.DataFrame(
        {
            "study": [f"s{i}" for i in range(len(rows))],
            "treat_t": ["NSM" if turned else "VP" for *_, turned in rows],
            "treat_c": ["VP" if turned else "NSM" for *_, turned in rows],
            "effect": effects,
            "se": [se for _, se, _ in rows],
        }
    )
    net = vo.pool_network(table, method=method)
    es = pd.DataFrame({"effect": [y for y, *_ in rows], "variance": table["se"] ** 2})
    fit = vo.pool(es, method=method.removesuffix("_exact"))
    assert net.estimate().loc["VP", "NSM"] == pytest.approx(fit.estimate, abs=1e-8)
    assert net.se().loc["VP", "NSM"] == pytest.approx(fit.se, abs=1e-8)
    assert net.tau2 == pytest.approx(fit.tau2, abs=1e-8)
    assert (net.q, net.q_df) == (pytest.approx(fit.q, abs=1e-9), fit.q_df)


def test_one_multi_arm_study_is_returned_as_it_is():
    rows = [
        ("a", "VP", "NSM", -1.0, 0.5),
        ("a", "KP", "NSM", -1.4, 0.6),
        ("a", "KP", "VP", -0.4, 0.4),
    ]
    table = pd.DataFrame(rows, columns=["study", "treat_t", "treat_c", "effect", "se"])
    net = vo.pool_network(table, method="REML_exact")
    for _, one, two, effect, se in rows:
        assert net.estimate().loc[one, two] == pytest.approx(effect, abs=1e-12)
        assert net.se().loc[one, two] == pytest.approx(se, abs=1e-12)
    assert (net.k, net.q_df, net.tau2) == (1, 0, 0.0)
    assert np.isnan(net.i2_pct)
    assert "tau² is taken as 0" in net.notes[0]


def test_a_triangle_by_hand():
    """A:B direct with variance 1, A:C and C:B with ½ each: both ways to A:B are equally good."""
    rows = [
        ("1", "A", "B", 1.0, 1.0),
        ("2", "A", "C", 2.0, 0.5**0.5),
        ("3", "C", "B", 1.0, 0.5**0.5),
    ]
    net = vo.pool_network(
        pd.DataFrame(rows, columns=["study", "treat_t", "treat_c", "effect", "se"]), method="EE"
    )
    assert net.estimate().loc["A", "B"] == pytest.approx((1.0 + 3.0) / 2)
    assert net.se().loc["A", "B"] ** 2 == pytest.approx(0.5)
    # the first treatment is the reference, so the comparison reads B minus A
    split = net.node_split().set_index("comparison").loc["B:A"]
    found = (split["direct"], split["indirect"], split["direct_share"])
    assert found == pytest.approx((-1, -3, 0.5))
    for method in ("shortest_path", "random_walk"):
        row = net.contributions(method=method).loc["A:B"]
        assert row.to_dict() == pytest.approx({"A:B": 0.5, "A:C": 0.25, "B:C": 0.25})
    assert net.q == pytest.approx((1 - 3) ** 2 / (1 + 1))
    assert net.inconsistency().loc["between designs", "q"] == pytest.approx(2.0)


def test_streams_of_a_network_with_two_detours():
    """A to D over B (flow ½ of it) or C; half of what reaches B goes on over C."""
    from vertebro_outcomes.estimators.network.streams import (
        random_walk_shares,
        shortest_path_shares,
    )

    flow = np.zeros((4, 4))
    for i, j, f in ((0, 1, 0.6), (0, 2, 0.4), (1, 2, 0.2), (1, 3, 0.4), (2, 3, 0.6)):
        flow[i, j], flow[j, i] = f, -f
    # paths: ABD 0.4, ACD 0.4, ABCD 0.2
    by_edge = {
        (0, 1): 0.4 / 2 + 0.2 / 3,
        (0, 2): 0.2,
        (1, 2): 0.2 / 3,
        (1, 3): 0.2,
        (2, 3): 0.2 + 0.2 / 3,
    }
    for shares in (shortest_path_shares, random_walk_shares):
        found = shares(flow, source=0, sink=3)
        for (i, j), expected in by_edge.items():
            assert found[i, j] == found[j, i] == pytest.approx(expected)
        assert np.triu(found).sum() == pytest.approx(1.0)


def test_ranks_repeat_with_their_seed_and_agree_with_p_scores():
    """SUCRA of many draws is the P-score (Rücker and Schwarzer 2015)."""
    rows = [("1", "A", "B", 0.4, 0.5), ("2", "A", "C", -0.3, 0.4), ("3", "C", "B", 0.2, 0.6)]
    net = vo.pool_network(
        pd.DataFrame(rows, columns=["study", "treat_t", "treat_c", "effect", "se"])
    )
    a, b = net.ranks(7, draws=40_000), net.ranks(7, draws=40_000)
    pd.testing.assert_frame_equal(a, b)
    assert not a.equals(net.ranks(8, draws=40_000))
    # standard error of a SUCRA from 40,000 draws is at most 0.0025
    np.testing.assert_allclose(a["sucra"][list("ABC")], net.p_scores(), atol=0.0125)
    ranks = a[[f"p_rank_{i}" for i in (1, 2, 3)]]
    np.testing.assert_allclose(ranks.sum(axis=1), 1.0)
    np.testing.assert_allclose(ranks.sum(axis=0), 1.0)
    assert list(a["mean_rank"]) == sorted(a["mean_rank"])


def test_a_p_score_of_two_is_a_one_sided_p_value():
    fit = NetworkFit(
        np.array([0.5, -0.5]), np.eye(2), np.array([[0.25, -0.25], [-0.25, 0.25]]), 0.0
    )
    # difference 1, standard error 1: Φ(1) = 0.8413 that the second is smaller
    assert p_scores(fit, small_is_good=True) == pytest.approx([0.158655, 0.841345], abs=5e-7)
