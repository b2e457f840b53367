"""Public data with printed answers: NHEFS (Hernan & Robins, What If) and NSW (LaLonde)."""

from functools import cache

import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo
from vertebro_outcomes.estimators.propensity.weights import balancing_weights, stabilised

# The textbook model, What If (2020), section 12.2: linear and quadratic terms for everything measured.
MODEL = (
    "~ sex + C(race) + age_years + I(age_years**2) + C(education) + smokeintensity"
    " + I(smokeintensity**2) + smokeyrs + I(smokeyrs**2) + C(exercise) + C(active)"
    " + wt71 + I(wt71**2)"
)
SHIFT = 50.0  # a change of weight in kg can be negative; the scale of the score starts at zero


@cache
def nhefs():
    from causaldata import nhefs_complete

    rows = nhefs_complete.load_pandas().data.reset_index(drop=True)
    ids = [f"n{i:04d}" for i in rows.index]
    covariates = {
        name: rows[name].astype(str) for name in ("race", "education", "exercise", "active")
    } | {name: rows[name].astype(float) for name in ("smokeintensity", "smokeyrs", "wt71")}
    patients = pd.DataFrame(
        {"patient_id": ids, "age_years": rows["age"].astype(float),
         "sex": np.where(rows["sex"].astype(str) == "1", "female", "male"), **covariates}
    )  # fmt: skip
    quit_smoking = rows["qsmk"].astype(float) == 1
    episodes = pd.DataFrame(
        {"patient_id": ids, "treatment": np.where(quit_smoking, "KP", "VP"), "day0": "enrolment"}
    )
    scores = pd.DataFrame(
        {"patient_id": ids, "instrument": "odi", "day": 365, "value": rows["wt82_71"] + SHIFT}
    )
    return vo.Cohort.from_frames(patients=patients, episodes=episodes, scores=scores)


QUESTION = {"outcome": "odi", "treatment": "KP", "comparator": "VP", "day": 365}


def weighted(**options):
    return vo.compare(nhefs(), method="ate_weighting", covariates=MODEL, **QUESTION, **options)


def printed(value, decimals):
    return f"{value:.{decimals}f}"


def test_nhefs_unadjusted_difference():
    found = vo.compare(nhefs(), method="unadjusted", variance="pooled", **QUESTION)
    assert (found.n_t + found.n_c, found.n_t) == (1566, 403)
    shown = [printed(v, 1) for v in (found.estimate, found.ci_low, found.ci_high)]
    assert shown == ["2.5", "1.7", "3.4"]  # section 12.1


def test_nhefs_weights_and_effect():
    """Section 12.2: weights 1.05 to 16.70 with mean 2.00 (1.996); 3.4 kg (2.4 to 4.5)."""
    found = weighted(variance="fixed_propensity")
    w = found.weights
    assert [printed(w.mean(), 3), printed(w.min(), 2), printed(w.max(), 2)] == [
        "1.996",
        "1.05",
        "16.70",
    ]
    shown = [printed(v, 1) for v in (found.estimate, found.ci_low, found.ci_high)]
    assert shown == ["3.4", "2.4", "4.5"]
    assert printed(found.estimate, 2) == "3.44"
    assert found.withheld == ""


def test_nhefs_stabilised_weights():
    """Section 12.3: stabilised weights 0.33 to 4.30 with mean 1.00, the same effect."""
    found = weighted()
    sw = stabilised(balancing_weights(found.propensity, found.treated, kind="ate"), found.treated)
    assert [printed(sw.mean(), 2), printed(sw.min(), 2), printed(sw.max(), 2)] == [
        "1.00",
        "0.33",
        "4.30",
    ]
    assert printed(found.estimate, 2) == "3.44"
    assert found.se < weighted(variance="fixed_propensity").se  # estimating the propensity helps


def test_nhefs_other_methods_agree_about_the_size():
    """Section 13.3 prints 3.5 (2.6 to 4.5) for standardisation with another outcome model."""
    for method in ("g_computation", "aipw", "overlap_weighting"):
        found = vo.compare(nhefs(), method=method, covariates=MODEL, **QUESTION)
        assert found.estimate == pytest.approx(3.5, abs=0.2)


def test_lalonde_experiment():
    """Dehejia & Wahba (1999), table 3: the trial gives 1,794 dollars (standard error 633)."""
    from causaldata import nsw_mixtape

    rows = nsw_mixtape.load_pandas().data.reset_index(drop=True)
    ids = [f"w{i:03d}" for i in rows.index]
    cohort = vo.Cohort.from_frames(
        patients=pd.DataFrame({"patient_id": ids}),
        episodes=pd.DataFrame(
            {"patient_id": ids, "treatment": np.where(rows["treat"] == 1, "KP", "VP")}
        ),
        scores=pd.DataFrame(
            {"patient_id": ids, "instrument": "odi", "day": 365, "value": rows["re78"] / 1000.0}
        ),
    )
    found = vo.compare(cohort, method="unadjusted", variance="pooled", **QUESTION)
    assert (found.n_t, found.n_c) == (185, 260)
    assert printed(1000 * found.estimate, 0) == "1794"
    assert printed(1000 * found.se, 0) == "633"
