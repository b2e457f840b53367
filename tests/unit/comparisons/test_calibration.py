"""Empirical calibration against R: the likelihood maximised directly, and metafor."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo

SETS = json.loads((Path(__file__).parents[2] / "reference" / "negative_controls.json").read_text())[
    "sets"
]


@pytest.mark.parametrize("pinned", SETS, ids=lambda s: f"{len(s['se'])} controls")
def test_calibrated_effects(pinned):
    controls = pd.DataFrame({"estimate": pinned["estimate"], "se": pinned["se"]})
    effects = pd.DataFrame({"estimate": pinned["effect"], "se": pinned["effect_se"]})
    found = vo.calibrate(effects, controls=controls)
    assert found["systematic_error_mean"].iloc[0] == pytest.approx(pinned["mean"], abs=1e-7)
    assert found["systematic_error_sd"].iloc[0] == pytest.approx(pinned["sd"], abs=1e-6)
    assert found["systematic_error_mean"].iloc[0] == pytest.approx(pinned["optim_mean"], abs=1e-4)
    assert found["systematic_error_sd"].iloc[0] == pytest.approx(pinned["optim_sd"], abs=1e-3)
    np.testing.assert_allclose(found["calibrated_p_value"], pinned["p"], rtol=1e-5)
    np.testing.assert_allclose(found["calibrated_ci_low"], pinned["low"], rtol=0, atol=1e-6)
    assert found["n_controls"].eq(len(controls)).all()


def test_calibrated_intervals_cover_where_uncalibrated_ones_do_not():
    rng = np.random.default_rng(1)
    se = rng.uniform(0.05, 0.2, 4000)
    estimate = rng.normal(0.2, np.sqrt(0.15**2 + se**2))  # true effect zero, systematic error
    controls = pd.DataFrame({"estimate": estimate[:60], "se": se[:60]})
    effects = pd.DataFrame({"estimate": estimate[60:], "se": se[60:]})
    found = vo.calibrate(effects, controls=controls)
    covered = (found["calibrated_ci_low"] <= 0) & (found["calibrated_ci_high"] >= 0)
    naive = (effects["estimate"].abs() <= 1.96 * effects["se"]).mean()
    assert naive < 0.6
    assert covered.mean() == pytest.approx(0.95, abs=0.05)


@pytest.mark.parametrize(
    "controls",
    [pd.DataFrame({"estimate": [0.1] * 3, "se": [0.1] * 3}), pd.DataFrame({"effect": [1.0]}),
     pd.DataFrame({"estimate": [0.1] * 6, "se": [0.0] * 6}), None],
    ids=["too few", "no columns", "no spread", "nothing"],
)  # fmt: skip
def test_controls_that_cannot_be_used_are_refused(controls):
    with pytest.raises(vo.InputError, match="controls"):
        vo.calibrate(pd.DataFrame({"estimate": [0.3], "se": [0.1]}), controls=controls)


N_CONTROLS = 20
NAMES = [f"control_{i}" for i in range(N_CONTROLS)]


@cache
def confounded(n=900, seed=2):
    """Three arms whose choice follows frailty nobody recorded; frailty moves every score."""
    rng = np.random.default_rng(seed)
    ids = np.array([f"p{i:04d}" for i in range(n)])
    frail = rng.normal(size=n)
    arm = np.select([frail + rng.normal(0, 1, n) > 0.7, rng.random(n) < 0.5], ["NSM", "KP"], "VP")
    age = rng.normal(75, 7, n)

    def scores(name, values, day=30):
        clipped = np.clip(values, 0, 100)
        return pd.DataFrame({"patient_id": ids, "instrument": name, "day": day, "value": clipped})

    parts = [
        scores(name, 50 + rng.normal(3, 1) * frail + rng.normal(0, 8, n)) for name in NAMES
    ]  # fmt: skip
    parts.append(scores("odi", 40 + 3 * frail + rng.normal(0, 8, n)))  # no effect of the arm
    scale = {name: vo.Instrument(0, 100, "lower", name) for name in NAMES}
    return vo.Cohort.from_frames(
        patients=pd.DataFrame({"patient_id": ids, "age_years": age}),
        episodes=pd.DataFrame({"patient_id": ids, "treatment": arm, "day0": "enrolment"}),
        scores=pd.concat(parts, ignore_index=True),
        instruments=scale,
    )


def test_tens_of_controls_take_the_confounding_off_every_pair_of_arms():
    cohort = confounded()
    how = {"arms": ["KP", "VP", "NSM"], "day": 30, "covariates": ["age_years"]}
    controls = vo.negative_controls(cohort, controls=NAMES, **how)
    assert len(controls) == 3 * N_CONTROLS
    result = vo.compare_arms(cohort, outcome="odi", **how)
    found = vo.calibrate(result, controls=controls)
    assert found[["treatment", "comparator"]].equals(result.to_frame()[["treatment", "comparator"]])
    assert found["estimate"].equals(result.to_frame()["estimate"])
    against = found[found["comparator"] == "NSM"]
    assert (against["ci_high"] < 0).all()  # confounded: looks better than no procedure
    assert (against["calibrated_ci_high"] > 0).all()
    assert (against["calibrated_ci_low"] < 0).all()
    assert found["n_controls"].eq(N_CONTROLS).all()
    # every pair by itself, from its own controls
    for row in found.to_dict("records"):
        own = controls[
            controls["treatment"].eq(row["treatment"])
            & controls["comparator"].eq(row["comparator"])
        ]
        alone = vo.calibrate(
            pd.DataFrame([{"estimate": row["estimate"], "se": row["se"]}]), controls=own
        )
        assert row["calibrated_ci_low"] == pytest.approx(alone["calibrated_ci_low"][0], rel=1e-12)


def test_two_arms_either_way_round():
    cohort = confounded()
    how = {"day": 30, "method": "ancova", "covariates": ["age_years"]}
    arms, turned = (
        {"treatment": "KP", "comparator": "NSM"},
        {"treatment": "NSM", "comparator": "KP"},
    )
    controls = vo.negative_controls(cohort, controls=NAMES, **arms, **how)
    found = vo.calibrate(vo.compare(cohort, outcome="odi", **arms, **how), controls=controls)
    other = vo.calibrate(vo.compare(cohort, outcome="odi", **turned, **how), controls=controls)
    assert other["calibrated_estimate"][0] == pytest.approx(-found["calibrated_estimate"][0])
    assert other["calibrated_p_value"][0] == pytest.approx(found["calibrated_p_value"][0])
    table = vo.compare_methods(
        cohort, methods=["ancova", "clda"], outcome="odi", **arms, day=30, covariates=["age_years"]
    )
    both = vo.calibrate(table, controls=controls)
    assert both["calibrated_estimate"].isna().tolist() == table["estimate"].isna().tolist()
    assert both["calibrated_estimate"][0] == pytest.approx(found["calibrated_estimate"][0])


def test_a_control_that_cannot_be_estimated_says_why_and_is_left_out():
    cohort = confounded()
    how = {"treatment": "KP", "comparator": "NSM", "day": 30, "method": "ancova"}
    more = [*NAMES[:8], "odi"]
    empty = vo.Instrument(0, 100, "lower", "never asked")
    scores = cohort.frame("scores")
    again = vo.Cohort.from_frames(
        patients=cohort.frame("patients"), episodes=cohort.frame("episodes"), scores=scores,
        instruments={name: vo.Instrument(0, 100, "lower", name) for name in NAMES} | {"empty": empty},
    )  # fmt: skip
    found = vo.negative_controls(
        again, controls=[*NAMES[:8], "empty"], covariates=["age_years"], **how
    )
    assert found["estimate"].isna().tolist() == [False] * 8 + [True]
    assert found["reason"].iloc[-1]
    effect = pd.DataFrame({"estimate": [1.0], "se": [0.5]})
    assert vo.calibrate(effect, controls=found)["n_controls"].tolist() == [8]
    for wrong, said in (
        ({"controls": []}, "controls"),
        ({"controls": ["nobody"]}, "controls"),
        ({"controls": NAMES[:2], "outcome": "odi"}, "the controls are the outcomes"),
        ({"controls": [NAMES[0], "pain_vas"]}, "several scales"),
        ({"controls": ["empty"], "covariates": ["age_years"]}, "patients"),
    ):
        with pytest.raises(vo.InputError, match=said):
            vo.negative_controls(again, **how | wrong)
    with pytest.raises(vo.InputError, match="cohort"):
        vo.negative_controls("cohort", controls=more, **how)
    with pytest.raises(vo.InputError, match="effects"):
        vo.calibrate(3.0, controls=found)
    with pytest.raises(vo.InputError, match="VP"):
        vo.calibrate(effect.assign(treatment="KP", comparator="VP"), controls=found)
