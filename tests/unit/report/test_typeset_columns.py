"""Columns of a typeset table: they fill the line, and none is too narrow for its words."""

import pytest

from vertebro_outcomes.report.typeset_columns import column_widths

TEXTS = [["possible", "likely"], ["a long text " * 20] * 2, ["1"] * 2]


def test_the_widths_fill_the_line_and_hold_the_longest_word():
    widths = column_widths(TEXTS, ["How sure", "What", "k"], line_pt=300.0, letter_pt=8.0)
    assert sum(widths) == pytest.approx(300.0, abs=1e-9)
    assert widths[0] >= 7.0 + 0.5 * 8.0 * len("possible")
    assert widths[1] == max(widths)


def test_on_a_line_too_short_for_the_words_all_shrink_alike():
    wide = column_widths(TEXTS, ["a", "b", "c"], line_pt=40.0, letter_pt=8.0)
    assert sum(wide) == pytest.approx(40.0, abs=1e-9)
    assert min(wide) > 0
