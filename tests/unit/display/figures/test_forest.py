"""The forest plot: rows, words and marks that must be on it, the same bytes every time."""

import math
import re
import sys

import numpy as np
import pandas as pd
import pytest

from vertebro_outcomes.display.figures.forest import forest
from vertebro_outcomes.display.figures.svg import inline_svg, save_svg

POOLED = {
    "label": "Random effects (REML)",
    "estimate": 0.74,
    "ci_low": 0.55,
    "ci_high": 1.01,
    "prediction_low": 0.40,
    "prediction_high": 1.60,
    "tau2": 0.03,
    "i2_pct": 32.0,
    "q": 10.2,
    "q_df": 7,
    "q_p_value": 0.18,
    "p_value": 0.03,
}


def trials(k):
    step = np.linspace(-0.8, 0.5, k) if k > 1 else np.zeros(1)
    return pd.DataFrame(
        {
            "study": [f"Trial {i:02d}" for i in range(k)],
            "effect": np.exp(step),
            "ci_low": np.exp(step - 0.5),
            "ci_high": np.exp(step + 0.5),
            "weight_pct": np.full(k, 100.0 / k),
            "events_t": np.arange(k),
            "n_t": np.arange(k) + 40,
            "events_c": np.arange(k) + 2,
            "n_c": np.arange(k) + 50,
        }
    )


def draw(k, **changes):
    options = {"measure": "RR", "arms": ("VP", "SHAM"), "better": "lower", **changes}
    return forest(trials(k), POOLED | {"k": k}, **options)


def words(ax):
    return [text.get_text() for text in ax.texts]


def squares(ax):
    return [line for line in ax.lines if line.get_marker() == "s"]


@pytest.mark.parametrize("k", [1, 2, 8, 60])
def test_every_study_has_a_label_a_square_and_its_numbers(k):
    ax = draw(k)
    said = words(ax)
    assert [text for text in said if text.startswith("Trial")] == list(trials(k)["study"])
    assert len(squares(ax)) == k
    assert f"{k - 1}/{k + 39}" in said
    assert sum(text.endswith("%") for text in said) == (k if k > 1 else 0)


@pytest.mark.parametrize("k", [2, 8, 60])
def test_columns_line_up_and_nothing_leaves_the_figure(k):
    ax = draw(k)
    figure = ax.figure
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in ax.texts if text.get_text()]
    assert min(box.x0 for box in boxes) >= 0
    assert max(box.x1 for box in boxes) <= figure.bbox.width
    assert min(box.y0 for box in boxes) >= 0
    assert max(box.y1 for box in boxes) <= figure.bbox.height
    for i, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[i + 1 :]), ax.texts[i]
    labels = [t.get_window_extent().x0 for t in ax.texts if t.get_text().startswith("Trial")]
    assert np.ptp(labels) == pytest.approx(0, abs=0.01)


def test_what_stands_below_the_studies():
    said = words(draw(8))
    assert "Random effects (REML)" in said
    assert "0.74 (0.55 to 1.01)" in said
    assert "(0.40 to 1.60)" in said
    assert (
        "Heterogeneity: τ² = 0.030; I² = 32%; Q = 10.2, df = 7 (P = 0.18). "
        "Test of no effect: P = 0.03" in said
    )
    assert "28/348" in said  # events and patients of all treatment arms


def test_one_study_is_not_pooled():
    ax = draw(1)
    said = words(ax)
    assert "One study: nothing to pool" in said
    assert not any("Random effects" in text or "Heterogeneity" in text for text in said)
    assert not ax.patches


def test_rows_that_are_no_studies_of_one_question():
    ax = forest(trials(3), {"k": 0}, measure="RR", arms=("VP", "SHAM"), heading="When")
    said = words(ax)
    assert "When" in said
    assert "Study" not in said
    assert not any("pool" in text.lower() or "Heterogeneity" in text for text in said)
    assert not ax.patches


@pytest.mark.parametrize(
    ("better", "left", "right"),
    [
        ("lower", "← favours VP", "favours SHAM →"),
        ("higher", "← favours SHAM", "favours VP →"),
        (None, "← lower with VP", "higher with VP →"),
    ],
)
def test_favours_labels_know_what_is_good(better, left, right):
    by_text = {text.get_text(): text for text in draw(8, better=better).texts}
    assert by_text[left].get_ha() == "right"
    assert by_text[right].get_ha() == "left"


def test_a_cut_interval_ends_in_an_arrow():
    studies = trials(8)
    assert not [line for line in draw(8).lines if line.get_marker() in "<>"]
    studies.loc[3, ["ci_low", "ci_high"]] = [0.0001, 10000.0]
    ax = forest(studies, POOLED | {"k": 8}, measure="RR", arms=("VP", "SHAM"))
    assert [line.get_marker() for line in ax.lines if line.get_marker() in ("<", ">")] == ["<", ">"]
    low, high = ax.get_xlim()
    assert low > 0.0001
    assert high < 10000


def test_marked_rows_are_hollow_and_explained():
    studies = trials(4).assign(mark=["", "†", "", ""])
    note = "† interval computed from a P value"
    ax = forest(studies, POOLED | {"k": 4}, measure="RR", arms=("VP", "SHAM"), notes=[note])
    assert "Trial 01 †" in words(ax)
    assert note in words(ax)
    assert [s.get_markerfacecolor() == "white" for s in squares(ax)] == [False, True, False, False]


def test_squares_have_areas_in_proportion_to_weights():
    studies = trials(2).assign(weight_pct=[80.0, 20.0])
    big, small = squares(forest(studies, POOLED | {"k": 2}, measure="RR", arms=("VP", "SHAM")))
    assert (big.get_markersize() / small.get_markersize()) ** 2 == pytest.approx(4.0)


def test_a_study_without_an_effect_stays_visible():
    studies = trials(3)
    studies.loc[1, ["effect", "ci_low", "ci_high", "weight_pct"]] = math.nan
    ax = forest(studies, POOLED | {"k": 2}, measure="RR", arms=("VP", "SHAM"))
    assert "not estimable" in words(ax)
    assert len(squares(ax)) == 2


def test_proportions_have_percent_and_no_favours():
    studies = pd.DataFrame(
        {
            "study": ["A", "B"],
            "effect": [0.02, 0.1],
            "ci_low": [0.01, 0.05],
            "ci_high": [0.05, 0.2],
            "weight_pct": [60.0, 40.0],
            "events": [2, 8],
            "n": [100, 80],
        }
    )
    pooled = POOLED | {"k": 2, "estimate": 0.05, "ci_low": 0.02, "ci_high": 0.1}
    ax = forest(studies, pooled | {"prediction_low": math.nan}, measure="PLO", arms=("VP",))
    said = words(ax)
    assert "5.0% (2.0% to 10.0%)" in said
    assert {"2/100", "8/80", "10/180"} <= set(said)
    assert not any("favours" in text or "no effect" in text for text in said)
    assert ax.get_xlim()[0] >= 0


def test_ratios_have_a_log_axis_with_one_on_it():
    ax = draw(8)
    assert ax.get_xscale() == "log"
    assert 1.0 in ax.get_xticks()


def test_long_labels_are_cut_between_words():
    long = "Chinese-language quasi-randomised trial (record 540242073, authors not shown)"
    ax = forest(
        trials(2).assign(study=[long, "B"]), POOLED | {"k": 2}, measure="RR", arms=("VP", "SHAM")
    )
    assert "Chinese-language quasi-randomised\ntrial (record 540242073, authors…" in words(ax)


def test_same_bytes_and_no_date():
    first, second = save_svg(draw(8).figure), save_svg(draw(8).figure)
    assert first == second
    assert "<metadata" not in first
    assert not re.search(r"\b20\d\d-\d\d-\d\d", first)
    assert "Trial 03" in first  # text stays text


def test_inside_a_page_ids_are_its_own():
    svg = inline_svg(save_svg(draw(3).figure), identity="pain", label='A "finding"')
    assert svg.startswith('<svg role="img" aria-label="A &#34;finding&#34;"')
    ids = re.findall(r'\bid="([^"]+)"', svg)
    assert ids
    assert len(ids) == len(set(ids))
    assert all(name.startswith("pain-") for name in ids)
    used = re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', svg)
    assert {a or b for a, b in used} <= set(ids)
    assert "http" not in svg


def test_pyplot_is_left_alone():
    draw(2)
    assert (
        "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()
    )


def test_an_axes_of_the_caller_is_used():
    from matplotlib.figure import Figure

    mine = Figure(figsize=(9, 3)).add_axes((0.3, 0.3, 0.3, 0.6))
    assert draw(3, ax=mine) is mine


@pytest.mark.parametrize("long", [False, True])
def test_no_letter_is_below_seven_points_on_a_page_510_points_wide(long):
    rows = trials(3).rename(columns={"events_t": "mean_t", "events_c": "mean_c"})
    rows = rows.assign(mean_t=-7.1, mean_c=4.2, sd_t=2.5, sd_c=2.6, mark="†")
    if long:
        rows["study"] = ["VP vs KP, 64 patients 2014-2015 (Chinese abstract, authors)"] * 3
    ax = forest(rows, POOLED | {"k": 3}, measure="MD", arms=("VP", "SHAM"), better="lower")
    figure = ax.figure
    figure.canvas.draw()
    widest = figure.get_size_inches()[0] * 72.0
    letters = min(text.get_fontsize() for text in ax.texts)
    assert letters * min(1.0, 510.0 / widest) >= 7.0
    edges = [text.get_window_extent() for text in ax.texts]
    assert min(box.x0 for box in edges) >= 0
    assert max(box.x1 for box in edges) <= figure.bbox.width
    if long:
        rows_in = [text for text in ax.texts if text.get_text().startswith("VP vs KP")]
        heights = [text.get_window_extent() for text in rows_in]
        assert all("\n" in text.get_text() for text in rows_in)
        assert heights[0].y0 > heights[1].y1 > heights[1].y0 > heights[2].y1
