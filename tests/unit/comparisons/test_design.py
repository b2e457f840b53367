"""Target trials: the statement, its flow chart, the clock, and the registry with immortal time."""

import functools

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo
from vertebro_outcomes.estimators.emulation.course import Course
from vertebro_outcomes.estimators.emulation.fit import fit_clone_censor_weight

mpl.use("Agg")
TRIAL = vo.Design("death", "VA", "NSM", day=365, time_zero="presentation", grace_days=60)
METHODS = ("clone_censor_weight", "landmark", "naive_from_procedure")


@functools.cache
def simulated():
    return vo.simulate_registry(n_patients=6000, seed=5, scenario="immortal_time")


def immortal():
    return simulated()[0]


@functools.cache
def found_by(method):
    return vo.compare(immortal(), design=TRIAL, method=method)


def test_the_naive_clock_fails_on_immortal_time_and_the_others_do_not():
    for arm in ("VP", "KP"):
        true = simulated()[1].value("death", treatment=arm, comparator="NSM", day=365, measure="RD")
        assert true == 0.0
    naive = found_by("naive_from_procedure")
    assert naive.estimate < -0.05
    assert naive.ci_high < -0.04
    for method in ("clone_censor_weight", "landmark"):
        assert found_by(method).ci_low < 0 < found_by(method).ci_high
        assert abs(found_by(method).estimate) < 0.02


def test_the_naive_analysis_is_marked_wherever_it_is_shown():
    naive = found_by("naive_from_procedure")
    assert str(naive).startswith("[biased]")
    assert "Biased by design" in str(naive)
    assert naive.to_frame()["biased"].all()
    assert naive.plot(kind="risk").get_title().startswith("Biased")
    assert naive.plot(kind="balance").get_title().startswith("Biased")
    assert "<strong>Biased by design" in naive._repr_html_()
    for method in ("clone_censor_weight", "landmark"):
        assert not found_by(method).to_frame()["biased"].any()
        assert "iased" not in str(found_by(method))


def test_method_and_design_are_two_ways_to_ask_the_same():
    by_name = vo.compare(
        immortal(), outcome="death", treatment="VA", comparator="NSM", day=365, grace_days=60,
        method="clone_censor_weight",
    )  # fmt: skip
    by_default = vo.compare(immortal(), design=TRIAL)
    assert by_name.estimate == by_default.estimate == found_by("clone_censor_weight").estimate
    usual = vo.compare(
        immortal(), outcome="death", treatment="VA", comparator="NSM", day=365, method="landmark"
    )
    assert usual.grace_days == 42


def test_a_result_shows_itself():
    found = found_by("clone_censor_weight")
    table = found.weight_table.set_index("arm")
    assert table.loc["VA", "n"] == found.n_t == int((found.weights[found.treated] > 0).sum())
    assert table["n_truncated"].ge(0).all()
    frame = found.to_frame().iloc[0]
    assert frame["value_t"] - frame["value_c"] == pytest.approx(frame["estimate"], rel=1e-12)
    assert frame["risk_ratio"] == pytest.approx(frame["value_t"] / frame["value_c"], rel=1e-12)
    assert frame["risk_ratio_ci_low"] < frame["risk_ratio"] < frame["risk_ratio_ci_high"]
    assert found.protocol["component"].tolist() == TRIAL.to_frame()["component"].tolist()
    assert "cloned into both" in " ".join(found.protocol["emulation"])
    assert found.curves.groupby("arm")["risk"].last().loc["treatment"] == pytest.approx(
        found.value_t
    )
    for kind in ("balance", "weights", "risk"):
        assert found.plot(kind=kind) is not None
    assert "Synthetic" in str(found)
    assert "Risk ratio" in str(found)
    e_values = found_by("naive_from_procedure").diagnostics.set_index("diagnostic")["value"]
    ratio, _, high = found_by("naive_from_procedure").risk_ratio
    assert e_values["e_value"] == pytest.approx(1 / ratio + (1 / ratio * (1 / ratio - 1)) ** 0.5)
    assert e_values["e_value_ci"] == pytest.approx(1 / high + (1 / high * (1 / high - 1)) ** 0.5)
    assert found.diagnostics.set_index("diagnostic")["value"]["e_value_ci"] == 1.0
    assert "Weights of those who kept" in found._repr_html_()
    with pytest.raises(vo.InputError, match="risk"):
        found.plot(kind="trajectory")


def test_variances():
    cohort, _ = vo.simulate_registry(n_patients=900, seed=3, scenario="immortal_time")
    options = {"design": TRIAL, "method": "clone_censor_weight", "covariates": ["age_years"]}
    found = {
        (variance, seed): vo.compare(cohort, variance=variance, seed=seed, **options)
        for variance, seed in (
            ("robust", 1), ("robust_site", 1), ("bootstrap", 2), ("bootstrap", 3),
        )
    }  # fmt: skip
    drawn, robust = found["bootstrap", 2], found["robust", 1]
    assert drawn.se != found["bootstrap", 3].se
    assert drawn.estimate == robust.estimate
    assert drawn.se == pytest.approx(robust.se, rel=0.2)  # 200 samples know it to 5 %
    again = vo.compare(cohort, variance="bootstrap", seed=2, **options)
    assert again.se == drawn.se
    assert found["robust_site", 1].se != robust.se
    tables = {name: cohort.frame(name) for name in ("episodes", "scores")}
    no_sites = vo.Cohort.from_frames(**tables, patients=cohort.frame("patients").assign(site=None))
    with pytest.raises(vo.InputError, match="site"):
        vo.compare(no_sites, variance="robust_site", **options)


@pytest.mark.parametrize("method", ["clone_censor_weight", "landmark"])
@pytest.mark.parametrize(("outcome", "measure"), [("pain_vas", "MD"), ("fracture", "RD")])
def test_scores_and_competing_outcomes(method, outcome, measure):
    found = vo.compare(
        immortal(), outcome=outcome, treatment="KP", comparator="NSM", day=180, grace_days=30,
        method=method,
    )  # fmt: skip
    assert found.measure == measure
    assert found.ci_low < found.estimate < found.ci_high
    if measure == "MD":  # half of the others are treated later, so the difference is diluted
        assert -0.9 < found.estimate < 0
        assert np.isnan(found.risk_ratio).all()


def small(**changes):
    """Eight patients; p0 to p2 treated after presentation, p3 crosses over."""
    ids = [f"p{i}" for i in range(8)]
    episodes = pd.DataFrame(
        {"patient_id": ids, "treatment": ["VP", "VP", "KP", *["NSM"] * 5],
         "day0": "presentation", "presentation_day": 0,
         "treatment_day": pd.array([5, 8, 4, *[None] * 5], dtype="Int64"),
         "followup_end_day": 200}
    )  # fmt: skip
    patients = pd.DataFrame(
        {"patient_id": ids, "age_years": [70, 75, 80, 72, 74, 76, 78, 60],
         "death_day": pd.array([50, None, None, None, 7, 60, None, None], dtype="Int64")}
    )  # fmt: skip
    events = pd.DataFrame({"patient_id": ["p3"], "type": "crossover", "day": [6]})
    made = {"patients": patients, "episodes": episodes, "events": events} | changes
    return vo.Cohort.from_frames(**made)


BY_HAND = vo.Design("death", "VP", "NSM", day=100, time_zero="presentation", grace_days=10)


@pytest.mark.parametrize("treatment", ["VP", "VA"])
def test_the_course_is_read_from_the_tables(treatment):
    inf = np.inf
    crossed, kp = (6.0, 4.0) if treatment == "VA" else (inf, inf)
    own = np.array([5.0, 8.0, kp, crossed, inf, inf, inf, inf])
    other = np.full(8, inf)
    if treatment == "VP":  # another procedure, and one of unknown kind, depart from both strategies
        other[2], other[3] = 4.0, 6.0
    course = Course(
        np.array([50.0, 200, 200, 200, 7, 60, 200, 200]), np.array([1, 0, 0, 0, 1, 1, 0, 0]),
        own, other, np.empty((8, 0)), grace=10, day=100,
    )  # fmt: skip
    expected = fit_clone_censor_weight(course)
    design = vo.Design("death", treatment, "NSM", day=100, time_zero="presentation", grace_days=10)
    found = vo.compare(small(), design=design, covariates=[], failed="show")
    assert found.estimate == pytest.approx(expected.estimate, rel=1e-12)
    psi = expected.influence_t - expected.influence_c
    assert found.se == pytest.approx(np.sqrt(psi @ psi), rel=1e-12)


def test_the_clock_moves_to_presentation_where_day_0_is_the_procedure():
    cohort = small()
    episodes, patients = cohort.frame("episodes"), cohort.frame("patients")
    shift = episodes["treatment_day"].fillna(0)
    moved = episodes.assign(
        day0=np.where(episodes["treatment"] == "NSM", "presentation", "treatment"),
        presentation_day=-shift, treatment_day=episodes["treatment_day"] - shift,
        followup_end_day=episodes["followup_end_day"] - shift,
    )  # fmt: skip
    dead = patients.assign(death_day=patients["death_day"] - shift.to_numpy())
    other = small(episodes=moved, patients=dead)
    first = vo.compare(cohort, design=BY_HAND, covariates=[], failed="show")
    second = vo.compare(other, design=BY_HAND, covariates=[], failed="show")
    assert second.estimate == pytest.approx(first.estimate, rel=1e-12)
    blank = small(episodes=moved.assign(presentation_day=None, day0="treatment"), patients=dead)
    with pytest.raises(vo.InputError, match="presentation_day"):
        vo.compare(blank, design=BY_HAND)


def test_every_rule_is_a_line_of_the_flow_chart():
    design = vo.Design(
        "death", "VA", "NSM", day=365, time_zero="presentation", grace_days=60,
        eligibility=(
            vo.Rule("fracture at most 6 weeks old", "fracture_age_days", at_most=42),
            vo.Rule("osteoporotic fracture", "etiology", one_of=("osteoporotic",)),
            vo.Rule("aged 65 to 85", "age_years", at_least=65, at_most=85),
        ),
    )  # fmt: skip
    kept = design.eligible(immortal())
    assert kept.attrition["step"].tolist()[1:] == [rule.name for rule in design.eligibility]
    people = immortal().frame("patients").merge(immortal().frame("episodes"), on="patient_id")
    mask = (people["fracture_age_days"] <= 42) & (people["etiology"] == "osteoporotic")
    mask &= people["age_years"].between(65, 85)
    assert kept.attrition["n_patients"].iloc[-1] == mask.sum()
    found = vo.compare(immortal(), design=design)
    assert "aged 65 to 85" in found.protocol["emulation"].iloc[0]
    assert "age_years at least 65 and at most 85" in str(design)


CONTRADICTIONS = [
    ({"time_zero": "procedure"}, "presentation"),
    ({"time_zero": "day0", "grace_days": 30}, "grace_days"),
    ({"grace_days": None}, "grace_days"),
    ({"grace_days": 365}, "grace_days"),
    ({"grace_days": True}, "grace_days"),
    ({"comparator": "SHAM"}, "NSM"),
    ({"treatment": "XX"}, "treatment"),
    ({"estimand": "ATT"}, "ATE"),
    ({"crossover": "ignore"}, "treatment_policy"),
    ({"death": "missing"}, "while_alive"),
    ({"time_zero": "birth"}, "presentation"),
    ({"eligibility": ("age > 60",)}, "Rule"),
]


@pytest.mark.parametrize(("change", "said"), CONTRADICTIONS, ids=lambda v: str(v)[:30])
def test_a_statement_that_contradicts_itself_is_refused(change, said):
    whole = {
        "outcome": "death", "treatment": "VA", "comparator": "NSM", "day": 365,
        "time_zero": "presentation", "grace_days": 42,
    }  # fmt: skip
    with pytest.raises(vo.InputError, match=said):
        vo.Design(**whole | change)


@pytest.mark.parametrize(
    ("options", "said"),
    [({"outcome": "death"}, "the design says it"), ({"grace_days": 30}, "the design says it"),
     ({"method": "ancova"}, "clone_censor_weight"), ({"method": "magic"}, "argument method"),
     ({"truncate": 0.2}, "truncate"), ({"variance": "hc3"}, "robust"), ({"failed": "no"}, "withhold"),
     ({"covariates": "age"}, "covariates"), ({"covariates": ["shoe"]}, "shoe"), ({"design": "x"}, "Design")],
)  # fmt: skip
def test_options_that_cannot_be_meant_with_a_design(options, said):
    with pytest.raises(vo.InputError, match=said):
        vo.compare(immortal(), **{"design": TRIAL} | options)


def test_rules_that_cannot_be_read():
    for rule, said in (
        (vo.Rule("x", "shoe_size", at_least=1), "shoe_size"),
        (vo.Rule("x", "sex"), "no condition"),
    ):
        design = vo.Design("pain_vas", "KP", "VP", day=30, eligibility=(rule,))
        with pytest.raises(vo.InputError, match=said):
            vo.compare(immortal(), design=design)


def test_what_cannot_be_answered_from_presentation():
    question = {"treatment": "VP", "comparator": "NSM", "method": "clone_censor_weight"}
    cohort = small()
    for change, said in (
        ({"outcome": "fracture", "day": 90}, "nobody had fracture"),
        ({"outcome": "pain_vas", "day": 90}, "no score"),
        ({"outcome": "shoes", "day": 90}, "argument outcome"),
        ({"outcome": "death", "day": 90, "grace_days": 2}, "nobody was treated"),
        ({"outcome": "death", "day": "x"}, "argument day"),
        ({"outcome": "death", "day": 90, "treatment": "VAI"}, "no patient has this treatment"),
        ({"outcome": "death", "day": 90, "covariates": ["sex"]}, "sex"),
    ):
        with pytest.raises(vo.InputError, match=said):
            vo.compare(cohort, **{"grace_days": 10} | question | change)
    with pytest.raises(vo.InputError, match="grace_days"):
        vo.compare(
            cohort, outcome="pain_vas", treatment="VP", comparator="NSM", day=30, method="ancova",
            grace_days=10,
        )  # fmt: skip


def test_a_design_from_day_0_is_the_usual_comparison_with_its_estimand():
    cohort, _ = vo.simulate_registry(n_patients=1500, seed=2, scenario="randomised")
    question = {"outcome": "pain_vas", "treatment": "KP", "comparator": "VP", "day": 30}
    for estimand, method in (
        ("ATE", "ate_weighting"),
        ("ATT", "att_weighting"),
        ("ATO", "overlap_weighting"),
    ):
        design = vo.Design(**question, time_zero="procedure", estimand=estimand)
        found = vo.compare(cohort, design=design)
        assert found.estimate == vo.compare(cohort, method=method, **question).estimate
    assert found.protocol.set_index("component").loc["estimand", "protocol"].endswith("(ATO)")
    with pytest.raises(vo.InputError, match="overlap_weighting"):
        vo.compare(cohort, design=design, method="aipw")
    with pytest.raises(vo.InputError, match="ancova"):
        vo.compare(cohort, design=design, method="landmark")


def test_intercurrent_events_change_the_score_as_they_say():
    rng = np.random.default_rng(1)
    n = 60
    ids = [f"p{i:02d}" for i in range(n)]
    arm = np.where(np.arange(n) % 2, "KP", "VP")
    value = rng.normal(4, 1, n).round(1)
    patients = pd.DataFrame(
        {"patient_id": ids, "death_day": pd.array([20, 25, *[None] * (n - 2)], dtype="Int64")}
    )
    scores = pd.DataFrame(
        {"patient_id": ids[2:], "instrument": "pain_vas", "day": 30, "value": value[2:]}
    )
    events = pd.DataFrame({"patient_id": [ids[5]], "type": "crossover", "day": [10]})
    cohort = vo.Cohort.from_frames(
        patients=patients, episodes=pd.DataFrame({"patient_id": ids, "treatment": arm}), scores=scores,
        events=events,
    )  # fmt: skip
    question = {"outcome": "pain_vas", "treatment": "KP", "comparator": "VP", "day": 30}
    kp = arm == "KP"

    def means(keep, y):
        return y[keep & kp].mean() - y[keep & ~kp].mean()

    alive = np.arange(n) >= 2
    worst = np.where(alive, value, 10.0)
    for change, expected in (
        ({}, means(alive, value)),
        ({"death": "composite"}, means(np.ones(n, bool), worst)),
        ({"crossover": "hypothetical"}, means(alive & (np.arange(n) != 5), value)),
    ):
        found = vo.compare(cohort, design=vo.Design(**question, **change), method="unadjusted")
        assert found.estimate == pytest.approx(expected, rel=1e-12)
    composite = vo.Design(**question, death="composite")
    with pytest.raises(vo.InputError, match="composite"):
        vo.compare(cohort, design=composite, method="mmrm")


@pytest.mark.slow
@pytest.mark.parametrize("method", ["clone_censor_weight", "landmark"])
def test_no_bias_and_coverage_on_the_registry_with_immortal_time(method):
    found = []
    for seed in range(100):
        cohort, _ = vo.simulate_registry(n_patients=1500, seed=seed, scenario="immortal_time")
        one = vo.compare(cohort, design=TRIAL, method=method)
        found.append((one.estimate, one.ci_low <= 0 <= one.ci_high))
    estimate = np.array([e for e, _ in found])
    assert abs(estimate.mean()) < 4 * estimate.std(ddof=1) / 10
    assert abs(estimate.mean()) < 0.01
    assert sum(c for _, c in found) >= 88
