"""Formulas, splines, trimming, calipers, exact strata, and estimates that are withheld."""

import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo
from vertebro_outcomes.estimators.propensity.trimming import crump_alpha, kept_range

QUESTION = {"outcome": "pain_vas", "treatment": "KP", "comparator": "NSM", "day": 30}
N = 400


def made(seed=2, lean=1.0, n=N):
    rng = np.random.default_rng(seed)
    ids = [f"p{i:04d}" for i in range(n)]
    age = rng.normal(76, 8, n).round(1)
    base = np.clip(rng.normal(7, 1.2, n), 0, 10).round(1)
    male = rng.random(n) < 0.3
    treated = rng.random(n) < 1 / (1 + np.exp(-lean * (0.8 * (base - 7) - 0.08 * (age - 76))))
    y = 1 + 0.4 * base + 0.02 * (age - 76) - 1.2 * treated + rng.normal(0, 1, n)
    y = np.clip(y, 0, 10)
    return pd.DataFrame(
        {"patient_id": ids, "age_years": age, "baseline": base, "treated": treated, "y": y,
         "sex": np.where(male, "male", "female"), "site": rng.choice(list("ABC"), n)}
    )  # fmt: skip


def cohort_of(rows):
    scores = [
        pd.DataFrame({"patient_id": rows.patient_id, "day": day, "value": rows[name]})
        for day, name in ((0, "baseline"), (30, "y"))
    ]
    return vo.Cohort.from_frames(
        patients=rows[["patient_id", "age_years", "sex", "site"]],
        episodes=pd.DataFrame(
            {"patient_id": rows.patient_id, "day0": "enrolment",
             "treatment": np.where(rows.treated, "KP", "NSM")}
        ),
        scores=pd.concat(scores, ignore_index=True).assign(instrument="pain_vas"),
    )  # fmt: skip


ROWS = made()
COHORT = cohort_of(ROWS)


def by_hand(formula, weight, rows=ROWS):
    """Weighted difference with the propensity of statsmodels."""
    import statsmodels.api as sm
    import statsmodels.formula.api as smf

    rows = rows.assign(a=rows.treated.astype(float))
    fit = smf.glm(f"a ~ {formula}", rows, family=sm.families.Binomial()).fit(tol=1e-13)
    e = fit.fittedvalues.to_numpy()
    a, y = rows.treated.to_numpy(), rows.y.to_numpy()
    w = weight(e, a)
    return np.average(y[a], weights=w[a]) - np.average(y[~a], weights=w[~a]), e


def overlap(e, a):
    return np.where(a, 1 - e, e)


def matching(e, a):
    return np.minimum(e, 1 - e) / np.where(a, e, 1 - e)


def test_a_formula_is_the_model_it_says():
    formula = "age_years + I(age_years**2) + C(sex):baseline + log(baseline)"
    found = vo.compare(COHORT, method="overlap_weighting", covariates=f"~ {formula}", **QUESTION)
    python = formula.replace("log(", "np.log(")
    assert found.estimate == pytest.approx(by_hand(python, overlap)[0], rel=1e-7)
    assert "I(age_years ** 2)" in found.balance["covariate"].tolist()


def test_blanks_in_a_formula_leave_by_name():
    rows = ROWS.assign(age_years=ROWS.age_years.where(ROWS.index > 4))
    found = vo.compare(
        cohort_of(rows), method="overlap_weighting", covariates="~ age_years + sex", **QUESTION
    )
    left = found.attrition.set_index("step").loc["~ age_years + sex not recorded"]
    assert left["left_t"] + left["left_c"] == 5
    expected = by_hand("age_years + sex", overlap, rows.dropna())[0]
    assert found.estimate == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize(
    "formula",
    ["~ shoe_size", "~ ", "y ~ age_years", "~ age_years +", "~ __import__('os')", "~ I(age_years.x)",
     "~ death_day", "~ log(age_years - 80)", "~ open(age_years)", "~ age_years[0]"],
)  # fmt: skip
def test_a_formula_that_cannot_be_used_gets_a_sentence(formula):
    with pytest.raises(vo.InputError, match="argument covariates"):
        vo.compare(COHORT, method="overlap_weighting", covariates=formula, **QUESTION)


def test_splines_where_asked_for_and_by_default_where_nobody_named_covariates():
    names = ["age_years", "sex"]
    asked = vo.compare(
        COHORT, method="overlap_weighting", covariates=names, continuous="spline", **QUESTION
    )
    written = vo.compare(
        COHORT, method="overlap_weighting", covariates=["rcs(age_years, 4)", "sex"], **QUESTION
    )
    line = vo.compare(COHORT, method="overlap_weighting", covariates=names, **QUESTION)
    assert asked.estimate == pytest.approx(written.estimate, rel=1e-10)
    assert line.estimate != pytest.approx(asked.estimate, rel=1e-6)
    large = cohort_of(made(n=1200))
    by_us = vo.compare(large, method="overlap_weighting", **QUESTION)
    spline = vo.compare(
        large, method="overlap_weighting", covariates=["baseline", "age_years", "sex"],
        continuous="spline", **QUESTION,
    )  # fmt: skip
    assert by_us.estimate == pytest.approx(spline.estimate, rel=1e-12)
    straight = vo.compare(large, method="overlap_weighting", continuous="linear", **QUESTION)
    assert straight.estimate != pytest.approx(by_us.estimate, rel=1e-6)


def test_matching_weights_through_the_cohort():
    found = vo.compare(
        COHORT, method="matching_weighting", covariates=["age_years", "baseline"], **QUESTION
    )
    assert found.estimate == pytest.approx(by_hand("age_years + baseline", matching)[0], rel=1e-8)
    assert "1:1 matching" in found.estimand


def test_trimming_leaves_by_name_and_fits_again():
    names = ["age_years", "baseline"]
    _, e = by_hand("age_years + baseline", overlap)
    inside = (e >= 0.2) & (e <= 0.8)
    found = vo.compare(
        COHORT, method="ate_weighting", covariates=names, trim="symmetric", trim_at=0.2, **QUESTION
    )
    step = found.attrition[found.attrition["step"].str.contains("trimming")]
    assert step[["left_t", "left_c"]].to_numpy().sum() == (~inside).sum() > 0
    expected, _ = by_hand(
        "age_years + baseline", lambda e, a: 1 / np.where(a, e, 1 - e), ROWS[inside]
    )
    assert found.estimate == pytest.approx(expected, rel=1e-8)
    for rule in ("crump", "percentile"):
        other = vo.compare(COHORT, method="aipw", covariates=names, trim=rule, **QUESTION)
        assert other.attrition["step"].str.contains(f"{rule} trimming").any()


def test_limits_of_each_rule_of_trimming():
    rng = np.random.default_rng(3)
    e = np.clip(rng.beta(0.6, 0.6, 3000), 1e-4, 1 - 1e-4)
    treated = rng.random(3000) < e
    assert kept_range(e, treated, rule="symmetric") == (0.1, 0.9)
    assert kept_range(e, treated, rule="percentile", at=0.01) == (
        np.quantile(e[treated], 0.01), np.quantile(e[~treated], 0.99),
    )  # fmt: skip
    alpha = crump_alpha(e)
    g, gamma = 1 / (e * (1 - e)), 1 / (alpha * (1 - alpha))
    assert gamma == pytest.approx(2 * g[g <= gamma].mean(), rel=1e-9)

    def bound(a):  # what the rule minimises over all symmetric limits
        kept = (e >= a) & (e <= 1 - a)
        return (g[kept].sum() / kept.sum() ** 2) if kept.any() else np.inf

    assert bound(alpha) <= min(bound(a) for a in np.linspace(0.0, 0.45, 300)) * (1 + 1e-9)
    assert crump_alpha(np.full(10, 0.4)) == 0.0


def test_exact_strata_and_caliper_hold_in_every_pair():
    options = {"method": "matching", "covariates": ["age_years", "baseline"], **QUESTION}
    free = vo.compare(COHORT, **options)
    exact = vo.compare(COHORT, exact=["site", "sex"], failed="show", **options)
    assert exact.estimate != free.estimate
    tight = vo.compare(COHORT, caliper_sd=0.01, failed="show", **options)
    left = tight.diagnostics.set_index("diagnostic")["value"]
    wide = free.diagnostics.set_index("diagnostic")["value"]
    assert left["n_treated_unmatched"] > wide["n_treated_unmatched"]
    assert wide["caliper"] == pytest.approx(20 * left["caliper"], rel=1e-12)
    # within one site the pairs of the whole are those of the site, at the same scores
    shares = exact.balance.set_index("covariate").loc["sex: male"]
    assert shares["smd_after"] == pytest.approx(0.0, abs=1e-12)
    for name, wrong in (
        ("exact", ["shoe"]),
        ("exact", "site"),
        ("caliper_sd", 0),
        ("exact", ["baseline"]),
    ):
        with pytest.raises(vo.InputError, match=r"exact|caliper_sd|shoe"):
            vo.compare(COHORT, **{name: wrong}, **options)


@pytest.mark.parametrize(
    ("options", "said"),
    [({"trim": "some"}, "trim"), ({"method": "ancova", "trim": "crump"}, "trim"),
     ({"trim": "crump", "trim_at": 0.1}, "trim_at"), ({"trim": "symmetric", "trim_at": 0.6}, "trim_at"),
     ({"exact": ["site"]}, "matching"), ({"failed": "hide"}, "withhold, show"),
     ({"continuous": "wavy"}, "linear, spline"), ({"caliper_sd": 0.2}, "matching")],
)  # fmt: skip
def test_options_that_cannot_be_meant(options, said):
    with pytest.raises(vo.InputError, match=said):
        vo.compare(COHORT, **QUESTION | {"method": "ate_weighting"} | options)


APART = cohort_of(made(lean=3.0))


@pytest.mark.parametrize("method", ["ate_weighting", "att_weighting", "aipw"])
def test_an_estimate_whose_diagnostics_fail_is_withheld_unless_asked_for(method):
    options = {"method": method, "covariates": ["age_years", "baseline"], **QUESTION}
    hidden = vo.compare(APART, **options)
    assert np.isnan(
        [hidden.estimate, hidden.se, hidden.ci_low, hidden.ci_high, hidden.p_value]
    ).all()
    assert hidden.withheld
    assert not hidden.passed
    assert "withheld" in str(hidden)
    assert hidden.withheld in str(hidden)
    row = hidden.to_frame().iloc[0]
    assert row["withheld"] == hidden.withheld
    assert min(row["n_t"], row["n_c"]) > 50
    assert len(hidden.balance) == 3
    values = hidden.diagnostics.set_index("diagnostic")["value"]
    assert np.isnan(values["mean_t"])
    assert "withheld" in hidden._repr_html_()
    shown = vo.compare(APART, failed="show", **options)
    assert np.isfinite(shown.estimate)
    assert "should not be relied on" in str(shown)
    assert shown.withheld == ""
    assert (shown.n_t, shown.n_c) == (hidden.n_t, hidden.n_c)


def test_overlap_weights_stand_where_inverse_weights_are_withheld():
    found = vo.compare(
        APART, method="overlap_weighting", covariates=["age_years", "baseline"], **QUESTION
    )
    assert np.isfinite(found.estimate)
    assert found.withheld == ""


def test_overlap_and_weights_are_drawn():
    found = vo.compare(COHORT, method="ate_weighting", **QUESTION)
    ax = found.plot(kind="overlap")
    assert ax.get_xlabel() == "probability of KP"
    heights = np.array([bar.get_height() for bar in ax.patches])
    assert heights[heights > 0].sum() == pytest.approx(100)
    assert heights[heights < 0].sum() == pytest.approx(-100)
    assert found.plot(kind="weights").get_xlabel() == "weight"
    with pytest.raises(vo.InputError, match="balance"):
        vo.compare(COHORT, method="ancova", **QUESTION).plot(kind="overlap")
    share = found.diagnostics.set_index("diagnostic").loc["equipoise_share", "value"]
    e = found.propensity
    f = 1 / (1 + (1 - e) / e * found.treated.mean() / (1 - found.treated.mean()))
    assert share == pytest.approx(((f >= 0.3) & (f <= 0.7)).mean(), rel=1e-12)


@pytest.mark.parametrize("kind", ["balance", "overlap", "weights"])
def test_pictures_of_synthetic_patients_say_so(kind):
    cohort, _ = vo.simulate_registry(n_patients=900, seed=1, scenario="randomised")
    found = vo.compare(
        cohort, outcome="pain_vas", treatment="KP", comparator="VP", day=90, method="overlap_weighting",
        covariates=["baseline", "age_years"],
    )  # fmt: skip
    assert "synthetic" in found.plot(kind=kind).get_title(loc="right")
