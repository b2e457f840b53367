"""Odds of a better score and wins through `compare`: direction, sentence, what is refused."""

import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo

QUESTION = {"treatment": "KP", "comparator": "VP", "day": 30}


def frames(n=200, seed=1):
    rng = np.random.default_rng(seed)
    ids = np.array([f"p{i:04d}" for i in range(n)])
    treated = rng.random(n) < 0.5
    before = np.clip(rng.normal(7, 1.4, n), 0, 10).round()
    after = np.clip(before - 2.5 - 1.2 * treated + rng.normal(0, 1.8, n), 0, 10).round()
    scores = pd.concat(
        [pd.DataFrame({"patient_id": ids, "day": d, "value": v}) for d, v in ((0, before), (30, after))]
    )  # fmt: skip
    return {
        "patients": pd.DataFrame({"patient_id": ids}),
        "episodes": pd.DataFrame(
            {"patient_id": ids, "treatment": np.where(treated, "KP", "VP"), "day0": "treatment"}
        ),
        "scores": scores.assign(instrument="pain_vas"),
    }


COHORT = vo.Cohort.from_frames(**frames())


def test_odds_are_those_of_a_better_score():
    from statsmodels.miscmodels.ordinal_model import OrderedModel

    found = vo.compare(COHORT, outcome="pain_vas", method="proportional_odds", **QUESTION)
    f = frames()
    wide = f["scores"].pivot(index="patient_id", columns="day", values="value")
    treated = (f["episodes"].set_index("patient_id")["treatment"] == "KP").astype(float)
    x = pd.DataFrame({"treated": treated, "baseline": wide[0]})
    y = pd.Series(pd.Categorical(wide[30], ordered=True), index=wide.index)
    theirs = OrderedModel(y, x, distr="logit").fit(method="bfgs", disp=0, gtol=1e-9)
    assert found.estimate == pytest.approx(
        -theirs.params["treated"], rel=1e-5
    )  # less pain is better
    assert found.covariates == ("baseline",)
    assert found.measure == "OR"
    odds = dict(zip(found.diagnostics["diagnostic"], found.diagnostics["value"], strict=True))
    assert odds["odds_ratio"] == pytest.approx(np.exp(found.estimate), rel=1e-12)
    assert 0 < odds["proportional_odds_p"] < 1
    assert "e_value" not in odds


def test_wins_are_patients_with_less_pain():
    found = vo.compare(COHORT, outcome="pain_vas", method="win_odds", **QUESTION)
    f = frames()
    y = f["scores"].query("day == 30")["value"].to_numpy()
    kp = (f["episodes"]["treatment"] == "KP").to_numpy()
    pairs = y[kp][:, None] - y[~kp]
    p = (pairs < 0).mean() + (pairs == 0).mean() / 2
    assert found.estimate == pytest.approx(np.log(p / (1 - p)), rel=1e-10)
    assert found.estimate > 0
    low, high = found.ci_low, found.ci_high
    assert low < found.estimate < high


@pytest.mark.parametrize("method", ["proportional_odds", "win_odds"])
def test_laws_and_sentences(method):
    ask = {"method": method, **QUESTION}
    found = vo.compare(COHORT, outcome="pain_vas", **ask)
    swapped = vo.compare(
        COHORT, outcome="pain_vas", **ask | {"treatment": "VP", "comparator": "KP"}
    )
    assert swapped.estimate == pytest.approx(-found.estimate, rel=1e-7)
    assert swapped.ci_high == pytest.approx(-found.ci_low, rel=1e-7)
    f = frames()
    up = f["scores"].assign(value=100 - 10 * f["scores"]["value"], instrument="eq5d_vas")
    turned = vo.compare(
        vo.Cohort.from_frames(**f | {"scores": up}), outcome="eq5d_vas", **ask
    )  # high is good there
    assert turned.estimate == pytest.approx(found.estimate, rel=1e-7)
    assert f"KP against VP = {np.exp(found.estimate):.2f}" in str(found)
    assert "better score" in str(found)
    assert found.to_frame()["measure"].tolist() == [found.measure]
    assert found.plot() is not None


def test_odds_that_change_over_the_scale_are_said():
    f = frames(n=600)
    at_day = f["scores"]["day"] == 30
    treated = (f["episodes"]["treatment"] == "KP").to_numpy()
    rng = np.random.default_rng(3)
    spread = np.clip(np.where(treated, rng.normal(5, 3.5, 600), rng.normal(5, 1, 600)), 0, 10)
    f["scores"].loc[at_day, "value"] = spread.round()
    found = vo.compare(
        vo.Cohort.from_frames(**f), outcome="pain_vas", method="proportional_odds", **QUESTION
    )
    assert "not the same over the scale" in str(found)


@pytest.mark.parametrize("method", ["proportional_odds", "win_odds"])
def test_what_cannot_be_meant_is_refused(method):
    ask = {"outcome": "pain_vas", "method": method, **QUESTION}
    with pytest.raises(vo.InputError, match="with a response"):
        vo.compare(COHORT, response="better_30pct", **ask)
    with pytest.raises(vo.InputError, match="method"):
        vo.responders(COHORT, **ask)
    with pytest.raises(vo.InputError, match="no margin in points"):
        vo.compare(COHORT, **ask).against_margin(1.0)
    f = frames()
    kp = f["scores"]["patient_id"].isin(
        f["episodes"].loc[f["episodes"]["treatment"] == "KP", "patient_id"]
    )
    after = f["scores"]["day"] == 30
    f["scores"].loc[after, "value"] = np.where(kp[after], 1.0, 8.0)
    with pytest.raises(vo.InputError, match=r"infinite|alike"):
        vo.compare(vo.Cohort.from_frames(**f), covariates=[], **ask)
    f["scores"].loc[after, "value"] = 4.0
    with pytest.raises(vo.InputError, match="all scores"):
        vo.compare(vo.Cohort.from_frames(**f), **ask)


def test_win_odds_say_what_they_do_not_adjust_for():
    ask = {"outcome": "pain_vas", "covariates": ["baseline"], **QUESTION}
    found = vo.compare(COHORT, method="win_odds", **ask)
    alone = vo.compare(COHORT, method="win_odds", **QUESTION | {"outcome": "pain_vas"})
    assert "Win odds are not adjusted for any covariate; proportional_odds is." in str(alone)
    said = "Not adjusted for baseline: win_odds takes no covariates, proportional_odds does."
    assert said in str(found)
    assert "takes no covariates" not in str(vo.compare(COHORT, method="proportional_odds", **ask))
