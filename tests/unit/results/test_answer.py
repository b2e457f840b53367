"""An answer shows its trials, where each number stands, and what was left out."""

import matplotlib as mpl
import pytest

from tests.shipped import answer_of

mpl.use("Agg")


def test_the_html_holds_every_line_and_every_reason():
    answer = answer_of("pain_vp_sham_1m")
    html = answer._repr_html_()
    for line in (*answer.entered["source_lines"], *answer.left_out["source_lines"]):
        assert line in html
    assert "direction inferred" in html
    assert "other time point (12 months)" in html


def test_the_plot_is_a_forest_or_nothing():
    axes = answer_of("pain_vp_sham_12m").plot()
    assert axes is not None
    words = " ".join(text.get_text() for text in axes.figure.findobj(mpl.text.Text))
    assert "Carli 2023" in words
    assert answer_of("adjacent_kp_vp").plot() is None


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("pain_vp_sham_12m", "4 studies"),
        ("pain_vp_sham_6m", "one study, not pooled (Firanescu 2018)"),
        ("adjacent_kp_vp", "no study could enter"),
    ],
)
def test_the_sentence_says_how_many_studies_entered(name, words):
    assert words in str(answer_of(name))
    assert str(answer_of(name)).endswith("rows left out")
