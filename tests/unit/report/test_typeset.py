"""On paper: what waits behind a line is said in short, dead links are words, captions repeat nothing."""

import pandas as pd
import pytest
from markupsafe import Markup

from vertebro_outcomes.report.blocks import Fold, Heading, Paper, TableBlock, link, prose
from vertebro_outcomes.report.page import render, render_page
from vertebro_outcomes.report.rendered import Rendered, render_section
from vertebro_outcomes.report.sections.data_rows import _on_paper
from vertebro_outcomes.report.typeset import as_png, render_pdf, typst_source

TABLE = TableBlock("t", pd.DataFrame({"a": ["x"]}), pd.DataFrame({"a": ["=x"]}), "Where it stands")
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 30 20" width="30pt" height="20pt"/>'


def source(*blocks, title="T"):
    part = render_section("Part", "part", blocks)
    return typst_source([part.typst], title=title, lead="lead", closing="closing")


def test_a_fold_is_printed_whole_or_in_short():
    assert "Where it stands" in source(Fold("open me", (TABLE,)))
    short = source(Fold("open me", (TABLE,), printed=(prose("in short"),)))
    assert "in short" in short
    assert "Where it stands" not in short
    assert render_section("Part", "part", (Fold("o", (TABLE,), printed=(prose("s"),)),)).files == {
        "tables/t.csv": b"a\n'=x\n"
    }


def test_a_caption_that_repeats_its_heading_is_for_screen_readers_only():
    quiet = TableBlock("t", TABLE.shown, TABLE.data, "Said above", repeats=True)
    assert '<caption class="unseen">Said above</caption>' in render(quiet)
    assert "<caption>Where it stands</caption>" in render(TABLE)
    assert "caption: none" in source(quiet)


def test_links_to_what_is_not_there_become_words():
    blocks = (
        Heading("Here", "here"), prose("{a} {b}", a=link("#here", "there"), b=link("#gone", "nowhere")),
    )  # fmt: skip
    text = source(*blocks)
    assert '#link(label("here"))[' in text
    assert "gone" not in text
    part = render_section("Part", "part", blocks)
    page = render_page([part], title="T", lead=Markup(""), closing=Markup(""))
    assert '<a href="#here">there</a> nowhere' in page


@pytest.mark.parametrize(
    "text", ['#link(label("gone"))[', '#label("x")', '"]; #panic("no") ["', "\\", "$x$ @y"]
)
def test_text_that_looks_like_markup_stays_text(text):
    document = source(prose("{x}", x=text), title=text)
    assert render_pdf(document, {}).startswith(b"%PDF")


def test_pictures_as_png_by_the_same_names():
    assert as_png({}) == {}
    first, second = as_png({"figures/a.svg": SVG}), as_png({"figures/a.svg": SVG})
    assert first == second
    assert first["figures/a.svg"].startswith(b"\x89PNG")


def test_a_section_comes_back_from_its_text():
    part = render_section("Part", "part", (TABLE, prose("<b>x</b>")))
    again = Rendered.from_json(part.to_json())
    assert again == part
    assert isinstance(again.html, Markup)


def test_paper_has_its_own_blocks_and_an_interval_is_not_broken():
    table = TableBlock(
        name="t", shown=pd.DataFrame({"a": ["-1 (0.1 to 0.2)"]}), data=pd.DataFrame({"a": [1]}), caption="c"
    )  # fmt: skip
    both = Paper((prose("on the screen"),), (prose("on paper"), table))
    text = source(both)
    assert "on paper" in text
    assert "on the screen" not in text
    assert "(0.1\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}0.2)" in text
    assert str(render(both)) == "<p>on the screen</p>"


def test_data_rows_of_the_paper_are_those_that_something_refers_to():
    shown = pd.DataFrame(
        {
            "row": ["s.csv:2", "s.csv:3"],
            "study": ["Ada", "Bo"],
            "where": ["", ""],
            "anchor": ["s-2", "s-3"],
        }
    )
    whole = TableBlock(name="s", shown=shown, data=shown, caption="c", row_ids="anchor")
    said, kept = _on_paper(whole)
    assert "Of 2 rows" in said.html
    assert "where" not in kept.shown
    text = source(prose("see {row}", row=link("#s-3", "it")), kept)
    assert "Bo" in text
    assert "Ada" not in text
    assert render_pdf(text, {}).startswith(b"%PDF")
    assert "Bo" not in source(kept)
    assert "refers to none of these rows" in source(kept)
    assert "Ada" in str(render(whole))


def test_text_stays_on_the_page_of_the_table_below_it_and_short_tables_are_not_divided():
    text = source(prose("far"), Heading("H", "h"), prose("near"), TABLE)
    assert '#leading[#"near";' in text
    assert '#leading[#"far";' not in text
    assert "together: true" in text
    many = pd.DataFrame({"a": ["x"] * 40})
    long = source(prose("word " * 200), TableBlock("t", many, many, "long"))
    assert "together: false" in long
    assert "#leading[" not in long.partition("#show: report")[2]
    assert render_pdf(long, {}).startswith(b"%PDF")
