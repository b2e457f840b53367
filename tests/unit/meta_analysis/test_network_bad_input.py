"""What a network refuses, what it leaves out, and what it says about it."""

import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo

COLUMNS = ["study", "treat_t", "treat_c", "effect", "se"]
GOOD = (
    ("a", "VP", "NSM", -1.0, 0.4),
    ("b", "KP", "NSM", -1.3, 0.5),
    ("c", "VP", "KP", 0.1, 0.3),
)
TRIANGLE = (
    ("t", "VP", "KP", 1.0, 0.4),
    ("t", "VP", "NSM", 1.5, 0.5),
    ("t", "KP", "NSM", 0.5, 0.45),
)


def frame(*rows):
    return pd.DataFrame(list(rows), columns=COLUMNS)


def refusal(table, **options):
    with pytest.raises(vo.InputError) as caught:
        vo.pool_network(table, **options)
    return str(caught.value)


def changed(rows, at, **cells):
    table = frame(*rows)
    for name, value in cells.items():
        table[name] = table[name].astype(object)
        table.loc[at, name] = value
    return table


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (changed(GOOD, 1, se=0.0), "column se: zero or negative value in b"),
        (changed(GOOD, 1, se=-0.2), "column se: zero or negative value in b"),
        (changed(GOOD, 1, se=np.nan), "missing value beside an effect in b"),
        (changed(GOOD, 1, se=np.inf), "column se: infinite value in b"),
        (changed(GOOD, 1, effect=np.inf), "column effect: infinite value in b"),
        (changed(GOOD, 1, effect="large"), "column effect: text that is no number in b"),
        (changed(GOOD, 1, treat_c="KP"), "treatment compared with itself in b"),
        (changed(GOOD, 1, treat_c=None), "column treat_c: empty cell in b"),
        (changed(GOOD, 1, study=np.nan), "column study: empty cell in row 2"),
        (frame(*GOOD, ("a", "NSM", "VP", 1.0, 0.4)), "the same comparison twice: a (NSM:VP)"),
        (frame(*GOOD).drop(columns="se"), "columns se: missing"),
        (frame(*TRIANGLE[:2]), "study t: 3 arms, but no row for KP:NSM"),
        (changed(TRIANGLE, 0, effect=1.2), "study t: effects of its 3 arms do not add up"),
        (changed(TRIANGLE, 0, se=2.0), "imply a negative variance of arm NSM"),
        (frame(), "no row with an effect"),
        ("contrasts.csv", "a DataFrame"),
    ],
)
def test_refused(table, words):
    assert words in refusal(table)


def test_every_problem_is_told_at_once():
    said = refusal(changed(GOOD, 0, se=-1.0, treat_c="VP"))
    assert "compared with itself" in said
    assert "zero or negative" in said


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"reference": "SHAM"}, "argument reference: 'SHAM'; allowed: KP, NSM, VP"),
        ({"method": "PM"}, "allowed: EE, DL, REML"),
        ({"level": 95}, "argument level"),
        ({"measure": "PLO"}, "argument measure"),
        ({"treatments": ["VP", "KP"]}, "each of KP, NSM, VP once"),
        ({"component": "SHAM"}, "argument component"),
    ],
)
def test_wrong_options(options, words):
    assert words in refusal(frame(*GOOD), **options)


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (
            lambda net: net.estimate(model="fixed"),
            "argument model: 'fixed'; allowed: random, common",
        ),
        (lambda net: net.node_split(model="fixed"), "allowed: random, common"),
        (lambda net: net.contributions(method="stream"), "allowed: shortest_path, random_walk"),
        (lambda net: net.plot("funnel"), "allowed: forest, graph"),
        (lambda net: net.league_table(upper="none"), "allowed: network, direct"),
        (lambda net: net.to_frame("log"), "allowed: analysis, natural"),
        (lambda net: net.to_frame(pairs="some"), "allowed: reference, all"),
        (lambda net: net.ranks(draws=0), "1 or more"),
    ],
)
def test_wrong_words_to_the_result(ask, words):
    with pytest.raises(vo.InputError, match=words):
        ask(vo.pool_network(frame(*GOOD)))


def test_a_disconnected_network_names_its_parts():
    table = frame(*GOOD, ("d", "VAI", "SHAM", 0.3, 0.2))
    said = refusal(table)
    assert "2 parts that no study connects: KP, NSM, VP; SHAM, VAI" in said
    assert "component='KP'" in said
    assert vo.network_components(table) == (("KP", "NSM", "VP"), ("SHAM", "VAI"))
    whole = vo.pool_network(frame(*GOOD))
    part = vo.pool_network(table, component="NSM")
    pd.testing.assert_frame_equal(part.estimate(), whole.estimate())
    assert [(x.study, x.reason) for x in part.excluded] == [("d", "not connected with NSM")]
    assert vo.pool_network(table, component="VAI").estimate().loc["VAI", "SHAM"] == 0.3


def test_rows_without_an_effect_are_listed():
    table = frame(*GOOD, ("d", "VP", "NSM", np.nan, np.nan))
    net = vo.pool_network(table)
    assert (net.k, [x.study for x in net.excluded]) == (3, ["d"])
    assert net.excluded[0].reason == "VP:NSM: the effect is missing"
    pd.testing.assert_frame_equal(net.estimate(), vo.pool_network(frame(*GOOD)).estimate())


def test_a_multi_arm_study_that_lost_a_pair_is_left_out_as_a_whole():
    net = vo.pool_network(pd.concat([frame(*GOOD), changed(TRIANGLE, 2, effect=np.nan)]))
    assert net.k == 3
    assert [x.study for x in net.excluded] == ["t"]
    assert "with all its pairs or not at all" in net.excluded[0].reason


def test_a_multi_arm_study_that_lost_an_arm_stays_with_the_others():
    net = vo.pool_network(pd.concat([frame(*GOOD), changed(TRIANGLE, [1, 2], effect=np.nan)]))
    assert net.k == 4
    assert {x.study for x in net.excluded} == {"t"}
    # the pair that is left counts as a two-arm study of VP and KP
    assert net.comparisons.set_index(["treat_t", "treat_c"])["k"].to_dict() == {
        ("KP", "NSM"): 1,
        ("KP", "VP"): 2,
        ("NSM", "VP"): 1,
    }


def test_printed_digits_need_not_close():
    rounded = frame(
        ("t", "A", "B", 1.0, 0.4), ("t", "A", "C", 1.5, 0.5), ("t", "B", "C", 0.51, 0.45)
    )
    assert "closure_tolerance" in refusal(rounded)
    net = vo.pool_network(rounded, closure_tolerance=0.01)
    # weighted least squares by hand: the gap of 0.01 is shared in proportion to variances of edges
    v = np.array([0.4, 0.5, 0.45]) ** 2
    arm = np.array([v[0] + v[1] - v[2], v[0] + v[2] - v[1], v[1] + v[2] - v[0]]) / 2
    star = (1 / arm[0], 1 / arm[1], 1 / arm[2])
    total = sum(star)
    w = [star[0] * star[1] / total, star[0] * star[2] / total, star[1] * star[2] / total]
    x = np.array([[1, 0], [0, 1], [-1, 1]])  # A - B, A - C
    y = np.array([1.0, 1.5, 0.51])
    b = np.linalg.solve(x.T @ np.diag(w) @ x, x.T @ np.diag(w) @ y)
    assert net.estimate().loc["A", ["B", "C"]].to_numpy() == pytest.approx(b, abs=1e-12)
    rest = y - x @ b
    assert net.q == pytest.approx(rest @ np.diag(w) @ rest, rel=1e-9)


def test_an_arm_without_variance_is_accepted():
    exact = frame(("t", "A", "B", 1.0, 0.4), ("t", "A", "C", 1.5, 0.5), ("t", "B", "C", 0.5, 0.3))
    net = vo.pool_network(exact)  # 0.16 + 0.09 = 0.25: arm B has variance 0
    assert net.se().loc["A", "C"] == pytest.approx(0.5)


def test_variance_instead_of_se_and_blanks_around_names():
    table = frame(*GOOD).assign(variance=lambda x: x["se"] ** 2).drop(columns="se")
    table["treat_t"] = " " + table["treat_t"]
    pd.testing.assert_frame_equal(
        vo.pool_network(table).estimate(), vo.pool_network(frame(*GOOD)).estimate(), atol=1e-12
    )


def test_numbers_as_treatments_are_ordered_as_numbers():
    number = {"VP": 10, "KP": 9, "NSM": 1}
    table = frame(*GOOD)
    table = table.assign(treat_t=table["treat_t"].map(number), treat_c=table["treat_c"].map(number))
    net = vo.pool_network(table, reference=10)
    assert net.treatments == ("1", "9", "10")
    assert net.reference == "10"


def test_the_order_of_treatments_can_be_given():
    net = vo.pool_network(frame(*GOOD), treatments=["VP", "KP", "NSM"])
    assert list(net.estimate().index) == ["VP", "KP", "NSM"]


def test_what_a_reader_sees():
    table = frame(*GOOD).assign(measure="RR")
    net = vo.pool_network(table, reference="NSM")
    said = str(net)
    assert said.startswith("Network of 3 treatments, 3 studies, random effects (DL); risk ratio")
    assert "against NSM (95% interval): KP 0." in said
    natural, log = net.to_frame("natural"), net.to_frame()
    np.testing.assert_allclose(np.log(natural["estimate"]), log["estimate"])
    assert natural["se"].isna().all()
    assert len(net.to_frame(pairs="all")) == 3
    league = net.league_table(upper="direct")
    assert league.loc["VP", "VP"] == "VP"
    assert league.loc["VP", "KP"].count("to") == 1
    page = net._repr_html_()
    assert page.startswith("<table>")
    for kind in ("forest", "graph"):
        assert net.plot(kind).figure is not None
