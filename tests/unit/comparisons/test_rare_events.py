"""Cohort in, rates and hazard ratios out: against R's numbers; bad input in one clear sentence."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo

PINS = json.loads((Path(__file__).parents[2] / "reference" / "survival.json").read_text())
DATA = {name: np.array(column) for name, column in PINS["data"].items()}


def _cohort(time, cause, arm, **columns) -> vo.Cohort:
    ids = np.array([f"p{i:04d}" for i in range(len(time))])
    time, cause = np.asarray(time), np.asarray(cause)
    died = pd.Series(time, dtype="Int64").where(cause == 2)
    return vo.Cohort.from_frames(
        patients=pd.DataFrame({"patient_id": ids, "death_day": died, **columns}),
        episodes=pd.DataFrame({"patient_id": ids, "treatment": arm, "followup_end_day": time}),
        fractures=pd.DataFrame(
            {"patient_id": ids[cause == 1], "day": time[cause == 1], "adjacent": True}
        ),
    )


@pytest.fixture(scope="module")
def cohort() -> vo.Cohort:
    arm = np.where(DATA["x2"] == 1, "KP", "VP")
    return _cohort(DATA["time"], DATA["cause"], arm, bmi=DATA["x1"] + 25)


def test_mgus2_through_a_cohort() -> None:
    pin = PINS["mgus2"]
    found = vo.cumulative_incidence(_cohort(pin["time"], pin["cause"], "KP")).at([120, 240])
    assert list(found.columns) == [
        "treatment", "day", "estimate", "se", "ci_low", "ci_high", "n_at_risk"
    ]  # fmt: skip
    for ours, key in (("estimate", "p"), ("se", "se"), ("ci_low", "low"), ("ci_high", "high")):
        np.testing.assert_allclose(found[ours], np.array(pin["fit"][key])[:2, 0], atol=1e-10)
    assert found.n_at_risk.tolist() == pin["fit"]["n"][:2]


def test_adjusted_fine_gray_and_cox(cohort: vo.Cohort) -> None:
    for method, beta, variance in (
        ("fine_gray", PINS["crr"]["beta"][1], PINS["crr"]["var"][1][1]),
        ("cox", PINS["cox_efron"]["beta"][1], PINS["cox_efron"]["cov"][1][1]),
    ):
        arms = {"treatment": "KP", "comparator": "VP"}
        res = vo.adjacent_fractures(cohort, **arms, method=method, covariates=["bmi"])
        assert (res.estimate, res.se) == pytest.approx((beta, variance**0.5), abs=1e-9)
        arms = {"treatment": "VP", "comparator": "KP"}
        swapped = vo.adjacent_fractures(cohort, **arms, method=method, covariates=["bmi"])
        assert swapped.estimate == pytest.approx(-res.estimate, abs=1e-9)
        assert "hazard ratio" in str(res)
    assert res.proportional_hazards_p_value == pytest.approx(PINS["zph"]["p"][1], abs=1e-9)


@pytest.mark.parametrize("method", ["gray", "rmtl"])
def test_other_methods_show_themselves(cohort: vo.Cohort, method: str) -> None:
    res = vo.adjacent_fractures(
        cohort, treatment="KP", comparator="VP", method=method, horizon_days=90
    )
    assert 0 < res.p_value < 1
    assert str(res)
    assert res._repr_html_()
    assert res.plot().get_ylabel()


def _small(**changes) -> vo.Cohort:
    ids = ["a", "b", "c", "d"]
    frames = {
        "patients": pd.DataFrame({"patient_id": ids}),
        "episodes": pd.DataFrame(
            {"patient_id": ids, "treatment": ["KP", "KP", "VP", "VP"], "followup_end_day": 365}
        ),
        "fractures": pd.DataFrame({"patient_id": ["a"], "day": [50], "adjacent": [True]}),
    }
    for name, columns in changes.items():
        frames[name] = frames[name].assign(**columns) if columns else frames[name].iloc[:0]
    return vo.Cohort.from_frames(**frames)


BAD = {
    "no events": ({"fractures": {}}, "no patient"),
    "one arm without": ({}, "none in arm VP"),
    "fracture before day 0": ({"fractures": {"day": [-3]}}, "before that in 1 patient"),
    "follow-up of 0 days": ({"episodes": {"followup_end_day": 0}}, "followup_end_day"),
    "dead before day 0": ({"patients": {"death_day": [-5, None, None, None]}}, "death_day"),
    "no end of follow-up": ({"episodes": {"followup_end_day": pd.NA}}, "followup_end_day"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_a_sentence(case: str) -> None:
    changes, said = BAD[case]
    with pytest.raises(vo.InputError, match=said):
        vo.adjacent_fractures(_small(**changes), treatment="KP", comparator="VP")


def test_unknown_words_are_refused(cohort: vo.Cohort) -> None:
    with pytest.raises(vo.InputError, match="argument event"):
        vo.cumulative_incidence(cohort, event="sneeze")
    with pytest.raises(vo.InputError, match="argument unit"):
        vo.complication_rates(cohort, unit="vertebrae")
    with pytest.raises(vo.InputError, match="no complication"):
        vo.complication_rates(cohort)


def test_levels_are_counted_by_patient() -> None:
    ids = [f"p{i:02d}" for i in range(20)]
    two = [patient for patient in ids for _ in range(2)]
    leaks = ids[:3]
    cohort = vo.Cohort.from_frames(
        patients=pd.DataFrame({"patient_id": ids}),
        episodes=pd.DataFrame({"patient_id": ids, "treatment": "VP"}),
        levels=pd.DataFrame({"patient_id": two, "level": ["L1", "L2"] * 20, "treated": True}),
        events=pd.DataFrame(
            {"patient_id": leaks * 2, "type": "cement_leakage", "day": 0,
             "level": ["L1"] * 3 + ["L2"] * 3}
        ),
    )  # fmt: skip
    patients = vo.complication_rates(cohort).to_frame().iloc[0]
    assert (patients.n_events, patients.n) == (3, 20)
    # R: prop.test(3, 20, correct = FALSE)$conf.int
    assert (patients.ci_low, patients.ci_high) == pytest.approx(
        (0.0523687459, 0.3604188647), abs=1e-9
    )
    levels = vo.complication_rates(cohort, unit="levels").to_frame().iloc[0]
    assert (levels.n_events, levels.n) == (6, 40)
    p, se = 0.15, np.sqrt(0.15 * 0.85 / 19)  # both levels alike: as many pieces as patients
    logit = np.log(p / (1 - p)) - 1.959963984540054 * se / (p * (1 - p))
    assert levels.ci_low == pytest.approx(1 / (1 + np.exp(-logit)), abs=1e-12)
