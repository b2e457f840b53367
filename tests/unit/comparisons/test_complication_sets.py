"""Definitions and ranks counted by the engine against the same from whole tables, unit by unit."""

import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo
from tests.plain_occurrences import count_units, occurrences
from vertebro_outcomes.comparisons.complication_sets import classes_of
from vertebro_outcomes.comparisons.occurrences import KEYS, found_by, of_kind
from vertebro_outcomes.estimators.rates.beta_bands import beta_posterior
from vertebro_outcomes.estimators.rates.ranks import rank_events


@pytest.fixture(scope="module")
def cohort():
    """Some patients have a second episode with events of its own, some levels were seen with CT."""
    made, _ = vo.simulate_registry(n_patients=500, seed=4)
    frames = {name: made.frame(name) for name in made.tables}
    own = frames["episodes"]["episode_id"][:200]
    for name in ("episodes", "levels", "events"):
        again = frames[name][frames[name]["episode_id"].isin(own)]
        again = again.assign(episode_id=again["episode_id"] + "z")
        if name == "events":
            again = again.iloc[::3].assign(type="infection", severity="severe", symptomatic=True)
        frames[name] = pd.concat([frames[name], again], ignore_index=True)
    return vo.Cohort.from_frames(**frames, synthetic=True)


def happened(cohort, units):
    both = occurrences(cohort)
    return both[both["episode_id"].isin(units["episode_id"])]


def units_of(cohort, unit, treatment):
    return count_units(cohort, treatment=treatment, unit=unit).drop_duplicates(KEYS[unit])


def keys_of(frame, unit):
    return frame[KEYS[unit]].astype(str).agg("/".join, axis=1)


def test_every_definition_equals_that_of_units_one_by_one(cohort):
    every = {unit: units_of(cohort, unit, "VA") for unit in KEYS}
    events, levels = happened(cohort, every["episodes"]), cohort.frame("levels")
    scans = levels[levels["leakage_detected_by"] == "CT"]
    rates = vo.complication_definitions(cohort, treatment="VA", bands={"few": (0, 0.1)}).rates
    assert set(rates["unit"]) == set(KEYS)
    assert set(rates["detection"]) >= {"any", "ct"}
    names = {unit: keys_of(units, unit) for unit, units in every.items()}
    looked = {unit: names[unit].isin(keys_of(scans, unit)) for unit in KEYS}
    hits = {
        unit: keys_of(events, unit).where(events[KEYS[unit]].notna().all(axis=1)) for unit in KEYS
    }
    for row in rates.itertuples():
        base = looked[row.unit] if row.detection == "ct" else names[row.unit].notna()
        counted = of_kind(events, row.kind) & found_by(events, row.detection)
        if not np.isnan(row.within_days):
            counted &= events["day"] <= row.within_days
        had = names[row.unit][base].isin(hits[row.unit][counted]).to_numpy(float)
        units = every[row.unit][base]
        cluster = pd.factorize(units["patient_id"])[0]
        posterior = beta_posterior(had, cluster, prior="jeffreys")
        assert (row.n_events, row.n) == (had.sum(), len(had))
        assert row.p_inside == pytest.approx(posterior.band(0, 0.1)[1], rel=1e-8, abs=1e-12)
        if 0 < had.sum() < len(had):
            assert (row.ci_low, row.ci_high) == pytest.approx(posterior.limits(0.95), rel=1e-8)


@pytest.mark.parametrize("unit", ["patients", "episodes"])
def test_ranks_equal_those_of_units_one_by_one(cohort, unit):
    units = units_of(cohort, unit, "VP")
    events = happened(cohort, units_of(cohort, "episodes", "VP"))
    ranks = vo.complication_ranking(cohort, unit=unit, seed=3).ranks
    ranks = ranks[(ranks["grouping"] == "apart") & (ranks["detection"] == "any")]
    ranks = ranks[ranks["within_days"].isna()]
    named = events["type"].mask(
        of_kind(events, "pulmonary_cement_embolism"), "pulmonary_cement_embolism"
    )
    kinds = sorted(named.unique())
    had = np.column_stack(
        [keys_of(units, unit).isin(keys_of(events[named == kind], unit)) for kind in kinds]
    )
    plain = rank_events(had, level=0.95, seed=3)
    ranks = ranks.set_index("kind").loc[kinds]
    assert ranks["n_events"].tolist() == had.sum(axis=0).tolist()
    for column, expected in (
        ("rank", plain.rank), ("rank_low", plain.low), ("rank_high", plain.high),
        ("p_first", plain.p_first),
    ):  # fmt: skip
        np.testing.assert_allclose(ranks[column], expected, rtol=1e-12)


def test_more_classes_than_a_number_has_bits(cohort, monkeypatch):
    from vertebro_outcomes.comparisons import complication_sets

    usual = vo.complication_ranking(cohort).ranks
    with classes_of(cohort, treatment="VP", function="f") as classes:
        assert len(classes.frame) > 7
    monkeypatch.setattr(complication_sets, "_BITS", 3)
    pd.testing.assert_frame_equal(vo.complication_ranking(cohort).ranks, usual, rtol=1e-12)


def test_no_table_stays_behind(cohort):
    def tables():
        found = cohort.patients.get_backend().con.execute("SHOW TABLES").fetchall()
        return [name for (name,) in found if "held" in name]

    with classes_of(cohort, treatment="VP", function="f"):
        assert len(tables()) == 2
    assert tables() == []
