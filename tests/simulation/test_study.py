"""The stored study of 500 registries per scenario: no bias, right coverage, and the naive ones fail."""

import numpy as np
import pandas as pd
import pytest

from tests.simulation.study import METHODS, REPLICATES, STORED, immortal, replicates, summary

PAIN = [name for name in METHODS if name != "unadjusted"]
MONTE_CARLO = 2 * 100 * np.sqrt(0.05 * 0.95 / REPLICATES)  # two errors of a rate of 5 %
LEAST = 0.05  # points of pain
SHARE = 0.02  # of the effect


@pytest.fixture(scope="module")
def stored():
    table = pd.read_csv(STORED, keep_default_na=False).set_index(["scenario", "analysis"])
    assert (table["replicates"] == REPLICATES).all()
    return table


def test_the_table_is_whole(stored):
    for scenario in ("null", "randomised", "confounded"):
        assert set(METHODS) <= set(stored.loc[scenario].index)
    assert "death at one year" in stored.loc["nonproportional"].index
    assert len(stored.loc["immortal_time"]) == 3


@pytest.mark.parametrize("scenario", ["randomised", "confounded"])
@pytest.mark.parametrize("method", PAIN)
def test_right_methods_have_no_bias_and_cover(stored, scenario, method):
    line = stored.loc[scenario, method]
    assert abs(line["bias"]) < max(LEAST, SHARE * abs(line["truth"]))
    assert 93 <= line["coverage_pct"] <= 97
    assert line["mean_se"] == pytest.approx(line["sd"], rel=0.1)


@pytest.mark.parametrize("method", [*METHODS, "death at one year"])
def test_nothing_is_found_too_often_where_there_is_nothing(stored, method):
    line = stored.loc["null", method]
    assert abs(line["rejected_pct"] - 5) <= max(1.0, MONTE_CARLO)
    assert abs(line["bias"]) < 4 * line["bias_mc_error"]


@pytest.mark.parametrize("scenario", ["randomised", "nonproportional"])
def test_risk_of_death_covers(stored, scenario):
    line = stored.loc[scenario, "death at one year"]
    assert 93 <= line["coverage_pct"] <= 97
    assert abs(line["bias"]) < 4 * line["bias_mc_error"]


def test_without_adjustment_the_confounded_comparison_fails(stored):
    line = stored.loc["confounded", "unadjusted"]
    assert line["bias"] > 20 * line["bias_mc_error"]
    assert line["coverage_pct"] < 85


def test_the_naive_clock_fails_and_the_emulated_trial_does_not(stored):
    naive = stored.loc["immortal_time", "naive_from_procedure"]
    assert naive["bias"] < -10 * naive["bias_mc_error"]
    assert naive["coverage_pct"] < 60
    for method in ("clone_censor_weight", "landmark"):
        line = stored.loc["immortal_time", method]
        assert abs(line["bias"]) < 0.01
        assert line["coverage_pct"] >= 93


@pytest.mark.slow
@pytest.mark.parametrize(
    "scenario", ["null", "randomised", "confounded", "nonproportional", "immortal_time"]
)
def test_the_study_gives_the_stored_table(stored, scenario):
    made = immortal(REPLICATES) if scenario == "immortal_time" else replicates(scenario, REPLICATES)
    found = summary(scenario, made).set_index("analysis")
    kept = stored.loc[scenario]
    for name in ("truth", "bias", "sd", "mean_se", "coverage_pct"):
        assert found[name].to_numpy() == pytest.approx(
            kept[name].loc[found.index].to_numpy(), rel=1e-3, abs=1e-4
        )
