"""A randomised trial as its authors publish it: one table, wide or long, and their results come out."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo

PIN = json.loads((Path(__file__).parents[2] / "reference" / "trial.json").read_text())
SCALE = vo.Instrument(low=0, high=100, better="lower", label="back pain", worthwhile=10)
NAMES = {
    "patient": "id", "arm": "allocation", "arms": {"VP": "active", "SHAM": "placebo"},
    "outcome": "back_pain", "instrument": SCALE, "synthetic": True,
}  # fmt: skip
ASKED = {"outcome": "back_pain", "treatment": "VP", "comparator": "SHAM"}
COVARIATES = ["baseline", "centre", "years"]


def long_frame():
    return pd.DataFrame(PIN["data"]).astype({"pain": float, "pain_before": float})


def wide_frame():
    own = ["id", "allocation", "centre", "years", "pain_before"]
    wide = long_frame().pivot(index=own, columns="week", values="pain").reset_index()
    return wide.rename(columns={w: f"pain_{w}w" for w in (2, 6, 12, 26)})


def as_wide():
    days = {"pain_before": 0} | {f"pain_{w}w": 7 * w for w in (2, 6, 12, 26)}
    return vo.trial_cohort(wide_frame(), scores=days, **NAMES)


def as_long():
    frame = long_frame().assign(visit=lambda d: "Week " + d["week"].astype(str))
    frame = frame.drop(columns="week").sample(frac=1, random_state=4)
    return vo.trial_cohort(frame, visit="visit", score="pain", baseline="pain_before", **NAMES)


@cache
def trial(shape):
    return {"wide": as_wide, "long": as_long}[shape]()


@pytest.mark.parametrize("shape", ["wide", "long"])
@pytest.mark.parametrize("week", [2, 6, 12, 26])
def test_ancova_is_that_of_lm(shape, week):
    expected = PIN["ancova"][str(week)]
    found = vo.compare(
        trial(shape),
        **ASKED,
        day=7 * week,
        method="ancova",
        covariates=COVARIATES,
        variance="model",
    )
    assert found.estimate == pytest.approx(expected["estimate"], abs=1e-9)
    assert found.se == pytest.approx(expected["se"], abs=1e-9)
    assert found.df == expected["df"]
    assert [found.ci_low, found.ci_high] == pytest.approx([expected["low"], expected["high"]])


@pytest.mark.parametrize("shape", ["wide", "long"])
@pytest.mark.parametrize(
    ("model", "by_visit"),
    [
        ("baseline_by_visit", ("baseline",)),
        ("baseline_once", ()),
        ("centre_by_visit", ("baseline", "centre")),
    ],
)
def test_the_mixed_model_is_that_of_gls(shape, model, by_visit):
    expected = PIN[model]["visits"]
    found = vo.compare(
        trial(shape), **ASKED, day=84, method="mmrm", covariates=COVARIATES, by_visit=by_visit
    )
    assert found.by_visit["day"].tolist() == [14, 42, 84, 182]
    for line, week in zip(found.by_visit.itertuples(), ("2", "6", "12", "26"), strict=True):
        assert line.estimate == pytest.approx(expected[week]["estimate"], abs=1e-5)
        assert line.se == pytest.approx(expected[week]["se"], abs=1e-5)


def test_a_change_score_gives_the_same_difference():
    found = vo.compare(
        trial("wide"), **ASKED, day=84, method="ancova", covariates=COVARIATES, variance="model"
    )
    assert found.estimate == pytest.approx(PIN["change_score"]["estimate"], abs=1e-9)


@pytest.mark.parametrize("method", ["ancova", "mmrm"])
def test_swapped_arms_and_other_units_give_what_they_must(method):
    asked = {"day": 84, "method": method, "covariates": COVARIATES}
    usual = vo.compare(trial("wide"), **ASKED, **asked)
    arms = {"outcome": "back_pain", "treatment": "SHAM", "comparator": "VP"}
    swapped = vo.compare(trial("wide"), **arms, **asked)
    assert swapped.estimate == pytest.approx(-usual.estimate, abs=1e-7)
    frame = wide_frame()
    scores = {"pain_before": 0} | {f"pain_{w}w": 7 * w for w in (2, 6, 12, 26)}
    frame[list(scores)] = 10 - frame[list(scores)] / 10
    turned = vo.Instrument(low=0, high=10, better="higher")
    other = vo.trial_cohort(frame, scores=scores, **{**NAMES, "instrument": turned})
    found = vo.compare(other, **ASKED, **asked)
    assert found.estimate == pytest.approx(-usual.estimate / 10, abs=1e-7)
    assert found.se == pytest.approx(usual.se / 10, rel=1e-6)


def test_an_effect_of_the_baseline_by_visit_is_for_models_of_all_visits():
    with pytest.raises(vo.errors.InputError, match="mmrm and gee have effects by visit"):
        vo.compare(trial("wide"), **ASKED, day=84, method="ancova", by_visit=("baseline", "centre"))
    with pytest.raises(vo.errors.InputError, match="by_visit"):
        vo.compare(trial("wide"), **ASKED, day=84, method="mmrm", by_visit=("centre",))
    with pytest.raises(vo.errors.InputError, match="a list of covariates"):
        vo.compare(trial("wide"), **ASKED, day=84, method="mmrm", by_visit="baseline")


def test_the_baseline_of_a_formula_counts_as_adjusted_for():
    formula = "~ baseline + centre + years"
    found = vo.compare(trial("wide"), **ASKED, day=84, method="ancova", covariates=formula)
    listed = vo.compare(trial("wide"), **ASKED, day=84, method="ancova", covariates=COVARIATES)
    assert found.estimate == pytest.approx(listed.estimate, abs=1e-9)
    assert "not adjusted for" not in str(found)


def test_the_clock_of_a_trial_starts_for_both_arms_at_once():
    arms = {"VP": "active", "NSM": "placebo"}
    scores = {"pain_before": 0, "pain_12w": 84}
    made = vo.trial_cohort(wide_frame(), scores=scores, **{**NAMES, "arms": arms})
    asked = {"outcome": "back_pain", "treatment": "VP", "comparator": "NSM", "day": 84}
    assert "immortal" not in str(vo.compare(made, **asked, method="ancova"))


def test_arms_left_out_are_said_and_arms_of_the_vocabulary_need_no_names():
    frame = wide_frame()
    frame["allocation"] = frame["allocation"].replace({"active": "VP", "placebo": "SHAM"})
    plain = {**NAMES, "arms": None}
    made = vo.trial_cohort(frame, scores={"pain_12w": 84}, **plain)
    assert made.notes == ()
    assert set(made.frame("episodes")["treatment"]) == {"VP", "SHAM"}
    frame.loc[:9, "allocation"] = "waiting list"
    few = vo.trial_cohort(
        frame, scores={"pain_12w": 84}, **{**NAMES, "arms": {"VP": "VP", "SHAM": "SHAM"}}
    )
    assert few.notes == ("10 patients of other arms left out (waiting list).",)
    assert len(few.frame("patients")) == len(frame) - 10


@pytest.mark.parametrize(
    ("visit", "day"),
    [("baseline", 0), ("Randomisation", 0), ("day 7", 7), ("WEEK_4", 28), ("4 weeks", 28),
     ("month 3", 91), ("12 months", 365), ("2 years", 730), (30, 30), (30.0, 30)],
)  # fmt: skip
def test_visits_in_words_become_days(visit, day):
    frame = pd.DataFrame({"id": [1, 2], "g": ["VP", "NSM"], "v": [visit] * 2, "y": [3.0, 4.0]})
    made = vo.trial_cohort(frame, patient="id", arm="g", outcome="pain_vas", visit="v", score="y")
    assert made.frame("scores")["day"].unique().tolist() == [day]


def test_visits_of_other_words_take_their_days_from_the_user():
    frame = long_frame().assign(visit=lambda d: d["week"].map({2: "A", 6: "B", 12: "C", 26: "D"}))
    given = {"visit": "visit", "score": "pain", **NAMES}
    made = vo.trial_cohort(frame.drop(columns="week"), visits={"B": 42, "C": 84}, **given)
    assert sorted(made.frame("scores")["day"].unique()) == [42, 84]


def changed(**columns):
    return wide_frame().assign(**columns)


@pytest.mark.parametrize(
    ("frame", "arguments", "said"),
    [
        ("rows", {}, "a DataFrame"),
        (None, {"scores": None}, "visit= and score="),
        (None, {"visit": "years"}, "visit= and score="),
        (None, {"scores": ["pain_2w"]}, "{column: day}"),
        (None, {"scores": {"pain_3w": 21}}, "no column 'pain_3w'"),
        (None, {"scores": {"pain_2w": 14.5}}, "a whole number of days"),
        (None, {"patient": "name"}, "argument patient: no column 'name'"),
        (None, {"arms": {"VP": "needles", "SHAM": "placebo"}}, "'needles' is not in column"),
        (None, {"arms": {"acupuncture": "active"}}, "'acupuncture'; allowed: VP"),
        (None, {"arms": {"VP": "active", "SHAM": "active"}}, "another value for every arm"),
        (None, {"arms": ["VP"]}, "treatment: value of the column"),
        (None, {"arms": None}, "say which arm is which"),
        (None, {"baseline": "years"}, "as a visit at day 0"),
        (None, {"instrument": None}, "give its scale: instrument="),
        (changed(pain_2w="mild"), {}, "'mild'"),
        (changed(allocation=np.nan), {}, "180 blanks"),
        (changed(treatment="x"), {}, "stands beside 'allocation'"),
        (pd.concat([wide_frame(), wide_frame()]), {}, "patients with two at day"),
        (changed(years=range(180)).assign(id="one"), {}, "two at day"),
        (wide_frame().rename(columns={"centre": "years"}), {}, "stands twice"),
    ],
)  # fmt: skip
def test_what_is_no_trial_is_refused(frame, arguments, said):
    given = {"scores": {"pain_before": 0, "pain_2w": 14}, **NAMES, **arguments}
    with pytest.raises(vo.errors.InputError) as refused:
        vo.trial_cohort(wide_frame() if frame is None else frame, **given)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("change", "more", "said"),
    [
        ({"visit": "V2"}, {}, "give the days: visits="),
        ({"visit": 2.5}, {}, "days as numbers"),
        ({"visit": "V2"}, {"visits": {"V3": 3}}, "argument visits, V3"),
        ({"mood": range(720)}, {}, "column mood: differs between the rows of a patient"),
        ({"visit": None}, {}, "720 blanks"),
    ],
)
def test_what_is_no_long_trial_is_refused(change, more, said):
    frame = long_frame().assign(visit=lambda d: d["week"] * 7).drop(columns="week")
    with pytest.raises(vo.errors.InputError) as refused:
        vo.trial_cohort(frame.assign(**change), visit="visit", score="pain", **more, **NAMES)
    assert said in str(refused.value)
