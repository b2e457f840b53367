"""The flow chart: every box, who left beside it, nothing that is hidden, the mark on the picture."""

import pandas as pd

from vertebro_outcomes.display.figures.flow_chart import draw_flow

CHART = pd.DataFrame(
    {
        "step": ["first episode", "no score for day 90", "too few like them"],
        "n_t": [1010, 819, "hidden"],
        "n_c": [305, 240, "hidden"],
    }
)


def test_boxes_hold_who_is_left_and_the_sides_who_left():
    ax = draw_flow(
        CHART,
        {"n_t": "KP", "n_c": "VP"},
        first="all",
        total="1,315",
        last="compared",
        mark="synthetic",
    )
    said = [text.get_text() for text in ax.texts]
    assert {"all\n1,315", "KP\n1,010", "VP\n305", "KP\n819", "VP\n240", "compared"} <= set(said)
    assert "no score for day 90\nleft: KP 191, VP 65" in said
    assert "too few like them\nleft: KP hidden, VP hidden" in said
    assert "synthetic" in said
    arrows = [text for text in ax.texts if getattr(text, "arrow_patch", None) is not None]
    assert len(arrows) == 2 + 2 * 3 + 1  # to the arms, two steps each with its side, to the end


def test_nothing_overlaps_and_nothing_runs_off():
    ax = draw_flow(CHART, {"n_t": "KP", "n_c": "VP"}, first="all", last="compared")
    figure = ax.figure
    figure.canvas.draw()
    boxes = [text.get_window_extent() for text in ax.texts if text.get_text()]
    for i, one in enumerate(boxes):
        assert one.x0 >= 0
        assert one.y0 >= 0
        assert one.x1 <= figure.bbox.width
        assert one.y1 <= figure.bbox.height
        assert not any(one.overlaps(other) for other in boxes[i + 1 :])


def test_one_line_is_a_fork_without_sides():
    ax = draw_flow(CHART.head(1), {"n_t": "KP", "n_c": "VP"}, first="all")
    assert len([text for text in ax.texts if text.get_text()]) == 3
