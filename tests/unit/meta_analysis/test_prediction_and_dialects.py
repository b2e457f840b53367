"""One data set, the intervals and I² of several programs; BCG trials, REML."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo

PINNED = json.loads(
    (Path(__file__).parents[2] / "reference" / "metafor_uni.json").read_text(encoding="utf-8")
)["pools"]["bcg_rr"]
ES = pd.DataFrame({"effect": PINNED["effect"], "variance": PINNED["variance"], "measure": "RR"})


@pytest.mark.parametrize(
    ("prediction", "low", "high"),
    [("z", -1.867, 0.438), ("t_k1", -1.995, 0.566), ("t_k2", -2.008, 0.579)],
)
def test_three_prediction_intervals_of_one_data_set(prediction, low, high):
    """Normal quantiles as metafor 3.8, t on k - 1 as meta 8, t on k - 2 as meta before 8."""
    fit = vo.pool(ES, method="REML", prediction=prediction)
    assert (fit.prediction_low, fit.prediction_high) == pytest.approx((low, high), abs=5e-4)


def test_no_prediction_interval_where_none_is_asked_or_defined():
    assert np.isnan(vo.pool(ES, prediction="none").prediction_low)
    assert np.isnan(vo.pool(ES, method="EE").prediction_low)
    assert np.isnan(vo.pool(ES[:2], prediction="t_k2").prediction_low)
    assert np.isfinite(vo.pool(ES[:2], prediction="t_k1").prediction_low)


@pytest.mark.parametrize(
    ("dialect", "method", "ci", "i2"),
    [
        ("metafor", "REML", "wald", 92.22),
        ("meta8", "REML", "wald", 92.12),
        ("meta7", "REML", "wald", 92.12),
        ("meta4", "DL", "wald", 92.12),
        ("revman5", "DL", "wald", 92.12),
        ("revman2025", "REML", "hksj", 92.22),
    ],
)
def test_a_dialect_is_a_bundle_of_choices(dialect, method, ci, i2):
    fit = vo.pool(ES, dialect=dialect)
    assert (fit.method, fit.ci, fit.dialect) == (method, ci, dialect)
    assert fit.i2_pct == pytest.approx(i2, abs=0.005)
    plain = vo.pool(ES, method=method, ci=ci)
    assert (fit.estimate, fit.ci_low) == pytest.approx((plain.estimate, plain.ci_low), rel=1e-12)


def test_every_dialect_is_tested():
    assert set(vo.DIALECTS) == {"metafor", "meta8", "meta7", "meta4", "revman5", "revman2025"}


def test_explicit_arguments_win_over_a_dialect():
    fit = vo.pool(ES, dialect="revman2025", method="DL", ci="wald", prediction="z")
    assert (fit.method, fit.ci) == ("DL", "wald")
    assert fit.prediction_low == pytest.approx(vo.pool(ES, method="DL").prediction_low)


def test_revman_standardises_means_in_its_own_way():
    means = {
        "mean_t": [2.0],
        "sd_t": [1.0],
        "n_t": [10],
        "mean_c": [3.0],
        "sd_c": [1.5],
        "n_c": [12],
    }
    es = vo.effect_sizes(pd.DataFrame(means), measure="SMD", dialect="revman5")
    pooled = np.sqrt((9 * 1.0 + 11 * 2.25) / 20)
    g = -1 / pooled * (1 - 3 / (4 * 22 - 9))
    assert es["effect"][0] == pytest.approx(g, rel=1e-12)
    assert es["variance"][0] == pytest.approx(22 / 120 + g**2 / (2 * (22 - 3.94)), rel=1e-12)
