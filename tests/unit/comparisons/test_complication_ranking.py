"""Ranks of complications: exact where the posterior is known, and both claims answered."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import beta

import vertebro_outcomes as vo
from vertebro_outcomes.estimators.rates.ranks import rank_events

N = 60


def cohort(leaks: int, fractures: int, *, synthetic: bool = False, site: str = "") -> vo.Cohort:
    """Leaks seen on CT among the first, adjacent fractures a year later among the last patients."""
    ids = [f"p{i:02d}" for i in range(N)]
    leaked = ids[:leaks]
    sites = ["cement_leakage_disc", "cement_leakage_venous"]
    return vo.Cohort.from_frames(
        patients=pd.DataFrame({"patient_id": ids}),
        episodes=pd.DataFrame({"patient_id": ids, "treatment": "VP"}),
        events=pd.DataFrame(
            {
                "patient_id": leaked, "type": [sites[i % 2] for i in range(leaks)], "day": 0,
                "detected_by": "CT",
            }
        ),
        fractures=pd.DataFrame(
            {"patient_id": ids[N - fractures :], "day": 200, "adjacent": True}
        ),
        synthetic=synthetic,
    )  # fmt: skip


def test_two_events_that_exclude_each_other_are_known_exactly() -> None:
    """Of 12 and 8 among 60: the share of the first among both is Beta(12, 8)."""
    had = np.zeros((N, 2), dtype=bool)
    had[:12, 0] = True
    had[12:20, 1] = True
    found = rank_events(had, level=0.95, seed=1, draws=40_000)
    p = beta.sf(0.5, 12, 8)
    assert found.p_first[0] == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / 40_000))
    assert found.p_first.sum() == pytest.approx(1, abs=1e-12)
    assert found.rank.tolist() == [1, 2]
    assert [found.low.tolist(), found.high.tolist()] == [[1, 1], [2, 2]]


def test_events_that_always_go_together_share_their_place() -> None:
    had = np.zeros((N, 3), dtype=bool)
    had[:10, :2] = True
    had[10:40, 2] = True
    found = rank_events(had, level=0.95, seed=1)
    assert found.rank.tolist() == [2, 2, 1]
    assert found.p_first[0] == found.p_first[1]


def test_order_of_patients_changes_nothing() -> None:
    had = np.random.default_rng(2).random((200, 4)) < [0.1, 0.12, 0.3, 0.05]
    one = rank_events(had, level=0.9, seed=5)
    two = rank_events(had[::-1], level=0.9, seed=5)
    assert (one.p_first == two.p_first).all()


def test_both_claims_are_answered_by_definition() -> None:
    """25 leaks of two kinds against 18 fractures: who is first turns with grouping, CT and time."""
    found = vo.complication_ranking(cohort(25, 18))
    claims = found.claims().fillna({"within_days": np.inf})

    def one(*definition: object) -> pd.Series:
        names = ["grouping", "detection", "within_days"]
        return claims.loc[claims[names].eq(definition).all(axis=1)].squeeze()

    assert one("together", "any", 30)["leakage_first"] == 1
    assert one("together", "any", np.inf)["leakage_first"] > 0.8
    assert one("apart", "any", np.inf)["most_common"] == "adjacent_fracture"
    assert one("together", "without_ct", np.inf)["adjacent_fracture_first"] == 1
    assert one("with_symptoms", "any", np.inf)["adjacent_fracture_first"] == 1
    assert one("with_symptoms", "any", 30).empty  # no silent leak is counted
    rows = found.to_frame()
    top = rows.loc[(rows["grouping"] == "together") & rows["within_days"].isna()].iloc[0]
    assert [top["kind"], top["n_events"], top["n"], top["rank"]] == ["leakage", 25, N, 1]
    assert [top["ci_low"], top["ci_high"]] == pytest.approx(
        beta.ppf([0.025, 0.975], 25.5, 35.5), abs=1e-10
    )
    assert "no ranking of CT findings" in found._repr_html_()


def test_another_leader_is_named_and_synthetic_data_are() -> None:
    data = cohort(2, 1, synthetic=True)
    ids = data.frame("patients")["patient_id"].tolist()
    fever = pd.DataFrame({"patient_id": ids[:40], "type": "fever", "day": 1})
    fevered = vo.Cohort.from_frames(
        patients=data.frame("patients"), episodes=data.frame("episodes"), events=fever,
        synthetic=True,
    )  # fmt: skip
    text = str(vo.complication_ranking(fevered))
    assert "another one (fever) under 12" in text
    assert "Synthetic data" in text
    drawn = vo.complication_ranking(data, unit="episodes").plot()
    assert "synthetic" in [text.get_text() for text in drawn.texts]
    assert "not settled" in str(vo.complication_ranking(data))


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"unit": "levels"}, "argument unit"),
        ({"level": 95}, "argument level"),
        ({"seed": -1}, "argument seed"),
        ({"treatment": "KP"}, "none to count"),
    ],
)
def test_wrong_questions_are_refused_in_words(asked: dict, said: str) -> None:
    with pytest.raises(vo.InputError, match=said):
        vo.complication_ranking(cohort(5, 5), **asked)


def test_a_treatment_without_complications_is_refused_in_words() -> None:
    ids = ["a", "b"]
    data = vo.Cohort.from_frames(
        patients=pd.DataFrame({"patient_id": ids}),
        episodes=pd.DataFrame({"patient_id": ids, "treatment": ["VP", "KP"]}),
        events=pd.DataFrame({"patient_id": ["a"], "type": "fever", "day": 0}),
    )
    with pytest.raises(vo.InputError, match="no complication"):
        vo.complication_ranking(data, treatment="KP")
