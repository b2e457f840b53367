"""Prose is bound to results and escaped."""

import pytest
from markupsafe import Markup

from vertebro_outcomes.report.blocks import anchor, bound, bullets, link, prose


def test_values_are_escaped_and_markup_is_kept():
    block = prose("{a} and {b}", a="<i>1</i>", b=link("#x", "row 2 & 3"))
    assert block.html == ('<p>&lt;i&gt;1&lt;/i&gt; and <a href="#x">row 2 &amp; 3</a></p>')


@pytest.mark.parametrize("template", ["about 3 trials", "<b>5</b>", "{x} of 10"])
def test_a_number_by_hand_stops_the_build(template):
    with pytest.raises(AssertionError, match="unbound number"):
        prose(template, x=1)


def test_digits_in_names_tags_and_entities_are_no_numbers():
    assert bound('<a href="#h2">{x1}</a>&#8211;', x1=7) == '<a href="#h2">7</a>&#8211;'


def test_bullets():
    block = bullets([bound("{x}", x="<"), Markup("<b>b</b>")])
    assert block.html == "<ul><li>&lt;</li><li><b>b</b></li></ul>"


@pytest.mark.parametrize(
    ("text", "identity"),
    [("contrasts.csv:12", "contrasts-csv-12"), ("Pain: VP vs sham?", "pain-vp-vs-sham")],
)
def test_anchor(text, identity):
    assert anchor(text) == identity
