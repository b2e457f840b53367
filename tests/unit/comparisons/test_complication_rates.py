"""Complications split by columns of the event, and per year at risk."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import vertebro_outcomes as vo

PINS = json.loads((Path(__file__).parents[2] / "reference" / "complications.json").read_text())


def small(**changes: object) -> vo.Cohort:
    ids = list("abcdefgh")
    frames = {
        "patients": pd.DataFrame(
            {"patient_id": ids, "site": ["A", "B"] * 4, "death_day": [np.nan] * 7 + [73.05]}
        ),
        "episodes": pd.DataFrame(
            {
                "patient_id": ids, "episode_id": [f"e{i}" for i in ids],
                "treatment": ["KP"] * 4 + ["VP"] * 4,
                "followup_end_day": [365.25, 365.25, 730.5, np.nan] + [365.25] * 4,
            }
        ),
        "events": pd.DataFrame(
            {
                "patient_id": ["a", "a", "b", "e", "h"],
                "episode_id": ["ea", "ea", "eb", "ee", "eh"],
                "type": ["cement_leakage", "infection", "cement_leakage", "infection", "stroke"],
                "day": [0, 100, 36.525, 20, 400], "severity": ["mild", "severe", "mild", None, "mild"],
                "detected_by": ["CT", "clinical", "CT", "CT", "clinical"],
            }
        ),
    }  # fmt: skip
    frames["events"]["day"] = frames["events"]["day"].round().astype(int)
    for name in ("followup_end_day",):
        frames["episodes"][name] = frames["episodes"][name].round().astype("Int64")
    frames["patients"]["death_day"] = frames["patients"]["death_day"].round().astype("Int64")
    synthetic = bool(changes.pop("synthetic", False))
    return vo.Cohort.from_frames(**{**frames, **changes}, synthetic=synthetic)


def test_severity_splits_the_events_and_keeps_the_denominator() -> None:
    found = vo.complication_rates(small(), by="severity").to_frame()
    assert list(found.columns[:3]) == ["treatment", "severity", "type"]
    counted = found.set_index(["treatment", "severity", "type"])["n_events"]
    assert counted["KP", "mild", "any"] == 2
    assert counted["KP", "severe", "infection"] == 1
    assert counted["VP", "not recorded", "infection"] == 1
    assert counted["VP", "mild", "stroke"] == 1
    assert (found["n"] == 4).all()
    detected = vo.complication_rates(small(), by="detected_by").to_frame()
    counted = detected.set_index(["treatment", "detected_by", "type"])["n_events"]
    assert counted["KP", "CT", "any"] == 2
    assert counted["VP", "clinical", "any"] == 1


def test_site_is_a_column_of_the_patient() -> None:
    found = vo.complication_rates(small(), by="site").to_frame().set_index(["site", "type"])
    assert found.loc[("A", "any"), ["n_events", "n"]].tolist() == [2, 4]


def test_first_events_per_year_at_risk() -> None:
    """By hand: the patient without follow-up is out, an event after death or the end is none."""
    found = vo.complication_rates(small(), per="person_years")
    rows = found.to_frame().set_index(["treatment", "type"])
    leak = rows.loc[("KP", "cement_leakage")]
    assert leak["n_events"] == 2
    assert leak["n"] == 3
    assert leak["person_years"] == pytest.approx((0 + 37 + 730) / 365.25, abs=1e-12)
    stroke = rows.loc[("VP", "stroke")]
    assert stroke["n_events"] == 0
    assert stroke["person_years"] == pytest.approx((3 * 365 + 73) / 365.25, abs=1e-12)
    assert stroke["upper_rule_of_three"] == pytest.approx(3 / stroke["person_years"])
    low = stats.chi2.ppf(0.025, 4) / 2 / leak["person_years"]
    high = stats.chi2.ppf(0.975, 6) / 2 / leak["person_years"]
    assert leak[["ci_low", "ci_high"]].tolist() == pytest.approx([low, high], rel=1e-12)
    assert "follow-up time is unknown" in " ".join(found.notes)
    assert "per 100 person-years" in str(found)
    assert found.plot().get_xlabel() == "per 100 person-years"
    early = vo.complication_rates(small(), per="person_years", within_days=30).to_frame()
    years = early.set_index(["treatment", "type"]).loc[("KP", "infection"), "person_years"]
    assert years == pytest.approx(90 / 365.25, abs=1e-12)


def test_synthetic_data_say_so() -> None:
    found = vo.complication_rates(small(synthetic=True))
    assert "Synthetic data" in str(found)
    assert "Synthetic data" in found._repr_html_()
    assert found.plot().get_title() == "synthetic"
    assert vo.complication_rates(small()).plot().get_title() == ""


def test_what_cannot_be_counted() -> None:
    with pytest.raises(vo.InputError, match="argument per"):
        vo.complication_rates(small(), per="person_years", unit="levels")
    with pytest.raises(vo.InputError, match="severity"):
        vo.complication_rates(small(), by="colour")
    ids = ["a", "b"]
    unknown = vo.Cohort.from_frames(
        patients=pd.DataFrame({"patient_id": ids}),
        episodes=pd.DataFrame({"patient_id": ids, "treatment": ["KP", "VP"]}),
        events=pd.DataFrame({"patient_id": ["a"], "type": ["infection"], "day": [3]}),
    )
    with pytest.raises(vo.InputError, match="time at risk"):
        vo.complication_rates(unknown, per="person_years")


def test_exact_rates_of_a_pinned_run() -> None:
    """poisson.test of R on the same events and years."""
    for case in PINS["poisson"]:
        n = case["events"]
        ids = [f"p{i}" for i in range(20)]
        cohort = vo.Cohort.from_frames(
            patients=pd.DataFrame({"patient_id": ids}),
            episodes=pd.DataFrame(
                {"patient_id": ids, "treatment": "KP", "followup_end_day": case["followup"]}
            ),
            events=pd.DataFrame(
                {"patient_id": ids[:n], "type": "infection", "day": case["day"]}
            ),
        )  # fmt: skip
        row = vo.complication_rates(cohort, per="person_years").to_frame().iloc[0]
        assert row["person_years"] == pytest.approx(case["years"], rel=1e-12)
        assert [row["ci_low"], row["ci_high"]] == pytest.approx(case["limits"], rel=1e-9)
