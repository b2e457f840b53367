"""Effects by a modifier from mixed models and weights: nlme and lm, written-out sandwiches, laws."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import special

import vertebro_outcomes as vo
from vertebro_outcomes.estimators.propensity.weighted_contrast import fit_weighted_contrast
from vertebro_outcomes.estimators.propensity.weighted_interaction import fit_weighted_linear
from vertebro_outcomes.estimators.propensity.weights import balancing_weights
from vertebro_outcomes.estimators.repeated_measures.interaction import fit_visit_questions
from vertebro_outcomes.estimators.two_arms import TwoArms
from vertebro_outcomes.estimators.unanswerable import UnanswerableError

PINNED = json.loads((Path(__file__).parents[2] / "reference" / "modified_effects.json").read_text())
D = {name: np.array(values, dtype=float) for name, values in PINNED["data"].items()}
SCORES = np.array(PINNED["scores"], dtype=float)
OF = {"outcome": "pain_vas", "treatment": "KP", "comparator": "VP", "day": 30}
QUESTION = OF | {"modifier": "fracture_age_days"}
WEIGHTS = {"overlap": "overlap_weighting", "ate": "ate_weighting", "att": "att_weighting"}


def pinned_cohort():
    ids = np.array([f"p{i:03d}" for i in range(len(D["treated"]))])
    parts = [pd.DataFrame({"patient_id": ids, "day": 0, "value": D["base"]})]
    for day, values in zip(PINNED["days"], SCORES.T, strict=True):
        seen = ~np.isnan(values)
        parts.append(pd.DataFrame({"patient_id": ids[seen], "day": day, "value": values[seen]}))
    return vo.Cohort.from_frames(
        patients=pd.DataFrame({"patient_id": ids, "age_years": D["age"]}),
        episodes=pd.DataFrame(
            {"patient_id": ids, "treatment": np.where(D["treated"] == 1, "KP", "VP"),
             "fracture_age_days": D["old"], "day0": "treatment"}
        ),
        scores=pd.concat(parts, ignore_index=True).assign(instrument="pain_vas"),
    )  # fmt: skip


COHORT = pinned_cohort()


def test_bands_of_a_mixed_model_are_those_of_nlme():
    found, r = vo.effect_by(COHORT, cut=56, method="mmrm", **QUESTION), PINNED["bands"]
    cov = np.array(r["cov"])
    assert found.effects["band"].tolist() == ["up to 56", "over 56"]
    assert found.effects["estimate"].to_numpy() == pytest.approx(r["coef"], rel=1e-5)
    assert found.effects["se"].to_numpy() == pytest.approx(np.sqrt(np.diag(cov)), rel=1e-5)
    step = found.interaction.iloc[0]
    assert step["estimate"] == pytest.approx(r["coef"][1] - r["coef"][0], rel=1e-5)
    assert step["se"] == pytest.approx(np.sqrt(cov[0, 0] + cov[1, 1] - 2 * cov[0, 1]), rel=1e-5)
    assert found.f_value == pytest.approx((step["estimate"] / step["se"]) ** 2, rel=1e-9)
    assert found.p_value == pytest.approx(step["p_value"], rel=1e-9)
    assert 50 < found.df < 150
    arm = D["treated"] == 1
    seen = ~np.isnan(SCORES).all(axis=1)
    assert (found.n_t, found.n_c) == ((arm & seen).sum(), (~arm & seen).sum())


def test_the_slope_of_a_mixed_model_is_that_of_nlme():
    found = vo.effect_by(COHORT, continuous="linear", method="mmrm", **QUESTION)
    r = PINNED["line"]
    slope = found.interaction.iloc[0]
    assert slope["estimate"] == pytest.approx(r["coef"][1], rel=1e-5)
    assert slope["se"] == pytest.approx(np.sqrt(r["cov"][1][1]), rel=1e-5)
    at = found.effects.iloc[30]
    assert at["estimate"] == pytest.approx(r["coef"][0] + at["value"] * r["coef"][1], rel=1e-4)
    ask = np.array([1.0, at["value"]])
    assert at["se"] == pytest.approx(np.sqrt(ask @ np.array(r["cov"]) @ ask), rel=1e-4)


@pytest.mark.parametrize("kind", WEIGHTS)
def test_the_slope_with_weights_is_that_of_lm(kind):
    found = vo.effect_by(
        COHORT, continuous="linear", method=WEIGHTS[kind], covariates=["baseline", "age_years"],
        **QUESTION,
    )  # fmt: skip
    r = PINNED["weighted"][kind]["coef"]
    assert found.interaction["estimate"][0] == pytest.approx(r[1], rel=1e-7)
    at = found.effects.iloc[10]
    assert at["estimate"] == pytest.approx(r[0] + at["value"] * r[1], rel=1e-7)
    assert np.isinf(found.df)
    assert "chi-square(1)" in str(found)


@pytest.mark.parametrize("kind", WEIGHTS)
def test_the_sandwich_is_that_of_the_stacked_equations(kind):
    """Both models in one system, its derivative by finite differences."""
    seen = ~np.isnan(SCORES[:, 1])
    y, a, old = SCORES[seen, 1], D["treated"][seen] == 1, D["old"][seen] / 100
    x = np.column_stack([D["base"][seen] - 7, old])
    X = np.column_stack([np.ones(len(y)), old, a, a * old])
    fit = fit_weighted_linear(y, X, x=x, treated=a, kind=kind)
    ones = np.column_stack([np.ones(len(y)), x])

    def equations(theta):
        e = special.expit(ones @ theta[:3])
        w = balancing_weights(e, a, kind=kind)
        return np.hstack([ones * (a - e)[:, None], X * (w * (y - X @ theta[3:]))[:, None]])

    import statsmodels.api as sm

    alpha = sm.Logit(a.astype(float), ones).fit(disp=0, tol=1e-14, method="newton").params
    theta = np.concatenate([alpha, fit.beta])
    assert equations(theta).sum(axis=0) == pytest.approx(np.zeros(7), abs=1e-6)
    J = np.column_stack(
        [
            (equations(theta + h).sum(axis=0) - equations(theta - h).sum(axis=0)) / 2e-5
            for h in 1e-5 * np.eye(7)
        ]
    )
    inverse = np.linalg.inv(J)
    cov = inverse @ (equations(theta).T @ equations(theta)) @ inverse.T
    assert np.diag(fit.cov) == pytest.approx(np.diag(cov)[3:], rel=1e-6)
    known = fit_weighted_linear(y, X, x=x, treated=a, kind=kind, variance="fixed_propensity")
    assert known.beta == pytest.approx(fit.beta, rel=1e-12)
    assert not np.allclose(known.cov, fit.cov)


@pytest.mark.parametrize("kind", WEIGHTS)
def test_without_a_modifier_it_is_the_weighted_contrast(kind):
    seen = ~np.isnan(SCORES[:, 1])
    y, a = SCORES[seen, 1], D["treated"][seen] == 1
    x = np.column_stack([D["base"][seen], D["age"][seen]])
    X = np.column_stack([np.ones(len(y)), a])
    one = fit_weighted_linear(y, X, x=x, treated=a, kind=kind)
    plain = fit_weighted_contrast(TwoArms(y, a, x), kind=kind)
    estimate, se, _ = one.at(np.array([[0.0, 1.0]]))
    assert estimate[0] == pytest.approx(plain.estimate, rel=1e-9)
    assert se[0] == pytest.approx(plain.se, rel=1e-9)


@pytest.mark.parametrize("method", ["mmrm", "overlap_weighting"])
def test_laws(method):
    ask = {"method": method, "covariates": ["baseline", "age_years"], "cut": [40, 90]}
    found = vo.effect_by(COHORT, **ask, **QUESTION)
    turned = QUESTION | {"treatment": "VP", "comparator": "KP"}
    swapped = vo.effect_by(COHORT, **ask, **turned)
    assert swapped.effects["estimate"].to_numpy() == pytest.approx(
        -found.effects["estimate"].to_numpy(), rel=1e-6
    )
    assert swapped.f_value == pytest.approx(found.f_value, rel=1e-6)
    assert swapped.p_value == pytest.approx(found.p_value, rel=1e-6)
    assert found.f_df == 2
    assert 0 < found.p_value < 1
    # whichever band comes first, the joint test is the same: against the differences of the others
    f = {name: COHORT.frame(name) for name in ("patients", "episodes", "scores")}
    f["episodes"]["fracture_age_days"] = 200 - f["episodes"]["fracture_age_days"]
    mirrored = vo.effect_by(vo.Cohort.from_frames(**f), **ask | {"cut": [109.5, 159.5]}, **QUESTION)
    assert mirrored.f_value == pytest.approx(found.f_value, rel=1e-5)
    assert mirrored.df == pytest.approx(found.df, rel=1e-3)


@pytest.mark.parametrize("method", ["mmrm", "overlap_weighting", "ate_weighting"])
@pytest.mark.parametrize("modifier", ["fracture_age_days", "baseline"])
def test_curves_for_the_age_of_the_fracture_and_the_first_pain(method, modifier):
    found = vo.effect_by(
        COHORT, method=method, continuous="spline", covariates=["baseline", "age_years"],
        **OF, modifier=modifier,
    )  # fmt: skip
    assert len(found.effects) == 61
    assert 0 < found.p_nonlinear < 1
    assert (found.effects["ci_low"] < found.effects["ci_high"]).all()
    assert found.plot().get_xlabel() == modifier.replace("_", " ")


@pytest.mark.parametrize("variance", ["kenward_roger", "empirical"])
def test_other_variances_of_the_mixed_model(variance):
    plain = vo.effect_by(COHORT, cut=56, method="mmrm", **QUESTION)
    other = vo.effect_by(COHORT, cut=56, method="mmrm", variance=variance, **QUESTION)
    assert other.effects["estimate"].tolist() == plain.effects["estimate"].tolist()
    ratio = other.effects["se"] / plain.effects["se"]
    assert ratio.between(0.8, 1.25).all()
    assert (ratio != 1).all()


def test_what_has_no_answer():
    X = np.column_stack([np.ones(40), np.arange(40) % 2])
    x = np.arange(40.0)[:, None] % 7
    treated = np.arange(40) % 2 == 0
    with pytest.raises(UnanswerableError, match="follow exactly"):
        fit_weighted_linear(np.ones(40), X, x=x, treated=treated, kind="overlap")
    for wrong in (np.column_stack([X, X[:, 1]]), np.column_stack([X, np.zeros(40)])):
        with pytest.raises(UnanswerableError, match="follows from the others"):
            fit_weighted_linear(x[:, 0], wrong, x=x, treated=treated, kind="overlap")
    rng = np.random.default_rng(1)
    y = rng.normal(size=(40, 2))
    model = fit_visit_questions(
        y, X, x, varies=np.array([False]), visit=1, variance="satterthwaite"
    )
    F, q, df, p = model.wald(np.array([[0.0, 1.0], [0.0, 2.0]]))  # the same question twice
    assert q == 2
    assert np.isnan([F, df, p]).all()
    f = {name: COHORT.frame(name) for name in ("patients", "episodes", "scores")}
    f["patients"]["x"] = np.where(D["treated"] == 1, 1.0, -1.0) * (1 + np.arange(len(D["old"])))
    cohort = vo.Cohort.from_frames(**f)
    for method, said in (("mmrm", "no overlap in x"), ("ate_weighting", "separate the arms")):
        with pytest.raises(vo.InputError, match=said):
            vo.effect_by(cohort, cut=56, method=method, covariates=["x"], **QUESTION)


def test_weights_that_rest_on_few_patients_are_said():
    f = {name: COHORT.frame(name) for name in ("patients", "episodes", "scores")}
    rng = np.random.default_rng(5)
    f["patients"]["x"] = rng.normal(size=len(D["old"])) + 3.2 * D["treated"]
    found = vo.effect_by(
        vo.Cohort.from_frames(**f), cut=56, method="ate_weighting", covariates=["x"], failed="show",
        **QUESTION,
    )  # fmt: skip
    assert "should not be relied on" in str(found)
    plain = vo.effect_by(COHORT, cut=56, method="overlap_weighting", **QUESTION)
    assert "relied on" not in str(plain)


def lopsided():
    """Arms of 300 whose x hardly meet: inverse weights rest on few patients."""
    rng = np.random.default_rng(12)
    ids = np.array([f"p{i:03d}" for i in range(300)])
    treated = np.arange(300) % 2 == 0
    return vo.Cohort.from_frames(
        patients=pd.DataFrame(
            {"patient_id": ids, "x": 3.2 * treated + rng.normal(size=300),
             "sex": np.where(rng.random(300) < 0.5, "male", "female")}
        ),
        episodes=pd.DataFrame(
            {"patient_id": ids, "treatment": np.where(treated, "KP", "VP"), "day0": "treatment"}
        ),
        scores=pd.DataFrame(
            {"patient_id": ids, "instrument": "pain_vas", "day": 30, "value": rng.uniform(0, 10, 300)}
        ),
    )  # fmt: skip


def test_weights_that_fail_withhold_every_effect():
    ask = OF | {"modifier": "sex", "method": "ate_weighting", "covariates": ["x"]}
    found = vo.effect_by(lopsided(), **ask)
    assert found.withheld
    numbers = ["estimate", "se", "ci_low", "ci_high"]
    assert found.effects[numbers].isna().all(axis=None)
    assert found.interaction[[*numbers, "p_value"]].isna().all(axis=None)
    assert np.isnan([found.f_value, found.p_value]).all()
    assert "effects withheld" in str(found)
    assert found.to_frame()["withheld"].eq(found.withheld).all()
    assert found.plot().get_title(loc="left") == "effects withheld"
    shown = vo.effect_by(lopsided(), failed="show", **ask)
    assert shown.effects["estimate"].notna().all()
    assert not shown.withheld
    assert "should not be relied on" in str(shown)
    claims = {k: v for k, v in ask.items() if k != "modifier"}
    f = lopsided()
    aged = vo.Cohort.from_frames(
        patients=f.frame("patients"), scores=f.frame("scores"),
        episodes=f.frame("episodes").assign(fracture_age_days=np.arange(300) % 150),
    )  # fmt: skip
    assert vo.timing_claims(aged, **claims)["withheld"].ne("").all()


def test_what_is_not_imputed_names_what_is():
    with pytest.raises(vo.InputError, match="mmrm' takes the scores of all visits"):
        vo.effect_by(COHORT, cut=56, missing="multiple_imputation", **QUESTION)
    with pytest.raises(vo.InputError, match="failed"):
        vo.effect_by(COHORT, cut=56, failed="hide", **QUESTION)
