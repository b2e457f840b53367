"""Events counted by the engine or one by one in pandas: the same numbers."""

import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo
from vertebro_outcomes.estimators.rates.one_proportion import clustered_proportion, exact_rate


@pytest.fixture(scope="module")
def cohort():
    """Patients with one to three episodes, some undated events, some blank sites and ends."""
    rng = np.random.default_rng(3)
    n = 400
    ids = np.array([f"p{i:04d}" for i in range(n)])
    who = np.repeat(np.arange(n), rng.integers(1, 4, n))
    episode = np.array([f"e{i:05d}" for i in range(who.size)])
    end = rng.integers(0, 900, who.size).astype(float)
    end[rng.random(who.size) < 0.05] = np.nan
    hit = rng.integers(0, who.size, 900)
    day = rng.integers(0, 700, 900).astype(float)
    day[::25] = np.nan
    return vo.Cohort.from_frames(
        patients=pd.DataFrame(
            {"patient_id": ids, "site": np.where(np.arange(n) % 50 == 0, None, np.arange(n) % 3),
             "death_day": np.where(rng.random(n) < 0.2, rng.integers(0, 900, n), np.nan)}
        ),
        episodes=pd.DataFrame(
            {"patient_id": ids[who], "episode_id": episode, "followup_end_day": end,
             "treatment": rng.choice(["VP", "KP"], who.size)}
        ),
        events=pd.DataFrame(
            {"patient_id": ids[who[hit]], "episode_id": episode[hit], "day": day,
             "type": rng.choice(["cement_leakage", "stroke", "death"], 900),
             "severity": rng.choice(["mild", "severe", None], 900)}
        ),
    )  # fmt: skip


def tables(cohort, by):
    episodes = cohort.frame("episodes").merge(
        cohort.frame("patients")[["patient_id", "site", "death_day"]], on="patient_id"
    )
    events = cohort.frame("events")
    return episodes[episodes[by].notna()], events[events["type"] != "death"]


@pytest.mark.parametrize("by", ["treatment", "site"])
@pytest.mark.parametrize("unit", ["patients", "episodes"])
def test_shares(cohort, by, unit):
    found = vo.complication_rates(cohort, by=by, unit=unit, within_days=365).to_frame()
    episodes, events = tables(cohort, by)
    events = events[events["day"] <= 365]
    key = {"patients": "patient_id", "episodes": "episode_id"}[unit]
    for line in found.itertuples():
        group = getattr(line, by)
        mine = episodes[episodes[by] == group]
        hit = events[events["episode_id"].isin(mine["episode_id"])]
        hit = hit if line.type == "any" else hit[hit["type"] == line.type]
        units = mine[["patient_id", key]].T.drop_duplicates().T.drop_duplicates()
        had = units[key].isin(hit[key]).to_numpy(float)
        assert (line.n_events, line.n) == (had.sum(), len(units))
        if unit == "episodes":
            plain = clustered_proportion(had, pd.factorize(units["patient_id"])[0])
            np.testing.assert_allclose(
                [line.ci_low, line.ci_high], [plain.ci_low, plain.ci_high], rtol=1e-10
            )
    assert len(found) == 3 * found[by].nunique()


@pytest.mark.parametrize("by", ["treatment", "severity"])
@pytest.mark.parametrize("within", [None, 200])
def test_rates_per_year(cohort, by, within):
    found = vo.complication_rates(cohort, by=by, per="person_years", within_days=within).to_frame()
    episodes, events = tables(cohort, "treatment")
    episodes["end"] = episodes[["followup_end_day", "death_day"]].astype(float).min(axis=1)
    episodes["end"] = episodes["end"].clip(upper=within if within is not None else np.inf)
    episodes = episodes[episodes["end"].notna()].sort_values(
        ["end", "episode_id"], ascending=[False, True]
    )
    episodes = episodes.drop_duplicates(["treatment", "patient_id"])
    for line in found.itertuples():
        mine = episodes[episodes["treatment"] == line.treatment].set_index("episode_id")
        hit = events[events["episode_id"].isin(mine.index) & events["day"].notna()]
        if by == "severity":
            hit = hit[hit["severity"].fillna("not recorded") == line.severity]
        hit = hit if line.type == "any" else hit[hit["type"] == line.type]
        first = hit.groupby("episode_id")["day"].min().astype(float).reindex(mine.index)
        had = first <= mine["end"]
        years = np.where(had, first, mine["end"]).sum() / 365.25
        assert (line.n_events, line.n) == (had.sum(), len(mine))
        assert line.person_years == pytest.approx(years, rel=1e-12)
        limits = exact_rate(np.array([float(had.sum())]), np.array([years]))
        assert line.ci_high == pytest.approx(limits[1][0], rel=1e-10)
    assert set(found["severity"] if by == "severity" else ["mild"]) >= {"mild"}
