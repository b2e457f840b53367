"""Shifts of the scores that nobody saw: against the analysis of every shift itself, and what tips."""

import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo

QUESTION = {"outcome": "pain_vas", "treatment": "KP", "comparator": "NSM", "day": 90}
FEW = {"n_imputations": 8}


def cohort_of(gone=0.25, effect=-0.8, n=160, **patients):
    rng = np.random.default_rng(3)
    ids = [f"p{i:03d}" for i in range(n)]
    arm = np.where(rng.random(n) < 0.5, "KP", "NSM")
    before = 6 + rng.normal(0, 0.8, n)
    after = before - 2 + effect * (arm == "KP") + rng.normal(0, 0.7, n)
    after = np.clip(after, 0, 10)
    after[rng.random(n) < gone] = np.nan
    scores = pd.DataFrame({"patient_id": ids * 2, "day": [0] * n + [90] * n})
    scores = scores.assign(instrument="pain_vas", value=np.r_[before, after]).dropna()
    cohort = vo.Cohort.from_frames(
        patients=pd.DataFrame({"patient_id": ids, "age_years": rng.normal(75, 6, n), **patients}),
        episodes=pd.DataFrame({"patient_id": ids, "treatment": arm}),
        scores=scores,
    )
    return cohort, arm, np.isnan(after)


COHORT, ARM, GONE = cohort_of()


@pytest.mark.parametrize(
    "asked",
    [
        {"method": "ancova"},
        {"method": "unadjusted"},
        {"method": "ancova", "missing": "jump_to_reference"},
        {"method": "overlap_weighting", "covariates": ["baseline", "age_years"]},
        {"method": "g_computation", "covariates": ["baseline", "age_years"]},
        {"method": "matching", "covariates": ["baseline"]},
        {"method": "aipw", "covariates": ["baseline", "age_years"]},
    ],
    ids=lambda a: " ".join(str(v) for v in a.values() if isinstance(v, str)),
)
def test_every_shift_is_the_analysis_of_that_shift(asked):
    asked = {"missing": "multiple_imputation", **asked, **QUESTION, **FEW}
    found = vo.delta_adjusted(COHORT, **asked, deltas=[0.7, -1.3])
    curve = found.curve.set_index(["arm", "delta"])
    for arm, delta in (("KP", (0.7, 0.0)), ("NSM", (0.0, -1.3))):
        direct = vo.compare(COHORT, **asked, delta=delta, failed="show")
        row = curve.loc[(arm, sum(delta))]
        for name in ("estimate", "se", "df", "ci_low", "ci_high", "p_value"):
            assert row[name] == pytest.approx(getattr(direct, name), rel=1e-7), name


def test_at_the_tipping_point_the_interval_reaches_no_effect():
    asked = {**QUESTION, **FEW, "method": "ancova"}
    found = vo.delta_adjusted(COHORT, **asked)
    tips = found.tipping.set_index("arm")
    assert tips.loc["KP", "delta"] > 0 > tips.loc["NSM", "delta"]
    for place, arm in enumerate(("KP", "NSM")):
        delta = [0.0, 0.0]
        delta[place] = tips.loc[arm, "delta"]
        there = vo.compare(COHORT, **asked, missing="multiple_imputation", delta=tuple(delta))
        assert there.ci_high == pytest.approx(0.0, abs=1e-8)
        assert tips.loc[arm, "n_unseen"] == (GONE & (arm == ARM)).sum()
        assert tips.loc[arm, "share_unseen"] == pytest.approx(GONE[arm == ARM].mean())
    swapped = vo.delta_adjusted(COHORT, **{**asked, "treatment": "NSM", "comparator": "KP"})
    other = swapped.tipping.set_index("arm")
    assert other["delta"].to_dict() == pytest.approx(tips["delta"].to_dict(), rel=1e-6)


def test_the_sentence_the_table_and_the_picture():
    found = vo.delta_adjusted(COHORT, **QUESTION, **FEW)
    said = str(found)
    n = (GONE & (ARM == "KP")).sum()
    assert f"the 95% interval reaches no effect when the {n} scores" in said
    assert "higher than imputed" in said
    assert "lower than imputed" in said
    assert len(found.to_frame()) == 18
    assert set(found.to_frame()["missing"]) == {"multiple_imputation"}
    assert "Tipping points" in found._repr_html_()
    drawn = found.plot()
    assert len(drawn.get_lines()) == 4
    assert found.plot(ax=drawn) is drawn


def test_no_effect_without_a_shift_tips_at_none():
    cohort, _, _ = cohort_of(effect=0.0)
    found = vo.delta_adjusted(cohort, **QUESTION, **FEW)
    assert (found.tipping["delta"] == 0).all()
    assert "the interval holds no effect before" in str(found)


def test_too_few_unseen_to_tip_and_an_arm_that_was_seen_whole():
    cohort, arm, gone = cohort_of(gone=0.02, effect=-1.9)
    found = vo.delta_adjusted(cohort, **QUESTION, **FEW)
    tips = found.tipping.set_index("arm")
    assert tips["delta"].isna().all()
    assert "within the scale makes the interval reach no effect" in str(found)
    assert tips.loc["KP", "n_unseen"] == (gone & (arm == "KP")).sum()
    frame = COHORT.scores.to_pyarrow().to_pandas()
    ids = COHORT.patients.to_pyarrow().to_pandas()["patient_id"]
    whole = set(ids[np.array(ARM) == "NSM"]) & set(ids[GONE])
    extra = pd.DataFrame({"patient_id": sorted(whole), "day": 90, "instrument": "pain_vas"})
    scores = pd.concat(
        [frame[["patient_id", "day", "instrument", "value"]], extra.assign(value=4.0)]
    )
    full = vo.Cohort.from_frames(
        patients=pd.DataFrame({"patient_id": ids}),
        episodes=pd.DataFrame({"patient_id": ids, "treatment": ARM}),
        scores=scores,
    )
    half = vo.delta_adjusted(full, **QUESTION, **FEW)
    assert half.tipping.set_index("arm").loc["NSM", "n_unseen"] == 0
    assert "no score of NSM was missing" in str(half)


def test_who_died_is_not_shifted():
    dead = GONE & (np.arange(len(GONE)) % 2 == 0)
    cohort, _, _ = cohort_of(death_day=np.where(dead, 40.0, np.nan))
    found = vo.delta_adjusted(cohort, **QUESTION, **FEW)
    assert found.tipping["n_unseen"].sum() == (GONE & ~dead).sum()
    assert "death is not missing data" in str(found)


def test_a_withheld_estimate_has_no_shifts_either():
    rng = np.random.default_rng(0)
    apart = np.where(ARM == "KP", 90.0, 60.0) + rng.normal(0, 8, len(ARM))
    cohort, _, _ = cohort_of(bmi=np.clip(apart / 3, 10, 60))
    asked = {**QUESTION, **FEW, "method": "ate_weighting", "covariates": ["bmi"]}
    assert vo.compare(cohort, **asked, missing="multiple_imputation").withheld
    found = vo.delta_adjusted(cohort, **asked)
    assert found.curve["estimate"].isna().all()
    assert found.tipping["delta"].isna().all()
    assert ": withheld." in str(found)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"missing": "observed"}, "multiple_imputation, jump_to_reference"),
        ({"deltas": []}, "numbers in the unit of the score"),
        ({"deltas": ["a"]}, "numbers in the unit of the score"),
        ({"method": "mmrm"}, "all visits as they are"),
    ],
)
def test_what_cannot_be_meant_is_refused(options, said):
    with pytest.raises(vo.InputError, match=said):
        vo.delta_adjusted(COHORT, **{**QUESTION, **FEW, **options})


def test_nobody_missing_is_a_sentence():
    cohort, _, _ = cohort_of(gone=0.0)
    with pytest.raises(vo.InputError, match="nothing can be shifted"):
        vo.delta_adjusted(cohort, **QUESTION, **FEW)
