"""Complications of two arms counted by pattern on the engine, or patient by patient: the same to 1e-8."""

import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo
from vertebro_outcomes.comparisons.contrast_methods import Arms, contrast

ARMS = {"treatment": "KP", "comparator": "VP"}
TERMS = ["age_years", "sex"]


@pytest.fixture(scope="module")
def frames():
    """Later episodes of some, blank ages and sites, events without a day and of no complication."""
    rng = np.random.default_rng(4)
    n = 600
    ids = np.array([f"p{i:04d}" for i in range(n)])
    age = rng.integers(60, 90, n).astype(float)
    age[::37] = np.nan
    arm = rng.choice(["KP", "VP", "NSM"], n, p=[0.4, 0.4, 0.2])
    events = pd.DataFrame(
        {"episode_id": rng.choice(ids, 260), "day": rng.integers(0, 200, 260).astype(float),
         "type": rng.choice(["cement_leakage", "infection", "stroke", "crossover"], 260)}
    ).assign(patient_id=lambda d: d["episode_id"])  # fmt: skip
    events.loc[::20, "day"] = np.nan
    first = pd.DataFrame({"patient_id": ids, "episode_id": ids, "treatment": arm})
    later = first.iloc[:60].assign(episode_id=lambda d: d["episode_id"] + "z", treatment="KP")
    return {
        "patients": pd.DataFrame(
            {"patient_id": ids, "age_years": age, "sex": rng.choice(["female", "male"], n),
             "site": np.where(np.arange(n) % 45 == 0, None, rng.choice(["A", "B", "C"], n))}
        ),
        "episodes": pd.concat([later, first], ignore_index=True),
        "events": events,
    }  # fmt: skip


@pytest.fixture(scope="module")
def cohort(frames):
    return vo.Cohort.from_frames(**frames)


def one_by_one(frames, kind, keys, within_days):
    """Plain pandas: a row for each patient without a blank value of `keys`."""
    episodes = frames["episodes"]
    episodes = episodes[episodes["treatment"].isin(ARMS.values())].sort_values("episode_id")
    first = episodes.drop_duplicates("patient_id").merge(frames["patients"], on="patient_id")
    first = first[first[keys].notna().all(axis=1)]
    events = frames["events"]
    events = events[events["type"] != "crossover"]
    if within_days is not None:
        events = events[events["day"] <= within_days]
    if kind != "any":
        events = events[events["type"] == kind]
    had = first["episode_id"].isin(events["episode_id"]).to_numpy(float)
    x = [first["age_years"], first["sex"] == "male"] if "age_years" in keys else []
    columns = np.column_stack([np.empty((len(first), 0)), *(c.to_numpy(float) for c in x)])
    stratum = pd.factorize(first["site"])[0].astype(np.int64) if "site" in keys else None
    treated = (first["treatment"] == "KP").to_numpy(bool)
    return Arms(treated, columns, stratum, np.ones(len(first))), had


WAYS = [("newcombe", "RD", []), ("score", "RR", []), ("exact", "OR", []), ("firth", "OR", TERMS),
        ("mantel_haenszel", "OR", ["site"]), ("mantel_haenszel", "RD", ["site"]),
        ("overlap_weighting", "RR", TERMS), ("g_computation", "RD", TERMS),
        ("g_computation", "OR", TERMS)]  # fmt: skip


EACH_TIME = [
    ("newcombe", "RD"),
    ("firth", "OR"),
    ("mantel_haenszel", "RD"),
    ("overlap_weighting", "RR"),
]


@pytest.mark.parametrize(
    ("method", "measure", "keys"),
    [w if w[:2] in EACH_TIME else pytest.param(*w, marks=pytest.mark.slow) for w in WAYS],
)
def test_patterns_answer_as_patients_do(cohort, frames, method, measure, keys):
    given = {"covariates": keys} if keys == TERMS else {}
    kinds = ["any", "infection"]
    found = vo.compare_complications(
        cohort, **ARMS, types=kinds, method=method, measure=measure, within_days=150, **given
    ).to_frame()
    for line in found.itertuples():
        arms, had = one_by_one(frames, line.type, keys, 150)
        plain = contrast(arms, had, measure=measure, method=method, level=0.95)
        counts = [had[arms.treated].sum(), arms.treated.sum(), had[~arms.treated].sum()]
        assert [line.events_t, line.n_t, line.events_c] == counts
        numbers = [line.estimate, line.ci_low, line.ci_high, line.p_value]
        expected = [plain.estimate, plain.ci_low, plain.ci_high, plain.p_value]
        np.testing.assert_allclose(numbers, expected, rtol=1e-8)


def test_who_is_left_out_is_noted(cohort, frames):
    how = {"method": "overlap_weighting", "covariates": ["age_years"], "within_days": 150}
    notes = vo.compare_complications(cohort, **ARMS, **how).notes
    arms, _ = one_by_one(frames, "any", [], None)
    known, _ = one_by_one(frames, "any", ["age_years"], None)
    blank = len(arms.treated) - len(known.treated)
    assert f"{blank} patients with a blank covariate are left out." in notes
    assert any("later episodes" in note for note in notes)
    assert any("events without a day" in note for note in notes)
    strata = vo.compare_complications(cohort, **ARMS, method="mantel_haenszel").notes
    assert any("patients without site are left out" in note for note in strata)


def test_columns_that_cannot_be_used_are_refused(cohort, frames):
    blank = {**frames, "patients": frames["patients"].assign(bmi=np.nan)}
    nobody = vo.Cohort.from_frames(**blank)
    with pytest.raises(vo.InputError, match="empty without blank"):
        vo.compare_complications(nobody, **ARMS, method="firth", measure="OR", covariates=["bmi"])
    with pytest.raises(vo.InputError, match=r"covariates(.|\n)*age_years"):
        vo.compare_complications(cohort, **ARMS, method="g_computation", covariates=["clinic"])
    with pytest.raises(vo.InputError, match=r"stratum(.|\n)*site"):
        vo.compare_complications(cohort, **ARMS, method="mantel_haenszel", stratum="clinic")
    with pytest.raises(vo.InputError, match=r"SHAM(.|\n)*KP, NSM, VP"):
        vo.compare_complications(cohort, treatment="SHAM", comparator="VP")
