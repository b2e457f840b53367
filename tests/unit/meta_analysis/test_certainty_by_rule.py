"""Figures that nobody saw in the source weaken a result, and notes take their numbers from the sheets."""

import re
from dataclasses import replace

import pytest

import vertebro_outcomes as vo
from vertebro_outcomes.meta_analysis.certainty_by_rule import LEVELS, rate_certainty, unsure_weight
from vertebro_outcomes.meta_analysis.note_words import NOTE_NUMBERS, note_words


@pytest.fixture(scope="module")
def literature():
    return vo.load_literature()


@pytest.fixture(scope="module")
def found(literature):
    question = next(q for q in vo.QUESTIONS if q.id == "pain_vp_sham_1m")
    return question, vo.answer(question, literature)


def with_(answer, **columns):
    return replace(answer, entered=answer.entered.assign(**columns))


def test_unseen_figures_with_half_the_weight_cost_a_step(found):
    question, answer = found
    weights = answer.pooled.weights_pct
    clean = with_(answer, verification="seen", direction_basis="stated")
    assert rate_certainty(question, clean).reasons == ()
    heaviest = int(max(range(answer.k), key=lambda i: weights[i]))
    assert weights[heaviest] > 50
    for at in range(answer.k):
        marks = ["corroborated" if i == at else "seen" for i in range(answer.k)]
        rated = rate_certainty(question, with_(clean, verification=marks))
        said = f"{weights[at]:.0f}% of the weight rests on figures not seen in the source text"
        assert rated.reasons == (said if at == heaviest else f"{said} (no step down)",)
        steps = LEVELS.index(rate_certainty(question, clean).level) - LEVELS.index(rated.level)
        assert steps == (at == heaviest)


def test_inferred_directions_count_with_them(found):
    question, answer = found
    share, what = unsure_weight(answer)
    assert share == pytest.approx(100)
    assert what == "figures not seen in the source text or an inferred direction"
    assert rate_certainty(question, answer).level == "moderate"
    assert unsure_weight(replace(answer, pooled=None)) == (0.0, "")


def test_notes_hold_no_number_of_their_own():
    for question in vo.QUESTIONS:
        assert not re.search(r"\d", re.sub(r"\{\w+\}", "", question.note)), question.id


def test_numbers_of_notes_come_from_the_rows(literature):
    rows = literature.arm_binary
    row = rows[
        (rows.study_id == "comstock2013") & (rows.outcome == "crossover") & (rows.arm == "SHAM")
    ]
    other = literature.arm_binary.copy()
    other.loc[row.index, "events"] = 21
    assert "60.3%" in note_words("{crossed_over}", literature)
    changed = replace(literature, arm_binary=other)
    assert note_words("{crossed_over}", changed) == "33.3%"  # 21 of 63
    hazards = literature.contrasts[literature.contrasts.study_id == "gold2023"]
    assert note_words("{lowest_death_hr}-{highest_death_hr}", literature) == (
        f"{hazards['estimate'].min():.2f}-{hazards['estimate'].max():.2f}"
    )
    label = literature.studies.set_index("study_id").loc["buchbinder2009", "label"]
    assert note_words("{buchbinder2009} and {nobody}", literature) == f"{label} and nobody"


@pytest.mark.parametrize("name", NOTE_NUMBERS)
def test_without_its_rows_a_note_says_so(literature, name):
    bare = replace(
        literature,
        arm_binary=literature.arm_binary.iloc[:0],
        contrasts=literature.contrasts.iloc[:0],
    )
    assert note_words(f"{{{name}}}", bare) == "not in the sheets"
