"""The stored study of scores missing at random: what was not seen biases neither way of handling it."""

import pandas as pd
import pytest

from tests.simulation.missing_study import REPLICATES, STORED, WAYS, replicates

LEAST, SHARE = 0.05, 0.02  # points of pain; of the effect


@pytest.fixture(scope="module")
def stored():
    table = pd.read_csv(STORED).set_index("way")
    assert (table["replicates"] == REPLICATES).all()
    return table


@pytest.mark.parametrize("way", WAYS)
def test_scores_missing_at_random_bias_nothing(stored, way):
    line = stored.loc[way]
    assert abs(line["bias"]) < max(LEAST, SHARE * abs(line["truth"]))
    assert abs(line["bias"]) < 4 * line["bias_mc_error"]
    assert line["mean_se"] == pytest.approx(line["sd"], rel=0.12)
    assert 91 <= line["coverage_pct"] <= 98.5  # 200 replicates tell a coverage to 3 points


@pytest.mark.slow
def test_a_part_of_it_again(stored):
    rows = replicates(12)
    assert set(rows["way"]) == {"observed", *WAYS}
    for way, part in rows.groupby("way"):
        off = part["estimate"].mean() - stored.loc[way, "truth"]
        assert abs(off - stored.loc[way, "bias"]) < 4 * stored.loc[way, "sd"] / 12**0.5
