"""All fractures of a cohort: the mean counts and rate ratios that R gives for the same patients."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo

PINS = json.loads((Path(__file__).parents[2] / "reference" / "recurrent.json").read_text())
PEOPLE, EVENTS = pd.DataFrame(PINS["people"]), pd.DataFrame(PINS["events"])
ARMS = {"treatment": "KP", "comparator": "VP"}


def cohort_of(events: pd.DataFrame = EVENTS) -> vo.Cohort:
    ids = PEOPLE["id"].map("p{:03d}".format)
    return vo.Cohort.from_frames(
        patients=pd.DataFrame(
            {"patient_id": ids, "bmi": 25 + PEOPLE["x"],
             "death_day": PEOPLE["end"].where(PEOPLE["dead"] == 1)}
        ),
        episodes=pd.DataFrame(
            {"patient_id": ids, "treatment": np.where(PEOPLE["arm"] == 1, "KP", "VP"),
             "followup_end_day": PEOPLE["end"]}
        ),
        fractures=pd.DataFrame(
            {"patient_id": events["id"].map("p{:03d}".format), "day": events["day"],
             "adjacent": True}
        ),
    )  # fmt: skip


COHORT = cohort_of()


@pytest.mark.parametrize("event", ["fracture", "adjacent_fracture"])
def test_rate_ratio_and_mean_counts(event: str) -> None:
    res = vo.recurrent_fractures(COHORT, **ARMS, covariates=["bmi"], event=event)
    np.testing.assert_allclose(res.coefficients["estimate"], PINS["lwyy"]["beta"], atol=1e-8)
    se = np.sqrt(np.diag(np.array(PINS["lwyy"]["robust"])))
    np.testing.assert_allclose(res.coefficients["se"], se, atol=1e-8)
    mean = res.at(PINS["mcc"]["at"])
    np.testing.assert_allclose(
        mean["estimate"], PINS["mcc"]["arm1"] + PINS["mcc"]["arm0"], atol=1e-10
    )
    assert (mean["ci_low"] < mean["estimate"]).all()


def test_swapped_arms_weights_and_clusters() -> None:
    res = vo.recurrent_fractures(COHORT, **ARMS)
    swapped = vo.recurrent_fractures(COHORT, treatment="VP", comparator="KP")
    assert swapped.estimate == pytest.approx(-res.estimate, rel=1e-9)
    weighted = vo.recurrent_fractures(
        COHORT, **ARMS, covariates=["bmi"], adjust="overlap_weighting"
    )
    assert "overlap weighting" in str(weighted)
    alone = vo.recurrent_fractures(COHORT, **ARMS, cluster="bmi")
    assert alone.estimate == pytest.approx(res.estimate, rel=1e-12)


def test_several_of_one_day_count_once() -> None:
    twice = pd.concat([EVENTS, EVENTS.iloc[:3]], ignore_index=True)
    res = vo.recurrent_fractures(cohort_of(twice), **ARMS)
    assert res.events_t + res.events_c == len(EVENTS)
    assert any("3 further fractures" in note for note in res.notes)


def test_bad_requests_are_refused_in_words() -> None:
    with pytest.raises(vo.InputError, match="none in arm KP"):
        vo.recurrent_fractures(
            cohort_of(EVENTS[EVENTS["id"].isin(PEOPLE.loc[PEOPLE["arm"] == 0, "id"])]), **ARMS
        )
    for wrong, says in (
        ({"event": "death"}, "symptomatic_fracture"),
        ({"adjust": "overlap_weighting"}, "balance"),
        ({"covariates": "bmi"}, "a list such as"),
    ):
        with pytest.raises(vo.InputError, match=says):
            vo.recurrent_fractures(COHORT, **ARMS, **wrong)
    res = vo.recurrent_fractures(COHORT, **ARMS)
    for days in ([-1], "soon"):
        with pytest.raises(vo.InputError, match="0 or later"):
            res.at(days)


def test_it_shows_itself() -> None:
    res = vo.recurrent_fractures(COHORT, **ARMS)
    assert "rate ratio" in res._repr_html_()
    assert len(res.to_frame()) == 10
    assert "per 100 patients" in res.plot().get_ylabel()
    made, _ = vo.simulate_registry(n_patients=600, seed=2)
    synthetic = vo.recurrent_fractures(made, treatment="KP", comparator="NSM")
    assert "Synthetic" in str(synthetic)
