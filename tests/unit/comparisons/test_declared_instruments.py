"""A score of the user's own: declared once, then analysed, kept and stored like a published one."""

from functools import cache

import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo

HEADACHE = vo.Instrument(low=0, high=100, better="lower", label="headache score", worthwhile=5)
QUESTION = {"outcome": "headache_score", "treatment": "VP", "comparator": "NSM", "day": 365}
FORMULA = "~ baseline + age_years + C(site) + C(stratum)"


def frames(n=240, seed=11):
    """An invented randomised trial: score 0 to 100 at baseline, three months and one year."""
    rng = np.random.default_rng(seed)
    ids = np.array([f"p{i:03d}" for i in range(n)])
    arm = rng.permutation(np.repeat(["VP", "NSM"], n // 2))
    base = np.clip(rng.normal(27, 15, n), 4, 95).round(2)
    age = rng.integers(20, 66, n).astype(float)
    site = rng.integers(101, 109, n)
    patients = pd.DataFrame(
        {"patient_id": ids, "age_years": age, "site": site, "stratum": rng.integers(1, 4, n)}
    )
    scores = [pd.DataFrame({"patient_id": ids, "day": 0, "value": base})]
    own = rng.normal(0, 8, n)
    for day in (90, 365):
        mean = 4 + 0.7 * base - 4.5 * (arm == "VP") + 0.3 * (site - 104) + own
        value = np.clip(mean + rng.normal(0, 6, n), 0, 100).round(2)
        seen = rng.random(n) < 0.85
        scores.append(pd.DataFrame({"patient_id": ids, "day": day, "value": value})[seen])
    return {
        "patients": patients,
        "episodes": pd.DataFrame({"patient_id": ids, "treatment": arm, "followup_end_day": 400}),
        "scores": pd.concat(scores, ignore_index=True).assign(instrument="headache_score"),
    }


@cache
def trial():
    return vo.Cohort.from_frames(
        **frames(), instruments={"headache_score": HEADACHE}, name="invented", synthetic=True
    )


def rows():
    given = frames()
    wide = given["scores"].pivot(index="patient_id", columns="day", values="value")
    people = given["patients"].merge(given["episodes"], on="patient_id").set_index("patient_id")
    return people.join(wide.rename(columns={0: "baseline", 365: "y"})).dropna(subset=["y"])


@pytest.mark.parametrize(("variance", "robust"), [("model", "nonrobust"), ("hc3", "HC3")])
@pytest.mark.parametrize(
    "covariates", [FORMULA, ["baseline", "age_years", "C(site)", "C(stratum)"]], ids=["~", "list"]
)
def test_ancova_is_least_squares_with_the_same_covariates(variance, robust, covariates):
    import statsmodels.formula.api as smf

    data = rows().assign(a=lambda d: (d["treatment"] == "VP").astype(float))
    fitted = smf.ols("y ~ a + baseline + age_years + C(site) + C(stratum)", data).fit()
    fitted = fitted.get_robustcov_results(robust, use_t=True) if robust == "HC3" else fitted
    at = fitted.model.exog_names.index("a")
    found = vo.compare(
        trial(), **QUESTION, method="ancova", covariates=covariates, variance=variance
    )
    assert found.estimate == pytest.approx(np.asarray(fitted.params)[at], abs=1e-9)
    assert found.se == pytest.approx(np.asarray(fitted.bse)[at], rel=1e-9)
    assert [found.ci_low, found.ci_high] == pytest.approx(
        np.asarray(fitted.conf_int())[at], abs=1e-9
    )


def test_numeric_codes_are_categories_only_when_asked():
    line = vo.compare(trial(), **QUESTION, method="ancova", covariates=["stratum"])
    classes = vo.compare(trial(), **QUESTION, method="ancova", covariates=["C(stratum)"])
    assert line.df - classes.df == 1


@pytest.mark.parametrize("method", ["unadjusted", "ancova", "mmrm", "clda", "gee", "aipw"])
def test_every_kind_of_method_takes_it(method):
    found = vo.compare(trial(), **QUESTION, method=method)
    assert found.label == "headache score"
    assert found.unit == "points"
    assert found.ci_low < -4.5 < found.ci_high


def test_the_response_uses_its_direction_and_worthwhile_change():
    import statsmodels.api as sm

    data = rows()
    better = (data["baseline"] - data["y"] >= 5 - 1e-9).astype(float)
    design = sm.add_constant((data["treatment"] == "VP").astype(float).to_numpy())
    expected = sm.OLS(better.to_numpy(), design).fit().params[1]
    found = vo.compare(trial(), **QUESTION, method="unadjusted", response="worthwhile")
    assert found.estimate == pytest.approx(expected, abs=1e-12)
    turned = vo.Instrument(low=0, high=100, better="higher", worthwhile=5)
    other = vo.Cohort.from_frames(**frames(), instruments={"headache_score": turned})
    reverse = vo.compare(other, **QUESTION, method="unadjusted", response="worthwhile")
    assert reverse.estimate < 0 < found.estimate


def test_a_declared_score_without_a_worthwhile_change_has_no_such_response():
    bare = {"low": 0, "high": 100, "better": "lower"}
    cohort = vo.Cohort.from_frames(**frames(), instruments={"headache_score": bare})
    assert cohort.instruments["headache_score"].label == "headache score"
    with pytest.raises(vo.errors.InputError, match="smallest worthwhile change"):
        vo.compare(cohort, **QUESTION, method="unadjusted", response="worthwhile")


def test_it_stays_with_the_cohort(tmp_path):
    kept = trial().keep(trial().patients.age_years > 30, because="older than 30")
    assert kept.instruments == {"headache_score": HEADACHE}
    read = vo.load(kept.write(tmp_path / "cohort"))
    assert read.instruments == {"headache_score": HEADACHE}
    again = vo.compare(read, **QUESTION, method="ancova")
    assert again.estimate == vo.compare(kept, **QUESTION, method="ancova").estimate
    bundle = vo.site_summary(
        kept, site="A", treatment="VP", comparator="NSM", outcome="headache_score", day=365
    )
    assert bundle.score["outcome"] == "headache_score"


def test_death_as_the_worst_score_takes_the_end_of_its_scale():
    given = frames()
    late = given["scores"].query("day == 365")["patient_id"]
    missing = ~given["patients"]["patient_id"].isin(late)
    given["patients"]["death_day"] = np.where(missing, 200.0, np.nan)
    cohort = vo.Cohort.from_frames(**given, instruments={"headache_score": HEADACHE})
    design = vo.Design("headache_score", "VP", "NSM", day=365, death="composite")
    found = vo.compare(cohort, design=design, method="unadjusted")
    wide = given["scores"].pivot(index="patient_id", columns="day", values="value")[365]
    treated = given["episodes"].set_index("patient_id")["treatment"] == "VP"
    full = wide.fillna(100)
    assert found.estimate == pytest.approx(full[treated].mean() - full[~treated].mean(), abs=1e-9)


def test_an_undeclared_name_and_a_score_off_the_scale_name_the_way_out():
    with pytest.raises(vo.errors.InputError, match="declared with instruments="):
        vo.Cohort.from_frames(**frames())
    given = frames()
    given["scores"] = given["scores"].assign(instrument="pain_vas")
    with pytest.raises(vo.errors.InputError) as refused:
        vo.Cohort.from_frames(**given)
    said = str(refused.value)
    assert "pain_vas from 0 to 10" in said
    assert "convert the values to that scale, or declare an instrument" in said
    high = frames()
    high["scores"].loc[5, "value"] = 130
    with pytest.raises(vo.errors.InputError, match="headache_score from 0 to 100"):
        vo.Cohort.from_frames(**high, instruments={"headache_score": HEADACHE})


@pytest.mark.parametrize(
    ("instruments", "said"),
    [
        ({"pain_vas": HEADACHE}, "a published instrument"),
        ({"a b": HEADACHE}, "letters, digits"),
        ({"x": vo.Instrument(low=10, high=0, better="lower")}, "low below high"),
        ({"x": vo.Instrument(low=0, high=None, better="lower")}, "low below high"),
        ({"x": vo.Instrument(low=0, high=1, better="best")}, "lower, higher"),
        ({"x": vo.Instrument(low=0, high=1, better="lower", worthwhile=-1)}, "above 0"),
        ({"x": {"lowest": 0}}, "vo.Instrument"),
        ({"x": 3}, "vo.Instrument"),
        ([HEADACHE], "name: vo.Instrument"),
    ],
)
def test_what_is_no_declaration_is_refused(instruments, said):
    with pytest.raises(vo.errors.InputError, match=said):
        vo.Cohort.from_frames(**frames(), instruments=instruments)


def test_a_target_trial_takes_it_with_its_label():
    published, _ = vo.simulate_registry(n_patients=600, seed=2, scenario="immortal_time")
    tables = {name: published.frame(name) for name in ("patients", "episodes", "scores")}
    pain = tables["scores"].query("instrument == 'pain_vas'")
    renamed = pain.assign(instrument="ache", scale_raw=None, value_raw=None)
    own = vo.Cohort.from_frames(
        **{**tables, "scores": renamed},
        instruments={"ache": vo.Instrument(low=0, high=10, better="lower", label="ache")},
    )
    question = {"treatment": "VP", "comparator": "NSM", "day": 90, "failed": "show"}
    how = {"method": "landmark", "covariates": ["age_years"], "grace_days": 14}
    found = vo.compare(own, outcome="ache", **question, **how)
    same = vo.compare(published, outcome="pain_vas", **question, **how)
    assert (found.label, found.unit) == ("ache", "points")
    assert found.estimate == same.estimate
    with pytest.raises(vo.errors.InputError, match=r"a vo\.Cohort"):
        vo.compare("cohort", outcome="ache", **question, **how)
