"""Networks on the published record: the trials of the pairwise answers, joined."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo
from vertebro_outcomes.meta_analysis.literature_network import (
    LITERATURE_NETWORKS,
    _whole_trials,
    literature_contrasts,
    literature_network,
)
from vertebro_outcomes.meta_analysis.question_list import Question
from vertebro_outcomes.meta_analysis.questions import answer

PAIN = LITERATURE_NETWORKS[0]


@pytest.fixture(scope="module")
def literature():
    return vo.load_literature()


@pytest.fixture(scope="module")
def pain(literature):
    return literature_network(PAIN, literature, method="EE")


def pair(literature, treatment, comparator):
    return answer(replace(PAIN, treatment=treatment, comparator=comparator), literature)


def test_the_trials_are_those_of_the_pairwise_answers(literature, pain):
    k = pain.comparisons.set_index(["treat_t", "treat_c"])["k"]
    assert k.loc[("NSM", "VP")] == pair(literature, "VP", "NSM").k
    assert k.loc[("SHAM", "VP")] == pair(literature, "VP", "SHAM").k
    assert pain.k == k.sum()


def test_without_closed_loops_each_comparison_is_its_own_pool(literature, pain):
    assert pain.inconsistency().loc["between designs", "q_df"] == 0
    for one, two in (("VP", "NSM"), ("VP", "SHAM")):
        entered = pair(literature, one, two).entered
        w = 1 / entered["variance"].to_numpy(float)
        expected = w @ entered["effect"].to_numpy(float) / w.sum()
        assert pain.estimate("common").loc[one, two] == pytest.approx(expected, rel=1e-10)
        assert pain.se("common").loc[one, two] == pytest.approx(w.sum() ** -0.5, rel=1e-10)


def test_an_indirect_comparison_is_a_difference(pain):
    """Bucher (1997): sham against non-surgical care over vertebroplasty; variances add up."""
    d, se = pain.estimate("common"), pain.se("common")
    over = d.loc["VP", "NSM"] - d.loc["VP", "SHAM"]
    assert d.loc["SHAM", "NSM"] == pytest.approx(over, abs=1e-12)
    both = np.hypot(se.loc["VP", "NSM"], se.loc["VP", "SHAM"])
    assert se.loc["SHAM", "NSM"] == pytest.approx(both, rel=1e-10)


def test_what_is_left_out_says_why(pain):
    used = set(pain.to_frame()["treatment"])
    assert used <= {"VP", "KP", "VAI", "SHAM", "FACET"}
    assert pain.excluded
    assert all(x.study and x.reason for x in pain.excluded)


@pytest.mark.parametrize("question", LITERATURE_NETWORKS, ids=lambda q: q.id)
def test_every_network_can_be_pooled(question, literature):
    net = literature_network(question, literature)
    assert net.reference == "NSM"
    assert len(net.treatments) >= 3
    assert net.measure == question.measure


def test_a_reference_without_trials_is_refused(literature):
    asked: Question = replace(PAIN, comparator="FACET")
    with pytest.raises(vo.InputError, match="no trial with FACET"):
        literature_network(asked, literature)


def test_a_multi_arm_trial_that_contradicts_itself_is_left_out():
    rows = [
        ("sound", "VP", "NSM", -1.0, 0.4, "s"),
        ("torn", "VP", "NSM", -1.0, 0.4, "t"),
        ("torn", "VP", "KP", 0.1, 0.4, "t"),
    ]
    columns = ["study", "treat_t", "treat_c", "effect", "se", "trial_id"]
    kept, broken = _whole_trials(pd.DataFrame(rows, columns=columns))
    assert list(kept["study"]) == ["sound"]
    assert [x.study for x in broken] == ["torn"]
    assert "no row for KP:NSM" in broken[0].reason


def test_a_trial_enters_the_network_by_the_figures_of_its_own_question(literature):
    (question,) = (q for q in vo.QUESTIONS if q.id == "pain_vp_sham_12m")
    alone = vo.answer(question, literature).entered.set_index("study")["effect"]
    (network,) = (q for q in LITERATURE_NETWORKS if q.id == "network_pain_12m")
    rows = literature_contrasts(network, literature)[0]
    joined = rows[rows["treat_c"].eq("SHAM") & rows["treat_t"].eq("VP")].set_index("study")[
        "effect"
    ]
    # Kroon 2014 prints a difference, and means without numbers: the difference is what counts
    assert joined.sort_index().to_dict() == alone.sort_index().to_dict()
    assert joined["Kroon 2014"] == pytest.approx(-0.3)
