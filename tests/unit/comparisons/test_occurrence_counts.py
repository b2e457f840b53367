"""Units with a kind of complication, counted by the engine or one by one in pandas: the same numbers."""

import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo
from tests.plain_occurrences import count_units, occurrences
from vertebro_outcomes.comparisons.occurrence_counts import counts_by_group
from vertebro_outcomes.comparisons.occurrences import (
    COMPLICATION_KINDS,
    KEYS,
    of_kind,
)

TYPES = ["cement_leakage", "symptomatic_leakage", "pulmonary_cement_embolism", "infection",
         "symptomatic_pulmonary_cement_embolism", "serious_adverse_event", "death"]  # fmt: skip


@pytest.fixture(scope="module")
def cohort():
    """One or two episodes, levels with and without an event, blank sites, days and answers."""
    rng = np.random.default_rng(8)
    n = 150
    ids = np.array([f"p{i:03d}" for i in range(n)])
    who = np.r_[np.arange(n), np.arange(40)]
    episodes = np.array([f"e{i:03d}" for i in range(who.size)])
    levels = np.array(["T11", "T12", "L1"])

    def some(rows, **more):
        at = rng.integers(0, who.size, rows)
        day = rng.integers(0, 400, rows).astype(float)
        day[::9] = np.nan
        return pd.DataFrame(
            {"patient_id": ids[who[at]], "episode_id": episodes[at], "day": day,
             "level": rng.choice([*levels, None], rows),
             "symptomatic": rng.choice([True, False, None], rows), **more}
        )  # fmt: skip

    return vo.Cohort.from_frames(
        patients=pd.DataFrame(
            {"patient_id": ids, "site": np.where(np.arange(n) % 30 == 0, None, "S")}
        ).assign(site=lambda d: d["site"] + pd.Series(np.arange(n) % 4).astype(str)),
        episodes=pd.DataFrame(
            {"patient_id": ids[who], "episode_id": episodes,
             "treatment": rng.choice(["VP", "KP", "NSM"], who.size)}
        ),
        levels=pd.DataFrame(
            {"patient_id": ids[np.repeat(who, 2)], "episode_id": np.repeat(episodes, 2),
             "level": np.tile(levels[:2], who.size), "treated": rng.random(2 * who.size) < 0.8}
        ),
        events=some(120, type=rng.choice(TYPES, 120),
                    severity=rng.choice(["mild", "severe", "fatal", None], 120)),
        fractures=some(40, adjacent=rng.choice([True, False, None], 40)).dropna(subset=["level"]),
    )  # fmt: skip


def one_by_one(cohort, kind, treatment, unit, within_days):
    units = count_units(cohort, treatment=treatment, unit=unit, extra=("site",))
    units = units[units["site"].notna()]
    events = occurrences(cohort)
    events = events[of_kind(events, kind)]
    if within_days is not None:
        events = events[events["day"] <= within_days]
    keys = KEYS[unit]
    rows = []
    for site, mine in units.groupby("site"):
        own = events[events["episode_id"].isin(mine["episode_id"])].dropna(subset=keys)
        each = set(map(tuple, mine[keys].to_numpy()))
        rows.append((site, len(each & set(map(tuple, own[keys].to_numpy()))), len(each)))
    return pd.DataFrame(rows, columns=["site", "n_events", "n"])


SOME = ("with_symptoms", "severe", "adjacent_fracture")
ASKED = [
    ("patients", None, None, SOME),
    ("levels", "VA", 200, SOME),
    *(
        pytest.param(*asked, [*COMPLICATION_KINDS, "infection"], marks=pytest.mark.slow)
        for asked in (("patients", None, None), ("episodes", "KP", 90), ("levels", "VA", 200))
    ),
]


@pytest.mark.parametrize(("unit", "treatment", "within_days", "kinds"), ASKED)
def test_the_same_units_and_events(cohort, unit, treatment, within_days, kinds):
    seen = 0
    for kind in kinds:
        notes = []
        found = counts_by_group(
            cohort, kind=kind, treatment=treatment, by="site", unit=unit,
            within_days=within_days, function="test", notes=notes,
        )  # fmt: skip
        expected = one_by_one(cohort, kind, treatment, unit, within_days)
        pd.testing.assert_frame_equal(found, expected, check_dtype=False)
        assert any("without site" in note for note in notes)
        seen += found["n_events"].sum()
    assert seen > 10
