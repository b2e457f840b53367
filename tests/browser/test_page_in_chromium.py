"""The page in a real browser: no error, no request, accessible, and its controls do what they say."""

import os
import re
import shutil
from pathlib import Path

import pytest

import vertebro_outcomes as vo
from tests import shipped
from vertebro_outcomes.report.build import PAGE
from vertebro_outcomes.report.digest import inputs_of

ROOT = Path(__file__).parents[2]
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = pytest.mark.filterwarnings("ignore")
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    vo.build_report(
        shipped.literature(),
        shipped.answers(),
        **shipped.examined(),
        claims=shipped.claims(),
        folder=folder,
        inputs=inputs_of(ROOT / "data" / "raw" / "literature"),
        formats=("html",),
    )
    return (folder / PAGE).as_uri()


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        reason = "no chromium on this machine: apt-get install chromium"
        assert not os.environ.get("CI"), reason
        pytest.skip(reason)
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as running:
        opened = running.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def open_page(browser, address):
    """Open the page and remember everything it complained about or asked for."""
    opened = []

    def go(**options):
        page = browser.new_page(**options)
        page.complaints, page.requests = [], []
        page.on("console", lambda message: page.complaints.append(message.text))
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("request", lambda request: page.requests.append(request.url))
        page.goto(address)
        opened.append(page)
        return page

    yield go
    for page in opened:
        page.close()


def test_no_error_and_no_request(open_page, address):
    page = open_page()
    assert page.complaints == []
    assert page.requests == [address]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_violation_of_wcag(open_page, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = open_page(color_scheme=scheme)
    # the sheets are long tables of one kind: one row of each is looked at
    page.evaluate(
        "document.querySelectorAll('tbody').forEach(b => [...b.rows].slice(3).forEach(r => r.remove()))"
    )
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    found = axe.Axe().run(page, options={"runOnly": {"type": "tag", "values": WCAG}})
    assert found.violations_count == 0, found.generate_report()


def test_links_inside_the_page_arrive(open_page):
    page = open_page()
    lost = page.evaluate(
        "[...document.querySelectorAll('a[href^=\"#\"]')].map(a => a.getAttribute('href').slice(1))"
        ".filter(id => !document.getElementById(id))"
    )
    assert lost == []


def test_a_click_on_a_heading_sorts_and_a_second_turns_it_round(open_page):
    page = open_page()
    table = page.locator("#table-summary_pain_vp_sham table")
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    button = table.locator("th", has_text="Result").locator("button")
    read = "t => [...t.tBodies[0].rows].map(r => r.cells[1].textContent.replace(/\u2212/g, '-'))"
    numbers = lambda: [float(re.search(r"-?\d+\.\d+", x)[0]) for x in table.evaluate(read)]  # noqa: E731
    button.focus()
    page.keyboard.press("Enter")
    assert numbers() == sorted(numbers())
    button.click()
    assert numbers() == sorted(numbers(), reverse=True)
    assert table.locator("th[aria-sort=descending]").count() == 1


def test_the_filter_keeps_rows_with_the_word(open_page):
    page = open_page()
    field = page.locator("#table-sheet_mcid").locator("xpath=preceding-sibling::label[1]//input")
    field.fill("firanescu")
    shown = page.locator("#table-sheet_mcid tbody tr:visible").all_inner_texts()
    assert 0 < len(shown) < 20
    assert all("firanescu" in text.lower() for text in shown)


def test_a_forest_plot_is_switched(open_page):
    page = open_page()
    group = page.locator(".switch", has=page.locator("#figure-pain_vp_sham_12m"))
    assert page.locator("#figure-pain_vp_sham_12m").is_visible()
    group.get_by_label("common effect", exact=True).check()
    assert page.locator("#figure-pain_vp_sham_12m__common").is_visible()
    assert not page.locator("#figure-pain_vp_sham_12m").is_visible()


def test_a_phone_does_not_scroll_sideways(open_page):
    page = open_page(viewport={"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_print_hides_the_controls(open_page):
    page = open_page()
    page.emulate_media(media="print")
    assert not page.locator("nav").is_visible()
    assert page.locator(".filter:visible").count() == 0
