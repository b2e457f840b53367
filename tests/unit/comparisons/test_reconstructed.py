"""Patients rebuilt from curves that R drew: events, medians, hazard ratio; wrong tables refused."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo
from vertebro_outcomes.estimators.survival.cox import fit_cox
from vertebro_outcomes.estimators.survival.rmst import fit_rmst

LUNG = json.loads((Path(__file__).parents[2] / "reference" / "recurrent.json").read_text())["lung"]
CURVE = pd.DataFrame({"time": [0, 10, 20, 30], "survival": [1, 0.75, 0.5, 0.25]})
RISK = pd.DataFrame({"time": [0, 20], "n_at_risk": [4, 3]})


def rebuilt(sex: str, *, with_events: bool = True) -> object:
    pin = LUNG[sex]
    return vo.reconstruct_survival(
        pd.DataFrame({"time": pin["time"], "survival": pin["surv"]}),
        pd.DataFrame({"time": pin["risk_at"], "n_at_risk": pin["n_risk"]}),
        total_events=pin["events"] if with_events else None, arm=sex,
    )  # fmt: skip


@pytest.mark.parametrize("sex", ["male", "female"])
def test_the_lung_trial_comes_back(sex: str) -> None:
    pin, res = LUNG[sex], rebuilt(sex)
    assert res.n == pin["n"]
    assert abs(res.events - pin["events"]) <= 1
    assert res.median == pytest.approx(pin["median"], rel=0.02)
    assert res.largest_gap < 0.025  # one event among the few still at risk at the end
    mean = fit_rmst(
        res.data["time"].to_numpy(), res.data["event"].to_numpy(), horizon=700.0
    ).estimate
    assert mean == pytest.approx(pin["rmean"], rel=0.01)


def test_the_hazard_ratio_comes_back() -> None:
    data = pd.concat([rebuilt("male").data, rebuilt("female").data])
    fit = fit_cox(
        data["time"].to_numpy(), data["event"].to_numpy(),
        x=(data["arm"] == "female").to_numpy(float)[:, None],
    )  # fmt: skip
    assert fit.beta[0] == pytest.approx(LUNG["loghr"], abs=0.02)


def test_without_the_number_of_events_the_notes_say_so() -> None:
    assert any("assumed" in note for note in rebuilt("male", with_events=False).notes)


def test_nobody_censored_is_exact() -> None:
    days = np.sort(np.random.default_rng(4).choice(np.arange(1.0, 200.0), 40, replace=False))
    curve = pd.DataFrame({"time": np.r_[0, days], "survival": 1 - np.arange(41) / 40})
    risk = pd.DataFrame(
        {"time": [0, 50, 100], "n_at_risk": [(days >= t).sum() for t in (0, 50, 100)]}
    )
    res = vo.reconstruct_survival(curve, risk, total_events=40)
    np.testing.assert_allclose(res.data["time"], days)
    assert res.data["event"].all()


def test_a_curve_that_rises_or_comes_in_percent_is_repaired_and_said(tmp_path: Path) -> None:
    shaky = CURVE.assign(survival=[100, 75, 76, 25], time=[0, 10, 20, 30]).sample(
        frac=1, random_state=1
    )
    shaky.to_csv(tmp_path / "curve.csv", index=False)
    res = vo.reconstruct_survival(tmp_path / "curve.csv", RISK)
    assert any("1 points rose" in note for note in res.notes)
    assert any("percent" in note for note in res.notes)
    late = vo.reconstruct_survival(CURVE.iloc[1:], pd.concat([RISK, RISK.assign(time=99).iloc[1:]]))
    assert late.n == 4
    assert any("after the end" in note for note in late.notes)
    none = vo.reconstruct_survival(CURVE, RISK, total_events=0)
    assert any("not the 0 given" in note for note in none.notes)


@pytest.mark.parametrize(
    ("curve", "risk", "extra", "says"),
    [
        (CURVE.drop(columns="survival"), RISK, {}, "no column survival"),
        (CURVE.assign(time=-1), RISK, {}, "below 0"),
        (CURVE.assign(survival="high"), RISK, {}, "no number"),
        (CURVE.assign(survival=1.2), RISK, {}, "0 to 1"),
        (CURVE.iloc[:0], RISK, {}, "no row"),
        (CURVE.iloc[:1], RISK, {}, "one point"),
        (CURVE, RISK.assign(time=[5, 20]), {}, "time 0"),
        (CURVE, RISK.assign(time=0), {}, "twice"),
        (CURVE, RISK.assign(n_at_risk=[4, 9]), {}, "rise"),
        (CURVE, RISK.assign(n_at_risk=[4.5, 3]), {}, "whole numbers"),
        (CURVE, RISK, {"total_events": 9}, "from 0 to 4"),
        (CURVE, "nowhere.csv", {}, "can be read"),
        ([1, 2], RISK, {}, "DataFrame"),
    ],
)
def test_wrong_tables_are_refused_in_words(curve, risk, extra: dict, says: str) -> None:
    with pytest.raises(vo.InputError, match=says):
        vo.reconstruct_survival(curve, risk, **extra)


def test_it_shows_itself() -> None:
    res = rebuilt("male")
    assert "Guyot" in str(res)
    assert "Guyot" in res._repr_html_()
    assert len(res.to_frame()) == res.n
    assert res.plot().get_ylabel() == "with event, %"
    never = vo.reconstruct_survival(CURVE.assign(survival=[1, 0.9, 0.9, 0.9]), RISK)
    assert "not reached" in str(never)
