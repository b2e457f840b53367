"""Responders against counts by hand, scipy's Welch test, and a curve written out."""

from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import vertebro_outcomes as vo

QUESTION = {"outcome": "pain_vas", "treatment": "KP", "comparator": "NSM", "day": 30}
# (arm, baseline, day 30); the last two lack a baseline, or the day
PATIENTS = [
    ("KP", 8.1, 2.0), ("KP", 7.0, 3.5), ("KP", 6.0, 4.2), ("KP", 9.0, 9.0), ("KP", 7.7, 3.0),
    ("NSM", 8.0, 7.0), ("NSM", 6.0, 3.0), ("NSM", 7.0, 8.0), ("NSM", 9.0, 6.3), ("NSM", 5.0, 5.0),
    ("NSM", None, 2.0), ("KP", 7.0, None),
]  # fmt: skip


def cohort(patients=PATIENTS, instrument="pain_vas"):
    ids = [f"p{i:02d}" for i in range(len(patients))]
    rows = [
        {"patient_id": name, "day": day, "value": value}
        for name, (_, *values) in zip(ids, patients, strict=True)
        for day, value in zip((0, 30), values, strict=True)
        if value is not None
    ]
    return vo.Cohort.from_frames(
        patients=pd.DataFrame({"patient_id": ids}),
        episodes=pd.DataFrame({"patient_id": ids, "treatment": [arm for arm, *_ in patients]}),
        scores=pd.DataFrame(rows).assign(instrument=instrument),
    )


def improvements(arm):
    return [
        Fraction(str(before)) - Fraction(str(after))
        for a, before, after in PATIENTS
        if a == arm and None not in (before, after)
    ]


def test_shares_are_counted_by_hand():
    found = vo.responders(cohort(), **QUESTION)
    table = found.to_frame().set_index("response")
    for name, share in (("better_30pct", Fraction(3, 10)), ("better_50pct", Fraction(1, 2))):
        for suffix, arm in (("t", "KP"), ("c", "NSM")):
            yes = [
                Fraction(str(b)) - Fraction(str(y)) >= share * Fraction(str(b))
                for a, b, y in PATIENTS
                if a == arm and None not in (b, y)
            ]
            assert table.loc[name, f"responders_{suffix}"] == sum(yes)
            assert table.loc[name, f"n_{suffix}"] == len(yes)
    assert table.loc["at_most_3", ["responders_t", "n_t", "responders_c", "n_c"]].tolist() == [
        2,
        5,
        2,
        6,
    ]


def test_unadjusted_differences_are_welch_tests_of_zeros_and_ones():
    table = vo.responders(cohort(), **QUESTION).to_frame().set_index("response")
    row = table.loc["better_30pct"]
    t, c = (
        np.r_[
            np.ones(int(row[f"responders_{s}"])),
            np.zeros(int(row[f"n_{s}"] - row[f"responders_{s}"])),
        ]
        for s in "tc"
    )
    test = stats.ttest_ind(t, c, equal_var=False)
    interval = test.confidence_interval(0.95)
    assert row["estimate"] == pytest.approx(row["share_t"] - row["share_c"], abs=1e-12)
    assert row["p_value"] == pytest.approx(test.pvalue, rel=1e-9)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx(interval, rel=1e-9)


def test_the_curve_is_the_share_with_at_least_so_much():
    found = vo.responders(cohort(), **QUESTION)
    assert (found.n_t, found.n_c) == (5, 5)
    t, c = improvements("KP"), improvements("NSM")
    points = sorted(set(t) | set(c))
    assert found.curve["improvement"].tolist() == pytest.approx([float(x) for x in points])
    assert found.curve["share_t"].tolist() == [sum(g >= x for g in t) / 5 for x in points]
    assert found.curve["share_c"].tolist() == [sum(g >= x for g in c) / 5 for x in points]


def test_where_high_is_good_improvement_is_a_rise():
    turned = [(a, b and b * 10, y and y * 10) for a, b, y in PATIENTS]
    found = vo.responders(cohort(turned, "eq5d_vas"), **QUESTION | {"outcome": "eq5d_vas"})
    assert found.curve["improvement"].min() == pytest.approx(-10 * float(max(improvements("KP"))))
    table = found.to_frame().set_index("response")
    assert table.loc["at_most_3", "reason"]
    assert np.isnan(table.loc["at_most_3", "estimate"])
    assert "not estimable" in str(found)


def test_it_shows_itself():
    found = vo.responders(cohort(), **QUESTION)
    assert "responders to KP vs NSM" in str(found)
    assert "at least 30 % better" in found._repr_html_()
    ax = found.plot()
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        "KP (n = 5)",
        "NSM (n = 5)",
    ]
    made, _ = vo.simulate_registry(n_patients=150, seed=2, scenario="randomised")
    synthetic = vo.responders(made, method="ancova", **QUESTION)
    assert "Synthetic data" in str(synthetic)
    assert [text.get_text() for text in synthetic.plot().texts] == ["synthetic"]


def test_what_cannot_be_meant_is_refused():
    with pytest.raises(vo.InputError, match="method"):
        vo.responders(cohort(), method="mmrm", **QUESTION)
    alone = [(a, b if a == "KP" else None, y) for a, b, y in PATIENTS]
    with pytest.raises(vo.InputError, match="nobody has pain_vas"):
        vo.responders(cohort(alone), **QUESTION)


def many(seed=5, n=160):
    rng = np.random.default_rng(seed)
    arm = np.where(np.arange(n) % 2 == 0, "KP", "NSM")
    before = rng.uniform(5, 10, n).round(1)
    after = np.clip(before - rng.normal(2, 2, n) - (arm == "KP"), 0, 10).round(1)
    seen = rng.random(n) > 0.25 * (before > 7)
    return [(a, b, y if s else None) for a, b, y, s in zip(arm, before, after, seen, strict=True)]


def test_differences_are_those_of_compare_with_the_same_imputations():
    c = cohort(many())
    how = {"missing": "multiple_imputation", "n_imputations": 4, "seed": 3}
    found = vo.responders(c, **QUESTION, **how).to_frame().set_index("response")
    assert len(found) == 4
    for name, row in found.iterrows():
        one = vo.compare(c, method="unadjusted", response=name, **QUESTION, **how)
        assert row["estimate"] == pytest.approx(one.estimate, abs=1e-12)
        assert row["se"] == pytest.approx(one.se, abs=1e-12)
    seen = vo.responders(c, **QUESTION).to_frame().set_index("response")
    assert found["share_t"].equals(seen["share_t"])
    assert not np.allclose(found["estimate"], seen["estimate"])
    assert "also stand for patients alive without the score" in str(
        vo.responders(c, **QUESTION, **how)
    )
    with pytest.raises(vo.InputError, match="censoring_weights go with"):
        vo.responders(c, method="aipw", missing="censoring_weights", **QUESTION)
