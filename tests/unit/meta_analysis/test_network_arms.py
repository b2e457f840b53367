"""From arms to all pairs: two arms are effect_sizes, several arms add up."""

import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo

COUNTS = (((3, 40), (9, 42)), ((0, 31), (4, 30)), ((12, 12), (7, 15)), ((0, 25), (0, 24)))
SCORES = (((3.1, 1.2, 40), (4.4, 1.9, 38)), ((2.0, 0.7, 9), (2.9, 1.1, 8)))
RATES = (((3, 120.5), (9, 110.0)), ((0, 80.0), (4, 95.0)))
CASES = [
    *((["OR", "RR", "RD"][i], ("events", "n"), COUNTS) for i in range(3)),
    *((["MD", "SMD", "ROM"][i], ("mean", "sd", "n"), SCORES) for i in range(3)),
    *((["IRR", "IRD"][i], ("events", "time"), RATES) for i in range(2)),
]


@pytest.mark.parametrize(("measure", "columns", "studies"), CASES, ids=[case[0] for case in CASES])
@pytest.mark.parametrize("drop", [True, False])
def test_two_arms_give_what_effect_sizes_gives(measure, columns, studies, drop):
    arms, wide = [], []
    for i, (one, two) in enumerate(studies):
        arms += [(f"s{i}", "VP", *one), (f"s{i}", "NSM", *two)]
        wide.append((*one, *two))
    long = pd.DataFrame(arms, columns=["study", "treatment", *columns])
    table = pd.DataFrame(wide, columns=[f"{x}_{arm}" for arm in "tc" for x in columns])
    ours = vo.network_contrasts(long, measure=measure, drop_double_zero=drop)
    theirs = vo.effect_sizes(table, measure=measure, drop_double_zero=drop)
    np.testing.assert_allclose(ours["effect"], theirs["effect"], rtol=1e-12)
    np.testing.assert_allclose(ours["variance"], theirs["variance"], rtol=1e-12)
    assert ours["corrected"].tolist() == theirs["corrected"].tolist()
    assert set(ours["treat_t"]) == {"VP"}


def three(columns, *rows, study="s"):
    return pd.DataFrame(
        [(study, name, *row) for name, row in zip(("VP", "KP", "NSM"), rows, strict=True)],
        columns=["study", "treatment", *columns],
    )


@pytest.mark.parametrize(
    ("measure", "arms"),
    [
        ("OR", three(("events", "n"), (0, 30), (3, 31), (8, 29))),
        ("RR", three(("events", "n"), (0, 30), (3, 31), (8, 29))),
        ("RD", three(("events", "n"), (0, 30), (3, 31), (8, 29))),
        ("MD", three(("mean", "sd", "n"), (2.1, 1.0, 20), (2.5, 1.4, 25), (3.9, 1.2, 22))),
        ("SMD", three(("mean", "sd", "n"), (2.1, 1.0, 20), (2.5, 1.4, 25), (3.9, 1.2, 22))),
        ("ROM", three(("mean", "sd", "n"), (2.1, 1.0, 20), (2.5, 1.4, 25), (3.9, 1.2, 22))),
        ("IRR", three(("events", "time"), (0, 30.0), (3, 31.5), (8, 29.0))),
        ("IRD", three(("events", "time"), (0, 30.0), (3, 31.5), (8, 29.0))),
    ],
)
def test_three_arms_add_up_and_can_be_pooled(measure, arms):
    made = vo.network_contrasts(arms, measure=measure)
    assert list(zip(made["treat_t"], made["treat_c"], strict=True)) == [
        ("VP", "KP"),
        ("VP", "NSM"),
        ("KP", "NSM"),
    ]
    one, both, two = made["effect"]
    assert one + two == pytest.approx(both, abs=1e-12)
    net = vo.pool_network(made, method="EE", closure_tolerance=1e-9)
    assert net.measure == measure
    for row in made.itertuples():
        assert net.estimate().loc[row.treat_t, row.treat_c] == pytest.approx(row.effect, abs=1e-10)
        assert net.se().loc[row.treat_t, row.treat_c] == pytest.approx(row.se, abs=1e-10)


def test_smd_of_three_arms_by_hand():
    arms = three(("mean", "sd", "n"), (2.0, 1.0, 11), (3.0, 2.0, 21), (5.0, 1.5, 16))
    made = vo.network_contrasts(arms, measure="SMD")
    sd = np.sqrt((10 * 1.0 + 20 * 4.0 + 15 * 2.25) / 45)
    from math import lgamma

    j = np.exp(lgamma(22.5) - lgamma(22.0)) / np.sqrt(22.5)
    g = j * (2.0 - 3.0) / sd
    assert made["effect"][0] == pytest.approx(g, rel=1e-12)
    assert made["variance"][0] == pytest.approx(1 / 11 + 1 / 21 + g**2 / (2 * 48), rel=1e-12)


def test_the_constant_goes_to_every_arm_of_the_study():
    made = vo.network_contrasts(three(("events", "n"), (0, 30), (3, 31), (8, 29)), measure="OR")
    odds = [np.log((e + 0.5) / (n - e + 0.5)) for e, n in ((0, 30), (3, 31), (8, 29))]
    assert made["effect"].tolist() == pytest.approx(
        [odds[0] - odds[1], odds[0] - odds[2], odds[1] - odds[2]]
    )
    assert made["corrected"].all()
    raw = vo.network_contrasts(
        three(("events", "n"), (0, 30), (3, 31), (8, 29)), measure="OR", add=0
    )
    assert raw["effect"].isna().tolist() == [True, True, False]


def test_a_study_without_events_is_left_out_with_the_reason():
    empty = three(("events", "n"), (0, 30), (0, 31), (0, 29), study="empty")
    full = three(("events", "n"), (2, 30), (3, 31), (8, 29), study="full")
    made = vo.network_contrasts(pd.concat([empty, full]), measure="RR")
    net = vo.pool_network(made)
    assert net.k == 1
    assert {x.study for x in net.excluded} == {"empty"}
    assert "no event in any arm" in net.excluded[0].reason
    kept = vo.network_contrasts(pd.concat([empty, full]), measure="RR", drop_double_zero=False)
    assert vo.pool_network(kept).k == 2


def test_a_missing_arm_leaves_the_others():
    arms = three(("mean", "sd", "n"), (2.1, 1.0, 20), (2.5, np.nan, 25), (3.9, 1.2, 22))
    made = vo.network_contrasts(arms, measure="MD")
    assert made["effect"].isna().tolist() == [True, False, True]
    net = vo.pool_network(made)
    assert net.treatments == ("NSM", "VP")
    assert len(net.excluded) == 2


@pytest.mark.parametrize(
    ("arms", "options", "words"),
    [
        (three(("events", "n"), (1, 9), (2, 9), (3, 9)), {"measure": "HR"}, "OR, RR, RD"),
        (three(("events", "n"), (1, 9), (2, 9), (3, 9)), {"measure": "MD"}, "columns mean, sd"),
        (three(("events", "n"), (10, 9), (2, 9), (3, 9)), {"measure": "OR"}, "more events than n"),
        (
            three(("events", "n"), (1, 9), (2, 9), (3, 9))[:1],
            {"measure": "OR"},
            "only one arm in s",
        ),
        (
            three(("events", "n"), (1, 9), (2, 9), (3, 9)).assign(treatment="VP"),
            {"measure": "OR"},
            "a treatment stands twice in s",
        ),
        (
            three(("events", "n"), (1, 9), (2, 9), (3, 9)),
            {"measure": "OR", "add": -1},
            "at least 0",
        ),
        ("arms.csv", {"measure": "OR"}, "a DataFrame"),
    ],
)
def test_refused(arms, options, words):
    with pytest.raises(vo.InputError, match=words):
        vo.network_contrasts(arms, **options)
