"""What leaves the engine: counts by pattern, or one row per patient and the scores of one outcome."""

import re

import pytest

import vertebro_outcomes as vo
from vertebro_outcomes.comparisons import (
    arm_balance,
    complication_patterns,
    complication_sets,
    driver_budget,
    follow_up,
    narrow_population,
    population,
    trial_population,
)
from vertebro_outcomes.comparisons.follow_up import follow_patients
from vertebro_outcomes.comparisons.registry_claims import registry_claims

ARMS = {"treatment": "KP", "comparator": "NSM"}
SCORE = {"outcome": "pain_vas", "day": 90}
TERMS = ["sex", "site"]
# Function: what is asked, and the largest table it may fetch (patients, patterns or few counts).
QUESTIONS = {
    "coverage": (lambda c: c.coverage(), "counts"),
    "quality": (lambda c: c.quality(), "counts"),
    "complication_rates": (vo.complication_rates, "counts"),
    "balance": (lambda c: vo.balance(c, **ARMS, covariates=TERMS), "counts"),
    "cumulative_incidence": (vo.cumulative_incidence, "patterns"),
    "adjacent_fractures": (
        lambda c: vo.adjacent_fractures(c, **ARMS, event="fracture", covariates=["sex"]),
        "patterns",
    ),
    "mortality": (lambda c: vo.mortality(c, **ARMS, covariates=["sex"]), "patterns"),
    "compare": (lambda c: vo.compare(c, **SCORE, **ARMS, method="overlap_weighting"), "of arms"),
    "all visits": (lambda c: vo.compare(c, **SCORE, **ARMS, method="mmrm"), "scores"),
    "compare by design": (
        lambda c: vo.compare(
            c, design=vo.Design("pain_vas", "KP", "NSM", day=90), method="ate_weighting"
        ),
        "of arms",
    ),
    "trial from presentation": (
        lambda c: vo.compare(
            c,
            method="clone_censor_weight",
            failed="show",
            design=vo.Design(
                "pain_vas", "VA", "NSM", day=90, time_zero="presentation", grace_days=42
            ),
        ),
        "patients",
    ),
    "effect by region": (
        lambda c: vo.effect_by(c, **SCORE, **ARMS, modifier="level_region"),
        "of arms",
    ),
    "weights of staying": (
        lambda c: vo.compare(c, **SCORE, **ARMS, method="ancova", missing="censoring_weights"),
        "scores",
    ),
    "site_summary": (lambda c: vo.site_summary(c, site="A", **SCORE, **ARMS), "patterns"),
    "compare_complications": (lambda c: vo.compare_complications(c, **ARMS), "counts"),
    "compare_complications by pattern": (
        lambda c: vo.compare_complications(
            c, **ARMS, method="overlap_weighting", covariates=["sex", "charlson", "age_years"]
        ),
        "of arms",
    ),
    "complication_sites": (lambda c: vo.complication_sites(c, kind="any"), "counts"),
    "complication_definitions": (vo.complication_definitions, "sets"),
    "complication_ranking": (vo.complication_ranking, "sets"),
    "recurrent_fractures": (lambda c: vo.recurrent_fractures(c, **ARMS), "patients"),
    "vertebra_fractures": (vo.vertebra_fractures, "patients"),
    "registry_claims": (lambda c: registry_claims(c, day=90), "patients"),
}


@pytest.fixture(scope="module")
def cohort():
    return vo.simulate_registry(n_patients=700, seed=3, scenario="randomised")[0]


@pytest.fixture(scope="module")
def most(cohort):
    """The largest number of rows of each kind of answer, by counting the tables themselves."""
    people, _ = follow_patients(cohort, event="death", function="test")
    fractures, _ = follow_patients(cohort, event="fracture", function="test")
    by = ["treatment", "sex", "days", "cause"]
    scores = cohort.frame("scores")
    return {
        "counts": 80,
        "sets": 120,
        "patterns": max(table.groupby(by).ngroups for table in (people, fractures)),
        "of arms": people["treatment"].isin(ARMS.values()).sum(),
        "patients": len(people),
        "scores": (scores["instrument"] == "pain_vas").sum(),
    }


@pytest.mark.parametrize("name", QUESTIONS)
def test_no_more_rows_leave_the_engine_than_the_answer_needs(cohort, most, name, monkeypatch):
    import ibis.expr.types as ir
    from ibis.expr.types.core import Expr

    fetched = []
    fetch = Expr.to_pyarrow

    def noted(self, *args, **kwargs):
        found = fetch(self, *args, **kwargs)
        fetched.append(len(found) if hasattr(found, "__len__") else 1)  # a single number
        return found

    def forbidden(self, *args, **kwargs):
        raise AssertionError("rows are fetched past the one function that is counted")

    monkeypatch.setattr(Expr, "to_pyarrow", noted)
    for other in ("execute", "to_pandas", "to_polars", "to_pyarrow_batches"):
        for kind_of in (Expr, ir.Table, ir.Value):
            monkeypatch.setattr(kind_of, other, forbidden, raising=False)
    ask, kind = QUESTIONS[name]
    ask(cohort)
    assert 0 < max(fetched) <= most[kind]


@pytest.mark.parametrize("name", [n for n, (_, kind) in QUESTIONS.items() if kind != "counts"])
def test_more_than_the_budget_is_refused_before_it_is_fetched(cohort, name, monkeypatch):
    for module in (
        arm_balance,
        complication_patterns,
        complication_sets,
        driver_budget,
        follow_up,
        narrow_population,
        population,
        trial_population,
    ):
        monkeypatch.setattr(module, "MOST_ROWS", 10)
    refused = r"allowed: (up to 10|columns with few)"
    if name == "registry_claims":  # each claim by itself, and the others go on
        failed = dict(registry_claims(cohort, day=90)[1])
        assert set(failed) == {"claim C14", "claim C15"}
        assert re.search(refused, str(failed["claim C14"]))
        return
    with pytest.raises(vo.InputError, match=refused):
        QUESTIONS[name][0](cohort)


def test_scores_beyond_the_budget_are_refused(cohort, monkeypatch):
    for module in (driver_budget, narrow_population, population):
        monkeypatch.setattr(module, "MOST_SCORES", 10)
    with pytest.raises(vo.InputError, match=r"scores of pain_vas: [\d,]+ rows; allowed: up to 10"):
        QUESTIONS["all visits"][0](cohort)
