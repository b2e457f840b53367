"""Every result answers str, frame, HTML and plot, on ratio and on score scales."""

import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo

EFFECTS = pd.DataFrame(
    {
        "study": [f"Trial {i}" for i in range(8)],
        "effect": [-0.9, -0.3, -0.5, 0.1, -0.7, -0.2, -0.6, -0.1],
        "variance": [0.10, 0.05, 0.08, 0.12, 0.2, 0.03, 0.3, 0.02],
        "group": list("aabbccdd"),
        "year": range(2001, 2009),
    }
)
RATIOS = EFFECTS.assign(measure="RR")
SCORES = EFFECTS.assign(measure="MD")
MEANS = EFFECTS.assign(measure="MN")
RESULTS = {
    "pool": vo.pool,
    "bayes": lambda es: vo.pool_bayes(es, mean_prior=("normal", 0, 4)),
    "bayes_flat": lambda es: vo.pool_bayes(es, mean_prior="flat"),
    "regression": lambda es: vo.meta_regression(es, "~ year"),
    "subgroups": lambda es: vo.subgroups(es, by="group"),
    "leave_one_out": vo.leave_one_out,
    "cumulative": lambda es: vo.cumulative(es, order="year"),
    "influence": vo.influence,
    "multilevel": lambda es: vo.pool_multilevel(es, cluster="group"),
    "multilevel_moderated": lambda es: vo.pool_multilevel(es, cluster="group", formula="~ year"),
    "trim_and_fill": vo.trim_and_fill,
    "selection": vo.selection_model,
    "gosh": vo.gosh,
}


@pytest.mark.parametrize("es", [RATIOS, SCORES, MEANS], ids=["ratio", "score", "one arm"])
@pytest.mark.parametrize("name", RESULTS)
def test_a_result_shows_itself(name, es):
    result = RESULTS[name](es)
    assert len(str(result)) > 20
    assert isinstance(result.to_frame(), pd.DataFrame)
    assert "<" in result._repr_html_()
    assert result.plot() is not None


@pytest.mark.parametrize("name", ["pool", "bayes", "multilevel", "multilevel_moderated"])
def test_ratios_are_read_back_on_the_natural_scale(name):
    result = RESULTS[name](RATIOS)
    natural, analysis = result.to_frame(scale="natural"), result.to_frame()
    assert np.exp(analysis["estimate"]).tolist() == pytest.approx(natural["estimate"].tolist())


def test_excluded_studies_are_listed_in_what_is_shown():
    missing = RATIOS.assign(variance=[np.nan, *RATIOS["variance"][1:]])
    for name in ("pool", "multilevel"):
        assert "left out" in str(RESULTS[name](missing))
        assert "Trial 0" in RESULTS[name](missing)._repr_html_()
