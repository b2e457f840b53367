"""All subsets of the studies."""

import numpy as np
import pandas as pd
import pytest

import vertebro_outcomes as vo

ES = pd.DataFrame(
    {"study": list("abcde"), "effect": [0.1, 0.2, 0.15, 0.12, 2.0], "variance": [0.02] * 5}
)


def test_every_subset_is_there_once_and_is_what_pool_gives():
    found = vo.gosh(ES)
    assert len(found.estimate) == 2**5 - 1
    assert len(np.unique(found.members, axis=0)) == 2**5 - 1
    for i in range(len(found.estimate)):
        fit = vo.pool(ES[found.members[i]])
        assert found.estimate[i] == pytest.approx(fit.estimate, rel=1e-10)
        assert (found.tau2[i], found.i2_pct[i]) == pytest.approx(
            (fit.tau2, fit.i2_pct), rel=1e-9, abs=1e-12
        )


def test_the_study_that_carries_the_heterogeneity_is_named():
    found = vo.gosh(ES)
    assert found.outliers() == ("e",)
    assert "heterogeneity rests on e" in str(found)
    homogeneous = vo.gosh(ES.assign(effect=0.1))
    assert homogeneous.outliers() == ()


def test_beyond_the_limit_a_seeded_sample_of_distinct_subsets_is_drawn():
    rng = np.random.default_rng(2)
    es = pd.DataFrame({"effect": rng.normal(size=20), "variance": rng.uniform(0.1, 1, 20)})
    a, b = vo.gosh(es, most=500, seed=3), vo.gosh(es, most=500, seed=3)
    assert a.sampled
    assert (a.members == b.members).all()
    assert len(np.unique(a.members, axis=0)) == 500
    assert not np.array_equal(a.members, vo.gosh(es, most=500, seed=4).members)


def test_frame_and_figure_show_every_subset():
    found = vo.gosh(ES)
    frame = found.to_frame()
    assert frame.shape == (31, 9)
    assert sum(len(line.get_xdata()) for line in found.plot().lines) == 31


def test_the_result_shows_itself():
    ratio = vo.gosh(ES.assign(measure="RR"))
    assert "<table" in ratio._repr_html_()
    assert ratio.plot(study="a").get_xscale() == "log"
    assert "All 31 subsets of 5 studies" in str(ratio)
