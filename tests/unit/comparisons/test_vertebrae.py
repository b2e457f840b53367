"""The vertebra-level table and its rates against the same table built and fitted in R."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo
from vertebro_outcomes.comparisons import vertebrae

PINS = json.loads((Path(__file__).parents[2] / "reference" / "vertebrae.json").read_text())
FULL = ["distance", "region", "disc_leakage", "cement_ml", "kyphosis_correction_deg", "treatment",
        "age_years"]  # fmt: skip
CUTS = PINS["cuts"]


def cohort_of(**changes) -> vo.Cohort:
    p, lv, fr = (pd.DataFrame(PINS[k]) for k in ("people", "levels", "fractures"))
    frames = {
        "patients": pd.DataFrame(
            {"patient_id": p["id"].map("p{:03d}".format), "age_years": p["age"].astype(float),
             "death_day": p["death"]}
        ),
        "episodes": pd.DataFrame(
            {"patient_id": p["id"].map("p{:03d}".format), "treatment": p["treatment"],
             "followup_end_day": p["end"]}
        ),
        "levels": pd.DataFrame(
            {"patient_id": lv["id"].map("p{:03d}".format), "level": lv["level"],
             "treated": lv["treated"].astype(bool), "leakage": lv["leakage"],
             "cement_ml": lv["cement"], "kyphosis_pre_deg": lv["pre"].astype(float),
             "kyphosis_post_deg": lv["post"].astype(float)}
        ),
        "fractures": pd.DataFrame(
            {"patient_id": fr["id"].map("p{:03d}".format), "level": fr["level"], "day": fr["day"]}
        ),
    }  # fmt: skip
    frames |= {name: change(frames[name]) for name, change in changes.items()}
    return vo.Cohort.from_frames(**frames)


COHORT = cohort_of()


@pytest.mark.parametrize(
    ("key", "covariates", "cuts"),
    [
        ("simple", ["distance", "region"], None),
        ("full", FULL, None),
        ("classes", ["distance", "cement_ml"], {"cement_ml": [4, 6]}),
    ],
)
def test_rates_by_risk_factor(key: str, covariates: list[str], cuts: dict | None) -> None:
    res = vo.vertebra_fractures(COHORT, covariates=covariates, cuts=cuts, intervals_days=CUTS)
    k, pin = len(CUTS) + 1, PINS[key]
    assert (res.n_vertebrae, res.n_fractures) == (PINS["n_rows"], PINS["n_events"])
    np.testing.assert_allclose(res.coefficients["estimate"], pin["beta"][k:], rtol=0, atol=1e-8)
    np.testing.assert_allclose(res.coefficients["se"], pin["robust"][k:], rtol=0, atol=1e-8)
    np.testing.assert_allclose(
        np.log(res.baseline["rate_per_1000_years"] / 365.25 / 1000),
        pin["beta"][:k],
        rtol=0,
        atol=1e-8,
    )


def test_rates_by_level_and_distance() -> None:
    pin = pd.DataFrame(PINS["rates"])
    pin["distance"] = pin["distance"].map({1: "1", 2: "2", 3: "3", 4: "4+"})
    frame = vo.vertebra_fractures(COHORT).incidence
    both = frame.merge(pin, on=["level", "distance"], suffixes=("", "_r"))
    assert len(both) == len(pin) == len(frame)
    assert both["fractures"].tolist() == both["events"].tolist()
    np.testing.assert_allclose(both["years"], both["years_r"], rtol=1e-12)
    assert ((frame["ci_low"] <= frame["rate_per_1000_years"]) & (frame["ci_high"] > 0)).all()


def test_frailty_and_row_order() -> None:
    res = vo.vertebra_fractures(COHORT, variance="frailty", intervals_days=CUTS)
    mixed = cohort_of(levels=lambda f: f.sample(frac=1, random_state=1),
                      patients=lambda f: f.sample(frac=1, random_state=2))  # fmt: skip
    again = vo.vertebra_fractures(mixed, variance="frailty", intervals_days=CUTS)
    np.testing.assert_allclose(
        again.coefficients["estimate"], res.coefficients["estimate"], rtol=1e-7
    )
    assert again.theta == pytest.approx(res.theta, rel=1e-5)
    assert "frailty variance" in str(res)


def test_many_patterns_are_numbered_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = vo.vertebra_fractures(COHORT, covariates=FULL, intervals_days=CUTS)
    monkeypatch.setattr(vertebrae, "FEW_CODES", 1)
    sorted_ = vo.vertebra_fractures(COHORT, covariates=FULL, intervals_days=CUTS)
    np.testing.assert_allclose(sorted_.coefficients["se"], counted.coefficients["se"], rtol=1e-9)


def test_what_does_not_count_is_said() -> None:
    notes = " ".join(vo.vertebra_fractures(COHORT, intervals_days=CUTS).notes)
    for words in (
        "above T4",
        "already fractured",
        "after the end of follow-up",
        "no treated level",
    ):
        assert words in notes
    fewer = cohort_of(
        levels=lambda f: f[f["patient_id"] != "p001"],
        fractures=lambda f: pd.concat([f, f.iloc[:1].assign(level=None)], ignore_index=True),
    )
    notes = " ".join(vo.vertebra_fractures(fewer, intervals_days=CUTS).notes)
    assert "1 patients without a recorded level" in notes
    assert "fractures without level are left out" in notes


def test_a_class_in_which_nothing_broke_has_no_ratio() -> None:
    far = cohort_of(fractures=lambda f: f[~f["level"].isin(["L3", "L4", "L5"])])
    res = vo.vertebra_fractures(far)
    assert "region: L3 to L5" not in res.coefficients["term"].tolist()
    assert any("L3 to L5 broke: no ratio" in note for note in res.notes)


def test_levels_words_and_constants() -> None:
    res = vo.vertebra_fractures(COHORT, covariates=["level", "treatment"])
    assert "level: T12" in res.coefficients["term"].tolist()
    assert any("No vertebra with level L3 broke: the reference is" in note for note in res.notes)
    same = cohort_of(patients=lambda f: f.assign(age_years=70.0, sex="female"))
    res = vo.vertebra_fractures(same, covariates=["age_years"])
    assert any("does not vary" in note for note in res.notes)
    assert "no covariate" in str(res)
    sexes = cohort_of(patients=lambda f: f.assign(sex=["female", "male", None] * 50))
    res = vo.vertebra_fractures(sexes, covariates=["sex"])
    assert res.coefficients["term"].tolist() == ["sex: male"]
    assert any("blank covariate" in note for note in res.notes)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"covariates": "distance"}, "a list such as"),
        ({"covariates": ["level", "region"]}, "not both"),
        ({"covariates": ["shoe_size"]}, "age_years"),
        ({"event": "sneeze"}, "symptomatic_fracture"),
        ({"variance": "bootstrap"}, "frailty"),
        ({"intervals_days": [90, 30]}, "increasing"),
        ({"intervals_days": 90}, "increasing"),
        ({"intervals_days": [-3, 30]}, "above 0"),
        ({"cuts": {"cement_ml": [4]}}, "also in covariates"),
        ({"cuts": {"cement_ml": []}, "covariates": ["cement_ml"]}, "at least one number"),
        ({"level": 1.5}, "between 0 and 1"),
    ],
)
def test_bad_requests_are_refused_in_words(wrong: dict, says: str) -> None:
    with pytest.raises(vo.InputError, match=says):
        vo.vertebra_fractures(COHORT, **wrong)


def test_bad_cohorts_are_refused_in_words() -> None:
    for says, changes in (
        ("no vertebra at risk", {"fractures": lambda f: f.iloc[:0]}),
        ("no treated or fractured level", {"levels": lambda f: f.iloc[:0]}),
        ("day 0 or before", {"fractures": lambda f: f.assign(day=0)}),
        ("finite maximum", {"patients": lambda f: f.assign(twice=2 * f["age_years"])}),
    ):
        extra = {"covariates": ["age_years", "twice"]} if "finite" in says else {}
        with pytest.raises(vo.InputError, match=says):
            vo.vertebra_fractures(cohort_of(**changes), **extra)
    with pytest.raises(vo.InputError, match="level"):
        cohort_of(levels=lambda f: f.assign(level="S1"))
    with pytest.raises(vo.InputError, match="Cohort"):
        vo.vertebra_fractures("cohort")


def test_symptomatic_fractures_only() -> None:
    said = cohort_of(fractures=lambda f: f.assign(symptomatic=np.arange(len(f)) % 2 == 0))
    part = vo.vertebra_fractures(said, event="symptomatic_fracture")
    assert 0 < part.n_fractures < vo.vertebra_fractures(said).n_fractures


def test_figures() -> None:
    res = vo.vertebra_fractures(COHORT)
    spine = res.plot()
    assert next(t.get_text() for t in spine.get_yticklabels()) == "T4"
    assert len(res.plot(kind="forest").get_yticks()) == len(res.coefficients)
    assert "Rates by level" in res._repr_html_()
    assert {"hazard_ratio", "hr_low", "hr_high"} <= set(res.to_frame())
    with pytest.raises(vo.InputError, match="spine, forest"):
        res.plot(kind="pie")
    made, _ = vo.simulate_registry(n_patients=600, seed=2)
    synthetic = vo.vertebra_fractures(made)
    assert "Synthetic" in str(synthetic)
    assert "synthetic" in synthetic.plot().get_title()
    assert "synthetic" in synthetic.plot(kind="forest").get_xlabel()
