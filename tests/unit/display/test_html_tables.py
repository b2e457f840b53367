"""Frames as HTML: structure for assistive software, nothing unescaped, the same bytes."""

from xml.etree import ElementTree

import numpy as np
import pandas as pd
from markupsafe import Markup

from vertebro_outcomes.display.tables import html_table

TRIALS = pd.DataFrame(
    {
        "study": ["Klazen 2010", "<script>alert('x')</script>"],
        "n": [202, 1234],
        "effect": [-1.25, np.nan],
        "row": [Markup('<a href="#r-1">1</a>'), "a & b"],
        "anchor": ["t-1", 'x" onclick="y'],
    }
)


def parsed(html: str) -> ElementTree.Element:
    return ElementTree.fromstring(html)


def test_structure():
    table = parsed(html_table(TRIALS, caption="Trials", labels={"n": "Patients"}))
    assert table.findtext("caption") == "Trials"
    heads = table.findall("thead/tr/th")
    assert [h.text for h in heads] == ["study", "Patients", "effect", "row", "anchor"]
    assert {h.get("scope") for h in heads} == {"col"}
    rows = table.findall("tbody/tr")
    assert len(rows) == 2
    assert [row.find("th").get("scope") for row in rows] == ["row", "row"]
    assert [h.get("class") for h in heads] == [None, "num", "num", None, None]


def test_text_is_escaped_and_markup_is_kept():
    html = html_table(TRIALS, caption="<b>Trials</b>", row_ids="anchor")
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "<b>" not in html
    table = parsed(html)
    assert table.find("tbody/tr/td/a").get("href") == "#r-1"
    assert [row.get("id") for row in table.findall("tbody/tr")] == ["t-1", 'x" onclick="y']
    assert "anchor" not in [h.text for h in table.findall("thead/tr/th")]


def test_numbers_and_missing_values():
    cells = [td.text for td in parsed(html_table(TRIALS, caption="c")).findall("tbody/tr/td")]
    assert cells[:2] == ["202", "−1.250"]
    assert cells[4:6] == ["1,234", "–"]


def test_the_row_header_can_be_chosen():
    table = parsed(html_table(TRIALS, caption="c", row_header="n"))
    assert table.findtext("tbody/tr/th") == "202"


def test_an_empty_frame_is_an_empty_table():
    table = parsed(html_table(TRIALS.iloc[:0], caption="nothing"))
    assert table.findall("tbody/tr") == []
    assert len(table.findall("thead/tr/th")) == 5


def test_same_bytes():
    assert html_table(TRIALS, caption="c") == html_table(TRIALS.copy(), caption="c")
