"""Vertebrae of patients counted by the engine, or of each patient written out in Python: the same to 1e-8."""

from functools import cache

import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo
from vertebro_outcomes.estimators.survival.piecewise import fit_piecewise, fit_shared_frailty
from vertebro_outcomes.estimators.survival.units import Units
from vertebro_outcomes.spine import LEVELS

CUTS = np.array([90.0, 365.0])
AT_RISK = LEVELS[3:]


def frames(n: int = 450) -> dict[str, pd.DataFrame]:
    """Few days and levels, so that many patients are alike; blanks, second episodes, odd fractures."""
    rng = np.random.default_rng(5)
    who = np.array([f"p{i:04d}" for i in range(n)])
    patients = pd.DataFrame(
        {"patient_id": who, "sex": np.where(np.arange(n) % 30, rng.choice(["f", "m"], n), None),
         "age_years": np.where(rng.random(n) < 0.05, np.nan, 70 + 5 * rng.integers(0, 3, n)),
         "death_day": np.where(rng.random(n) < 0.2, 180, np.nan)}
    ).replace({"sex": {"f": "female", "m": "male"}})  # fmt: skip
    episodes = pd.DataFrame(
        {"patient_id": who, "episode_id": who + "a", "treatment": rng.choice(["KP", "VP", "NSM"], n),
         "followup_end_day": rng.choice([60, 365, 700], n).astype(float)}
    )  # fmt: skip
    again = episodes.iloc[::50].assign(episode_id=lambda d: d["patient_id"] + "b")
    episodes.loc[episodes.index % 40 == 7, "followup_end_day"] = np.nan
    first = np.array(["T2", "T8", "T12", "L1", "L2"])[rng.integers(0, 5, n)]
    at = {"patient_id": who, "episode_id": who + "a", "level": first}
    levels = pd.DataFrame(
        {**at, "treated": rng.choice([True, False, None], n),
         "leakage": rng.choice(["disc", "none", None], n),
         "cement_ml": rng.choice([2.5, 4.25, np.nan], n)}
    )  # fmt: skip
    second = levels.iloc[::3].assign(level="L4", treated=True, cement_ml=3.1)
    levels = pd.concat([levels[levels.index % 60 != 11], second], ignore_index=True)
    broke = rng.integers(0, n, n)
    fractures = pd.DataFrame(
        {"patient_id": who[broke], "episode_id": who[broke] + "a",
         "level": rng.choice(["T3", "T7", "T11", "L1", "L3", "L5", None], n),
         "day": rng.choice([20, 60, 180, 400], n), "symptomatic": rng.choice([True, True, False, None], n)}
    )  # fmt: skip
    return {
        "patients": patients, "episodes": pd.concat([episodes, again], ignore_index=True),
        "levels": levels, "fractures": fractures,
    }  # fmt: skip


@pytest.fixture(scope="module")
def cohort() -> vo.Cohort:
    return vo.Cohort.from_frames(**frames())


@cache
def one_by_one(cohort: vo.Cohort, event: str) -> pd.DataFrame:
    """A row per vertebra at risk of each patient, in plain Python."""
    first = cohort.frame("episodes").sort_values("episode_id").drop_duplicates("patient_id")
    people = first.merge(cohort.frame("patients"), on="patient_id").sort_values("patient_id")
    levels = {}
    for row in cohort.frame("levels").itertuples():
        levels.setdefault(row.episode_id, []).append(row)
    new = {}
    for row in cohort.frame("fractures").dropna(subset=["level"]).itertuples():
        if event == "fracture" or (pd.notna(row.symptomatic) and row.symptomatic):
            key = (row.episode_id, row.level)
            new[key] = min(row.day, new.get(key, np.inf))
    rows = []
    for number, person in enumerate(people.itertuples()):
        ends = [float(d) for d in (person.followup_end_day, person.death_day) if pd.notna(d)]
        own = levels.get(person.episode_id)
        if not ends or own is None:
            continue
        treated = [row for row in own if pd.isna(row.treated) or row.treated]
        for place, level in enumerate(LEVELS):
            if place < 3 or level in {row.level for row in own}:
                continue
            distance = {row: abs(LEVELS.index(row.level) - place) for row in treated or own}
            away = min(distance.values())
            near = [row for row, far in distance.items() if far == away]
            leaks = [row.leakage == "disc" for row in near if isinstance(row.leakage, str)]
            cement = [row.cement_ml for row in near if row.cement_ml == row.cement_ml]
            day = new.get((person.episode_id, level), np.inf)
            rows.append(
                {"patient": number, "level": level, "away": min(away, 4), "time": min(*ends, day),
                 "event": day <= min(ends), "disc_leakage": max(leaks, default=np.nan),
                 "cement_ml": max(cement, default=np.nan), "sex": person.sex,
                 "age_years": person.age_years, "treatment": person.treatment}
            )  # fmt: skip
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("event", "variance"), [("fracture", "frailty"), ("symptomatic_fracture", "cluster")]
)
def test_hazards_are_those_of_each_patient(cohort, event: str, variance: str) -> None:
    covariates = ["distance", "disc_leakage", "cement_ml", "sex", "age_years", "treatment"]
    found = vo.vertebra_fractures(
        cohort, covariates=covariates, event=event, variance=variance, intervals_days=CUTS
    )
    rows = one_by_one(cohort, event)
    rows = rows.dropna(subset=["disc_leakage", "cement_ml", "sex", "age_years"])
    x = {
        **{f"distance: {d}": rows["away"] == d for d in (1, 2, 3)},
        "disc_leakage": rows["disc_leakage"].astype(float), "cement_ml": rows["cement_ml"],
        "sex: male": rows["sex"] == "male", "age_years": rows["age_years"],
        **{f"treatment: {arm}": rows["treatment"] == arm for arm in ("KP", "VP")},
    }  # fmt: skip
    z, pattern = np.unique(
        np.column_stack(list(x.values())).astype(float), axis=0, return_inverse=True
    )
    units = Units(
        rows["patient"].to_numpy(), pattern.ravel(), rows["time"].to_numpy(float),
        rows["event"].to_numpy(bool), z, CUTS,
    )  # fmt: skip
    fit = (fit_shared_frailty if variance == "frailty" else fit_piecewise)(units)
    covariance = fit.covariance if variance == "frailty" else fit.robust
    assert found.coefficients["term"].tolist() == list(x)
    np.testing.assert_allclose(found.coefficients["estimate"], fit.beta[3:], rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(
        found.coefficients["se"], np.sqrt(np.diag(covariance))[3:], rtol=1e-8
    )
    assert (found.n_vertebrae, found.n_fractures) == (len(rows), rows["event"].sum())
    assert found.n_patients == rows["patient"].nunique()
    np.testing.assert_allclose(found.theta, fit.theta, rtol=1e-6)


def test_rates_by_level_are_those_of_each_patient(cohort) -> None:
    found = vo.vertebra_fractures(cohort, covariates=["level"], intervals_days=CUTS)
    rows = one_by_one(cohort, "fracture")
    place = pd.Categorical(rows["level"], AT_RISK)
    by = rows.assign(level=place).groupby(["level", "away"], observed=True)
    np.testing.assert_array_equal(found.incidence["vertebrae"], by.size())
    np.testing.assert_array_equal(found.incidence["fractures"], by["event"].sum())
    np.testing.assert_allclose(found.incidence["years"], by["time"].sum() / 365.25, rtol=1e-12)


def test_what_is_left_out_is_counted_in_patients(cohort) -> None:
    given = frames()
    notes = " ".join(vo.vertebra_fractures(cohort, covariates=["sex"]).notes)
    first = given["fractures"]
    known = set(one_by_one(cohort, "fracture")["patient"])
    patients = [f"p{i:04d}" for i in sorted(known)]
    mine = first[first["patient_id"].isin(patients)]
    rows = one_by_one(cohort, "fracture")
    blank = rows[rows["sex"].isna()]
    assert f"{mine['level'].isna().sum()} fractures without level" in notes
    assert f"{(mine['level'] == 'T3').sum()} fractures above T4" in notes
    assert f"{len(blank)} vertebrae of {blank['patient'].nunique()} patients with a blank" in notes
    assert "several episodes" in notes


def test_patients_who_are_alike_leave_the_engine_once(cohort, monkeypatch) -> None:
    import ibis.expr.types as ir

    fetched, fetch = [], ir.Table.to_pyarrow
    monkeypatch.setattr(
        ir.Table, "to_pyarrow", lambda self: fetched.append(fetch(self)) or fetched[-1]
    )
    vo.vertebra_fractures(cohort)
    assert 100 < max(table.num_rows for table in fetched) < 420


def test_fractures_not_known_to_be_symptomatic_are_said() -> None:
    given = frames(200)
    given["fractures"]["symptomatic"] = None
    with pytest.raises(vo.InputError, match="no fracture says whether it is symptomatic"):
        vo.vertebra_fractures(vo.Cohort.from_frames(**given), event="symptomatic_fracture")


def test_an_unknown_covariate_is_refused_with_those_of_a_vertebra(cohort) -> None:
    with pytest.raises(vo.InputError, match=r"allowed: distance, region, level.*age_years"):
        vo.vertebra_fractures(cohort, covariates=["distanse"])
