"""`compare` against the same analysis written out by hand, its laws, and what it refuses."""

import itertools
from functools import cache
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo
from vertebro_outcomes.comparisons.covariates import restricted_cubic_spline
from vertebro_outcomes.comparisons.sample import days_with_scores
from vertebro_outcomes.comparisons.windows import window_for

CONTINUOUS = sorted(name for name, m in vo.METHODS.items() if m.kind == "continuous")
COVARIATES = ["baseline", "age_years", "sex"]
QUESTION = {"outcome": "pain_vas", "treatment": "KP", "comparator": "NSM", "day": 30}


def frames(n=300, seed=4, effect=-1.2):
    rng = np.random.default_rng(seed)
    ids = np.array([f"p{i:04d}" for i in range(n)])
    age = rng.normal(76, 8, n).round()
    male = rng.random(n) < 0.3
    base = np.clip(rng.normal(7, 1.2, n), 0, 10).round(1)
    treated = rng.random(n) < 1 / (1 + np.exp(-(0.6 * (base - 7) - 0.05 * (age - 76))))
    patients = pd.DataFrame(
        {
            "patient_id": ids,
            "age_years": age,
            "sex": np.where(male, "male", "female"),
            "site": rng.choice(list("ABCDEFGH"), n),
        }
    )
    arm = np.where(treated, "KP", "NSM")
    episodes = pd.DataFrame({"patient_id": ids, "treatment": arm, "day0": "enrolment"})
    own = rng.normal(0, 0.7, n)
    scores = [pd.DataFrame({"patient_id": ids, "day": 0, "value": base})]
    for day in (7, 30, 90):
        y = 2 + 0.3 * base + 0.02 * (age - 76) + effect * treated + own + rng.normal(0, 0.7, n)
        seen = rng.random(n) < 0.9
        y = np.clip(y, 0, 10)[seen]
        scores.append(pd.DataFrame({"patient_id": ids[seen], "day": day, "value": y}))
    scores = pd.concat(scores, ignore_index=True).assign(instrument="pain_vas")
    return {"patients": patients, "episodes": episodes, "scores": scores}


FRAMES = frames()
COHORT = vo.Cohort.from_frames(**FRAMES)


def analysed_rows():
    """Complete cases at day 30, one row per patient, made without the package."""
    wide = FRAMES["scores"].pivot(index="patient_id", columns="day", values="value")
    rows = FRAMES["patients"].merge(FRAMES["episodes"], on="patient_id").set_index("patient_id")
    rows = rows.join(wide.rename(columns={0: "baseline", 30: "y"})).dropna(subset=["y"])
    return rows.assign(
        a=(rows["treatment"] == "KP").astype(float), male=(rows["sex"] == "male").astype(float)
    )


def test_every_method_of_the_interface_is_there():
    named = "unadjusted ancova mmrm overlap_weighting ate_weighting att_weighting matching aipw g_computation"
    assert set(named.split()) <= set(CONTINUOUS)
    for method in vo.METHODS.values():
        assert method.estimand
        assert method.assumptions
        assert "doi:" in method.reference


def test_ancova_is_least_squares_with_hc3():
    import statsmodels.formula.api as smf

    fit = smf.ols("y ~ a + baseline + age_years + male", analysed_rows()).fit(
        cov_type="HC3", use_t=True
    )
    found = vo.compare(COHORT, method="ancova", covariates=COVARIATES, **QUESTION)
    assert found.estimate == pytest.approx(fit.params["a"], rel=1e-9)
    assert found.se == pytest.approx(fit.bse["a"], rel=1e-9)
    assert found.p_value == pytest.approx(fit.pvalues["a"], rel=1e-6)
    low, high = fit.conf_int().loc["a"]
    assert (found.ci_low, found.ci_high) == pytest.approx((low, high), rel=1e-9)
    by_arm = analysed_rows()["treatment"].value_counts()
    assert (found.n_t, found.n_c) == (by_arm["KP"], by_arm["NSM"])


@pytest.mark.parametrize(
    ("method", "weight"),
    [
        ("overlap_weighting", lambda e, a: np.where(a == 1, 1 - e, e)),
        ("ate_weighting", lambda e, a: np.where(a == 1, 1 / e, 1 / (1 - e))),
        ("att_weighting", lambda e, a: np.where(a == 1, 1.0, e / (1 - e))),
    ],
)
def test_weighting_is_that_of_a_logistic_model_fitted_elsewhere(method, weight):
    import statsmodels.api as sm

    rows = analysed_rows()
    X = sm.add_constant(rows[["baseline", "age_years", "male"]])
    e = sm.GLM(rows["a"], X, family=sm.families.Binomial()).fit(tol=1e-14).fittedvalues
    w, a = weight(e, rows["a"]), rows["a"] == 1
    expected = np.average(rows["y"][a], weights=w[a]) - np.average(rows["y"][~a], weights=w[~a])
    found = vo.compare(COHORT, method=method, covariates=COVARIATES, **QUESTION)
    assert found.estimate == pytest.approx(expected, rel=1e-8)
    assert found.balance["covariate"].tolist() == ["baseline", "age_years", "sex: male"]


@cache
def changed(how):
    """The same cohort with rows shuffled, patients renamed, or scores halved."""
    if how == "shuffled":
        rng = np.random.default_rng(1)
        f = {key: frame.sample(frac=1, random_state=rng) for key, frame in FRAMES.items()}
    elif how == "renamed":
        ids = FRAMES["patients"]["patient_id"]
        name = dict(zip(ids, [f"x{(37 * i) % len(ids):04d}" for i in range(len(ids))], strict=True))
        f = {
            k: frame.assign(patient_id=frame["patient_id"].map(name)) for k, frame in FRAMES.items()
        }
    else:
        f = FRAMES | {"scores": FRAMES["scores"].assign(value=FRAMES["scores"]["value"] / 2)}
    return vo.Cohort.from_frames(**f)


@pytest.mark.parametrize("method", CONTINUOUS)
def test_laws(method):
    options = {"method": method, "covariates": ["baseline", "age_years"]} | QUESTION
    first = vo.compare(COHORT, **options)
    again = vo.compare(changed("shuffled"), **options)
    assert again.estimate == pytest.approx(first.estimate, rel=1e-9)
    assert again.se == pytest.approx(first.se, rel=1e-9)
    if method != "matching":  # equal scores are matched in the order of names
        other = vo.compare(changed("renamed"), **options)
        assert other.estimate == pytest.approx(first.estimate, rel=1e-9)
    if method not in ("att_weighting", "matching"):  # these stand for one arm
        swapped = vo.compare(COHORT, **options | {"treatment": "NSM", "comparator": "KP"})
        assert swapped.estimate == pytest.approx(-first.estimate, rel=1e-7)
        assert swapped.ci_low == pytest.approx(-first.ci_high, rel=1e-7)
    halved = vo.compare(changed("halved"), **options)
    assert halved.estimate == pytest.approx(first.estimate / 2, rel=1e-7)
    assert halved.se == pytest.approx(first.se / 2, rel=1e-6)
    assert halved.p_value == pytest.approx(first.p_value, rel=1e-4, abs=1e-12)


@pytest.mark.parametrize("method", CONTINUOUS)
def test_every_result_shows_itself(method):
    found = vo.compare(COHORT, method=method, **QUESTION)
    assert "KP minus NSM = −" in str(found)
    assert "day 30" in str(found)
    assert "immortal" not in str(found)  # day 0 is enrolment
    assert found.to_frame().shape[0] == 1
    assert "<table>" in found._repr_html_()
    assert found.plot() is not None
    assert found.ci_low < found.estimate < found.ci_high
    lines = found.attrition
    assert (lines["n_t"].shift() - lines["n_t"]).iloc[1:].tolist() == lines["left_t"].iloc[
        1:
    ].tolist()


def test_death_is_counted_apart_from_missing_scores():
    scores = FRAMES["scores"]
    gone = FRAMES["patients"]["patient_id"].iloc[:5].tolist()
    scores = scores[~(scores["patient_id"].isin(gone) & (scores["day"] > 0))]
    patients = FRAMES["patients"].assign(
        death_day=np.where(FRAMES["patients"]["patient_id"].isin(gone), 20, np.nan)
    )
    cohort = vo.Cohort.from_frames(**FRAMES | {"scores": scores, "patients": patients})
    for method in ("ancova", "mmrm"):
        lines = vo.compare(cohort, method=method, **QUESTION).attrition.set_index("step")
        dead = lines.filter(like="died", axis=0)
        assert dead[["left_t", "left_c"]].to_numpy().sum() == 5


def test_the_window_takes_the_nearest_score_and_only_within():
    assert window_for(30) == (21, 39)
    moved = FRAMES["scores"].copy()
    moved.loc[moved["day"] == 30, "day"] = 33
    far = moved[moved["day"] == 33].assign(day=38, value=0.0)
    cohort = vo.Cohort.from_frames(**FRAMES | {"scores": pd.concat([moved, far])})
    first = vo.compare(COHORT, method="ancova", **QUESTION)
    assert vo.compare(cohort, method="ancova", **QUESTION).estimate == pytest.approx(first.estimate)
    with pytest.raises(
        vo.InputError, match=r"no score for day 30(.|\n)*recorded on day [\d, ]*33, 38"
    ):
        vo.compare(cohort, method="ancova", window_days=(29, 31), **QUESTION)
    with pytest.raises(vo.InputError, match=r"0 patients have pain_vas(.|\n)*on day [\d, ]*33, 38"):
        vo.compare(cohort, method="mmrm", window_days=(29, 31), **QUESTION)
    early = moved[moved["day"] <= 0]
    cohort = vo.Cohort.from_frames(**FRAMES | {"scores": early})
    with pytest.raises(vo.InputError, match="pain_vas was never recorded after day 0"):
        vo.compare(cohort, method="mmrm", **QUESTION)


def test_many_days_are_named_by_the_first_and_the_last():
    days = np.arange(1, 40)
    people = SimpleNamespace(days_after_day0=lambda: days)
    assert days_with_scores(people, "odi") == "odi was recorded from day 1 to 39"


@pytest.mark.parametrize(
    ("day0", "treatment_day", "exposed"),
    [("treatment", 0, True), (None, None, True), ("presentation", 9, True),
     ("presentation", 0, False), ("enrolment", 5, False)],
)  # fmt: skip
def test_a_clock_that_starts_at_the_procedure_is_marked(day0, treatment_day, exposed):
    treated = FRAMES["episodes"]["treatment"] == "KP"
    day = pd.Series(treatment_day, index=treated.index, dtype="Int64").where(treated)
    episodes = FRAMES["episodes"].assign(day0=day0, treatment_day=day)
    cohort = vo.Cohort.from_frames(**FRAMES | {"episodes": episodes})
    assert ("immortal time" in str(vo.compare(cohort, method="ancova", **QUESTION))) is exposed


def test_two_procedures_share_their_clock():
    episodes = FRAMES["episodes"].replace(
        {"treatment": {"NSM": "VP"}, "day0": {"enrolment": "treatment"}}
    )
    cohort = vo.Cohort.from_frames(**FRAMES | {"episodes": episodes})
    found = vo.compare(cohort, method="ancova", **QUESTION | {"comparator": "VP"})
    assert "immortal" not in str(found)


def test_crossover_and_synthetic_data_are_mentioned():
    nsm = FRAMES["episodes"].query("treatment == 'NSM'")["patient_id"].iloc[:4]
    events = pd.DataFrame({"patient_id": nsm, "type": "crossover", "day": [5, 5, 5, 99]})
    cohort = vo.Cohort.from_frames(**FRAMES, events=events, synthetic=True)
    found = vo.compare(cohort, method="mmrm", **QUESTION)
    assert any(note.startswith("0 vs 3 patients crossed over") for note in found.notes)
    assert "Synthetic data" in str(found)
    assert found.estimate == vo.compare(COHORT, method="mmrm", **QUESTION).estimate


def test_a_visit_that_shares_no_patient_leaves_the_model():
    scores = FRAMES["scores"]
    last = set(scores.loc[scores["day"] == 7, "patient_id"])
    scores = scores[~((scores["day"] == 90) & scores["patient_id"].isin(last))]
    cohort = vo.Cohort.from_frames(**FRAMES | {"scores": scores})
    assert "Visits in the model: day 7, 30." in vo.compare(cohort, method="mmrm", **QUESTION).notes


def test_residual_imbalance_is_said():
    said = str(vo.compare(COHORT, method="unadjusted", **QUESTION))
    assert "Residual imbalance" in said
    assert "baseline (" in said
    partly = vo.compare(COHORT, method="overlap_weighting", covariates=["age_years"], **QUESTION)
    assert "baseline (" in str(partly)
    assert not partly.passed
    weighted = vo.compare(COHORT, method="overlap_weighting", **QUESTION)
    assert "imbalance" not in str(weighted).lower()
    assert weighted.passed


def test_mmrm_takes_the_visits_of_the_schedule_and_its_variances():
    found = {
        variance: vo.compare(COHORT, method="mmrm", variance=variance, **QUESTION)
        for variance in vo.METHODS["mmrm"].variances
    }
    assert "Visits in the model: day 7, 30, 90." in found["satterthwaite"].notes
    assert len({round(f.se, 9) for f in found.values()}) == 4
    assert len({round(f.estimate, 9) for f in found.values()}) == 1


def test_mmrm_puts_scores_of_any_day_into_the_usual_visits():
    rng = np.random.default_rng(2)
    scores = FRAMES["scores"].copy()
    jitter = (0.2 * scores["day"] * rng.uniform(-1, 1, len(scores))).round().astype(int)
    cohort = vo.Cohort.from_frames(**FRAMES | {"scores": scores.assign(day=scores["day"] + jitter)})
    loose = vo.compare(cohort, method="mmrm", **QUESTION)
    assert "Visits in the model: day 7, 30, 90." in loose.notes
    exact = vo.compare(COHORT, method="mmrm", **QUESTION)
    assert loose.estimate == pytest.approx(exact.estimate, abs=0.02)


@pytest.mark.parametrize(
    ("response", "rule"),
    [("better_30pct", lambda r: r["baseline"] - r["y"] >= 0.3 * r["baseline"]),
     ("better_50pct", lambda r: r["baseline"] - r["y"] >= 0.5 * r["baseline"]),
     ("at_most_3", lambda r: r["y"] <= 3),
     ("worthwhile", lambda r: r["baseline"] - r["y"] >= 1.5)],
)  # fmt: skip
def test_responders_by_each_published_definition(response, rule):
    rows = analysed_rows()
    share = rule(rows).groupby(rows["treatment"]).mean()
    found = vo.compare(COHORT, method="unadjusted", response=response, **QUESTION)
    assert found.estimate == pytest.approx(share["KP"] - share["NSM"], rel=1e-12)
    assert found.measure == "RD"
    assert "%" in str(found)
    adjusted = vo.compare(COHORT, method="overlap_weighting", response=response, **QUESTION)
    assert adjusted.estimate > 0


def test_a_response_that_does_not_fit_is_refused():
    for change, said in (
        ({"response": "cured"}, "better_50pct"),
        ({"method": "mmrm", "response": "better_30pct"}, "with a response"),
    ):
        with pytest.raises(vo.InputError, match=said):
            vo.compare(COHORT, **QUESTION | {"method": "ancova"} | change)
    odi = FRAMES["scores"].assign(instrument="odi")
    cohort = vo.Cohort.from_frames(**FRAMES | {"scores": odi})
    with pytest.raises(vo.InputError, match="pain score from 0 to 10"):
        vo.compare(cohort, method="ancova", response="at_most_3", **QUESTION | {"outcome": "odi"})


def test_visits_of_a_model_are_in_its_table():
    found = vo.compare(COHORT, method="mmrm", **QUESTION)
    table = found.by_visit.set_index("day")
    assert table.index.tolist() == [7, 30, 90]
    assert table.loc[30, "estimate"] == pytest.approx(found.estimate, rel=1e-12)
    assert table.loc[30, ["ci_low", "ci_high"]].tolist() == [found.ci_low, found.ci_high]
    rows = analysed_rows()["treatment"].value_counts()
    assert table.loc[30, ["n_t", "n_c"]].tolist() == [rows["KP"], rows["NSM"]]
    assert vo.compare(COHORT, method="ancova", **QUESTION).by_visit is None


def test_trajectories_are_drawn_where_a_model_has_visits():
    found = vo.compare(COHORT, method="mmrm", **QUESTION)
    ax = found.plot(kind="trajectory")
    ticks = [label.get_text() for label in ax.get_xticklabels()]
    assert ticks[1] == f"day 30\nKP {found.by_visit.n_t[1]}\nNSM {found.by_visit.n_c[1]}"
    means = [line.get_ydata().tolist() for line in ax.lines if len(line.get_ydata()) == 3]
    assert found.by_visit["mean_t"].tolist() in means
    with pytest.raises(vo.InputError, match="kind"):
        vo.compare(COHORT, method="ancova", **QUESTION).plot(kind="trajectory")


def test_constrained_model_keeps_patients_without_a_baseline():
    scores = FRAMES["scores"]
    lost = scores["patient_id"].isin(FRAMES["patients"]["patient_id"].iloc[:40]) & (
        scores["day"] == 0
    )
    cohort = vo.Cohort.from_frames(**FRAMES | {"scores": scores[~lost]})
    with_all = vo.compare(COHORT, method="clda", **QUESTION)
    without = vo.compare(cohort, method="clda", **QUESTION)
    assert (without.n_t, without.n_c) == (with_all.n_t, with_all.n_c)
    assert vo.compare(cohort, method="mmrm", **QUESTION).n_t < with_all.n_t


def test_tipping_point_makes_the_interval_reach_zero():
    found = vo.compare(COHORT, method="mmrm", **QUESTION)
    table = found.tipping_point().set_index("arm")
    t = (found.ci_high - found.estimate) / found.se
    for arm, n, side in (("KP", found.n_t, 1), ("NSM", found.n_c, -1)):
        share, delta = table.loc[arm, ["share_unseen", "delta"]]
        assert side * delta > 0  # the treated would have to hurt more, or the others less
        moved = found.estimate + side * delta * share
        wide = np.sqrt(found.se**2 + delta**2 * share * (1 - share) / n)
        assert moved + t * wide == pytest.approx(0.0, abs=1e-9)
    assert table["n_unseen"].sum() == found.n_t + found.n_c - len(analysed_rows())
    nothing = vo.Cohort.from_frames(**frames(n=60, effect=0.0))
    assert (vo.compare(nothing, method="mmrm", **QUESTION).tipping_point()["delta"] == 0).all()
    with pytest.raises(vo.InputError, match="mmrm, clda"):
        vo.compare(COHORT, method="gee", **QUESTION).tipping_point()
    with pytest.raises(vo.InputError, match="mmrm, clda"):
        vo.compare(COHORT, method="ancova", **QUESTION).tipping_point()


def test_methods_side_by_side():
    table = vo.compare_methods(COHORT, **QUESTION).set_index("method")
    assert set(table.index) == set(CONTINUOUS)
    one = vo.compare(COHORT, method="aipw", **QUESTION)
    assert table.loc["aipw", "estimate"] == one.estimate
    hopeless = vo.compare_methods(
        broken("separated"), covariates=["age_years"], **QUESTION
    ).set_index("method")
    assert np.isnan(hopeless.loc["aipw", "estimate"])
    assert "overlap" in hopeless.loc["aipw", "notes"]
    assert np.isfinite(hopeless.loc["unadjusted", "estimate"])
    with pytest.raises(vo.InputError):
        vo.compare_methods(COHORT, **QUESTION | {"outcome": "odi"})


def test_spline_is_linear_outside_its_knots_and_smooth_inside():
    x = np.linspace(0, 100, 2001)
    basis = restricted_cubic_spline(x, n_knots=4)
    assert basis.shape == (2001, 3)
    for tail in (x <= 5, x >= 95):
        second = np.diff(basis[tail], n=2, axis=0)
        np.testing.assert_allclose(second, 0, atol=1e-9)
    assert np.abs(np.diff(basis, n=3, axis=0)).max() < 1e-5


def test_more_than_one_episode_counts_once():
    again = FRAMES["episodes"].assign(
        episode_id="a" + FRAMES["episodes"]["patient_id"], treatment_date="2020-05-01"
    )
    later = again.iloc[:10].assign(  # later by its date, first by its name
        episode_id=lambda e: "A" + e["patient_id"], treatment_date="2021-05-01"
    )
    scores = FRAMES["scores"].assign(episode_id="a" + FRAMES["scores"]["patient_id"])
    cohort = vo.Cohort.from_frames(
        patients=FRAMES["patients"], episodes=pd.concat([again, later]), scores=scores
    )
    found = vo.compare(cohort, method="ancova", **QUESTION)
    once = vo.compare(COHORT, method="ancova", **QUESTION)
    assert found.estimate == pytest.approx(once.estimate, rel=1e-12)
    assert found.attrition.loc[0, ["left_t", "left_c"]].sum() == 10


# What cannot be answered ------------------------------------------------------------------------

WRONG = [
    ({"outcome": "no_such"}, "argument outcome"),
    ({"treatment": "KX"}, "argument treatment"),
    ({"comparator": "KP"}, "another arm"),
    ({"comparator": "SHAM"}, "no patient has this treatment"),
    ({"day": 0}, "argument day"),
    ({"day": 30.5}, "argument day"),
    ({"day": 200}, "no score"),
    ({"method": "magic"}, "overlap_weighting"),
    ({"covariates": ["shoe_size"]}, "shoe_size"),
    ({"covariates": ["death_day"]}, "follow from the treatment"),
    ({"covariates": "baseline"}, "a list of names"),
    ({"variance": "bootstrap"}, "argument variance"),
    ({"method": ["ancova"]}, "argument method"),
    ({"outcome": ["odi"]}, "argument outcome"),
    ({"covariates": 3}, "a list of names"),
    ({"level": 95}, "between 0 and 1"),
    ({"window_days": (40, 50)}, "window_days"),
    ({"n_ratio": 0}, "n_ratio"),
    ({"outcome": "odi"}, "no score|at or before day 0"),
]


@pytest.mark.parametrize(("change", "said"), WRONG, ids=lambda v: str(v)[:40])
def test_a_mistake_gets_a_sentence(change, said):
    with pytest.raises(vo.InputError, match=said):
        vo.compare(COHORT, **QUESTION | {"method": "ancova"} | change)


@cache
def broken(kind):
    """Frames in which a comparison has no answer."""
    f = {name: frame.copy() for name, frame in FRAMES.items()}
    treated = (f["episodes"]["treatment"] == "KP").to_numpy()
    if kind == "separated":
        f["patients"]["age_years"] = np.where(treated, 85.0, 60.0) + np.arange(len(treated)) % 5
    if kind == "category of one arm":
        f["patients"]["etiology"] = np.where(
            treated & (np.arange(len(treated)) < 60), "malignant", "osteoporotic"
        )
    if kind == "one value":
        f["patients"]["age_years"] = 70.0
    if kind == "all missing":
        f["scores"].loc[f["scores"]["day"] == 30, "value"] = np.nan
    if kind == "one arm missing":
        kp = set(f["episodes"].loc[treated, "patient_id"])
        f["scores"].loc[
            (f["scores"]["day"] == 30) & f["scores"]["patient_id"].isin(kp), "value"
        ] = np.nan
    if kind == "constant":
        f["scores"].loc[f["scores"]["day"] > 0, "value"] = 5.0
    if kind == "nobody":
        f["episodes"]["treatment"] = "NSM"
    return vo.Cohort.from_frames(**f)


@pytest.mark.parametrize("method", CONTINUOUS)
def test_scores_that_do_not_vary_give_no_number(method):
    with pytest.raises(vo.InputError, match=r"do not vary|all scores|follow exactly"):
        vo.compare(broken("constant"), method=method, **QUESTION)


@cache
def handful(seed):
    return vo.Cohort.from_frames(**frames(n=[6, 8, 12][seed % 3], seed=seed))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("method", CONTINUOUS)
def test_a_handful_of_patients_gives_a_number_or_a_sentence(method, seed):
    cohort = handful(seed)
    try:
        found = vo.compare(cohort, method=method, covariates=COVARIATES, **QUESTION)
    except vo.InputError:
        return
    assert np.isfinite([found.estimate, found.se, found.ci_low, found.p_value]).all()
    assert found.se > 0


def test_site_variance_needs_sites():
    by_site = vo.compare(COHORT, method="aipw", variance="sandwich_site", **QUESTION)
    assert by_site.se != vo.compare(COHORT, method="aipw", **QUESTION).se
    blank = FRAMES["patients"].assign(site=None)
    cohort = vo.Cohort.from_frames(**FRAMES | {"patients": blank})
    with pytest.raises(vo.InputError, match="column site"):
        vo.compare(cohort, method="aipw", variance="sandwich_site", **QUESTION)


def test_a_rare_category_of_one_arm_leaves_by_name_where_covariates_were_not_named():
    treated = (FRAMES["episodes"]["treatment"] == "KP").to_numpy()
    rare = np.zeros(len(treated), dtype=bool)
    rare[np.flatnonzero(treated)[:6]] = True
    kind = np.where(rare, "malignant", "osteoporotic")
    cohort = vo.Cohort.from_frames(
        **FRAMES | {"patients": FRAMES["patients"].assign(etiology=kind)}
    )
    found = vo.compare(cohort, method="overlap_weighting", **QUESTION)
    line = found.attrition.set_index("step").loc["etiology malignant, which only one arm has"]
    assert 0 < line["left_t"] <= 6
    assert line["left_c"] == 0
    assert found.covariates == ("baseline", "age_years", "sex")
    named = [*COVARIATES, "etiology"]
    with pytest.raises(vo.InputError, match="etiology"):
        vo.compare(cohort, method="overlap_weighting", covariates=named, **QUESTION)


ADJUSTED = [m for m in CONTINUOUS if m != "unadjusted"]
PROPENSITY = [m for m in CONTINUOUS if m not in ("unadjusted", "ancova", "mmrm", "clda", "gee")]
HOPELESS = [
    *itertools.product(
        ["separated"], PROPENSITY, [["baseline", "age_years"]], ["overlap in age_years"]
    ),
    *itertools.product(
        ["category of one arm"], PROPENSITY, [["etiology", "age_years"]], ["etiology"]
    ),
    *itertools.product(["one value"], ADJUSTED, [["baseline", "age_years"]], ["one value"]),
    *itertools.product(["all missing"], CONTINUOUS, [["baseline"]], ["day 30"]),
    *itertools.product(["one arm missing"], CONTINUOUS, [["baseline"]], ["arm KP"]),
    *itertools.product(["nobody"], CONTINUOUS, [["baseline"]], ["no patient has this treatment"]),
]


@pytest.mark.parametrize(
    ("kind", "method", "covariates", "said"), HOPELESS, ids=lambda v: str(v)[:24]
)
def test_no_number_where_there_is_no_answer(kind, method, covariates, said):
    with pytest.raises(vo.InputError, match=said):
        vo.compare(broken(kind), method=method, covariates=covariates, **QUESTION)
