"""A mistake in a table of studies gets one message that names column, studies and what is allowed."""

import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo

ARMS = pd.DataFrame(
    {"study": ["A", "B"], "events_t": [1, 2], "n_t": [10, 20], "events_c": [3, 4], "n_c": [11, 21]}
)
ES = pd.DataFrame({"study": ["A", "B"], "effect": [0.1, 0.2], "variance": [0.1, 0.2]})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"events_t": [1, 25]}, ["events_t", "more events than n_t", "in B"]),
        ({"events_c": [1.5, 2]}, ["events_c", "not whole", "in A"]),
        ({"events_c": [-1, 2]}, ["events_c", "negative", "in A", "0 or more"]),
        ({"n_t": [0, 20]}, ["n_t", "below 1", "in A"]),
        ({"n_c": ["eleven", 21]}, ["n_c", "no number", "in A"]),
        ({"n_c": [np.inf, 21]}, ["n_c", "infinite", "in A"]),
    ],
)
def test_impossible_counts(change, words):
    with pytest.raises(vo.InputError) as refused:
        vo.effect_sizes(ARMS.assign(**change), measure="RR")
    for word in words:
        assert word in str(refused.value)


def test_every_problem_is_told_at_once():
    with pytest.raises(vo.InputError) as refused:
        vo.effect_sizes(ARMS.assign(events_t=[-1, 2], n_c=[0.5, 21]), measure="OR")
    assert len(refused.value.problems) >= 3


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: vo.effect_sizes(ARMS, measure="XX"), ["measure", "'XX'", "OR, RR"]),
        (lambda: vo.effect_sizes(ARMS, measure="RR", dialect="stata"), ["dialect", "revman5"]),
        (lambda: vo.effect_sizes(ARMS, measure="RR", add=-1), ["add", "-1"]),
        (lambda: vo.effect_sizes(ARMS, measure="RR", add_to="some"), ["add_to", "only_zero"]),
        (lambda: vo.effect_sizes(ARMS.drop(columns="n_t"), measure="RR"), ["n_t", "missing"]),
        (lambda: vo.effect_sizes("table.csv", measure="RR"), ["table", "str", "DataFrame"]),
        (lambda: vo.pool(ES, method="WLS"), ["method", "WLS", "REML"]),
        (lambda: vo.pool(ES, ci="bootstrap"), ["ci", "hksj"]),
        (lambda: vo.pool(ES, prediction="yes"), ["prediction", "t_k1"]),
        (lambda: vo.pool(ES, level="95"), ["level", "'95'", "between 0 and 1"]),
        (lambda: vo.pool(ES, level=95), ["level", "95", "between 0 and 1"]),
        (lambda: vo.pool(ES.drop(columns="effect")), ["effect", "missing"]),
        (lambda: vo.pool(ES.assign(variance=[0.0, 0.1])), ["variance", "zero or negative", "in A"]),
        (lambda: vo.pool(ES.assign(variance=[0.1, -0.1])), ["variance", "in B"]),
        (lambda: vo.pool(ES.assign(effect=[np.inf, 0])), ["effect", "infinite", "in A"]),
        (lambda: vo.pool(ES.assign(effect=["a", 0])), ["effect", "no number", "in A"]),
        (lambda: vo.pool(ES.assign(effect=np.nan)), ["none with an effect"]),
        (lambda: vo.pool(ES.assign(measure=["RR", "OR"])), ["measures RR, OR", "one measure"]),
        (lambda: vo.pool(ES, measure="LOL"), ["measure", "LOL"]),
        (lambda: vo.pool(ES.to_numpy()), ["ndarray", "DataFrame"]),
        (lambda: vo.pool_many([[1, 2]], [[1, 2], [3, 4]]), ["shapes", "(B, k)"]),
        (lambda: vo.pool_many([[1, 2]], [[1, 0]]), ["rows 0", "positive variances"]),
        (lambda: vo.pool_many([["a", 2]], [[1, 1]]), ["numbers"]),
        (lambda: vo.effect_sizes(ES[["effect"]], measure="HR"), ["no spread", "variance, se"]),
        (lambda: vo.effect_sizes(ES.assign(effect=[-1, 1]), measure="HR"), ["hazard ratio", "in A"]),
    ],
)  # fmt: skip
def test_wrong_arguments_name_what_is_allowed(call, words):
    with pytest.raises(vo.VertebroError) as refused:
        call()
    for word in words:
        assert word in str(refused.value)
    assert "Next: " in str(refused.value)


def test_a_missing_number_leaves_the_study_out_and_says_so():
    es = vo.effect_sizes(ARMS.assign(events_c=[np.nan, 4]), measure="RR")
    fit = vo.pool(es)
    assert fit.k == 1
    assert [(x.study, x.reason) for x in fit.excluded] == [("A", "missing: events_c")]


def test_double_zero_studies_follow_the_dialect():
    arms = ARMS.assign(events_t=[0, 2], events_c=[0, 4])
    assert vo.pool(vo.effect_sizes(arms, measure="RR")).k == 2
    fit = vo.pool(vo.effect_sizes(arms, measure="RR", dialect="revman5"))
    assert [x.reason for x in fit.excluded] == ["no event in either arm, or events in all"]
    assert vo.pool(vo.effect_sizes(arms, measure="RD", dialect="revman5")).k == 2


def test_the_given_table_is_not_changed():
    before = ARMS.copy()
    vo.effect_sizes(ARMS, measure="OR")
    pd.testing.assert_frame_equal(ARMS, before)


def test_hazard_ratios_are_given_on_the_natural_scale():
    table = pd.DataFrame(
        {
            "effect": [0.7, 0.8],
            "ci_low": [0.5, np.nan],
            "ci_high": [0.98, np.nan],
            "se": [np.nan, 0.1],
        }
    )
    es = vo.effect_sizes(table, measure="HR")
    assert es["effect"].tolist() == pytest.approx(np.log([0.7, 0.8]))
    assert es["se"].tolist() == pytest.approx([np.log(0.98 / 0.5) / (2 * 1.959963984540054), 0.1])
    assert es["ci_asymmetry"][0] == pytest.approx(0.0, abs=1e-9)
    percent = vo.effect_sizes(table.assign(ci_level=[95, 95]), measure="HR")
    assert percent["se"].tolist() == pytest.approx(es["se"].tolist())
