"""Coverage of a rate of 1 % in 300 patients, exact: every outcome is enumerated and weighed.

The stored table was computed by R with its own intervals; the promises of the methods are read from it.
"""

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom

from vertebro_outcomes.estimators.rates.one_proportion import clopper_pearson, jeffreys, wilson
from vertebro_outcomes.estimators.rates.two_proportions import (
    TwoProportions,
    newcombe,
    score_difference,
)

PINS = json.loads((Path(__file__).parents[3] / "reference" / "coverage_rare.json").read_text())
N = PINS["n"]
METHODS = {"wilson": wilson, "clopper_pearson": clopper_pearson, "jeffreys": jeffreys}


@pytest.mark.parametrize("name", METHODS)
def test_one_rate(name: str) -> None:
    x = np.arange(N + 1, dtype=float)
    low, high = METHODS[name](x, np.full(N + 1, float(N)))
    found = [
        float(binom.pmf(x, N, p)[(low <= p) & (p <= high)].sum()) for p in PINS["rates"]
    ]  # fmt: skip
    assert found == pytest.approx(PINS["one"][name], abs=1e-10)


def test_what_the_table_says_at_one_percent() -> None:
    """Clopper-Pearson keeps its promise everywhere; Jeffreys falls to 91.8 % here."""
    at = PINS["rates"].index(0.01)
    assert min(PINS["one"]["clopper_pearson"]) >= 0.95
    assert all(PINS["one"][name][at] > 0.91 for name in METHODS)


@pytest.mark.parametrize("pin", PINS["two"], ids=lambda pin: "{} {}".format(*pin["rates"]))
@pytest.mark.parametrize("method", ["newcombe", "score"])
def test_differences(pin: dict, method: str) -> None:
    interval = newcombe if method == "newcombe" else score_difference
    p1, p0 = pin["rates"]
    covered = 0.0
    for x1, x0 in product(range(PINS["most"] + 1), repeat=2):
        weight = binom.pmf(x1, N, p1) * binom.pmf(x0, N, p0)
        if weight < 1e-9:
            continue
        found = interval(TwoProportions(x1, N, x0, N))
        if found.ci_low <= p1 - p0 <= found.ci_high:
            covered += weight
    assert covered == pytest.approx(pin[method], abs=2e-7)
    assert covered > 0.93
