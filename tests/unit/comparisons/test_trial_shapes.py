"""Three trials as their authors keep them: the obvious call gives the result of lm and of nlme::gls."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo
from vertebro_outcomes.errors import InputError

PIN = json.loads((Path(__file__).parents[2] / "reference" / "trial_shapes.json").read_text())
SLOW = pytest.mark.slow  # each builds a cohort of its own
WORSE = vo.Instrument(low=0, high=150, better="lower", label="weekly pain")
BETTER = vo.Instrument(low=0, high=100, better="higher", label="walking", unit="%")
WIDE = {"patient": "id", "arm": "group", "arms": {"VP": 1, "NSM": 0}, "outcome": "weekly_pain",
        "scores": {"pk1": 0, "pk2": 91, "pk5": 365}, "instrument": WORSE}  # fmt: skip


def frame(shape):
    return pd.DataFrame(PIN[shape]["data"])


@cache
def trial(shape):
    if shape == "wide":  # treatment and sex as 0 and 1
        return vo.trial_cohort(frame(shape), **WIDE)
    if (
        shape == "long"
    ):  # sites by number, the baseline as a visit, missed visits absent, days 0 to 10
        return vo.trial_cohort(
            frame(shape).sample(frac=1, random_state=1), patient="SUBJID", arm="TRT", visit="VISIT",
            score="SCORE", outcome="pain_vas",
            arms={"SHAM": "Placebo injection", "VP": "Active injection"},
        )  # fmt: skip
    return vo.trial_cohort(  # numbers of weeks, more is better, blank scores
        frame(shape), patient="pat", arm="arm", arms={"T": "KP", "C": "NSM"}, visit="week",
        score="pct", outcome="walking", instrument=BETTER,
    )  # fmt: skip


ASKED = {
    "wide": ("weekly_pain", "VP", "NSM", 365, ["baseline", "age", "sex", "migraine", "chronicity"]),
    "long": ("pain_vas", "VP", "SHAM", 84, ["baseline", "SITE"]),
    "weeks": ("walking", "KP", "NSM", 182, ["baseline", "stratum"]),
}


def asked(shape, **more):
    outcome, treatment, comparator, day, covariates = ASKED[shape]
    return {
        "outcome": outcome, "treatment": treatment, "comparator": comparator, "day": day,
        "covariates": covariates,
    } | more  # fmt: skip


@pytest.mark.parametrize("shape", ASKED)
def test_ancova_is_that_of_lm(shape):
    covariates = ["baseline", "C(SITE)"] if shape == "long" else ASKED[shape][4]
    question = asked(shape, method="ancova", variance="model", covariates=covariates)
    found, expected = vo.compare(trial(shape), **question), PIN[shape]["ancova"]
    assert found.estimate == pytest.approx(expected["estimate"], abs=1e-9)
    assert found.se == pytest.approx(expected["se"], abs=1e-9)
    assert found.df == expected["df"]
    assert [found.ci_low, found.ci_high] == pytest.approx([expected["low"], expected["high"]])
    turned = question | {"treatment": question["comparator"], "comparator": question["treatment"]}
    assert vo.compare(trial(shape), **turned).estimate == pytest.approx(-found.estimate, abs=1e-9)


@pytest.mark.parametrize("method", ["mmrm", "gee", "clda"])
def test_a_day_beside_a_visit_means_the_visit_and_keeps_the_others(method):
    question = asked("long", method=method, covariates=[])
    found, exact = (vo.compare(trial("long"), **question | {"day": day}) for day in (90, 84))
    assert found.estimate == pytest.approx(exact.estimate, abs=1e-9)
    assert found.by_visit["day"].tolist() == [28, 90, 182]


def test_the_direction_of_an_own_scale_is_known_to_the_margin():
    found = vo.compare(trial("weeks"), **asked("weeks", method="ancova"))  # KP better by 7 points
    assert found.against_margin(5.0).verdict == found.against_margin(5.0, better="higher").verdict
    assert found.against_margin(5.0, better="lower").verdict != found.against_margin(5.0).verdict


@pytest.mark.parametrize("shape", ASKED)
def test_the_mixed_model_is_that_of_gls(shape):
    covariates = {"wide": ["baseline", "age", "sex"], "long": ["baseline", "C(SITE)"]}
    question = asked(shape, method="mmrm", covariates=covariates.get(shape, ASKED[shape][4]))
    found, expected = vo.compare(trial(shape), **question), PIN[shape]["mmrm"]
    assert [str(day) for day in found.by_visit["day"]] == list(expected)
    for line in found.by_visit.itertuples():
        assert line.estimate == pytest.approx(expected[str(line.day)]["estimate"], abs=1e-5)
        assert line.se == pytest.approx(expected[str(line.day)]["se"], rel=1e-6)
    adjusted = vo.compare(trial(shape), **question, variance="kenward_roger")
    for line in adjusted.by_visit.itertuples():
        assert line.se == pytest.approx(expected[str(line.day)]["se_kr"], rel=1e-6)


@pytest.mark.parametrize(
    ("column", "arms"),
    [
        (lambda g: g.astype(float), {"VP": 1, "NSM": 0}),
        pytest.param(lambda g: g == 1, {"VP": True, "NSM": False}, marks=SLOW),
        pytest.param(lambda g: g.astype(str), {"NSM": 0, "VP": 1}, marks=SLOW),
        pytest.param(lambda g: g, {0: "NSM", 1: "VP"}, marks=SLOW),
        (lambda g: pd.Categorical(np.where(g == 1, "needles ", "usual")), {"VP": "needles", "NSM": "usual"}),
    ],
)  # fmt: skip
def test_arms_are_told_however_they_are_coded(column, arms):
    wide = frame("wide")
    coded = vo.trial_cohort(wide.assign(group=column(wide["group"])), **WIDE | {"arms": arms})
    found = vo.compare(coded, **asked("wide", method="ancova", variance="model"))
    assert found.estimate == pytest.approx(PIN["wide"]["ancova"]["estimate"], abs=1e-9)


@pytest.mark.parametrize(
    "words",
    [
        ("F", "M"),
        pytest.param(("Female", "Male"), marks=SLOW),
        (2, 1),
        pytest.param(("w", "h"), marks=SLOW),
    ],
)
def test_sex_counts_whatever_its_codes(words):
    coded = frame("wide").assign(sex=lambda d: np.where(d["sex"] == 1, *words), smoker="No")
    coded.loc[::3, "smoker"] = "Yes"
    made = vo.trial_cohort(coded, **WIDE)
    found = vo.compare(made, **asked("wide", method="ancova", variance="model"))
    assert found.estimate == pytest.approx(PIN["wide"]["ancova"]["estimate"], abs=1e-9)
    assert "sex" in found.covariates
    assert "smoker: Yes" in set(found.balance["covariate"])
    known = made.frame("patients")["sex"].dropna().unique().tolist()
    assert sorted(known) == (["female", "male"] if words[0] in ("F", "Female") else [])


def test_what_is_written_once_for_a_patient_counts_for_all_visits():
    long = frame("weeks").assign(
        years=lambda d: np.where(d["week"] == 0, d["pat"] % 40 + 40.0, np.nan)
    )
    made = vo.trial_cohort(
        long, patient="pat", arm="arm", arms={"KP": "T", "NSM": "C"}, visit="week", score="pct",
        outcome="walking", instrument=BETTER,
    )  # fmt: skip
    assert made.frame("patients")["years"].notna().all()


@pytest.mark.parametrize(
    ("change", "more", "said"),
    [
        ({}, {"visit": "week"}, "give the days: visits="),
        ({}, {"visit": "week", "visits": {0: "start"}}, "a whole number of days"),
        ({}, {"visit": "week", "visits": [0, 42]}, "{visit: day}"),
        ({}, {"visit": "week", "instrument": None}, "give its scale: instrument="),
        ({"first": 3.0}, {"visit": "week", "visits": {"0": 0, "1": 42, "2": 182}, "baseline": "first"},
         "leave baseline= out"),
        ({}, {"visit": "week", "visits": {0: 0, 1: 42}, "arms": {"KP": "T", "NSM": "X"}},
         "'X' is not in column"),
    ],
)  # fmt: skip
def test_what_could_be_meant_in_two_ways_is_asked_for(change, more, said):
    named = {"patient": "pat", "arm": "arm", "arms": {"KP": "T", "NSM": "C"}, "score": "pct",
             "outcome": "walking", "instrument": BETTER}  # fmt: skip
    long = frame("weeks").assign(**change).replace({"week": {6: 1, 26: 2}})
    given = named | more | {"visit": "visit"}
    with pytest.raises(InputError) as refused:
        vo.trial_cohort(long.rename(columns={"week": "visit"}), **given)
    assert said in str(refused.value)


def test_columns_that_differ_in_capitals_alone_are_refused():
    patients = pd.DataFrame({"patient_id": ["a", "b"], "SITE": [1, 2]})
    episodes = pd.DataFrame({"patient_id": ["a", "b"], "treatment": ["VP", "KP"]})
    scores = pd.DataFrame({"patient_id": ["a"], "instrument": "odi", "day": 1, "value": 30.0})
    with pytest.raises(InputError, match="differs from site in capitals alone"):
        vo.Cohort.from_frames(patients=patients, episodes=episodes, scores=scores)
