"""Several arms at once: against R, against the two-arm analysis, and what is refused."""

import functools
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo
from vertebro_outcomes.estimators.propensity.several_arms import fit_weighted_arms
from vertebro_outcomes.estimators.propensity.weighted_contrast import fit_weighted_contrast
from vertebro_outcomes.estimators.two_arms import TwoArms

HERE = Path(__file__).parents[2] / "reference"
ROWS = json.loads((HERE / "weighting.json").read_text())["data"]
FITS = json.loads((HERE / "three_arms.json").read_text())["fits"]
Y = np.array([r["y"] for r in ROWS], float)
ARM = np.array([r["arm3"] for r in ROWS], dtype=np.int64)
X = np.array([[r["baseline"], r["age"], r["female"]] for r in ROWS], float)
QUESTION = {"outcome": "pain_vas", "arms": ["KP", "VP", "NSM"], "day": 30}


@functools.cache
def confounded():
    return vo.simulate_registry(n_patients=6000, seed=4, scenario="confounded")


@pytest.mark.parametrize("pinned", FITS, ids=lambda f: f["kind"])
def test_three_arms_are_those_of_r(pinned):
    fit = fit_weighted_arms(Y, ARM, X, kind=pinned["kind"])
    np.testing.assert_allclose(fit.mean, pinned["mean"], rtol=2e-6)
    ours, theirs = fit.weights / fit.weights.sum(), np.array(pinned["weights"])
    np.testing.assert_allclose(ours, theirs / theirs.sum(), rtol=2e-4)
    for t, c in ((0, 1), (0, 2), (1, 2)):
        assert fit.contrast(t, c)[1] == pytest.approx(pinned[f"se_{t}{c}"], rel=2e-5)


@pytest.mark.parametrize("kind", ["overlap", "ate", "matching"])
def test_two_arms_are_the_usual_contrast(kind):
    arm = (ARM > 0).astype(np.int64)
    estimate, se = fit_weighted_arms(Y, arm, X, kind=kind).contrast(1, 0)
    usual = fit_weighted_contrast(TwoArms(Y, arm == 1, X), kind=kind)
    assert estimate == pytest.approx(usual.estimate, rel=1e-9)
    assert se == pytest.approx(usual.se, rel=1e-7)


def test_through_a_cohort():
    cohort, truth = confounded()
    found = vo.compare_arms(cohort, **QUESTION)
    rows = found.contrasts.set_index(["treatment", "comparator"])
    parts = rows.loc[("KP", "VP"), "estimate"] + rows.loc[("VP", "NSM"), "estimate"]
    assert parts == pytest.approx(rows.loc[("KP", "NSM"), "estimate"], rel=1e-10)
    true = truth.value(
        "pain_vas", treatment="KP", comparator="NSM", day=30, measure="MD", estimand="ATO"
    )
    row = rows.loc[("KP", "NSM")]
    assert abs(row["estimate"] - true) < 4 * row["se"]
    assert (found.balance["smd_after"] < 0.05).all()  # overlap weights balance, up to the reference
    assert found.balance["smd_before"].max() > 0.1
    turned = vo.compare_arms(cohort, **QUESTION | {"arms": ["NSM", "VP", "KP"]})
    assert turned.contrasts["estimate"].iloc[1] == pytest.approx(-row["estimate"], rel=1e-6)
    assert "KP minus NSM" in str(found)
    assert "Synthetic" in str(found)
    assert len(found.to_frame()) == 3
    assert "<table>" in found._repr_html_()
    assert found.plot() is not None


def test_variances_of_several_arms():
    se = {
        v: vo.compare_arms(confounded()[0], variance=v, covariates=["age_years"], **QUESTION).contrasts.se[0]
        for v in ("sandwich", "sandwich_site", "fixed_propensity")
    }  # fmt: skip
    assert len(set(se.values())) == 3


@pytest.mark.parametrize(
    ("change", "said"),
    [({"arms": ["KP"]}, "arms"), ({"arms": ["KP", "KP"]}, "arms"), ({"arms": ["KP", "VP", "SHAM"]}, "SHAM"),
     ({"arms": "KP"}, "arms"), ({"arms": ["KP", "VP", "XX"]}, "XX"),
     ({"method": "aipw"}, "overlap_weighting"),
     ({"day": 0}, "day"), ({"covariates": ["shoe"]}, "shoe"), ({"outcome": "mood"}, "outcome"),
     ({"day": 2000}, "arm KP")],
)  # fmt: skip
def test_what_cannot_be_asked_of_several_arms(change, said):
    with pytest.raises(vo.InputError, match=said):
        vo.compare_arms(confounded()[0], **QUESTION | change)


def lopsided():
    """Two arms whose covariate hardly overlaps, a third in between."""
    rng = np.random.default_rng(7)
    n = 400
    ids = [f"p{i:03d}" for i in range(n)]
    arm = np.arange(n) % 3
    return vo.Cohort.from_frames(
        patients=pd.DataFrame({"patient_id": ids, "x": rng.normal(size=n) + 3.2 * arm}),
        episodes=pd.DataFrame(
            {"patient_id": ids, "treatment": np.array(["KP", "VP", "NSM"])[arm], "day0": "enrolment"}
        ),
        scores=pd.DataFrame(
            {"patient_id": ids, "instrument": "pain_vas", "day": 30, "value": rng.uniform(0, 10, n)}
        ),
    )  # fmt: skip


def test_weights_that_fail_withhold_every_difference():
    ask = QUESTION | {"method": "ate_weighting", "covariates": ["x"]}
    found = vo.compare_arms(lopsided(), **ask)
    assert found.withheld
    assert found.contrasts[["estimate", "se", "ci_low", "ci_high", "p_value"]].isna().all(axis=None)
    assert np.isnan(found.mean).all()
    assert "estimates withheld" in str(found)
    assert found.to_frame()["withheld"].eq(found.withheld).all()
    shown = vo.compare_arms(lopsided(), failed="show", **ask)
    assert shown.contrasts["estimate"].notna().all()
    assert "should not be relied on" in str(shown)
    assert not vo.compare_arms(confounded()[0], **QUESTION).withheld
    with pytest.raises(vo.InputError, match="failed"):
        vo.compare_arms(confounded()[0], failed="hide", **QUESTION)
    controls = vo.negative_controls(
        lopsided(), controls=["pain_vas"], **{k: v for k, v in ask.items() if k != "outcome"}
    )
    assert controls["reason"].eq(found.withheld).all()


def test_nothing_is_imputed_for_several_arms():
    with pytest.raises(vo.InputError, match="imputes for two arms at a time"):
        vo.compare_arms(confounded()[0], missing="multiple_imputation", **QUESTION)
    with pytest.raises(vo.InputError, match="missing"):
        vo.compare_arms(confounded()[0], missing="guess", **QUESTION)
