"""`effect_by` against the same models written out in statsmodels, its laws, a known truth, refusals."""

from functools import cache

import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo
from vertebro_outcomes.comparisons.covariates import restricted_cubic_spline

QUESTION = {"outcome": "pain_vas", "treatment": "VP", "comparator": "NSM", "day": 30}
AGE = {"modifier": "fracture_age_days"}


def frames(n=400, seed=3):
    rng = np.random.default_rng(seed)
    ids = np.array([f"p{i:04d}" for i in range(n)])
    arm = rng.choice(["VP", "NSM"], n)
    old = rng.integers(1, 160, n).astype(float)
    base = rng.uniform(4, 10, n).round(1)
    age = rng.normal(75, 8, n).round()
    y = (
        2.5
        + 0.3 * base
        + (arm == "VP") * (-1.5 + 0.008 * old)
        + rng.normal(0, 1, n) * (1 + old / 160)
    )
    old[:7] = np.nan
    scores = [
        pd.DataFrame({"patient_id": ids, "day": 0, "value": base}),
        pd.DataFrame({"patient_id": ids, "day": 30, "value": np.clip(y, 0, 10)}),
    ]
    levels = pd.DataFrame({"patient_id": ids, "level": rng.choice(["T8", "T12", "L1", "L4"], n)})
    extra = pd.DataFrame({"patient_id": ids[:40], "level": "T5"})
    return {
        "patients": pd.DataFrame(
            {"patient_id": ids, "age_years": age, "sex": rng.choice(["female", "male"], n)}
        ),
        "episodes": pd.DataFrame(
            {"patient_id": ids, "treatment": arm, "fracture_age_days": old, "day0": "enrolment"}
        ),
        "levels": pd.concat([levels, extra], ignore_index=True),
        "scores": pd.concat(scores, ignore_index=True).assign(instrument="pain_vas"),
    }


@cache
def cohort():
    return vo.Cohort.from_frames(**frames(), synthetic=True)


def rows():
    given = frames()
    wide = given["scores"].pivot(index="patient_id", columns="day", values="value")
    data = given["patients"].merge(given["episodes"], on="patient_id").set_index("patient_id")
    data = data.join(wide.rename(columns={0: "baseline", 30: "y"}))
    return data.assign(a=(data["treatment"] == "VP").astype(float), old=data["fracture_age_days"])


def least_squares(formula, data, variance="hc3"):
    import statsmodels.formula.api as smf

    fitted = smf.ols(formula, data).fit()
    if variance == "model":
        return fitted
    return smf.ols(formula, data).fit(cov_type=variance.upper(), use_t=True)


@pytest.mark.parametrize("variance", ["hc3", "hc2", "model"])
def test_bands_are_the_model_with_arm_by_band(variance):
    data = rows().dropna(subset=["old"])
    data = data.assign(late=(data["old"] > 56).astype(float))
    fitted = least_squares("y ~ a * late + baseline + age_years", data, variance)
    found = vo.effect_by(
        cohort(),
        **QUESTION,
        **AGE,
        cut=[56],
        covariates=["baseline", "age_years"],
        variance=variance,
    )
    assert found.effects["estimate"].tolist() == pytest.approx(
        [fitted.params["a"], fitted.params["a"] + fitted.params["a:late"]], abs=1e-9
    )
    late = fitted.t_test("a + a:late = 0")
    assert found.effects["se"].tolist() == pytest.approx(
        [fitted.bse["a"], late.sd.item()], rel=1e-8
    )
    assert found.effects.loc[1, ["ci_low", "ci_high"]].tolist() == pytest.approx(
        late.conf_int()[0], abs=1e-8
    )
    line = found.interaction.iloc[0]
    assert line["estimate"] == pytest.approx(fitted.params["a:late"], abs=1e-9)
    assert line["se"] == pytest.approx(fitted.bse["a:late"], rel=1e-8)
    assert line["p_value"] == pytest.approx(fitted.pvalues["a:late"], rel=1e-7)
    assert found.p_value == pytest.approx(
        line["p_value"], rel=1e-9
    )  # one difference: F is t squared
    assert found.n_t + found.n_c == len(data)
    assert "fracture_age_days not recorded" in found.attrition["step"].tolist()


def test_several_bands_and_their_joint_test():
    data = rows().dropna(subset=["old"])
    data = data.assign(band=pd.cut(data["old"], [0, 40, 80, 400], labels=["x", "y", "z"]))
    fitted = least_squares("y ~ a * C(band) + baseline", data)
    terms = ["a:C(band)[T.y]", "a:C(band)[T.z]"]
    R = np.array([[float(name == term) for name in fitted.model.exog_names] for term in terms])
    joint = fitted.f_test(R)
    found = vo.effect_by(cohort(), **QUESTION, **AGE, cut=[40, 80])
    assert found.effects["band"].tolist() == ["up to 40", "over 40 to 80", "over 80"]
    assert found.interaction["estimate"].tolist() == pytest.approx(fitted.params[terms].tolist())
    assert found.f_value == pytest.approx(float(joint.fvalue), rel=1e-7)
    assert found.p_value == pytest.approx(float(joint.pvalue), rel=1e-7)
    assert found.f_df == 2


def test_a_line_is_the_product_of_arm_and_modifier():
    data = rows().dropna(subset=["old"])
    fitted = least_squares("y ~ a * old + baseline", data)
    found = vo.effect_by(cohort(), **QUESTION, **AGE, continuous="linear")
    line = found.interaction.iloc[0]
    assert line["estimate"] == pytest.approx(fitted.params["a:old"], rel=1e-8)
    assert line["se"] == pytest.approx(fitted.bse["a:old"], rel=1e-8)
    at = found.effects.iloc[20]
    there = fitted.t_test(
        f"a + {at['value']!r} * a:old = 0".replace("np.float64(", "").replace(")", "")
    )
    assert at["estimate"] == pytest.approx(there.effect.item(), abs=1e-8)
    assert at["se"] == pytest.approx(there.sd.item(), rel=1e-7)
    assert np.isnan(found.p_nonlinear)


def test_a_spline_is_the_product_of_arm_and_its_columns():
    data = rows().dropna(subset=["old"])
    basis = restricted_cubic_spline(data["old"].to_numpy(), n_knots=4)
    data = data.assign(s1=basis[:, 0], s2=basis[:, 1], s3=basis[:, 2])
    fitted = least_squares("y ~ a * (s1 + s2 + s3) + baseline", data)
    names = fitted.model.exog_names
    R = np.array([[float(n == f"a:s{j}") for n in names] for j in (1, 2, 3)])
    found = vo.effect_by(cohort(), **QUESTION, **AGE, continuous="spline")
    assert found.p_value == pytest.approx(float(fitted.f_test(R).pvalue), rel=1e-6)
    assert found.p_nonlinear == pytest.approx(float(fitted.f_test(R[1:]).pvalue), rel=1e-6)
    assert found.interaction.empty
    # where a patient stands, the curve is the model: between two points of the grid it is smooth
    middle = data.iloc[(data["old"] - 80).abs().argmin()]
    L = np.array([{"a": 1.0}.get(n, middle[n[2:]] if n.startswith("a:") else 0.0) for n in names])
    expected = L @ fitted.params.to_numpy()
    near = np.interp(middle["old"], found.effects["value"], found.effects["estimate"])
    assert near == pytest.approx(expected, abs=2e-3)


def test_the_modifier_may_be_baseline_a_category_or_the_region():
    data = rows()
    fitted = least_squares("y ~ a * baseline", data)
    line = vo.effect_by(cohort(), **QUESTION, modifier="baseline", continuous="linear")
    assert line.interaction["estimate"].item() == pytest.approx(
        fitted.params["a:baseline"], rel=1e-7
    )
    bands = vo.effect_by(cohort(), **QUESTION, modifier="baseline", cut=7)
    assert bands.effects["band"].tolist() == ["up to 7", "over 7"]
    sexes = vo.effect_by(cohort(), **QUESTION, modifier="sex")
    assert sexes.effects["band"].tolist() == ["female", "male"]
    regions = vo.effect_by(cohort(), **QUESTION, modifier="level_region")
    levels = frames()["levels"].drop_duplicates("patient_id", keep=False)
    one = levels["level"].map({"T8": "T1-T10", "T12": "T11-L2", "L1": "T11-L2", "L4": "L3-L5"})
    seen = regions.effects.set_index("band")[["n_t", "n_c"]].sum(axis=1)
    assert seen.drop(["several regions", "T1-T10"]).to_dict() == (
        one[one != "T1-T10"].value_counts().to_dict()
    )
    assert seen.sum() == 400


def test_swapped_arms_flip_every_effect():
    one = vo.effect_by(cohort(), **QUESTION, **AGE, cut=[56])
    other = vo.effect_by(
        cohort(), **{**QUESTION, "treatment": "NSM", "comparator": "VP"}, **AGE, cut=[56]
    )
    assert other.effects["estimate"].to_numpy() == pytest.approx(
        -one.effects["estimate"].to_numpy()
    )
    assert other.p_value == pytest.approx(one.p_value)


def test_on_the_simulator_the_effect_shrinks_with_the_log_age_of_the_fracture():
    registry, _ = vo.simulate_registry(n_patients=5_000, seed=5, scenario="randomised")
    numbers = vo.simulation_parameters().set_index("name")["value"]
    episodes = registry.frame("episodes")
    # in the model the effect at log age l is effect (1 + slope l): late over early is known
    found = vo.effect_by(registry, **QUESTION, **AGE, cut="8 weeks")
    old = np.log(episodes["fracture_age_days"].astype(float) / numbers["fracture_age_median"])
    size = np.clip(1 + numbers["effect_fracture_age"] * old, 0.3, 1.7)
    late = episodes["fracture_age_days"] > 56
    ratio = size[late].mean() / size[~late].mean()
    early, older = found.effects["estimate"]
    spread = np.hypot(found.effects["se"][1], ratio * found.effects["se"][0])
    assert abs(older - ratio * early) < 3 * spread
    assert early < older < 0
    null, _ = vo.simulate_registry(n_patients=1_500, seed=5, scenario="null")
    assert vo.effect_by(null, **QUESTION, **AGE, continuous="spline").p_value > 0.001


def test_the_timing_claims_are_one_call():
    found = vo.timing_claims(cohort(), **QUESTION)
    assert found["claim"].tolist() == ["C11", "C12", "C14"]
    single = vo.effect_by(cohort(), **QUESTION, **AGE, cut=[56])
    assert found.loc[0, "early"] == single.effects.loc[0, "estimate"]
    assert found.loc[0, "difference"] == single.interaction.loc[0, "estimate"]
    from statsmodels.stats.multitest import multipletests

    expected = multipletests(found["p_value"], method="holm")[1]
    assert found["p_holm"].tolist() == pytest.approx(expected.tolist())
    assert vo.TIMING_CUTS["8 weeks"] == 56


@pytest.mark.parametrize("how", [{"cut": [56]}, {"continuous": "spline"}], ids=["bands", "curve"])
def test_it_shows_itself(how):
    found = vo.effect_by(cohort(), **QUESTION, **AGE, **how)
    assert "interaction F(" in str(found)
    assert "p-values need adjustment" in str(found)
    assert "Synthetic" in str(found)
    assert "<table" in found._repr_html_()
    axes = found.plot()
    assert axes.get_title(loc="right") == "synthetic"
    assert found.plot(axes) is axes
    assert {"modifier", "p_interaction"} <= set(found.to_frame())


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"modifier": "no_such"}, "argument modifier"),
        ({"modifier": "cement_ml", "cut": [3]}, "argument modifier"),
        ({"modifier": "age_years"}, "neither cut nor continuous"),
        ({"modifier": "age_years", "cut": []}, "rising numbers"),
        ({"modifier": "age_years", "cut": [80, 70]}, "rising numbers"),
        ({"modifier": "age_years", "cut": "8 weeks"}, "named cuts are of fracture_age_days"),
        ({"modifier": "age_years", "cut": [300]}, "0 patients of VP"),
        (
            {"modifier": "age_years", "cut": [70], "continuous": "linear"},
            "either cut or continuous",
        ),
        ({"modifier": "age_years", "continuous": "cubic"}, "linear, spline"),
        ({"modifier": "sex", "cut": [1]}, "no number"),
        ({"modifier": "sex", "continuous": "linear"}, "no number"),
        ({"modifier": "sex", "covariates": ["sex"]}, "follows from the others"),
        ({"modifier": "sex", "method": "matching"}, "argument method"),
        ({"modifier": "sex", "method": "mmrm", "variance": "hc3"}, "argument variance"),
        (
            {"modifier": "sex", "method": "ate_weighting", "variance": "sandwich_site"},
            "argument variance",
        ),
        ({"modifier": "bmi", "continuous": "spline"}, r"nobody has a bmi[^\0]*fill the column bmi"),
        ({"modifier": "site"}, "nobody has a site"),
    ],
)
def test_what_cannot_be_meant_is_refused(how, said):
    with pytest.raises(vo.errors.InputError, match=said):
        vo.effect_by(cohort(), **{**QUESTION, **how})


def test_a_modifier_that_nobody_has_or_that_does_not_vary_is_said():
    given = frames()
    without = vo.Cohort.from_frames(**{**given, "levels": None})
    with pytest.raises(vo.errors.InputError, match=r"nobody has a level_region.*\n.*table levels"):
        vo.effect_by(without, **QUESTION, modifier="level_region")
    given["patients"]["sex"] = "female"
    same = vo.Cohort.from_frames(**given)
    with pytest.raises(vo.errors.InputError, match="every patient analysed has the same value"):
        vo.effect_by(same, **QUESTION, modifier="sex")
