"""One row per trial enters, every other row has its reason, and published pools come out."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo
from tests import shipped
from vertebro_outcomes.meta_analysis.evidence import COMPARATIVE, OBSERVATIONAL
from vertebro_outcomes.meta_analysis.questions import QUESTIONS

QUESTION = {question.id: question for question in QUESTIONS}


def select(treatment="VP", comparator="SHAM", **changes):
    asked = {"outcome_family": "pain", "measure": "MD", "day_window": (21, 45), **changes}
    return vo.select_contrasts(
        shipped.literature(), treatment=treatment, comparator=comparator, **asked
    )


def reason(evidence, line):
    rows = evidence.left_out
    [found] = rows[rows["source_lines"].str.contains(f"{line}(?:,|$)")]["reason"]
    return found


def rounded(fit):
    return [round(float(x), 2) for x in (fit.estimate, fit.ci_low, fit.ci_high)]


def test_one_month_pain_against_sham_takes_each_trial_once():
    rows = select().rows
    assert rows["trial_id"].tolist() == ["kallmes2009", "buchbinder2009", "firanescu2018"]
    assert rows["source"].tolist() == ["arms", "arms", "contrast"]
    assert rows["source_lines"].tolist() == [
        "arm_continuous.csv:372, arm_continuous.csv:373",
        "arm_continuous.csv:374, arm_continuous.csv:375",
        "contrasts.csv:17",
    ]


def test_the_first_two_sham_trials_pool_to_the_published_value_with_the_sign_put_right():
    """-0.66 (-1.48, 0.15): the value of the 2011 review once improvements are changes."""
    arms = select().rows
    arms = arms[arms["source"] == "arms"]
    fit = vo.pool(vo.effect_sizes(arms, measure="MD"), method="DL")
    assert rounded(fit) == [-0.66, -1.48, 0.15]


@pytest.mark.parametrize(
    ("window", "printed"), [((21, 45), [-2.40, -3.13, -1.67]), ((300, 430), [-1.60, -2.45, -0.75])]
)
def test_pain_after_vertebroplasty_in_vertos_ii_is_what_the_review_prints(window, printed):
    rows = select(comparator="NSM", day_window=window).rows
    rows = rows[rows["trial_id"] == "klazen2010"]
    assert rounded(vo.pool(vo.effect_sizes(rows, measure="MD"), method="EE")) == printed


def test_reasons_in_words():
    evidence = select()
    assert reason(evidence, "contrasts.csv:2").startswith("holds the patients of buchbinder2009")
    assert reason(evidence, "contrasts.csv:8") == "other time point (1 year; intention to treat)"
    assert reason(evidence, "contrasts.csv:6").startswith("the same trial enters with arm_cont")
    assert reason(evidence, "arm_continuous.csv:131") == "a figure of a review, not a study"
    year = select(day_window=(300, 430))
    assert reason(year, "contrasts.csv:10") == "the same trial enters with contrasts.csv:8"
    assert reason(year, "arm_continuous.csv:20") == "patients per arm not printed"
    fractures = select(
        comparator="NSM", outcome_family="new_vertebral_fracture", measure="OR", day_window=None
    )
    assert reason(fractures, "arm_binary.csv:317") == "counts levels, not patients"
    assert reason(fractures, "arm_binary.csv:95") == "design: retrospective cohort"
    assert reason(fractures, "contrasts.csv:167") == "prints RR, not OR"
    assert reason(fractures, "arm_binary.csv:214") == "number with the event not printed"
    kp = select("KP", "NSM", day_window=(640, 820))
    assert reason(kp, "contrasts.csv:47") == "scale not printed"
    assert reason(kp, "contrasts.csv:46") == "an average over the follow-up, not a time point"


def test_inferred_directions_can_be_excluded():
    evidence = select(inferred="exclude")
    assert evidence.rows["trial_id"].tolist() == ["kallmes2009", "buchbinder2009"]
    assert reason(evidence, "contrasts.csv:17") == "direction inferred, not stated"


def test_every_row_about_a_question_is_used_or_left_out():
    evidence = select(
        "KP", "VP", outcome_family="new_vertebral_fracture", measure="OR", day_window=None
    )
    lines = [*evidence.rows["source_lines"], *evidence.left_out["source_lines"]]
    seen = {part for text in lines for part in text.split(", ")}
    assert len(seen) == sum(len(text.split(", ")) for text in lines)
    for line in (53, 54):  # both printed differences of KAVIAR
        assert f"contrasts.csv:{line}" in seen
    table = shipped.literature().arm_binary
    wanted = table[
        (table["study_id"] == "dohm2014") & (table["outcome"] == "new_vertebral_fracture")
    ]
    assert set(wanted["source_line"]) <= seen


def test_swapping_the_arms_turns_the_sign_and_nothing_else():
    there, back = select("KP", "VP", **_kp_vp()), select("VP", "KP", **_kp_vp())
    assert there.rows["trial_id"].tolist() == back.rows["trial_id"].tolist()
    one = vo.effect_sizes(there.rows, measure="SMD")
    other = vo.effect_sizes(back.rows, measure="SMD")
    np.testing.assert_allclose(one["effect"], -other["effect"], rtol=1e-12)
    np.testing.assert_allclose(one["variance"], other["variance"], rtol=1e-12)


def _kp_vp():
    return {
        "measure": "SMD",
        "day_window": (1, 10),
        "designs": COMPARATIVE,
        "missing_n": "randomised",
    }


def test_studies_of_the_same_medicare_years_count_once():
    """Give the Medicare studies without an interval one, and the largest of each period stays."""
    contrasts = shipped.literature().contrasts.copy()
    death = (contrasts["outcome"] == "death") & contrasts["measure"].eq("HR")
    bare = death & contrasts["study_id"].isin(["edidin2011", "ong2018"])
    for name, factor, shift in (("ci_low", 0.9, "0.10"), ("ci_high", 1.1, "0.90")):
        contrasts.loc[bare, name] = contrasts.loc[bare, "estimate"] * factor
        contrasts.loc[bare, f"{name}_canonical"] = contrasts.loc[bare, name]
        contrasts.loc[bare, f"{name}_printed"] = shift
    contrasts.loc[bare, "not_poolable_because"] = ""
    evidence = vo.select_contrasts(
        replace(shipped.literature(), contrasts=contrasts),
        outcome_family="death",
        treatment=("VP", "KP", "VA"),
        comparator="NSM",
        measure="HR",
        day_window=(300, 4000),
        designs=OBSERVATIONAL,
    )
    assert set(evidence.rows["study_id"]) == {"ong2018", "gold2023"}
    left = evidence.left_out.set_index("study_id")["reason"]
    assert left["edidin2011"] == "may hold the patients of ong2018 again (US Medicare 2005-2014)"
    assert left["mccullough2013"].startswith("may hold the patients of ong2018 again")


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"outcome_family": "pian"}, "pian"),
        ({"treatment": "PV"}, "PV"),
        ({"comparator": ("NSM", "x")}, "x"),
        ({"measure": "WMD"}, "WMD"),
    ],
)
def test_wrong_words_are_refused(changes, word):
    with pytest.raises(vo.InputError, match=word):
        select(**changes)


EXPECTED = {
    "pain_vp_sham_1w": ["firanescu2018"],
    "pain_vp_sham_3m": ["firanescu2018", "buchbinder2009"],
    "pain_vp_sham_12m": ["kallmes2009", "firanescu2018", "carli2023", "buchbinder2009"],
    "fracture_vp_nsm": ["klazen2010", "cn540242073", "blasco2012"],
    "fracture_vp_sham": ["buchbinder2009", "firanescu2018"],
    "pcs_kp_nsm_1m": ["wardlaw2009"],
    "pain_kp_nsm_12m": ["wardlaw2009"],
    "fracture_kp_vp": ["dohm2014"],
    "leakage_kp_vp_levels": ["dohm2014"],
    "leakage_kp_vp_patients": ["cn_haikou260"],
    "death_va_nsm_1y": ["gold2023", "mccullough2013"],
    "death_va_nsm_long": [],
    "pulmonary_embolism_vp": ["klazen2010"],
}


@pytest.mark.parametrize("name", EXPECTED)
def test_the_trials_that_answer_a_question(name):
    assert shipped.answer_of(name).entered["trial_id"].tolist() == EXPECTED[name]


@pytest.mark.parametrize("name", QUESTION)
def test_an_answer_is_whole(name):
    answer = shipped.answer_of(name)
    assert answer.entered["trial_id"].is_unique
    assert (answer.pooled is None) == (answer.k == 0)
    if answer.pooled is not None:
        assert answer.pooled.k == answer.k
        np.testing.assert_allclose(answer.pooled.effects, answer.entered["effect"], rtol=0)
    assert answer.left_out["reason"].str.len().gt(0).all()
    frame = answer.to_frame()
    assert len(frame) == answer.k
    for lines in (*frame["source_lines"], *answer.left_out["source_lines"]):
        for line in lines.split(", "):
            assert shipped.literature().trace(line)["source_line"] == line
    assert str(answer).startswith(answer.title)
    if answer.k == 1:
        assert "one study, not pooled" in str(answer)
        assert any("nothing is pooled" in note for note in answer.notes)


def test_a_printed_contrast_keeps_its_own_numbers():
    frame = shipped.answer_of("pain_vp_sham_12m").to_frame().set_index("study_id")
    carli = frame.loc["carli2023"]
    assert carli["printed"] == "MD 1.3 (0.1 to 2.6), SHAM against VP"
    assert carli["effect"] == -1.3
    assert carli["ci_high"] - carli["ci_low"] == pytest.approx(2.5, rel=1e-12)
    death = shipped.answer_of("death_va_nsm_1y").to_frame().set_index("study_id")
    assert death.loc["gold2023", "effect"] == pytest.approx(0.84, rel=1e-12)


def test_notes_say_what_a_reader_must_know():
    notes = " ".join(shipped.answer_of("pain_vp_sham_1m").notes)
    assert "Kallmes 2009, Buchbinder 2009: not seen" in notes
    assert "Firanescu 2018: direction inferred" in notes
    assert "Medicare" in " ".join(shipped.answer_of("death_va_nsm_1y").notes)
    assert "numbers randomised" in " ".join(shipped.answer_of("pain_kp_vp_1m").notes)


def test_question_ids_are_unique_and_families_known():
    assert len(QUESTION) == len(QUESTIONS)
    assert len(QUESTIONS) >= 30
    assert {question.outcome_family for question in QUESTIONS} <= set(vo.FAMILIES)


def test_of_two_arms_under_one_heading_the_second_is_listed():
    evidence = select(
        ("VP", "KP"), "SHAM", outcome_family="new_vertebral_fracture", measure="OR", day_window=None
    )
    assert "dohm2014" not in set(evidence.rows["study_id"])
    arms = shipped.literature().arm_binary.copy()
    arms.loc[arms["line"] == 69, ["arm", "arm_printed"]] = "SHAM"
    extra = arms[arms["line"] == 68].assign(arm="VP", line=9999, source_line="arm_binary.csv:9999")
    arms = pd.concat([arms, extra], ignore_index=True)
    changed = vo.select_contrasts(
        replace(shipped.literature(), arm_binary=arms),
        outcome_family="new_vertebral_fracture",
        treatment=("VP", "KP"),
        comparator="SHAM",
        measure="OR",
    )
    assert "dohm2014" in set(changed.rows["study_id"])
    assert reason(changed, "arm_binary.csv:9999").startswith("another arm or row of the same study")
