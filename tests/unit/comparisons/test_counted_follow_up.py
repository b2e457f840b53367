"""Counted by the engine or followed one by one in pandas: the same answers to 1e-8."""

import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo
from vertebro_outcomes.comparisons import follow_up
from vertebro_outcomes.comparisons.follow_up import ALIKE, follow, follow_patients
from vertebro_outcomes.estimators.survival.aalen_johansen import fit_aalen_johansen
from vertebro_outcomes.estimators.survival.cox import fit_cox
from vertebro_outcomes.estimators.survival.fine_gray import fit_fine_gray
from vertebro_outcomes.estimators.survival.recurrent import fit_rate_ratio
from vertebro_outcomes.estimators.survival.rmst import fit_rmst

TERMS = ["age_years", "sex"]


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    """A cohort on disk, opened as anybody opens one; some ages and sites are blank."""
    made, _ = vo.simulate_registry(n_patients=3000, seed=11)
    frames = {name: made.frame(name) for name in made.tables}
    patients = frames["patients"]
    patients["age_years"] = patients["age_years"].round()
    patients.loc[::50, "age_years"] = np.nan
    patients["site"] = [None if i % 40 == 0 else f"S{i % 12}" for i in range(len(patients))]
    patients["number"] = np.arange(len(patients))
    episodes = frames["episodes"]
    episodes.loc[5:9, "followup_end_day"] = pd.NA
    patients.loc[patients["patient_id"].isin(episodes["patient_id"][5:7]), "death_day"] = pd.NA
    again = episodes.iloc[:30].assign(
        episode_id=lambda d: d["episode_id"] + "z", treatment="VP", followup_end_day=1
    )
    frames["episodes"] = pd.concat([episodes, again], ignore_index=True)
    folder = tmp_path_factory.mktemp("cohort") / "canonical"
    vo.Cohort.from_frames(**frames, synthetic=True).write(folder)
    return vo.load(folder)


def one_by_one(cohort, event):
    """Plain pandas, patient by patient."""
    first = cohort.frame("episodes").sort_values("episode_id").drop_duplicates("patient_id")
    patients = cohort.frame("patients").set_index("patient_id")
    fractures = cohort.frame("fractures")
    if event == "adjacent_fracture":
        fractures = fractures[fractures["adjacent"].fillna(False).astype(bool)]
    days = fractures.groupby("episode_id")["day"].min()
    rows = []
    for episode in first.itertuples():
        patient = patients.loc[episode.patient_id]
        ends = [float(d) for d in (episode.followup_end_day, patient["death_day"]) if pd.notna(d)]
        if not ends:
            continue
        last, died = min(ends), pd.notna(patient["death_day"])
        dies = died and patient["death_day"] <= last
        happened = days.get(episode.episode_id, np.inf)
        time, cause = (last, 1 if dies else 0) if event == "death" else (last, 2 if dies else 0)
        if event != "death" and happened <= last:
            time, cause = happened, 1
        rows.append(
            (
                episode.treatment, patient["age_years"], patient["sex"], patient["site"], time,
                cause, episode.episode_id,
            )
        )  # fmt: skip
    names = ["treatment", "age_years", "sex", "site", "days", "cause", "episode_id"]
    return pd.DataFrame(rows, columns=names).astype({"days": float})


def arrays(people, arms):
    people = people[people["treatment"].isin(arms) & people["age_years"].notna()]
    treated = (people["treatment"] == arms[0]).to_numpy(float)
    x = np.column_stack([treated, people["age_years"].astype(float), people["sex"] == "male"])
    return (
        people,
        people["days"].to_numpy(float),
        people["cause"].to_numpy(np.int64),
        x.astype(float),
    )


def test_incidence_is_that_of_the_patients_one_by_one(cohort):
    found = vo.cumulative_incidence(cohort, event="fracture")
    people = one_by_one(cohort, "fracture")
    for arm, rows in people.groupby("treatment"):
        plain = fit_aalen_johansen(rows["days"].to_numpy(), rows["cause"].to_numpy(np.int64))
        for name in ("time", "incidence", "se", "n_at_risk"):
            np.testing.assert_allclose(
                getattr(found.curves[arm], name), getattr(plain, name), rtol=1e-8
            )
    assert found.arms["n"].sum() == len(people)
    assert any("3000" not in note and "without known end" in note for note in found.notes)
    assert any("several episodes" in note for note in found.notes)


@pytest.mark.parametrize("method", ["cox", "fine_gray"])
@pytest.mark.parametrize("cluster", [None, "site"])
def test_hazard_ratios_are_those_of_the_patients_one_by_one(cohort, method, cluster):
    found = vo.adjacent_fractures(
        cohort, treatment="KP", comparator="VP", method=method, covariates=TERMS, cluster=cluster
    )
    people, time, cause, x = arrays(one_by_one(cohort, "adjacent_fracture"), ("KP", "VP"))
    by = None
    if cluster:
        by = pd.factorize(people["site"])[0].astype(np.int64)
        by[by < 0] = 100 + np.arange((by < 0).sum())
    if method == "cox":
        plain = fit_cox(time, cause == 1, x=x, cluster=by)
        covariance = plain.covariance if by is None else plain.robust
    else:
        plain = fit_fine_gray(time, cause, x=x, cluster=by)
        covariance = plain.robust
    rows = found.coefficients
    np.testing.assert_allclose(rows["estimate"], plain.beta, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(rows["se"], np.sqrt(np.diag(covariance)), rtol=1e-8)
    assert (found.n_t + found.n_c, found.events_t + found.events_c) == (
        len(time),
        (cause == 1).sum(),
    )


def test_mortality_is_that_of_the_patients_one_by_one(cohort):
    found = vo.mortality(cohort, treatment="KP", comparator="NSM", covariates=TERMS)
    _, time, cause, x = arrays(one_by_one(cohort, "death"), ("KP", "NSM"))
    plain = fit_cox(time, cause == 1, x=x, test_proportional=True)
    np.testing.assert_allclose(found.coefficients["estimate"], plain.beta, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(
        found.proportional_hazards["chi2"][:3], plain.proportional.chi2, rtol=1e-8
    )
    arm = x[:, 0] == 1
    means = [fit_rmst(time[mine], cause[mine] == 1, horizon=365.0) for mine in (arm, ~arm)]
    np.testing.assert_allclose(found.rmst["estimate"][:2], [m.estimate for m in means], rtol=1e-10)
    assert (found.n_t, found.deaths_t) == (arm.sum(), (cause[arm] == 1).sum())


@pytest.mark.parametrize("adjust", ["overlap_weighting", "ate_weighting"])
def test_variances_of_patterns_are_those_of_patients(cohort, adjust):
    """With a number of the patient's own as cluster every patient is a pattern alone."""
    how = {"treatment": "KP", "comparator": "NSM", "adjust": adjust, "covariates": TERMS}
    counted, alone = vo.mortality(cohort, **how), vo.mortality(cohort, cluster="number", **how)
    for table in ("coefficients", "periods", "rmst"):
        for column in ("estimate", "se"):
            np.testing.assert_allclose(
                getattr(counted, table)[column], getattr(alone, table)[column], rtol=1e-8
            )
    curves = [vo.cumulative_incidence(cohort, covariates=TERMS, adjust=adjust, cluster=cluster)
              for cluster in (None, "number")]  # fmt: skip
    for arm, curve in curves[0].curves.items():
        np.testing.assert_allclose(curve.se, curves[1].curves[arm].se, rtol=1e-8)


def test_counts_stand_for_the_rows(cohort):
    followed = follow(cohort, event="fracture", function="test")
    counted, notes = followed.counted(["treatment", "sex"])
    rows, same = follow_patients(cohort, event="fracture", function="test")
    keys = ["treatment", "sex", "days", "cause"]
    again = rows.groupby(keys, as_index=False).size().rename(columns={"size": ALIKE})
    pd.testing.assert_frame_equal(
        counted[[*keys, ALIKE]].sort_values(keys, ignore_index=True),
        again.sort_values(keys, ignore_index=True), check_dtype=False,
    )  # fmt: skip
    assert notes == same
    assert rows["patient_id"].is_monotonic_increasing


def test_more_patterns_than_fit_are_refused_with_a_way_out(cohort, monkeypatch):
    monkeypatch.setattr(follow_up, "MOST_ROWS", 10)
    with pytest.raises(vo.InputError, match="more than 10 patterns"):
        vo.mortality(cohort, treatment="KP", comparator="NSM", covariates=["bmi"])


def test_an_unknown_cluster_is_refused_with_the_columns_there_are(cohort):
    with pytest.raises(vo.InputError, match=r"argument cluster.*\n?.*age_years"):
        vo.cumulative_incidence(cohort, cluster="hospital")


def test_recurrent_fractures_are_those_of_the_patients_one_by_one(cohort):
    """Several fractures on a day count once, and the engine says how many more there were."""
    twice = pd.concat([cohort.frame("fractures")] * 2).assign(level=lambda d: d["level"].to_numpy())
    tables = {name: cohort.frame(name) for name in ("patients", "episodes")}
    again = vo.Cohort.from_frames(**tables, fractures=twice.reset_index(drop=True))
    found = vo.recurrent_fractures(again, treatment="KP", comparator="VP", covariates=TERMS)
    people, time, _, x = arrays(one_by_one(again, "death"), ("KP", "VP"))
    fractures = twice.dropna(subset=["day"])
    fractures = fractures[fractures["episode_id"].isin(people["episode_id"])]
    once = fractures.drop_duplicates(["episode_id", "day"])
    who = pd.Index(people["episode_id"]).get_indexer(once["episode_id"]).astype(np.int64)
    day = once["day"].to_numpy(float)
    seen = day <= time[who]
    plain = fit_rate_ratio(time, event_patient=who[seen], event_day=day[seen], x=x)
    rows = found.coefficients
    np.testing.assert_allclose(rows["estimate"], plain.beta, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(rows["se"], np.sqrt(np.diag(plain.robust)), rtol=1e-8)
    more = len(fractures) - len(once)
    assert f"{more} further fractures of one day count with the first." in found.notes
    with pytest.raises(vo.InputError, match=r"argument covariates.*\n?.*age_years"):
        vo.recurrent_fractures(again, treatment="KP", comparator="VP", covariates=["clinic"])
