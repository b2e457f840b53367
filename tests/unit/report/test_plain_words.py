"""Answers in a few plain words."""

from dataclasses import replace

import numpy as np
import pytest

import vertebro_outcomes as vo
from vertebro_outcomes.meta_analysis.certainty_by_rule import rate_certainty
from vertebro_outcomes.report.plain_words import how_many, in_short

QUESTIONS = {question.id: question for question in vo.QUESTIONS}


@pytest.fixture(scope="module")
def literature():
    return vo.load_literature()


@pytest.mark.parametrize(
    ("name", "level", "said"),
    [
        ("pain_vp_sham_1m", "moderate", "Probably no difference that matters"),  # -1.07 to 0.02
        ("pain_vp_sham_12m", "high", "A difference too small to matter"),  # -1.22 to -0.21
        ("pain_vp_sham_24m", "low", "Unclear whether there is a difference"),  # -2.45 to 0.25
        ("pain_vp_nsm_1m", "very low",  # -3.13 to -1.67, all of it beyond 1.5
         "Very uncertain: a difference that matters: lower with vertebroplasty (better)"),
        ("pain_vp_nsm_12m", "very low",  # -1.60 (-2.45 to -0.75)
         "Very uncertain: a difference that may well matter: lower with vertebroplasty (better)"),
        ("leakage_vp", "very low", "Very uncertain: about 27 of 100 patients"),
        ("pain_kp_vp_12m", "very low", "Very uncertain: no benefit that matters"),  # -0.29 to 1.69
        ("fracture_vp_sham", "moderate", "Unclear whether there is a difference"),
        ("leakage_kp_vp_levels", "moderate", "Probably lower with balloon kyphoplasty (better)"),
        ("pain_vp_nsm_1w", "none", "Nothing could be computed"),
    ],
)  # fmt: skip
def test_in_short(literature, name, level, said):
    answer = vo.answer(QUESTIONS[name], literature)
    assert in_short(QUESTIONS[name], answer, level) == said
    assert rate_certainty(QUESTIONS[name], answer).level in (
        "none",
        "very low",
        "low",
        "moderate",
        "high",
    )


@pytest.mark.parametrize(
    ("share", "said"),
    [(0.0, "fewer than 1 of 1,000 levels"), (0.0051, "about 1 of 100 levels"),
     (1.0, "about 100 of 100 levels"),
     (0.003, "about 3 of 1,000 levels")],
)  # fmt: skip
def test_how_many(share, said):
    assert how_many(share, of="levels") == said


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [(0.9, 1.1, "Probably little or no difference"), (0.5, 2.0, "Unclear whether there is a difference"),
     (0.9, 1.5, "Unclear whether there is a difference"),
     (0.4, 0.8, "Probably lower with vertebroplasty (better)")],
)  # fmt: skip
def test_an_interval_without_a_side_is_narrow_or_says_nothing(literature, low, high, said):
    answer = vo.answer(QUESTIONS["fracture_vp_sham"], literature)
    limits = {"estimate": np.log(low * high) / 2, "ci_low": np.log(low), "ci_high": np.log(high)}
    made = replace(answer, pooled=replace(answer.pooled, **limits))
    assert in_short(QUESTIONS["fracture_vp_sham"], made, "moderate") == said
