"""Comparisons where scores are missing: imputed, shifted, refused, and who died."""

import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo

QUESTION = {"outcome": "pain_vas", "treatment": "KP", "comparator": "NSM", "day": 90}
MI = {"missing": "multiple_imputation", "n_imputations": 20}


def wide(n=200, seed=0, effect=-1.0):
    """Patients with baseline, day 30 and day 90; who has pain at day 30 tends to miss day 90."""
    rng = np.random.default_rng(seed)
    own = rng.normal(0, 0.4, n)
    arm = np.where(rng.random(n) < 0.5, "KP", "NSM")
    kp = arm == "KP"
    frame = pd.DataFrame({"arm": arm}, index=[f"p{i:04d}" for i in range(n)])
    frame["age_years"] = rng.normal(75, 7, n).round()
    frame["sex"] = np.where(rng.random(n) < 0.7, "female", "male")
    frame[0] = 6.5 + own + rng.normal(0, 0.4, n)
    frame[30] = 5 + own + effect * kp + rng.normal(0, 0.4, n)
    frame[90] = 4 + own + effect * kp + rng.normal(0, 0.4, n)
    return frame


def with_gaps(frame, seed=1):
    """Missing at random given day 30: the best of KP and the worst of NSM, which hides the effect."""
    rng = np.random.default_rng(seed)
    kp = frame["arm"] == "KP"
    above = frame[30] - np.where(kp, 4.0, 5.0)
    gone = rng.random(len(frame)) < 1 / (1 + np.exp(0.3 + np.where(kp, 2.5, -2.5) * above))
    seen = frame.copy()
    seen.loc[gone, 90] = np.nan
    return seen


def cohort_of(frame, **patients):
    days = [c for c in frame.columns if isinstance(c, int)]
    long = frame[days].stack().dropna().rename("value").rename_axis(["patient_id", "day"])
    ids = frame.index.rename("patient_id")
    others = {name: frame[name].to_numpy() for name in ("age_years", "sex")}
    return vo.Cohort.from_frames(
        patients=pd.DataFrame({"patient_id": ids, **others, **patients}),
        episodes=pd.DataFrame({"patient_id": ids, "treatment": frame["arm"].to_numpy()}),
        scores=long.reset_index().assign(instrument="pain_vas"),
    )


FULL = wide()
GAPS = with_gaps(FULL)
COHORT = cohort_of(GAPS)


def test_imputation_recovers_what_the_patients_seen_do_not_show():
    """Six trials; the truth is an effect of -1, the complete cases are biased towards none."""
    alone, imputed = [], []
    for seed in range(6):
        cohort = cohort_of(with_gaps(wide(seed=seed), seed=100 + seed))
        asked = {**QUESTION, "method": "unadjusted"}
        alone.append(vo.compare(cohort, **asked).estimate)
        imputed.append(vo.compare(cohort, **asked, **{**MI, "n_imputations": 10}, seed=seed))
    estimates = np.array([f.estimate for f in imputed])
    error = estimates.std(ddof=1) / np.sqrt(len(estimates))
    assert np.mean(alone) > -0.8
    assert abs(estimates.mean() + 1) < 3 * error
    assert sum(f.ci_low < -1 < f.ci_high for f in imputed) >= 5


@pytest.mark.parametrize("imputation", ["pmm", "normal"])
def test_the_result_says_what_was_imputed(imputation):
    found = vo.compare(COHORT, method="ancova", **QUESTION, **MI, imputation=imputation)
    assert (found.n_t, found.n_c) == tuple((GAPS["arm"] == a).sum() for a in ("KP", "NSM"))
    shown = found.diagnostics.set_index("diagnostic")["value"]
    gone = GAPS[90].isna()
    assert shown["n_imputed_t"] == (gone & (GAPS["arm"] == "KP")).sum()
    assert shown["n_imputations"] == 20
    total = shown["within_variance"] + 1.05 * shown["between_variance"]
    assert found.se**2 == pytest.approx(total, rel=1e-12)
    said = str(found)
    assert "ancova, multiple imputation, n =" in said
    assert "the scores of day 30" in said
    assert {"pmm": "predictive mean matching", "normal": "normal draws"}[imputation] in said
    assert found.to_frame()["missing"].iloc[0] == "multiple_imputation"


def test_nothing_missing_is_the_plain_analysis():
    cohort = cohort_of(FULL)
    plain = vo.compare(cohort, method="ancova", **QUESTION)
    found = vo.compare(cohort, method="ancova", **QUESTION, **MI)
    assert (found.estimate, found.se, found.df) == (plain.estimate, plain.se, plain.df)
    assert "nothing was imputed" in str(found)


def test_the_order_of_rows_the_unit_and_the_arms_change_what_they_should():
    found = vo.compare(COHORT, method="ancova", **QUESTION, **MI)
    shuffled = cohort_of(GAPS.sample(frac=1, random_state=1))
    again = vo.compare(shuffled, method="ancova", **QUESTION, **MI)
    assert (again.estimate, again.se) == pytest.approx((found.estimate, found.se), rel=1e-10)
    swapped = vo.compare(
        COHORT, method="ancova", **{**QUESTION, "treatment": "NSM", "comparator": "KP"}, **MI
    )
    assert (swapped.estimate, swapped.se) == pytest.approx((-found.estimate, found.se), rel=1e-10)
    half = GAPS.copy()
    half[[0, 30, 90]] /= 2
    scaled = vo.compare(cohort_of(half), method="ancova", **QUESTION, **MI)
    assert (scaled.estimate, scaled.se) == pytest.approx(
        (found.estimate / 2, found.se / 2), rel=1e-9
    )
    other = vo.compare(COHORT, method="ancova", **QUESTION, **MI, seed=2)
    assert other.estimate != found.estimate


def test_a_shift_of_the_imputed_scores_moves_the_mean_by_its_share():
    plain = vo.compare(COHORT, method="unadjusted", **QUESTION, **MI)
    share = GAPS.loc[GAPS["arm"] == "KP", 90].isna().mean()
    other = GAPS.loc[GAPS["arm"] == "NSM", 90].isna().mean()
    moved = vo.compare(COHORT, method="unadjusted", **QUESTION, **MI, delta=2.0)
    assert moved.estimate - plain.estimate == pytest.approx(2 * share, rel=1e-9)
    both = vo.compare(COHORT, method="unadjusted", **QUESTION, **MI, delta=(0.0, 1.0))
    assert both.estimate - plain.estimate == pytest.approx(-other, rel=1e-9)
    assert "Not missing at random: imputed scores shifted by 1.00 (NSM)." in str(both)


def test_who_died_is_not_imputed():
    dead = GAPS[90].isna() & (np.arange(len(GAPS)) % 2 == 0)
    cohort = cohort_of(GAPS, death_day=np.where(dead, 60.0, np.nan))
    found = vo.compare(cohort, method="ancova", **QUESTION, **MI)
    assert found.n_t + found.n_c == len(GAPS) - dead.sum()
    assert f"{dead.sum()} patients who died without the score are left out" in str(found)
    design = vo.Design("pain_vas", "KP", "NSM", day=90, death="composite")
    worst = vo.compare(cohort, design=design, method="unadjusted", **MI)
    assert worst.n_t + worst.n_c == len(GAPS)
    assert "with the worst score: death is not missing data" in str(worst)
    assert worst.estimate != found.estimate


def test_covariates_with_blanks_are_imputed_whatever_they_hold():
    rng = np.random.default_rng(4)
    frame = GAPS.copy()
    frame.loc[rng.random(len(frame)) < 0.1, "age_years"] = np.nan
    frame["sex"] = frame["sex"].astype(object).mask(rng.random(len(frame)) < 0.1)
    frame.loc[rng.random(len(frame)) < 0.1, 0] = np.nan
    smoker = pd.array(rng.random(len(frame)) < 0.3, dtype="boolean")
    smoker[rng.random(len(frame)) < 0.1] = pd.NA
    cohort = cohort_of(frame, smoker=smoker)
    for covariates in (
        ["baseline", "age_years", "sex", "smoker"],
        "~ baseline * C(sex) + age_years",
    ):
        alone = vo.compare(cohort, method="ancova", covariates=covariates, **QUESTION)
        found = vo.compare(cohort, method="ancova", covariates=covariates, **QUESTION, **MI)
        assert found.n_t + found.n_c == len(frame) > alone.n_t + alone.n_c
        assert not found.attrition["step"].str.contains("not recorded").any()
    weighted = vo.compare(
        cohort, method="overlap_weighting", covariates=["baseline", "age_years"], **QUESTION, **MI,
        predictors=["sex"],
    )  # fmt: skip
    assert "sex" in str(weighted)
    assert len(weighted.weights) == len(frame)


def test_responders_are_counted_after_imputation():
    found = vo.compare(COHORT, method="unadjusted", response="better_30pct", **QUESTION, **MI)
    assert found.measure == "RD"
    assert found.n_t + found.n_c == len(GAPS)


def test_much_imputed_and_few_imputations_are_said():
    frame = GAPS.copy()
    frame.loc[frame.index[::2], 90] = np.nan
    found = vo.compare(
        cohort_of(frame),
        method="ancova",
        **QUESTION,
        missing="multiple_imputation",
        n_imputations=2,
        seed=1,
    )
    assert "this only raises hypotheses" in str(found)
    assert "raise n_imputations" in str(found)


def test_visits_beyond_what_the_patients_bear_stay_out():
    small = cohort_of(GAPS.groupby("arm").head(16))
    found = vo.compare(small, method="ancova", **QUESTION, **MI)
    assert "Too few scores for the imputation to use the visits of day 30" in str(found)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"missing": "guess"}, "observed, multiple_imputation"),
        ({"missing": "multiple_imputation", "n_imputations": 1}, "a whole number from 2"),
        ({"missing": "multiple_imputation", "imputation": "mean"}, "pmm, normal"),
        ({"missing": "multiple_imputation", "predictors": "age_years"}, "a list of column names"),
        ({"missing": "multiple_imputation", "predictors": ["nothing"]}, "nothing"),
        ({"missing": "multiple_imputation", "delta": "bad"}, "a number for the treatment arm"),
        ({"missing": "multiple_imputation", "delta": (1.0, 2.0, 3.0)}, "a number for the treat"),
        ({"missing": "multiple_imputation", "seed": -1}, "a whole number from 0"),
        ({"n_imputations": 5}, "missing='multiple_imputation'"),
        ({"delta": 1.0}, "missing='multiple_imputation'"),
        ({"missing": "multiple_imputation", "method": "mmrm"}, "all visits as they are"),
    ],
)
def test_what_cannot_be_meant_is_refused(options, said):
    with pytest.raises(vo.InputError, match=said):
        vo.compare(COHORT, **{**QUESTION, "method": "ancova", **options})


def test_from_presentation_on_nothing_is_imputed():
    design = vo.Design("pain_vas", "KP", "NSM", day=90, time_zero="presentation", grace_days=30)
    with pytest.raises(vo.InputError, match="follows patients until they leave"):
        vo.compare(COHORT, design=design, missing="multiple_imputation")


def test_an_arm_without_scores_at_the_day_is_a_sentence():
    nobody = GAPS.copy()
    nobody.loc[nobody["arm"] == "KP", 90] = np.nan
    with pytest.raises(
        vo.InputError, match=r"0 patients have pain_vas .*\n.*nothing can be imputed"
    ):
        vo.compare(cohort_of(nobody), method="ancova", **QUESTION, **MI)


def test_too_few_patients_for_the_imputation_are_a_sentence():
    seen = GAPS.dropna(subset=[90]).groupby("arm").head(4)
    gone = GAPS[GAPS[90].isna()].groupby("arm").head(3)
    tiny = cohort_of(pd.concat([seen, gone]))
    with pytest.raises(vo.InputError, match="too few for an imputation model"):
        vo.compare(
            tiny, method="ancova", covariates=["baseline", "age_years", "sex"], **QUESTION, **MI
        )


REFERENCE_BASED = ("jump_to_reference", "copy_reference", "copy_increments")


@pytest.mark.parametrize("missing", REFERENCE_BASED)
def test_who_left_goes_on_like_the_comparator(missing):
    found = vo.compare(COHORT, method="ancova", **QUESTION, missing=missing, n_imputations=20)
    said = str(found)
    n = (GAPS[90].isna() & (GAPS["arm"] == "KP")).sum()
    assert f"{n} patients of KP whose scores ended before" in said
    assert "as if patients of KP whose scores ended" in found.estimand
    assert found.estimand in found.protocol.set_index("component").loc["estimand", "emulation"]
    assert found.n_t + found.n_c == len(GAPS)
    again = vo.compare(
        cohort_of(GAPS.sample(frac=1, random_state=2)), method="ancova", **QUESTION,
        missing=missing, n_imputations=20,
    )  # fmt: skip
    assert (again.estimate, again.se) == pytest.approx((found.estimate, found.se), rel=1e-9)


def test_a_jump_loses_the_share_of_the_effect_of_those_who_left():
    """A patient's deviation from the own mean is kept, the effect of -1 is not."""
    rng = np.random.default_rng(8)
    frame = wide(600, seed=9)
    gone = rng.random(600) < 0.4
    seen = frame.copy()
    seen.loc[gone, 90] = np.nan
    asked = {**QUESTION, "method": "ancova", "n_imputations": 20}
    full = vo.compare(cohort_of(frame), **QUESTION, method="ancova")
    jump, own, keep = (
        vo.compare(cohort_of(seen), **asked, missing=way)
        for way in ("jump_to_reference", "multiple_imputation", "copy_increments")
    )
    share = (gone & (frame["arm"] == "KP")).sum() / (frame["arm"] == "KP").sum()
    expected = -(1 - share)
    assert jump.estimate == pytest.approx(expected, abs=3 * full.se)
    assert own.estimate == pytest.approx(-1, abs=3 * full.se)
    assert keep.estimate == pytest.approx(-1, abs=3 * full.se)
    assert jump.estimate > own.estimate + 0.2


def test_the_reference_takes_deltas_and_says_who_lacks_a_covariate():
    frame = GAPS.copy()
    frame.loc[frame[90].isna() & (np.arange(len(frame)) % 3 == 0), "age_years"] = np.nan
    frame["sex"] = "female"
    cohort = cohort_of(frame)
    asked = {
        **QUESTION,
        "method": "unadjusted",
        "n_imputations": 20,
        "predictors": ["age_years", "sex"],
    }
    plain = vo.compare(cohort, **asked, missing="jump_to_reference")
    n = (frame["age_years"].isna()).sum()
    assert f"{n} patients without the score lack a covariate" in str(plain)
    moved = vo.compare(cohort, **asked, missing="jump_to_reference", delta=1.0)
    shown = plain.diagnostics.set_index("diagnostic")["value"]
    assert moved.estimate - plain.estimate == pytest.approx(shown["n_imputed_t"] / plain.n_t)


def test_the_reference_needs_a_model_of_the_visits_that_the_data_determine():
    seen, gone = (
        GAPS[GAPS[90].isna() == missing].groupby("arm").head(3) for missing in (False, True)
    )
    tiny = cohort_of(pd.concat([seen, gone]))
    with pytest.raises(vo.InputError, match="model of the visits"):
        vo.compare(
            tiny, method="ancova", covariates="~ baseline + age_years + I(age_years**2) + sex",
            **QUESTION, missing="jump_to_reference",
        )  # fmt: skip
    with pytest.raises(vo.InputError, match="missing='multiple_imputation'"):
        vo.compare(
            COHORT, method="ancova", **QUESTION, missing="copy_reference", imputation="normal"
        )


def test_nothing_to_impute_by_the_reference_is_the_plain_analysis():
    cohort = cohort_of(FULL)
    plain = vo.compare(cohort, method="ancova", **QUESTION)
    found = vo.compare(cohort, method="ancova", **QUESTION, missing="jump_to_reference")
    assert (found.estimate, found.se) == (plain.estimate, plain.se)


WEIGHTS = {"missing": "censoring_weights"}


def test_who_stayed_stands_for_who_left():
    """Six trials; the patients seen show less than the true effect of -1."""
    alone, weighted = [], []
    for seed in range(6):
        frame = wide(600, seed=seed)
        kp = frame["arm"] == "KP"
        above = frame[30] - np.where(kp, 4, 5)
        lean = np.random.default_rng(seed).random(600)
        frame.loc[lean < 1 / (1 + np.exp(0.6 + np.where(kp, 2, -2) * above)), 90] = np.nan
        cohort = cohort_of(frame)
        alone.append(vo.compare(cohort, method="unadjusted", **QUESTION).estimate)
        asked = {**QUESTION, **WEIGHTS, "method": "unadjusted", "truncate": 1.0}
        weighted.append(vo.compare(cohort, **asked).estimate)
    error = np.std(weighted, ddof=1) / np.sqrt(6)
    assert np.mean(alone) > -0.88
    assert abs(np.mean(weighted) + 1) < 3 * error < 0.1


def test_the_weights_are_shown_and_their_variance_named():
    found = vo.compare(COHORT, method="ancova", **QUESTION, **WEIGHTS, failed="show")
    assert found.variance == "stacked_sandwich"
    assert len(found.weights) == found.n_t + found.n_c == GAPS[90].notna().sum()
    shown = found.diagnostics.set_index("diagnostic")["value"]
    assert shown["weight_highest"] == found.weights.max()
    assert shown["effective_n_t"] < found.n_t
    n = GAPS[90].isna().sum()
    assert f"{n} patients who left before day 90 are represented by those who stayed" in str(found)
    assert found.plot(kind="weights").get_xlabel() == "weight"


def test_patients_without_a_predictor_leave_and_who_died_is_not_weighted_for():
    frame = GAPS.copy()
    frame.loc[frame.index[:20], "age_years"] = np.nan
    dead = frame[90].isna() & (np.arange(len(frame)) % 2 == 0)
    cohort = cohort_of(frame, death_day=np.where(dead, 60.0, np.nan))
    asked = {
        **QUESTION,
        "method": "ancova",
        **WEIGHTS,
        "failed": "show",
        "predictors": ["age_years"],
    }
    found = vo.compare(cohort, **asked)
    left = (frame[90].isna() & ~dead & frame["age_years"].notna()).sum()
    assert f"{left} patients who left before day 90" in str(found)
    assert "a predictor of staying not recorded" in found.attrition["step"].tolist()
    assert f"{dead.sum()} patients who died without the score are left out" in str(found)
    design = vo.Design("pain_vas", "KP", "NSM", day=90, death="composite")
    worst = vo.compare(cohort, design=design, method="unadjusted", **WEIGHTS, failed="show")
    assert worst.n_t + worst.n_c == frame[90].notna().sum() + dead.sum()
    assert "count with the worst score" in str(worst)


def test_no_score_missing_is_the_plain_analysis():
    cohort = cohort_of(FULL)
    plain = vo.compare(cohort, method="ancova", **QUESTION)
    found = vo.compare(cohort, method="ancova", **QUESTION, **WEIGHTS)
    assert (found.estimate, found.se, found.variance) == (plain.estimate, plain.se, plain.variance)
    assert "nothing was weighted" in str(found)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"method": "overlap_weighting"}, "censoring_weights go with unadjusted, ancova, gee"),
        ({"n_imputations": 5}, "missing='multiple_imputation'"),
        ({"delta": 1.0}, "missing='multiple_imputation'"),
        ({"variance": "hc2"}, "stacks the models"),
        ({"truncate": 0.2}, "a quantile above 0.5"),
    ],
)
def test_weights_of_staying_refuse_what_is_not_theirs(options, said):
    with pytest.raises(vo.InputError, match=said):
        vo.compare(COHORT, **{**QUESTION, "method": "ancova", **WEIGHTS, **options})


def test_who_could_not_have_stayed_is_a_sentence():
    frame = FULL.copy()
    frame.loc[frame[30] > frame[30].median(), 90] = np.nan
    with pytest.raises(vo.InputError, match="nobody like them stayed to stand for them"):
        vo.compare(cohort_of(frame), method="ancova", **QUESTION, **WEIGHTS)


@pytest.mark.parametrize("method", ["mmrm", "gee"])
def test_a_formula_gives_the_baseline_its_effect_by_visit(method):
    """As the list of the same covariates does."""
    asked = {**QUESTION, "method": method}
    listed = vo.compare(COHORT, **asked, covariates=["baseline", "sex"])
    for formula in ("~ baseline + C(sex)", "~ sex + baseline"):
        written = vo.compare(COHORT, **asked, covariates=formula)
        assert (written.estimate, written.se) == pytest.approx(
            (listed.estimate, listed.se), rel=1e-9
        )
    curved = vo.compare(COHORT, **asked, covariates="~ baseline + I(baseline**2) + sex")
    spline = vo.compare(COHORT, **asked, covariates=["rcs(baseline, 3)", "sex"])
    assert curved.estimate != listed.estimate != spline.estimate


def test_a_formula_with_the_baseline_serves_the_area_but_not_clda():
    asked = {k: v for k, v in QUESTION.items() if k != "method"}
    listed = vo.area_under_curve(COHORT, **asked, covariates=["baseline", "sex"])
    written = vo.area_under_curve(COHORT, **asked, covariates="~ baseline + C(sex)")
    assert written.estimate == pytest.approx(listed.estimate, rel=1e-9)
    with pytest.raises(vo.InputError, match="an outcome of clda"):
        vo.compare(COHORT, method="clda", covariates="~ baseline + C(sex)", **QUESTION)


def test_weighted_estimating_equations_give_every_visit_its_weights():
    """Every coefficient by visit and working independence: the weighted analysis of each day on its own."""
    frame = GAPS.copy()
    frame.loc[frame.index[::9], 30] = np.nan
    frame.loc[frame.index[::9], 90] = np.nan
    cohort = cohort_of(frame)
    asked = {**QUESTION, **WEIGHTS, "failed": "show", "truncate": 1.0}
    found = vo.compare(cohort, method="gee", **asked)
    shown = found.by_visit.set_index("day")
    for day in (30, 90):
        alone = vo.compare(cohort, method="ancova", **{**asked, "day": day})
        assert shown.loc[day, ["estimate", "se", "ci_low", "ci_high"]].tolist() == pytest.approx(
            [alone.estimate, alone.se, alone.ci_low, alone.ci_high], rel=1e-9
        )
    assert (found.estimate, found.variance) == (shown.loc[90, "estimate"], "stacked_sandwich")
    assert (found.weights > 0).sum() == frame[90].notna().sum()
    assert len(found.weights) == found.n_t + found.n_c
    means = shown.loc[90, ["mean_t", "mean_c"]]
    assert means["mean_t"] - means["mean_c"] == pytest.approx(found.estimate)
    assert (shown[["se_mean_t", "se_mean_c"]] > 0).all(axis=None)
    assert "working independence" in str(found)
    assert found.plot(kind="trajectory") is not None


def test_a_visit_whose_weights_are_not_determined_stays_blank():
    """Only women came at day 180, so nothing tells sex and staying apart there."""
    frame = FULL.copy()
    frame[180] = np.clip(frame[90] + 0.1, 0, 10).where(frame["sex"] == "female")
    frame.loc[frame.index[::5], 90] = np.nan
    asked = {**QUESTION, **WEIGHTS, "method": "gee", "failed": "show"}
    found = vo.compare(cohort_of(frame), **asked, covariates=["baseline", "sex"])
    shown = found.by_visit.set_index("day")
    assert np.isfinite(shown.loc[[30, 90], "estimate"]).all()
    assert np.isnan(shown.loc[180, "estimate"])


def test_a_formula_with_the_baseline_does_not_enter_the_visits_twice():
    asked = {**QUESTION, "method": "ancova", "missing": "jump_to_reference", "n_imputations": 5}
    listed = vo.compare(COHORT, **asked, covariates=["baseline", "sex"])
    written = vo.compare(COHORT, **asked, covariates="~ baseline + C(sex)", predictors=["sex"])
    assert (written.estimate, written.se) == pytest.approx((listed.estimate, listed.se), rel=1e-8)


def test_no_score_at_the_day_is_the_same_sentence_by_the_reference():
    with pytest.raises(vo.InputError, match=r"0 patients have pain_vas from day 2940 to 3060"):
        vo.compare(
            COHORT, method="ancova", **{**QUESTION, "day": 3000}, missing="jump_to_reference"
        )
