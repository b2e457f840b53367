"""Claims held against patients: the simulator knows which verdict is right."""

import pandas as pd
import pytest
from scipy import stats

import vertebro_outcomes as vo
from vertebro_outcomes.comparisons.registry_claims import COLUMNS, registry_claims
from vertebro_outcomes.report.registry import own
from vertebro_outcomes.report.sections.registry_claims import build


def findings(scenario, n=2500):
    cohort, _ = vo.simulate_registry(n_patients=n, seed=1, scenario=scenario)
    found, failed = registry_claims(cohort, day=90)
    assert failed == ()
    assert tuple(found.columns) == COLUMNS
    return found.set_index("claim_id")


def test_where_treatment_works_waiting_loses_and_where_it_does_not_nothing_is_lost():
    works, does_nothing = findings("randomised"), findings("null")
    assert works.loc["C14", "finding"] == "against"
    assert does_nothing.loc["C14", "finding"] == "for"
    assert works.loc["C15", "finding"] == "for"
    assert does_nothing.loc["C15", "finding"] == "against"
    assert does_nothing.loc["C16", "estimate"] > 2 * works.loc["C16", "estimate"]


def patients(worse, n, *, cleft=False):
    """`n` treated patients of whom `worse` have more pain the day after; the others less."""
    ids = [f"p{i}" for i in range(n)]
    after = [8.0 if i < worse else 3.0 for i in range(n)]
    return vo.Cohort.from_frames(
        patients=pd.DataFrame({"patient_id": ids}),
        episodes=pd.DataFrame({"patient_id": ids, "treatment": "VP"}),
        scores=pd.DataFrame({"patient_id": ids * 2, "instrument": "pain_vas",
                             "day": [0] * n + [1] * n, "value": [7.0] * n + after}),
    )  # fmt: skip


@pytest.mark.parametrize(("worse", "finding"), [(4, "for"), (20, "open"), (60, "against")])
def test_early_worsening_is_counted_by_hand(worse, finding):
    found, failed = registry_claims(patients(worse, 200), day=90)
    row = found.set_index("claim_id").loc["C16"]
    assert (row["events"], row["n_t"], row["finding"]) == (worse, 200, finding)
    interval = stats.binomtest(worse, 200).proportion_ci(method="wilson")
    assert row["ci_low"] == pytest.approx(interval.low, rel=1e-9)
    assert row["ci_high"] == pytest.approx(interval.high, rel=1e-9)
    assert {what for what, _ in failed} == {"claim C14", "claim C15"}


def test_without_scores_after_the_procedure_it_says_so():
    cohort = patients(1, 5)
    scores = cohort.frame("scores")
    frames = {name: cohort.frame(name) for name in ("patients", "episodes")}
    bare = vo.Cohort.from_frames(**frames, scores=scores[scores["day"] == 0])
    found, failed = registry_claims(bare, day=90)
    assert found.empty
    assert "no pain before and on day 1 to 3" in str(dict(failed)["claim C16"])


def test_few_events_are_not_shown():
    for worse, hidden in ((4, True), (60, False), (195, True)):
        analysed = vo.analyse_registry(patients(worse, 200), strategies=())
        blocks = build(analysed)
        (shown,) = (b for b in blocks if getattr(b, "name", "") == own(analysed, "claims"))
        assert (shown.data["estimate"].iloc[0] == "hidden") == hidden
        assert (shown.shown["size"].iloc[0] == "hidden") == hidden
    nothing = vo.analyse_registry(
        vo.Cohort.from_frames(
            patients=pd.DataFrame({"patient_id": ["a"]}),
            episodes=pd.DataFrame(
                {"patient_id": ["a"], "treatment": ["VP"], "followup_end_day": [9]}
            ),
        ), strategies=(),
    )  # fmt: skip
    assert "No claim could be held" in build(nothing)[0].html
