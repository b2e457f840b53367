"""Fractures and deaths of a cohort against R: curves, hazards, weights, means, and public data."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo

PINS = json.loads((Path(__file__).parents[2] / "reference" / "fracture_cohort.json").read_text())
DATA = pd.DataFrame(PINS["data"])
ARMS = {"treatment": "KP", "comparator": "VP"}
AT = PINS["at"]
KINDS = {"ow": "overlap_weighting", "ate": "ate_weighting", "att": "att_weighting"}
GIVEN = ["age_years", "sex"]


def cohort_of(data: pd.DataFrame) -> vo.Cohort:
    ids = [f"p{i:04d}" for i in range(len(data))]
    had = data["fx"] < 10_000
    return vo.Cohort.from_frames(
        patients=pd.DataFrame(
            {"patient_id": ids, "age_years": data["age"].astype(float), "sex": data["sex"],
             "site": data["site"], "death_day": data["dx"].where(data["dx"] <= data["end"])}
        ),
        episodes=pd.DataFrame(
            {"patient_id": ids, "treatment": np.where(data["kp"] == 1, "KP", "VP"),
             "followup_end_day": data["end"]}
        ),
        fractures=pd.DataFrame({"patient_id": ids, "day": data["fx"], "adjacent": True})[had],
    )  # fmt: skip


COHORT = cohort_of(DATA)


def test_follow_up_is_read_as_written() -> None:
    res = vo.cumulative_incidence(COHORT, event="fracture")
    for arm, mine in (("KP", DATA["kp"] == 1), ("VP", DATA["kp"] == 0)):
        row = res.arms.set_index("treatment").loc[arm]
        expected = [int((DATA["cause"][mine] == code).sum()) for code in (1, 2, 0)]
        assert [row["events"], row["competing_deaths"], row["censored"]] == expected


@pytest.mark.parametrize("event", ["fracture", "adjacent_fracture"])
@pytest.mark.parametrize(("method", "key"), [("cox", "cox"), ("fine_gray", "crr")])
def test_hazard_ratios(method: str, key: str, event: str) -> None:
    res = vo.adjacent_fractures(COHORT, **ARMS, method=method, covariates=GIVEN, event=event)
    np.testing.assert_allclose(res.coefficients["estimate"], PINS[key]["beta"], atol=1e-8)
    np.testing.assert_allclose(res.coefficients["se"], PINS[key]["robust"], atol=1e-8)


def test_sites_as_clusters() -> None:
    res = vo.adjacent_fractures(COHORT, **ARMS, method="cox", covariates=GIVEN, cluster="site")
    np.testing.assert_allclose(res.coefficients["se"], PINS["cox_site"]["robust"], atol=1e-8)


def test_gray() -> None:
    res = vo.adjacent_fractures(COHORT, **ARMS, method="gray")
    assert res.p_value == pytest.approx(PINS["gray_p"], abs=1e-9)
    assert np.isnan(res.estimate)


@pytest.mark.parametrize("key", KINDS)
def test_weighted_curves_and_hazards(key: str) -> None:
    pin = PINS[key]
    how = {"adjust": KINDS[key], "covariates": GIVEN}
    res = vo.adjacent_fractures(COHORT, **ARMS, method="cox", **how)
    assert [res.estimate, res.se] == pytest.approx(
        [pin["cox"]["beta"], pin["cox"]["robust"]], abs=1e-7
    )
    lost = vo.adjacent_fractures(COHORT, **ARMS, method="rmtl", horizon_days=300, **how)
    assert lost.estimate == pytest.approx(pin["lost"][1] - pin["lost"][0], abs=1e-6)
    frame = res.incidence.at(AT)
    p, se = np.array(pin["p"]), np.array(pin["se"])
    np.testing.assert_allclose(frame["estimate"], np.r_[p[3:], p[:3]], atol=1e-8)
    np.testing.assert_allclose(frame["se"], np.r_[se[3:], se[:3]], atol=1e-8)
    difference = res.incidence.differences("KP", "VP", days=AT)
    np.testing.assert_allclose(difference["estimate"], p[3:] - p[:3], atol=1e-8)
    np.testing.assert_allclose(difference["se"], np.hypot(se[3:], se[:3]), atol=1e-8)
    if key != "att":  # of two arms the later word counts as treated
        direct = vo.cumulative_incidence(COHORT, **how).at(AT)
        np.testing.assert_allclose(direct["estimate"], frame["estimate"], atol=1e-8)
    assert frame["n_at_risk"].max() <= len(DATA)


def test_weighted_gray_is_the_robust_test_of_the_weighted_model() -> None:
    how = {"adjust": "overlap_weighting", "covariates": GIVEN}
    gray = vo.adjacent_fractures(COHORT, **ARMS, method="gray", **how)
    model = vo.adjacent_fractures(COHORT, **ARMS, method="fine_gray", **how)
    assert gray.p_value == pytest.approx(model.p_value, rel=1e-12)
    assert np.isnan(gray.estimate)


def test_deaths() -> None:
    pin = PINS["death"]
    res = vo.mortality(COHORT, **ARMS, covariates=["age_years"], horizon_days=500)
    np.testing.assert_allclose(res.coefficients["estimate"], pin["cox"]["beta"], atol=1e-8)
    np.testing.assert_allclose(res.coefficients["se"], pin["cox"]["se"], atol=1e-8)
    np.testing.assert_allclose(
        res.proportional_hazards["p_value"].iloc[[0, -1]],
        [pin["zph"], pin["zph_global"]],
        atol=1e-8,
    )
    curve, s, se = res.at(AT), np.array(pin["s"]), np.array(pin["se"])
    np.testing.assert_allclose(curve["estimate"], np.r_[s[3:], s[:3]], atol=1e-9)
    np.testing.assert_allclose(curve["se"], np.r_[se[3:], se[:3]], atol=1e-9)
    np.testing.assert_allclose(res.rmst["estimate"][:2], pin["rmean"][::-1], atol=1e-8)
    np.testing.assert_allclose(res.rmst["se"][:2], pin["rmean_se"][::-1], atol=1e-8)
    difference = res.rmst.iloc[2]
    assert difference["se"] == pytest.approx(np.hypot(*pin["rmean_se"]), abs=1e-8)
    np.testing.assert_allclose(res.periods["estimate"], pin["pieces"]["beta"], atol=1e-7)
    np.testing.assert_allclose(res.periods["se"], pin["pieces"]["se"], atol=1e-7)


def test_swapped_arms_and_shuffled_rows() -> None:
    res = vo.mortality(COHORT, **ARMS, horizon_days=400)
    swapped = vo.mortality(COHORT, treatment="VP", comparator="KP", horizon_days=400)
    shuffled = vo.mortality(
        cohort_of(DATA.sample(frac=1, random_state=1)), **ARMS, horizon_days=400
    )
    assert swapped.estimate == pytest.approx(-res.estimate, rel=1e-9)
    assert shuffled.estimate == pytest.approx(res.estimate, rel=1e-9)
    assert swapped.rmst["estimate"][2] == pytest.approx(-res.rmst["estimate"][2], rel=1e-9)


def test_deaths_weighted() -> None:
    res = vo.mortality(COHORT, **ARMS, covariates=GIVEN, adjust="ate_weighting", horizon_days=300)
    direct = vo.cumulative_incidence(
        COHORT, event="death", covariates=GIVEN, adjust="ate_weighting"
    ).at([180])
    np.testing.assert_allclose(1 - res.at([180])["estimate"], direct["estimate"][[0, 1]], atol=1e-9)
    assert "ate weighting" in str(res)


def test_the_sentence_leads_with_what_holds() -> None:
    """Crossing hazards: the single hazard ratio gives way to mean days and ratios by period."""
    n = 400
    early = pd.DataFrame({"age": 70, "sex": "female", "site": "a", "end": 800, "fx": 20_000,
                          "kp": [1, 0] * (n // 2)})  # fmt: skip
    rank = np.arange(n) // 2
    early["dx"] = np.where(early["kp"] == 1, 1 + 3 * (rank % 100), 100 + 2 * (rank % 100))
    crossed = vo.mortality(cohort_of(early), **ARMS, horizon_days=250)
    assert not crossed.proportional
    assert "changes with time" in str(crossed)
    constant = vo.mortality(COHORT, **ARMS, horizon_days=300)
    assert "constant over time" in str(constant) or not constant.proportional


def test_monoclonal_gammopathy_as_a_stranger_would_load_it() -> None:
    """mgus2: plasma cell malignancy stands in for the fracture, months for days."""
    pin = PINS["mgus2"]
    m = pd.DataFrame({k: pin[k] for k in ("sex", "age", "ptime", "pstat", "futime", "death")})
    ids = [f"m{i:04d}" for i in range(len(m))]
    cohort = vo.Cohort.from_frames(
        patients=pd.DataFrame(
            {"patient_id": ids, "age_years": m["age"],
             "sex": m["sex"].map({"M": "male", "F": "female"}),
             "death_day": m["futime"].where(m["death"] == 1)}
        ),
        episodes=pd.DataFrame(
            {"patient_id": ids, "treatment": np.where(m["sex"] == "M", "KP", "VP"),
             "followup_end_day": m["futime"]}
        ),
        fractures=pd.DataFrame({"patient_id": ids, "day": m["ptime"]})[m["pstat"] == 1],
    )  # fmt: skip
    frame = vo.cumulative_incidence(cohort, event="fracture", by="sex").at([60, 120, 240, 400])
    reached = np.array(pin["n"]) > 0
    np.testing.assert_allclose(frame["estimate"][reached], np.array(pin["cif"])[reached], atol=1e-9)
    np.testing.assert_allclose(frame["se"][reached], np.array(pin["se"])[reached], atol=1e-9)
    assert frame["n_at_risk"].tolist() == pin["n"]
    for method, key in (("fine_gray", "crr"), ("cox", "cox")):
        res = vo.adjacent_fractures(
            cohort, **ARMS, method=method, covariates=["age_years"], event="fracture"
        )
        np.testing.assert_allclose(res.coefficients["estimate"], pin[key]["beta"], atol=1e-7)
        np.testing.assert_allclose(res.coefficients["se"], pin[key]["se"], atol=1e-7)
    gray = vo.adjacent_fractures(cohort, **ARMS, method="gray", event="fracture")
    assert gray.p_value == pytest.approx(pin["gray_p"], abs=1e-9)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"adjust": "magic", "covariates": ["age_years"]}, "overlap_weighting"),
        ({"adjust": "overlap_weighting"}, "balance"),
        ({"covariates": ["shoe_size"]}, "age_years"),
        ({"horizon_days": 5000}, "at most"),
        ({"horizon_days": -1}, "days above 0"),
        ({"periods_days": [90, 30]}, "increasing"),
        ({"periods_days": 90}, "increasing"),
        ({"level": 95}, "between 0 and 1"),
        ({"cluster": "ward"}, "site"),
        ({"treatment": "XX"}, "NSM"),
        ({"comparator": "NSM"}, "KP, VP"),
    ],
)
def test_bad_requests_are_refused_in_words(wrong: dict, says: str) -> None:
    with pytest.raises(vo.InputError, match=says):
        vo.mortality(COHORT, **{**ARMS, **wrong})


def test_an_arm_without_deaths_and_separated_arms() -> None:
    lucky = DATA.assign(dx=np.where(DATA["kp"] == 1, 20_000, DATA["dx"]))
    with pytest.raises(vo.InputError, match="none in arm KP"):
        vo.mortality(cohort_of(lucky), **ARMS)
    apart = DATA.assign(age=np.where(DATA["kp"] == 1, 80, 70))
    with pytest.raises(vo.InputError, match="overlap"):
        vo.mortality(cohort_of(apart), **ARMS, covariates=["age_years"], adjust="ate_weighting")
    with pytest.raises(vo.InputError, match="Cohort"):
        vo.mortality(DATA, **ARMS)


def test_results_show_themselves() -> None:
    res = vo.mortality(COHORT, **ARMS, horizon_days=400)
    assert {"measure", "estimate", "ci_low", "ci_high", "p_value"} <= set(res.to_frame().columns)
    assert "constant" in res._repr_html_()
    assert res.plot().get_ylabel() == "dead, %"
    with pytest.raises(vo.InputError, match="0 or later"):
        res.at([-1])
    with pytest.raises(vo.InputError, match="numbers"):
        res.at("soon")
    risk = vo.adjacent_fractures(COHORT, **ARMS)
    assert risk.risk_differences["day"].tolist() == [30, 90, 180, 365, 730]
    assert "Risk differences" in risk._repr_html_()
    with pytest.raises(vo.InputError, match="KP, VP"):
        risk.incidence.differences("KP", "NSM")
    with pytest.raises(vo.InputError, match="infinitesimal"):
        vo.cumulative_incidence(COHORT, variance="aalen", cluster="site")


def test_patients_lost_on_day_0_add_no_time() -> None:
    """As in R, somebody never seen again is a patient without time, and the notes say so."""
    lost = pd.DataFrame({"age": 70, "sex": "female", "site": "a", "end": 0, "fx": 20_000,
                         "dx": 20_000, "kp": [1, 0]})  # fmt: skip
    more = vo.adjacent_fractures(cohort_of(pd.concat([DATA, lost], ignore_index=True)), **ARMS)
    plain = vo.adjacent_fractures(COHORT, **ARMS)
    assert more.estimate == pytest.approx(plain.estimate, rel=1e-12)
    assert more.se == pytest.approx(plain.se, rel=1e-12)
    assert more.n_t == plain.n_t + 1
    assert any("2 patients were not followed beyond day 0" in note for note in more.notes)


def test_synthetic_is_said_everywhere() -> None:
    cohort, _ = vo.simulate_registry(n_patients=900, seed=3)
    dead = vo.mortality(cohort, treatment="VP", comparator="NSM")
    broken = vo.adjacent_fractures(cohort, treatment="VP", comparator="NSM", event="fracture")
    for res in (dead, broken, broken.incidence):
        assert "ynthetic" in str(res)
        assert "synthetic" in [text.get_text() for text in res.plot().texts]
