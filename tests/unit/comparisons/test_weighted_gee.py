"""Estimating equations weighted by the propensity, from a cohort to the numbers of R geepack."""

import json
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo

PIN = json.loads((Path(__file__).parents[2] / "reference" / "gee_weighted.json").read_text())
ASKED = {"outcome": "pain_vas", "treatment": "KP", "comparator": "NSM", "method": "gee",
         "covariates": ["baseline", "age_years"]}  # fmt: skip


@cache
def cohort():
    data = pd.DataFrame(PIN["data"]).astype(float)
    ids = [f"p{i:03d}" for i in range(len(data))]
    days = {0: data["b"], 30: data["y1"], 90: data["y2"]}
    scores = [pd.DataFrame({"patient_id": ids, "day": k, "value": v}) for k, v in days.items()]
    return vo.Cohort.from_frames(
        patients=pd.DataFrame({"patient_id": ids, "age_years": data["age"]}),
        episodes=pd.DataFrame(
            {
                "patient_id": ids,
                "treatment": np.where(data["t"] == 1, "KP", "NSM"),
                "day0": "enrolment",
            }
        ),
        scores=pd.concat(scores).dropna().assign(instrument="pain_vas"),
        synthetic=True,
    )


@pytest.mark.parametrize("weights", PIN["weighted"])
def test_effects_at_both_visits_are_those_of_geepack(weights):
    found, pin = vo.compare(cohort(), **ASKED, day=30, weights=weights), PIN["weighted"][weights]
    assert found.by_visit["day"].tolist() == [30, 90]
    np.testing.assert_allclose(found.by_visit["estimate"], pin["estimate"], atol=1e-7)
    np.testing.assert_allclose(found.by_visit["se"], pin["se"], rtol=1e-6)
    words = {"overlap": "ATO", "ate": "ATE", "att": "ATT", "matching": "pairs"}
    assert words[weights] in found.estimand
    assert "takes the weights as known" in str(found)
    assert found.balance["smd_after"].abs().max() < 0.1


def test_weights_change_something_and_swap_with_the_arms():
    one = vo.compare(cohort(), **ASKED, day=90, weights="overlap")
    assert abs(vo.compare(cohort(), **ASKED, day=90).estimate - one.estimate) > 0.001
    arms = {"treatment": "NSM", "comparator": "KP"}
    other = vo.compare(cohort(), **ASKED | arms, day=90, weights="overlap")
    assert other.estimate == pytest.approx(-one.estimate, abs=1e-9)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"weights": "heavy"}, "argument weights"),
        ({"weights": "overlap", "method": "ancova"}, "overlap_weighting and its like"),
        ({"weights": "ate", "missing": "censoring_weights"}, "missing='observed'"),
    ],
)
def test_what_cannot_be_weighted_is_refused(options, said):
    with pytest.raises(vo.InputError, match=said):
        vo.compare(cohort(), **{**ASKED, **options}, day=30)
