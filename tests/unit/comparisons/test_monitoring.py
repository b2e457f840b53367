"""CUSUM and VLAD: enumeration of all series, a pinned run of R, simulation with unrounded scores."""

import itertools
import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo
from vertebro_outcomes.estimators.rates import cusum, risk_cusum

PINS = json.loads((Path(__file__).parents[2] / "reference" / "sites.json").read_text())


def cohort(had: list[int], *, synthetic: bool = False, **columns: object) -> vo.Cohort:
    n = len(had)
    ids = np.array([f"p{i:04d}" for i in range(n)])
    dates = pd.date_range("2020-01-01", periods=n)
    seen = np.array(had, dtype=bool)
    return vo.Cohort.from_frames(
        patients=pd.DataFrame({"patient_id": ids, "site": ["A", "B"] * (n // 2) + ["A"] * (n % 2)}),
        episodes=pd.DataFrame(
            {"patient_id": ids, "treatment": "VP", "treatment_date": dates, **columns}
        ),
        events=pd.DataFrame({"patient_id": ids[seen], "type": "cement_leakage", "day": 0}),
        synthetic=synthetic,
    )


def test_scores_are_those_of_the_paper() -> None:
    """Steiner et al., equation 2.1 with one risk: odds 2 p/(1 - p) against p/(1 - p)."""
    for p, odds in ((0.02, 2.0), (0.1, 3.0), (0.05, 0.5)):
        scores = cusum.cusum_scores(p, odds)
        shifted = odds * p / (1 - p + odds * p)
        assert scores.event * scores.step == pytest.approx(math.log(shifted / p), abs=0.001)
        none = math.log((1 - shifted) / (1 - p))
        assert scores.none * scores.step == pytest.approx(none, abs=0.001)
        assert cusum.shifted_rate(p, odds) == pytest.approx(shifted, abs=1e-15)


def test_run_lengths_of_a_pinned_run() -> None:
    for pin in PINS["cusum"]:
        scores = cusum.cusum_scores(pin["rate"], pin["odds_ratio"])
        assert [scores.event, scores.none] == [pin["event"], pin["none"]]
        for rate, length in zip(pin["true"], pin["run_length"], strict=True):
            found = cusum.run_length(scores, limit=pin["limit"], rate=rate)
            assert found == pytest.approx(length, rel=1e-8)


def test_alarm_probability_by_every_series() -> None:
    scores, limit, p, n = cusum.Scores(event=7, none=-2, step=0.1), 15, 0.2, 11
    total = 0.0
    for series in itertools.product([False, True], repeat=n):
        path = cusum.cusum_path(np.array(series), scores, limit=limit)
        if path.signal.any():
            total += p ** sum(series) * (1 - p) ** (n - sum(series))
    found = cusum.alarm_probability(scores, limit=limit, rate=p, n=n)
    assert found == pytest.approx(total, abs=1e-14)


def test_mean_run_length_is_the_sum_of_the_chances_of_no_alarm() -> None:
    scores, limit, p = cusum.Scores(event=7, none=-2, step=0.1), 15, 0.2
    still = [1 - cusum.alarm_probability(scores, limit=limit, rate=p, n=n) for n in range(900)]
    assert still[-1] < 1e-9
    assert cusum.run_length(scores, limit=limit, rate=p) == pytest.approx(sum(still), rel=1e-7)


def test_chart_without_rounding_keeps_the_promised_run_length() -> None:
    """Simulated with the scores of the formula, not those of the package."""
    p, odds, wanted = 0.05, 2.0, 200.0
    scores = cusum.cusum_scores(p, odds)
    limit = cusum.limit_for_run_length(scores, rate=p, at_least=wanted)
    assert limit is not None
    exact = cusum.run_length(scores, limit=limit, rate=p)
    assert exact >= wanted > cusum.run_length(scores, limit=limit - 1, rate=p)
    event, none = math.log(odds / (1 - p + odds * p)), -math.log(1 - p + odds * p)
    rng, runs = np.random.default_rng(8), 6000
    at, length = np.zeros(runs), np.zeros(runs)
    going = np.ones(runs, dtype=bool)
    while going.any():
        had = rng.random(int(going.sum())) < p
        at[going] = np.maximum(0, at[going] + np.where(had, event, none))
        length[going] += 1
        going &= at < limit * scores.step - 1e-9
    assert exact == pytest.approx(length.mean(), abs=4 * length.std() / math.sqrt(runs))


def test_path_by_hand_and_start_again_after_a_signal() -> None:
    scores = cusum.Scores(event=5, none=-2, step=0.1)
    path = cusum.cusum_path(np.array([1, 0, 0, 0, 1, 1, 0, 1], dtype=bool), scores, limit=9)
    assert path.value.tolist() == [5, 3, 1, 0, 5, 10, 0, 5]
    assert path.signal.tolist() == [False] * 5 + [True, False, False]
    assert cusum.vlad(np.array([True, False]), 0.25).tolist() == [-0.75, -0.5]


def test_chart_of_a_registry_whose_rate_rises() -> None:
    rng = np.random.default_rng(1)
    calm, worse = rng.random(300) < 0.05, rng.random(150) < 0.25
    data = cohort([*calm, *worse], synthetic=True)
    found = vo.complication_chart(data, rate=0.05, average_run_length=2000, within_days=None)
    assert found.run_length >= 2000
    assert found.signals
    assert min(found.signals) > 300
    frame = found.to_frame()
    assert frame["vlad"].iloc[-1] == pytest.approx(450 * 0.05 - (calm.sum() + worse.sum()))
    assert frame["date"].is_monotonic_increasing
    assert "Synthetic data" in str(found)
    assert "it signalled at procedure" in str(found)
    drawn = found.plot()
    assert drawn.get_title().endswith("synthetic")
    assert len(drawn.figure.axes) == 2
    assert found.plot(ax=drawn).get_xlabel()
    assert "vlad" in found._repr_html_()


def test_false_alarms_of_the_whole_chart() -> None:
    data = cohort([0] * 100 + [1])
    found = vo.complication_chart(data, rate=0.1, false_alarm=0.05)
    assert found.false_alarm <= 0.05
    looser = vo.complication_chart(data, rate=0.1, false_alarm=0.2)
    assert looser.limit < found.limit
    assert looser.false_alarm <= 0.2
    assert "no signal" in str(found)


def test_an_improvement_can_be_looked_for() -> None:
    found = vo.complication_chart(cohort([1] + [0] * 200), rate=0.2, odds_ratio=0.5, site="A")
    assert found.signals
    assert found.score_none > 0 > found.score_event
    assert "at A" in str(found)


def test_blocks_hold_more_than_the_hidden_counts() -> None:
    had = [int(i % 4 == 0) for i in range(203)]
    found = vo.complication_chart(cohort(had), rate=0.25)
    blocks = found.blocks(10)
    assert blocks["number"].iloc[-1] == 203
    assert (np.diff(np.r_[0, blocks["events"]]) > 10).all()
    assert (np.diff(np.r_[0, blocks["number"] - blocks["events"]]) > 10).all()
    assert len(found.plot(largest_hidden=10).lines[0].get_xdata()) == len(blocks) + 1
    assert found.blocks(100).empty


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"rate": 0}, "argument rate"),
        ({"rate": 5}, "argument rate"),
        ({"odds_ratio": 1}, "argument odds_ratio"),
        ({"odds_ratio": -2}, "argument odds_ratio"),
        ({"average_run_length": 0.5}, "argument average_run_length"),
        ({"average_run_length": 1e300}, "argument average_run_length"),
        ({"false_alarm": 1}, "argument false_alarm"),
        ({"site": "Z"}, "argument site"),
        ({"treatment": "KP"}, "none to count"),
        ({"kind": "luck"}, "argument kind"),
    ],
)
def test_wrong_questions_are_refused_in_words(asked: dict, said: str) -> None:
    with pytest.raises(vo.InputError, match=said):
        vo.complication_chart(cohort([0, 1, 0, 1]), **{"rate": 0.05, **asked})


def test_procedures_without_dates() -> None:
    none = cohort([0, 1, 0, 1], treatment_date=pd.Series([pd.NaT] * 4))
    with pytest.raises(vo.InputError, match="keep_dates=True"):
        vo.complication_chart(none, rate=0.05)
    some = cohort(
        [0, 1, 0, 1], treatment_date=pd.to_datetime(["2020-01-01", None, "2020-01-02", None])
    )
    found = vo.complication_chart(some, rate=0.05)
    assert len(found.to_frame()) == 2
    assert "2 procedures without a date" in found.notes[0]


RISKS = json.loads((Path(__file__).parents[2] / "reference" / "risk_cusum.json").read_text())
RISK, EVENT = np.array(RISKS["risk"]), np.array(RISKS["event"], dtype=bool)


def test_a_risk_adjusted_chart_is_that_of_the_paper_written_out() -> None:
    scores = risk_cusum.risk_scores(RISK, RISKS["odds_ratio"])
    path = risk_cusum.risk_cusum_path(EVENT, scores, limit=RISKS["limit"])
    assert path.value == pytest.approx(np.array(RISKS["path"]), abs=1e-12)
    assert [int(at) + 1 for at in np.flatnonzero(path.signal)] == [RISKS["signal"]]
    assert cusum.vlad(EVENT, RISK) == pytest.approx(np.array(RISKS["vlad"]), abs=1e-12)
    for true, name in ((scores.risk, "run_length"), (scores.shifted, "run_length_shifted")):
        found = risk_cusum.risk_run_length(scores, limit=RISKS["limit"], chance=true)
        assert found == pytest.approx(RISKS[name], rel=1e-3)  # of another lattice, in R
    drawn = RISKS["simulated_shifted"]  # with exact scores
    assert found == pytest.approx(drawn["mean"], abs=3 * drawn["se"])
    alarm = risk_cusum.risk_alarm_probability(scores, limit=RISKS["limit"], chance=scores.risk)
    series = RISKS["simulated_alarm"]
    assert alarm == pytest.approx(series["share"], abs=3 * series["se"])


def test_alarms_among_patients_of_different_risk_by_every_series() -> None:
    risk = np.array([0.05, 0.3, 0.1, 0.2, 0.05, 0.4, 0.15, 0.3])
    scores, limit = risk_cusum.risk_scores(risk, 2.0), 1.0
    total = 0.0
    for series in itertools.product([False, True], repeat=len(risk)):
        had = np.array(series)
        if risk_cusum.risk_cusum_path(had, scores, limit=limit).signal.any():
            total += float(np.where(had, risk, 1 - risk).prod())
    found = risk_cusum.risk_alarm_probability(scores, limit=limit, chance=risk)
    assert found == pytest.approx(total, abs=2e-3)


def test_equal_risks_are_one_rate() -> None:
    data = cohort([*[0] * 40, *[1, 0] * 15], predicted=0.08)
    one = vo.complication_chart(data, rate=0.08, average_run_length=300)
    each = vo.complication_chart(data, risk="predicted", average_run_length=300)
    assert each.limit == pytest.approx(one.limit, rel=0.02)
    assert each.signals == one.signals
    assert each.chart["vlad"].to_numpy() == pytest.approx(one.chart["vlad"].to_numpy(), abs=1e-12)
    assert each.run_length >= 300
    assert each.run_length_shifted == pytest.approx(one.run_length_shifted, rel=0.03)
    assert (each.score_event, each.score_none) == pytest.approx(
        (one.score_event, one.score_none), abs=0.001
    )


def test_a_risk_adjusted_chart_excuses_what_was_to_be_expected() -> None:
    had = [int(i % 10 == 0) for i in range(100)] + [int(i % 3 == 0) for i in range(90)]
    frail = np.r_[np.full(100, 0.1), np.full(90, 0.33)]
    data = cohort(had, predicted=frail, synthetic=True)
    plain = vo.complication_chart(data, rate=0.1)
    fair = vo.complication_chart(data, risk="predicted")
    assert plain.signals
    assert not fair.signals
    assert fair.false_alarm <= 0.05
    assert "risk-adjusted" in str(fair)
    assert fair.to_frame()["risk"].tolist() == frail.tolist()
    frail[3] = np.nan
    some = vo.complication_chart(cohort(had, predicted=frail), risk="predicted")
    assert some.notes == ("1 procedures without predicted are left out.",)
    assert len(some.chart) == 189


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({}, "either rate, or risk"),
        ({"rate": 0.1, "risk": "predicted"}, "either rate, or risk"),
        ({"risk": "foretold"}, "foretold"),
        ({"risk": "predicted"}, "1 values outside 0 to 1"),
        ({"risk": "words"}, "no number"),
    ],
)
def test_risks_that_cannot_be_meant_are_refused(asked, said) -> None:
    risks = np.full(40, 0.1)
    risks[7] = 1.0
    data = cohort([0, 1] * 20, predicted=risks, words="low")
    with pytest.raises(vo.InputError, match=said):
        vo.complication_chart(data, **asked)
