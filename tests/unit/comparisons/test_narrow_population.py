"""Put together by the engine or read as a whole: the same patients, the same answers to 1e-8."""

import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo
from vertebro_outcomes.comparisons import (
    area,
    compare,
    courses,
    delta_adjusted,
    effect_by,
    narrow_population,
)
from vertebro_outcomes.comparisons.intercurrent import without_scores_after_crossover
from vertebro_outcomes.comparisons.population import population
from vertebro_outcomes.comparisons.trial_population import whole_trial_patients

ARMS = {"treatment": "KP", "comparator": "NSM"}
ASKED = {"outcome": "pain_vas", "day": 90, **ARMS}


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    """On disk: later episodes, changes of treatment, blank cells, visits on any day, one before day 0."""
    made, _ = vo.simulate_registry(n_patients=700, seed=5, scenario="randomised")
    frames = {name: made.frame(name) for name in made.tables}
    rng = np.random.default_rng(1)
    patients, scores = frames["patients"], frames["scores"]
    patients.loc[::40, "age_years"] = np.nan
    patients["hospital"] = rng.choice(["a", "b", "c"], len(patients))
    moved = (scores["day"] > 0) & (rng.random(len(scores)) < 0.08)
    scores.loc[moved, "day"] += rng.integers(-12, 13, int(moved.sum()))
    scores = scores.drop_duplicates(["episode_id", "instrument", "day"])
    early = scores[scores["day"] == 0].sample(200, random_state=1).assign(day=-4)
    blank = early.iloc[:50].assign(day=91, value=np.nan, status="not_asked")
    frames["scores"] = pd.concat([scores, early, blank], ignore_index=True).drop_duplicates(
        ["episode_id", "instrument", "day"]
    )
    episodes = frames["episodes"]
    again = episodes.iloc[:30].assign(
        episode_id=lambda d: d["episode_id"] + "z", treatment=["KP", "NSM", "VP"] * 10
    )
    frames["episodes"] = pd.concat([again, episodes], ignore_index=True)
    changes = episodes[episodes["treatment"] == "NSM"].iloc[:40][["patient_id", "episode_id"]]
    changes = changes.assign(type="crossover", day=np.arange(40) * 5)
    changes.loc[changes.index[:3], "day"] = np.nan
    frames["events"] = pd.concat([frames["events"], changes, changes], ignore_index=True)
    folder = tmp_path_factory.mktemp("cohort") / "canonical"
    vo.Cohort.from_frames(**frames, synthetic=True).write(folder)
    return vo.load(folder)


def whole_population(cohort, request, *_):
    """Every column and every score, chosen from in numpy."""
    t, c = request.arms
    people = population(cohort, outcome=request.outcome, treatment=t, comparator=c)
    hypothetical = request.crossover == "hypothetical"
    return without_scores_after_crossover(cohort, people) if hypothetical else people


QUESTIONS = {
    "overlap": {"method": "overlap_weighting", "variance": "sandwich_site"},
    "matched": {"method": "matching", "exact": ["hospital"], "covariates": ["baseline", "bmi"]},
    "formula": {"method": "ancova", "covariates": "~ baseline + I(age_years**2) + C(hospital)"},
    "response": {"method": "unadjusted", "response": "better_50pct"},
    "own window": {"method": "ancova", "window_days": (80, 95)},
    "mixed model": {"method": "mmrm"},
    "before the change": {"crossover": "hypothetical", "method": "aipw"},
    "all visits before the change": {"crossover": "hypothetical", "method": "mmrm"},
    "worst score of the dead": {"death": "composite", "method": "unadjusted"},
    "imputed": {
        "method": "ancova",
        "missing": "multiple_imputation",
        "n_imputations": 2,
        "predictors": ["hospital", "smoker"],
    },
    "jump to reference": {
        "method": "ancova",
        "missing": "jump_to_reference",
        "n_imputations": 2,
        "covariates": ["baseline", "sex"],
    },
    "weights of staying": {"method": "unadjusted", "missing": "censoring_weights"},
    "imputed before the change": {
        "crossover": "hypothetical",
        "method": "ancova",
        "missing": "multiple_imputation",
        "n_imputations": 2,
    },
}
TRIALS = {
    "death": {"design": {"outcome": "death", "day": 180}},
    "fracture": {"design": {"outcome": "adjacent_fracture", "day": 365}, "method": "landmark"},
    "event": {"design": {"outcome": "pneumonia", "day": 365}, "covariates": ["age_years"]},
    "score": {"design": {"outcome": "pain_vas", "day": 90}, "covariates": ["baseline", "hospital"]},
    "score, one procedure": {
        "design": {
            "outcome": "pain_vas", "day": 90, "treatment": "KP", "crossover": "hypothetical",
            "death": "composite", "window_days": (60, 110),
        },
        "covariates": "~ baseline + I(age_years**2) + C(sex)", "variance": "robust",
    },
}  # fmt: skip


def answer(cohort, how):
    options = dict(how)
    design = {name: options.pop(name) for name in ("crossover", "death") if name in options}
    if not design:
        return vo.compare(cohort, **ASKED, **options)
    return vo.compare(
        cohort, design=vo.Design("pain_vas", "KP", "NSM", day=90, **design), **options
    )


@pytest.mark.parametrize(
    "name", [t if t == "score" else pytest.param(t, marks=pytest.mark.slow) for t in TRIALS]
)
def test_a_trial_from_presentation_is_that_of_every_column_and_score(cohort, name, monkeypatch):
    options = dict(TRIALS[name])
    asked = {"treatment": "VA", "grace_days": 42, **options.pop("design")}
    design = vo.Design(comparator="NSM", time_zero="presentation", **asked)
    found = vo.compare(cohort, design=design, failed="show", **options)
    monkeypatch.setattr(
        courses, "trial_patients", lambda c, design, _: whole_trial_patients(c, design)
    )
    plain = vo.compare(cohort, design=design, failed="show", **options)
    assert found.notes == plain.notes
    for table in ("balance", "diagnostics", "attrition", "protocol"):
        pd.testing.assert_frame_equal(getattr(found, table), getattr(plain, table), rtol=1e-8)
    pd.testing.assert_frame_equal(found.to_frame(), plain.to_frame(), rtol=1e-8)


@pytest.mark.slow
def test_shifted_scores_are_those_of_every_column(cohort, monkeypatch):
    found = vo.delta_adjusted(cohort, **ASKED, n_imputations=2)
    monkeypatch.setattr(delta_adjusted, "requested_population", whole_population)
    plain = vo.delta_adjusted(cohort, **ASKED, n_imputations=2)
    for table in ("curve", "tipping"):
        pd.testing.assert_frame_equal(getattr(found, table), getattr(plain, table), rtol=1e-8)


EACH_TIME = (
    "overlap",
    "formula",
    "all visits before the change",
    "weights of staying",
)  # the others take a second more


@pytest.mark.parametrize(
    "name",
    [q if q in EACH_TIME else pytest.param(q, marks=pytest.mark.slow) for q in QUESTIONS],
)
def test_the_answer_is_that_of_every_column_and_score(cohort, name, monkeypatch):
    found = answer(cohort, QUESTIONS[name])
    monkeypatch.setattr(compare, "requested_population", whole_population)
    plain = answer(cohort, QUESTIONS[name])
    for table in ("to_frame", "balance", "diagnostics", "attrition", "protocol"):
        one, other = (getattr(r, table) for r in (found, plain))
        one, other = (one(), other()) if callable(one) else (one, other)
        pd.testing.assert_frame_equal(one, other, rtol=1e-8, atol=1e-12)
    assert found.notes == plain.notes
    assert str(found) == str(plain)
    for values in ("treated", "propensity", "weights"):
        one, other = getattr(found, values), getattr(plain, values)
        assert (one is None) == (other is None)
        if one is not None:
            np.testing.assert_allclose(one, other, rtol=1e-8)


def test_changes_and_later_episodes_are_there_to_be_told(cohort):
    found = answer(cohort, QUESTIONS["overlap"])
    assert any("crossed over" in note for note in found.notes)
    assert found.attrition[["left_t", "left_c"]].iloc[0].min() > 0


def test_messages_name_days_and_columns_that_were_not_fetched(cohort):
    with pytest.raises(vo.InputError, match="pain_vas was recorded from day 1 to"):
        vo.compare(cohort, **ASKED | {"day": 3000}, method="ancova")
    with pytest.raises(vo.InputError, match="hospital"):
        vo.compare(cohort, **ASKED, method="ancova", covariates=["clinic"])
    with pytest.raises(vo.InputError, match="arm SHAM"):
        vo.compare(cohort, **ASKED | {"comparator": "SHAM"}, method="ancova")


def test_an_effect_by_a_column_fetches_this_column(cohort, monkeypatch):
    def asked():
        return vo.effect_by(cohort, modifier="hospital", method="ancova", **ASKED).to_frame()

    found = asked()
    monkeypatch.setattr(effect_by, "requested_population", whole_population)
    pd.testing.assert_frame_equal(found, asked(), rtol=1e-8)


@pytest.mark.slow
def test_an_area_under_all_visits(cohort, monkeypatch):
    def asked():
        return vo.area_under_curve(cohort, **ASKED).to_frame()

    found = asked()
    monkeypatch.setattr(area, "requested_population", whole_population)
    pd.testing.assert_frame_equal(found, asked(), rtol=1e-8)


def test_identifiers_and_unused_columns_stay_where_they_are(cohort):
    needs = narrow_population.Needs(("treatment", "bmi"), 90, (63, 117))
    people = narrow_population.narrow_population(
        cohort, outcome="pain_vas", arms=("KP", "NSM"), needs=needs
    )
    assert list(people.frame.columns) == ["treatment", "bmi"]
    assert {"patient_id", "age_years", "hospital"} < set(people.columns)
    assert people.row.size == 0
