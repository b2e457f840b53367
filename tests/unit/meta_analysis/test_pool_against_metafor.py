"""Effect sizes and pooling against R's metafor, on public data sets; `tests/reference/metafor_uni.R`."""

import itertools
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo

PINNED = json.loads(
    (Path(__file__).parents[2] / "reference" / "metafor_uni.json").read_text(encoding="utf-8")
)
METHODS = ("EE", "DL", "HE", "HS", "SJ", "ML", "REML", "EB", "PM")
CLOSED_FORM = {"EE", "DL", "HE", "HS", "SJ"}
INTERVALS = ("wald", "hksj", "hksj_adhoc")
FITS = [
    pytest.param(name, fit, id=f"{name}-{fit['method']}-{fit['ci']}")
    for name, data in PINNED["pools"].items()
    for fit in data["fits"]
]
COMPARED = [
    "estimate",
    "se",
    "ci_low",
    "ci_high",
    "statistic",
    "p_value",
    "tau2",
    "tau2_ci_low",
    "tau2_ci_high",
    "i2_pct",
    "h2",
    "q",
    "q_df",
    "q_p_value",
    "prediction_low",
    "prediction_high",
]


def frame(name):
    data = PINNED["pools"][name]
    return pd.DataFrame(
        {"effect": np.atleast_1d(data["effect"]), "variance": np.atleast_1d(data["variance"])}
    )


def test_the_grid_is_whole():
    assert len(PINNED["pools"]) >= 16
    for data in PINNED["pools"].values():
        pairs = [(fit["method"], fit["ci"]) for fit in data["fits"]]
        assert sorted(pairs) == sorted(itertools.product(METHODS, INTERVALS))
        assert not [fit for fit in data["fits"] if "failed" in fit]


@pytest.mark.parametrize(("name", "pinned"), FITS)
def test_pool_prints_what_rma_prints(name, pinned):
    fit = vo.pool(frame(name), method=pinned["method"], ci=pinned["ci"])
    tolerance = 1e-9 if pinned["method"] in CLOSED_FORM else 1e-6
    for quantity in COMPARED:
        expected = pinned[quantity]
        if expected is None or expected in ("Inf", "-Inf"):
            continue
        close = (
            {"rel": 1e-6, "abs": 1e-6} if "tau2_ci" in quantity else {"rel": tolerance, "abs": 1e-9}
        )
        if tolerance == 1e-6:
            close["abs"] = 1e-7
        assert getattr(fit, quantity) == pytest.approx(expected, **close), quantity
    assert fit.weights_pct == pytest.approx(
        np.atleast_1d(pinned["weights_pct"]), rel=tolerance, abs=1e-6
    )


@pytest.mark.parametrize(
    "case", PINNED["effect_sizes"], ids=lambda c: f"{c['measure']}-{c['add_to']}"
)
def test_effect_sizes_are_those_of_escalc(case):
    measure = case["measure"]
    table = {
        "OR": "two", "RR": "two", "RD": "two", "PETO": "two", "MD": "means", "SMD": "means", "ROM": "means",
        "IRR": "rate", "IRD": "rate", "MN": "mn",
    }.get(measure, "one")  # fmt: skip
    es = vo.effect_sizes(
        pd.DataFrame(PINNED["tables"][table]), measure=measure, add=0.5, add_to=case["add_to"]
    )
    for i, (effect, variance) in enumerate(zip(case["effect"], case["variance"], strict=True)):
        numbers = [isinstance(x, float | int) for x in (effect, variance)]
        if all(numbers) and variance > 0:
            assert es["effect"].iloc[i] == pytest.approx(effect, rel=1e-9, abs=1e-12)
            assert es["variance"].iloc[i] == pytest.approx(variance, rel=1e-9)
        else:
            assert np.isnan(es["effect"].iloc[i])
            assert es["excluded_because"].iloc[i]


def test_all_measures_are_pinned():
    assert {case["measure"] for case in PINNED["effect_sizes"]} == set(vo.MEASURES) - {"GEN", "HR"}


def test_freeman_tukey_is_read_back_with_the_harmonic_mean():
    es = vo.effect_sizes(pd.DataFrame(PINNED["tables"]["one"]), measure="PFT")
    row = vo.pool(es, method="DL").to_frame(scale="natural").iloc[0]
    for quantity in ("estimate", "ci_low", "ci_high"):
        assert row[quantity] == pytest.approx(PINNED["freeman_tukey"][quantity], abs=1e-9)
