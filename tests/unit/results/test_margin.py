"""Equivalence and non-inferiority against scipy's t-tests, their laws, and the two figures."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import vertebro_outcomes as vo

QUESTION = {"outcome": "pain_vas", "treatment": "KP", "comparator": "VP", "day": 30}


def cohort(effect=0.1, *, n=80, seed=3, instrument="pain_vas"):
    rng = np.random.default_rng(seed)
    ids = [f"p{i:03d}" for i in range(n)]
    arm = np.where(rng.random(n) < 0.5, "KP", "VP")
    base = rng.normal(7, 1, n)
    parts = [pd.DataFrame({"patient_id": ids, "day": 0, "value": base})]
    for day in (7, 30, 90):
        y = 3 + 0.2 * (base - 7) + effect * (arm == "KP") + rng.normal(0, 1, n)
        parts.append(pd.DataFrame({"patient_id": ids, "day": day, "value": y.clip(0, 10)}))
    patients = pd.DataFrame({"patient_id": ids})
    return vo.Cohort.from_frames(
        patients=patients,
        episodes=pd.DataFrame({"patient_id": ids, "treatment": arm, "day0": "treatment"}),
        scores=pd.concat(parts, ignore_index=True).assign(instrument=instrument),
    )


def by_arm(data):
    scores = data.scores.to_pyarrow().to_pandas()
    scores = scores[scores["day"] == 30].merge(data.episodes.to_pyarrow().to_pandas())
    return [scores.loc[scores["treatment"] == arm, "value"].to_numpy() for arm in ("KP", "VP")]


def compared(data, method="unadjusted", **options):
    return vo.compare(data, method=method, **QUESTION | options)


def test_both_p_values_are_one_sided_welch_tests_of_shifted_scores():
    data = cohort()
    t, c = by_arm(data)
    found = compared(data).against_margin(0.5)
    not_worse = stats.ttest_ind(t - 0.5, c, equal_var=False, alternative="less").pvalue
    not_better = stats.ttest_ind(t + 0.5, c, equal_var=False, alternative="greater").pvalue
    assert found.p_not_worse == pytest.approx(not_worse, rel=1e-9)
    assert found.p_not_better == pytest.approx(not_better, rel=1e-9)
    assert found.p_equivalent == max(found.p_not_worse, found.p_not_better)


@pytest.mark.parametrize("alpha", [0.025, 0.05])
def test_equivalent_is_the_interval_within_the_margin(alpha):
    found = compared(cohort(0.2))
    low, high = found.against_margin(1.0).interval(1 - 2 * alpha)
    edge = max(abs(low), abs(high))
    assert found.against_margin(edge * 1.0001, alpha=alpha).verdict == "equivalent"
    assert found.against_margin(edge * 0.9999, alpha=alpha).verdict != "equivalent"


def test_the_four_verdicts():
    much_worse = compared(cohort(2.0))
    assert much_worse.against_margin(0.5).verdict == "inferior"
    assert much_worse.against_margin(much_worse.estimate).verdict == "not shown"
    assert much_worse.against_margin(5).verdict == "equivalent"
    assert compared(cohort(-2.0)).against_margin(0.5).verdict == "non-inferior"


def test_where_high_is_good_the_sides_change_places():
    low, high = cohort(-1.6), cohort(-1.6, instrument="odi")
    lower = compared(low).against_margin(0.3)
    higher = compared(high, outcome="odi").against_margin(0.3, better="higher")
    assert (lower.verdict, higher.verdict) == ("non-inferior", "inferior")
    assert lower.p_not_worse == pytest.approx(higher.p_not_better, rel=1e-12)


def test_swapping_the_arms_swaps_the_tests():
    data = cohort(0.3)
    one = compared(data).against_margin(0.6)
    two = compared(data, treatment="VP", comparator="KP").against_margin(0.6)
    assert one.p_not_worse == pytest.approx(two.p_not_better, rel=1e-9)


def test_the_margin_is_the_smallest_worthwhile_change_unless_stated():
    found = compared(cohort()).against_margin()
    change = vo.OUTCOMES["pain_vas"].worthwhile
    assert found.margin == change.value
    assert change.study_id in str(found)
    assert found.to_frame()["verdict"].tolist() == ["equivalent", "equivalent"]
    assert "KP is equivalent to VP" in found._repr_html_()
    assert "as stated" in str(compared(cohort()).against_margin(1))


def test_responders_are_better_the_more_there_are():
    found = compared(cohort(), response="at_most_3")
    assert found.against_margin(0.1).better == "higher"
    with pytest.raises(vo.InputError, match="margin"):
        found.against_margin()


def test_what_cannot_be_meant_is_refused():
    found = compared(cohort())
    for wrong in (0, -1, "x", float("nan"), True):
        with pytest.raises(vo.InputError, match="margin"):
            found.against_margin(wrong)
    for wrong in (0.0, 0.5, "x"):
        with pytest.raises(vo.InputError, match="alpha"):
            found.against_margin(1, alpha=wrong)
    with pytest.raises(vo.InputError, match="better"):
        found.against_margin(1, better="sideways")
    withheld = replace(found, estimate=np.nan, se=np.nan, withheld="overlap").against_margin(1)
    assert withheld.verdict == "withheld"
    assert "withheld" in str(withheld)
    with pytest.raises(vo.InputError, match="withheld"):
        withheld.plot()


def test_the_figure_has_a_line_at_each_margin():
    found = replace(compared(cohort()), synthetic=True).against_margin(0.7)
    ax = found.plot()
    assert {-0.7, 0.7} <= {line.get_xdata()[0] for line in ax.lines if len(line.get_xdata()) == 2}
    words = [text.get_text() for text in ax.texts]
    assert words == ["KP better", "VP better", "synthetic"]
    assert str(found).endswith("Synthetic data.")


def test_differences_are_drawn_against_the_worthwhile_change():
    found = replace(compared(cohort(), method="mmrm"), synthetic=True)
    ax = found.plot(kind="difference")
    ticks = [label.get_text() for label in ax.get_xticklabels()]
    visits = found.by_visit
    assert ticks[1] == f"day 30\nKP {visits.n_t[1]}\nVP {visits.n_c[1]}"
    assert visits["estimate"].tolist() in [list(line.get_ydata()) for line in ax.lines]
    change = vo.OUTCOMES["pain_vas"].worthwhile.value
    band = ax.patches[0].get_extents().transformed(ax.transData.inverted())
    assert (band.y0, band.y1) == pytest.approx((-change, change))
    assert [text.get_text() for text in ax.texts] == ["KP better", "VP better", "synthetic"]
    trajectory = found.plot(kind="trajectory")
    assert "synthetic" in [text.get_text() for text in trajectory.texts]
    with pytest.raises(vo.InputError, match="kind"):
        compared(cohort()).plot(kind="difference")
