"""A pooled effect draws and describes itself on the reader's scale."""

import math

import numpy as np
import pandas as pd
import pytest

from vertebro_outcomes.meta_analysis.pool import pool

LOG_RATIOS = pd.DataFrame(
    {"study": ["A", "<B>", "C"], "effect": np.log([0.5, 0.8, 2.0]), "variance": [0.04, 0.09, 0.25]}
)


def test_study_intervals_on_the_ratio_scale():
    rows = pool(LOG_RATIOS, measure="RR").studies_natural
    assert rows["effect"].tolist() == pytest.approx([0.5, 0.8, 2.0])
    assert rows["ci_low"][0] == pytest.approx(math.exp(math.log(0.5) - 1.959963984540054 * 0.2))
    assert rows["ci_high"][2] == pytest.approx(math.exp(math.log(2.0) + 1.959963984540054 * 0.5))


def test_html_is_escaped_and_lists_what_was_left_out():
    es = pd.concat(
        [LOG_RATIOS, pd.DataFrame({"study": ["D"], "effect": [np.nan], "variance": [1]})]
    )
    html = pool(es, measure="RR")._repr_html_()
    assert "&lt;B&gt;" in html
    assert "<B>" not in html
    assert "Left out" in html
    assert "<li>D: " in html
    assert "0.50 (0.34 to 0.74)" in html


@pytest.mark.parametrize(
    ("method", "label"), [("EE", "Common effect"), ("DL", "Random effects (DL)")]
)
def test_plot(method, label):
    fit = pool(LOG_RATIOS, measure="RR", method=method)
    ax = fit.plot(arms=("VP", "SHAM"), better="lower")
    said = [text.get_text() for text in ax.texts]
    assert label in said
    assert "← favours VP" in said
    assert ax.get_xscale() == "log"


def test_plot_of_one_study():
    said = [text.get_text() for text in pool(LOG_RATIOS.iloc[:1], measure="RR").plot().texts]
    assert "One study: nothing to pool" in said
