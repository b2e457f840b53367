"""Data that cannot answer: every comparison says why in its own words, and gives no number."""

from functools import cache

import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo

ARMS = {"treatment": "KP", "comparator": "VP"}
QUESTION = {"outcome": "pain_vas", "day": 30, **ARMS}
GIVEN = ["age_years", "x"]
N = 80


def frames() -> dict[str, pd.DataFrame]:
    """Two arms that overlap, scores at four visits, fractures, deaths, leakages."""
    rng = np.random.default_rng(4)
    ids = np.array([f"p{i:03d}" for i in range(N)])
    treated = np.arange(N) % 2 == 0
    patients = pd.DataFrame(
        {
            "patient_id": ids, "age_years": rng.normal(76, 8, N).round(), "x": rng.normal(size=N),
            "sex": np.where(rng.random(N) < 0.4, "male", "female"),
            "death_day": np.where(rng.random(N) < 0.2, rng.integers(120, 360, N), np.nan),
        }
    )  # fmt: skip
    episodes = pd.DataFrame(
        {
            "patient_id": ids, "treatment": np.where(treated, "KP", "VP"), "day0": "treatment",
            "followup_end_day": patients["death_day"].fillna(400),
        }
    )  # fmt: skip
    visits = [
        pd.DataFrame({"patient_id": ids, "day": day, "value": np.clip(y, 0, 10).round(1)})
        for day, y in [(0, rng.normal(7, 1, N))]
        + [(day, rng.normal(4, 1.5, N) - treated) for day in (7, 30, 90)]
    ]
    broken = pd.DataFrame({"patient_id": ids, "day": rng.integers(1, 119, N)})
    return {
        "patients": patients,
        "episodes": episodes,
        "scores": pd.concat(visits, ignore_index=True).assign(instrument="pain_vas"),
        "fractures": broken[rng.random(N) < 0.4],
        "events": pd.DataFrame({"patient_id": ids, "type": "cement_leakage", "day": 0})[
            rng.random(N) < 0.4
        ],
    }


def only(f: dict[str, pd.DataFrame], kp: int, vp: int) -> dict[str, pd.DataFrame]:
    """The first patients of each arm."""
    arm = f["episodes"].groupby("treatment")["patient_id"]
    ids = [*arm.get_group("KP")[:kp], *arm.get_group("VP")[:vp]]
    return {name: table[table["patient_id"].isin(ids)] for name, table in f.items()}


@cache
def cohort(kind: str, *, gaps: bool = False) -> vo.Cohort:
    f = frames()
    if gaps:
        late = f["scores"]["day"] >= 30
        gone = late & (np.random.default_rng(8).random(len(late)) < 0.2)
        f["scores"] = f["scores"][~gone].reset_index(drop=True)
    patients, episodes, scores = f["patients"], f["episodes"], f["scores"]
    kp = (episodes["treatment"] == "KP").to_numpy()
    x = patients["x"].to_numpy()
    columns = {
        "no overlap": np.where(kp, 10 + abs(x), -10 - abs(x)),
        "separated": np.where(kp, 1.0, 0.0),
        "one value": np.full(N, 3.0),
        "duplicated": patients["age_years"].to_numpy(),
        "blank": np.full(N, np.nan),
        "one infinite": np.where(np.arange(N) == 3, np.inf, x),
        "all infinite": np.full(N, -np.inf),
        "absurd": x * 1e200,
    }
    if kind in columns:
        patients["x"] = columns[kind]
    at_day = scores["day"] == 30
    if kind == "no patients":
        episodes["treatment"] = "VP"
    elif kind == "no scores":
        f["scores"] = scores[~at_day]
    elif kind == "no scores in an arm":
        of_kp = scores["patient_id"].isin(episodes["patient_id"][kp])
        f["scores"] = scores[~(at_day & of_kp)]
    elif kind == "constant scores":
        scores.loc[at_day, "value"] = 5.0
    elif kind == "one each":
        f = only(f, 1, 1)
    elif kind == "one treated":
        f = only(f, 1, N)
    return vo.Cohort.from_frames(**f)


def compared(method: str, **options: object):
    return lambda c: vo.compare(c, method=method, covariates=GIVEN, **QUESTION, **options)


SCORES = {
    name: compared(name)
    for name, method in vo.METHODS.items()
    if method.kind == "continuous" and name != "unadjusted"
} | {
    "trimmed": compared("overlap_weighting", trim="crump"),
    "exact": compared("matching", exact=["sex"]),
    "spline": lambda c: vo.compare(c, method="aipw", covariates=["rcs(x)"], **QUESTION),
    "formula": lambda c: vo.compare(c, method="ancova", covariates="~ age_years + x", **QUESTION),
    "arms": lambda c: vo.compare_arms(
        c, outcome="pain_vas", arms=["KP", "VP"], day=30, covariates=GIVEN
    ),
    "area": lambda c: vo.area_under_curve(c, covariates=["baseline", *GIVEN], **QUESTION),
    "curve": lambda c: vo.effect_by(
        c, modifier="x", continuous="spline", covariates=GIVEN, **QUESTION
    ),
    "odds": compared("proportional_odds"),
    "weighted curve": lambda c: vo.effect_by(
        c,
        modifier="x",
        continuous="spline",
        method="overlap_weighting",
        covariates=GIVEN,
        **QUESTION,
    ),
    "curve of all visits": lambda c: vo.effect_by(
        c, modifier="x", continuous="spline", method="mmrm", covariates=GIVEN, **QUESTION
    ),
    "bands": lambda c: vo.effect_by(c, modifier="sex", covariates=GIVEN, **QUESTION),
}
EVENTS = {
    "relief": lambda c: vo.sustained_relief(
        c, outcome="pain_vas", day=90, method="overlap_weighting", covariates=GIVEN, **ARMS
    ),
    "fractures": lambda c: vo.adjacent_fractures(c, event="fracture", covariates=GIVEN, **ARMS),
    "fractures, Cox": lambda c: vo.adjacent_fractures(
        c, event="fracture", method="cox", covariates=GIVEN, **ARMS
    ),
    "fractures, weighted": lambda c: vo.adjacent_fractures(
        c, event="fracture", method="cox", covariates=GIVEN, adjust="overlap_weighting", **ARMS
    ),
    "incidence": lambda c: vo.cumulative_incidence(
        c, covariates=GIVEN, adjust="overlap_weighting"
    ),
    "deaths": lambda c: vo.mortality(c, covariates=GIVEN, **ARMS),
    "counts": lambda c: vo.recurrent_fractures(c, covariates=GIVEN, **ARMS),
    "complications": lambda c: estimable(
        vo.compare_complications(c, method="g_computation", covariates=GIVEN, **ARMS)
    ),
    "complications, Firth": lambda c: estimable(
        vo.compare_complications(c, measure="OR", method="firth", covariates=GIVEN, **ARMS)
    ),
}  # fmt: skip
OF_COVARIATES = {
    "no overlap": "no overlap|separate",
    "separated": "no overlap|separate|follows from|finite maximum|2 different values",
    "one value": "one value|constant or follows|0 patients of|more, spread|finite maximum",
    "blank": "not recorded|one is empty|no patient|only one arm|at least|every covariate|different",
    "one infinite": "infinite",
    "all infinite": "infinite",
    "absurd": "beyond any measurement",
}
REPEATED = r"follows from the others|finite maximum"
OF_SCORES = {
    "no patients": "no patient has this treatment",
    "no scores": "no score for day 30|30 patients have pain_vas|0 patients",
    "no scores in an arm": "arm KP",
    "constant scores": "all \\d* ?scores|follow exactly",
    "one each": "1 patients|0 patients",
    "one treated": "1 patients|0 patients",
}


FEW = {"n_imputations": 3}
MISSING = {
    "imputed": compared("ancova", missing="multiple_imputation", **FEW),
    "imputed, weighted": compared("overlap_weighting", missing="multiple_imputation", **FEW),
    "imputed, matched": compared("matching", missing="multiple_imputation", **FEW),
    "imputed, odds": compared("proportional_odds", missing="multiple_imputation", **FEW),
    "jump": compared("ancova", missing="jump_to_reference", **FEW),
    "copy": compared("ancova", missing="copy_reference", **FEW),
    "increments": compared("aipw", missing="copy_increments", **FEW),
    "staying": compared("ancova", missing="censoring_weights"),
    "staying, all visits": compared("gee", missing="censoring_weights"),
    "shifted": lambda c: vo.delta_adjusted(c, covariates=GIVEN, **FEW, **QUESTION),
    "shifted, weighted": lambda c: vo.delta_adjusted(
        c, method="overlap_weighting", covariates=GIVEN, **FEW, **QUESTION
    ),
    "shifted, jump": lambda c: vo.delta_adjusted(
        c, missing="jump_to_reference", covariates=GIVEN, **FEW, **QUESTION
    ),
    "controls": lambda c: vo.negative_controls(
        c, controls=["pain_vas"], day=30, method="ancova", covariates=GIVEN, **ARMS
    ),
    "methods": lambda c: vo.compare_methods(
        c, methods=["ancova", "overlap_weighting"], covariates=GIVEN, **QUESTION
    ),
}
OF_GAPS = {
    **OF_COVARIATES, **OF_SCORES,
    "separated": OF_COVARIATES["separated"] + "|no overlap",
    "no scores": OF_SCORES["no scores"] + "|0 patients",
    "one each": OF_SCORES["one each"] + "|at least",
    "one treated": OF_SCORES["one treated"] + "|at least",
    "duplicated": REPEATED,
}  # fmt: skip


BENT = (
    "spline",
    "curve",
    "bands",
    "weighted curve",
    "curve of all visits",
)  # the other covariate is not among theirs, or it is bent
QUICK = (
    "imputed",
    "staying",
    "jump",
    "shifted",
    "overlap_weighting",
    "mmrm",
    "arms",
    "curve",
    "fractures",
    "complications",
    "relief",
)


def each(names):
    """Every way to ask; the default run takes some of them."""
    return [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in names]


def estimable(found):
    """Refuses in place of a result that says of every type that it is not estimable."""
    table = found.to_frame()
    if table[["estimate", "ci_low", "ci_high"]].isna().all(axis=None):
        raise vo.InputError("compare_complications()", [], "; ".join(table["note"]))
    return found


def test_the_same_questions_have_answers_in_whole_data():
    for ask in (SCORES | EVENTS).values():
        assert "KP" in str(ask(cohort("whole")))
    for ask in MISSING.values():
        found = ask(cohort("whole", gaps=True))
        assert "KP" in (str(found.to_dict()) if isinstance(found, pd.DataFrame) else str(found))


@pytest.mark.parametrize("name", each(SCORES))
@pytest.mark.parametrize("kind", OF_COVARIATES | OF_SCORES)
def test_scores_that_cannot_answer(kind, name):
    with pytest.raises(vo.InputError, match=(OF_COVARIATES | OF_SCORES)[kind]):
        SCORES[name](cohort(kind))


@pytest.mark.parametrize("name", each(EVENTS))
@pytest.mark.parametrize("kind", OF_COVARIATES)
def test_events_that_cannot_answer(kind, name):
    with pytest.raises(vo.InputError, match=OF_COVARIATES[kind]):
        EVENTS[name](cohort(kind))


@pytest.mark.parametrize("name", each(n for n in SCORES | EVENTS if n not in BENT))
def test_a_covariate_that_repeats_another(name):
    with pytest.raises(vo.InputError, match=REPEATED):
        (SCORES | EVENTS)[name](cohort("duplicated"))


@pytest.mark.parametrize("name", each(MISSING))
@pytest.mark.parametrize("kind", OF_GAPS)
def test_missing_scores_that_cannot_be_replaced(kind, name):
    with pytest.raises(vo.InputError, match=OF_GAPS[kind]):
        MISSING[name](cohort(kind, gaps=True))


@pytest.mark.parametrize("how", ["multiple_imputation", "jump_to_reference", "censoring_weights"])
def test_a_predictor_that_nobody_has(how):
    ask = {"method": "ancova", "covariates": ["age_years"], "missing": how, "predictors": ["x"]}
    with pytest.raises(vo.InputError, match="not recorded"):
        vo.compare(cohort("blank", gaps=True), **ask, **QUESTION)


def test_all_deaths_on_one_day_say_nothing_about_changing_hazards():
    f = frames()
    ages = f["patients"]["age_years"]
    dead = f["patients"].assign(death_day=np.where(ages > 76, 200, np.nan))
    ends = f["episodes"].assign(followup_end_day=np.where(ages > 76, 200, 400))
    found = vo.mortality(vo.Cohort.from_frames(patients=dead, episodes=ends), **ARMS)
    assert found.proportional_hazards["p_value"].isna().all()
    assert np.isfinite(found.estimate)
