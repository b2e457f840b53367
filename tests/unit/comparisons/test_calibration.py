"""Empirical calibration against R: the likelihood maximised directly, and metafor."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo

SETS = json.loads((Path(__file__).parents[2] / "reference" / "negative_controls.json").read_text())[
    "sets"
]


@pytest.mark.parametrize("pinned", SETS, ids=lambda s: f"{len(s['se'])} controls")
def test_calibrated_effects(pinned):
    controls = pd.DataFrame({"estimate": pinned["estimate"], "se": pinned["se"]})
    effects = pd.DataFrame({"estimate": pinned["effect"], "se": pinned["effect_se"]})
    found = vo.calibrate(effects, controls=controls)
    assert found["systematic_error_mean"].iloc[0] == pytest.approx(pinned["mean"], abs=1e-7)
    assert found["systematic_error_sd"].iloc[0] == pytest.approx(pinned["sd"], abs=1e-6)
    assert found["systematic_error_mean"].iloc[0] == pytest.approx(pinned["optim_mean"], abs=1e-4)
    assert found["systematic_error_sd"].iloc[0] == pytest.approx(pinned["optim_sd"], abs=1e-3)
    np.testing.assert_allclose(found["calibrated_p_value"], pinned["p"], rtol=1e-5)
    np.testing.assert_allclose(found["calibrated_ci_low"], pinned["low"], rtol=0, atol=1e-6)
    assert found["n_controls"].eq(len(controls)).all()


def test_calibrated_intervals_cover_where_uncalibrated_ones_do_not():
    rng = np.random.default_rng(1)
    se = rng.uniform(0.05, 0.2, 4000)
    estimate = rng.normal(0.2, np.sqrt(0.15**2 + se**2))  # true effect zero, systematic error
    controls = pd.DataFrame({"estimate": estimate[:60], "se": se[:60]})
    effects = pd.DataFrame({"estimate": estimate[60:], "se": se[60:]})
    found = vo.calibrate(effects, controls=controls)
    covered = (found["calibrated_ci_low"] <= 0) & (found["calibrated_ci_high"] >= 0)
    naive = (effects["estimate"].abs() <= 1.96 * effects["se"]).mean()
    assert naive < 0.6
    assert covered.mean() == pytest.approx(0.95, abs=0.05)


@pytest.mark.parametrize(
    "controls",
    [pd.DataFrame({"estimate": [0.1] * 3, "se": [0.1] * 3}), pd.DataFrame({"effect": [1.0]}),
     pd.DataFrame({"estimate": [0.1] * 6, "se": [0.0] * 6}), None],
    ids=["too few", "no columns", "no spread", "nothing"],
)  # fmt: skip
def test_controls_that_cannot_be_used_are_refused(controls):
    with pytest.raises(vo.InputError, match="controls"):
        vo.calibrate(pd.DataFrame({"estimate": [0.3], "se": [0.1]}), controls=controls)
