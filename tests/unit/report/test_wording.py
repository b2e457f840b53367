"""Words that follow from results by rule: direction, worthwhile difference, caveats, tally."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from vertebro_outcomes.meta_analysis.pool import pool
from vertebro_outcomes.meta_analysis.questions import QUESTIONS
from vertebro_outcomes.report.wording import (
    against_worthwhile,
    caveats,
    direction,
    sentence,
    size,
    tally,
    worthwhile,
)
from vertebro_outcomes.results.answer import Answer

PAIN = next(question for question in QUESTIONS if question.id == "pain_vp_sham_12m")


def found(effects, ses, *, measure="MD", better="lower", **columns):
    k = len(effects)
    entered = pd.DataFrame(
        {
            "study": [f"T{i}" for i in range(k)],
            "effect": effects,
            "variance": np.square(ses),
            "design": "rct_sham",
            "verification": "seen",
            **columns,
        }
    )
    return Answer(
        question_id=PAIN.id,
        title="Pain",
        measure=measure,
        treatment="VP",
        comparator="SHAM",
        unit="points" if measure == "MD" else "",
        better=better,
        entered=entered,
        left_out=pd.DataFrame(),
        pooled=pool(entered, measure=measure, method="REML") if k else None,
    )


NOTHING = found([], [])
SMALL = found([-0.5, -0.6, -0.4], [0.1, 0.1, 0.1])  # clear, far from 1.5
LARGE = found([-2.0, -2.1, -1.9], [0.1, 0.1, 0.1])
WIDE = found([-1.0, -1.2], [0.6, 0.7])
HARM = found([0.5, 0.6, 0.4], [0.1, 0.1, 0.1])


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (SMALL, "lower with vertebroplasty (better)"),
        (HARM, "higher with vertebroplasty (worse)"),
        (replace(HARM, better="higher"), "higher with vertebroplasty (better)"),
        (replace(HARM, better=""), "higher with vertebroplasty"),
        (found([0.1, -0.1], [0.3, 0.3]), "no clear difference"),
        (found([-3.0], [0.2], measure="PLO"), ""),
        (NOTHING, "nothing could be computed"),
    ],
)
def test_direction(answer, said):
    assert direction(answer) == said


def test_the_smallest_worthwhile_difference_has_the_sign_of_a_benefit():
    assert worthwhile(PAIN, SMALL) == -1.5
    assert worthwhile(replace(PAIN, outcome_family="physical_component"), SMALL) > 0
    assert worthwhile(replace(PAIN, scale="printed"), SMALL) is None
    assert worthwhile(PAIN, found([-0.5, -0.6], [0.1, 0.1], measure="SMD")) is None


@pytest.mark.parametrize(
    ("answer", "begins"),
    [
        (SMALL, "the interval excludes the"),
        (HARM, "the interval excludes the"),
        (found([0.7], [0.5]), "the interval excludes a benefit as large as the smallest"),
        (
            found([0.1], [1.0]),
            "the interval includes the smallest worthwhile difference of 1.5 points on",
        ),
        (WIDE, "the estimate is below"),
        (LARGE, "the "),
        (NOTHING, ""),
    ],
)
def test_against_the_smallest_worthwhile_difference(answer, begins):
    said = against_worthwhile(PAIN, answer)
    assert said.startswith(begins)
    assert ("1.5 points" in said) == bool(begins)


def test_caveats_are_found_by_rule():
    assert caveats(SMALL) == []
    assert caveats(NOTHING) == []
    assert [str(c) for c in caveats(found([-0.5], [0.1]))] == ["one study only"]
    assert str(caveats(WIDE)[0]) == "2 studies only"
    split = found([-2.0, -0.5, -1.0, 0.2], [0.1, 0.1, 0.1, 0.1])
    assert any("studies disagree" in str(c) for c in caveats(split))
    designs = found(
        [-0.5, -0.6, -0.4],
        [0.1, 0.1, 0.1],
        design=["rct_sham", "claims", "case_series"],
        verification=["seen", "seen", "corroborated"],
    )
    assert [str(c) for c in caveats(designs)] == [
        "2 of 3 not randomised",
        "1 of 3 not seen in the source text",
    ]


def test_a_clear_mean_with_a_prediction_across_no_effect():
    answer = found([-1.6, -0.2, -1.0, -0.3, -1.4, -0.1], [0.15] * 6)
    fit = answer.pooled
    assert fit.ci_high < 0 < fit.prediction_high
    assert any("a new study may find none" in str(c) for c in caveats(answer))


def test_size_and_sentence():
    assert size(NOTHING) == "no usable result"
    assert size(SMALL) == "−0.50 points (−0.61 to −0.39)"  # 1.96 * 0.1 / sqrt(3) = 0.113
    assert str(sentence(PAIN, NOTHING)) == "No study could enter."
    assert str(sentence(PAIN, SMALL)).startswith(
        "Mean difference −0.50 points (−0.61 to −0.39), 3 studies; lower with vertebroplasty"
    )
    ratio = found([math.log(0.5)] * 3, [0.2] * 3, measure="RR")
    assert str(sentence(PAIN, ratio)).startswith("Risk ratio 0.50 (0.40 to 0.63), 3 studies")


def test_tally_counts_each_side_once():
    pairs = [(PAIN, answer) for answer in (SMALL, LARGE, HARM, WIDE, NOTHING)]
    unclear = found([0.1, -0.1], [0.3, 0.3])
    said = str(tally([*pairs, (PAIN, unclear)]))
    assert said == (
        "Of 5 results: 3 favour vertebroplasty, 1 favours sham procedure, 1 shows no clear "
        "difference. The smallest worthwhile difference of 1.5 points is reached by 1 of 5 "
        "estimates."
    )
    assert str(tally([(PAIN, NOTHING)])) == "No result could be computed."
