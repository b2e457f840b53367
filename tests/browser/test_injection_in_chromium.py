"""Text from files is text: in the page, in pictures opened by themselves, in tables, in the PDF."""

import json
import os
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

import vertebro_outcomes as vo
from vertebro_outcomes.report.build import PAGE, PDF
from vertebro_outcomes.report.digest import inputs_of
from vertebro_outcomes.report.make import make_report
from vertebro_outcomes.report.settings import ReportSettings

ROOT = Path(__file__).parents[2]
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = pytest.mark.filterwarnings("ignore")
BAIT = '<img src=x onerror="hit()">\'"</script></svg></style><script>hit()</script>{{7*7}}#[x] $\\frac{$ ]]>'
NAME = "<b onclick=hit()>$x^2 & co$"
SECTIONS = (
    "what-was-found", "evidence-map", "disability-vertebroplasty-against-sham", "mortality",
    "claims-examined", "the-registry", "registry-pain", "registry-complications-and-fractures",
    "published-reviews-computed-again", "contradictions-and-corrections", "data-rows",
)  # fmt: skip


def baited(frame, *columns):
    for name in columns:
        if name in frame:
            frame[name] = [f"={BAIT}{cell}" for cell in frame[name]]
    return frame


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """A report whose every free text is hostile."""
    place = tmp_path_factory.mktemp("hostile")
    raw = place / "raw"
    shutil.copytree(ROOT / "data" / "raw" / "literature", raw / "literature")
    for path in (raw / "literature").glob("*.csv"):
        rows = pd.read_csv(path, dtype=str, keep_default_na=False)
        baited(rows, "label", "trial_name", "population", "country", "journal", "registration", "claim",
               "source_locator", "timepoint_label", "subgroup", "description", "source_document")  # fmt: skip
        for name, bad in (("source_url", "javascript:hit()"), ("doi", '"><script>hit()</script>')):
            if name in rows:
                rows[name] = bad
        if "source_url" in rows:
            rows.loc[rows.index[::2], "source_url"] = 'https://example.org/" onmouseover="hit()'
        rows.to_csv(path, index=False)
    cohort, _ = vo.simulate_registry(n_patients=400, seed=4, scenario="randomised")
    frames = {
        name: cohort.frame(name)
        for name in ("patients", "episodes", "scores", "events", "fractures")
    }
    frames["patients"]["site"] = [f"{BAIT}{i % 3}" for i in range(len(frames["patients"]))]
    frames["events"]["type"] = [
        kind if i % 5 else "other_complication" for i, kind in enumerate(frames["events"]["type"])
    ]
    own = vo.Cohort.from_frames(**frames, name=NAME)
    own.write(raw / "registries" / NAME)
    (raw / "registries" / f"{NAME} 2").mkdir()  # cannot be read
    settings = ReportSettings(title=f"Title {BAIT}", sections=SECTIONS)
    make_report(raw, output=place / "out", inputs=inputs_of(raw, settings=settings.record()),
                settings=settings)  # fmt: skip
    return place / "out"


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


def visited(browser, address):
    """What a page did: scripts that ran, complaints, requests."""
    page = browser.new_page()
    page.add_init_script("window.hits = 0; window.hit = () => { window.hits += 1; };")
    page.complaints, page.requests = [], []
    page.on("dialog", lambda dialog: page.complaints.append(dialog.message))
    page.on("console", lambda message: page.complaints.append(message.text))
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("request", lambda request: page.requests.append(request.url))
    page.goto(address)
    return page


def test_the_bait_is_in_the_report_as_text(report):
    page = (report / PAGE).read_text("utf-8")
    assert page.count("&lt;script&gt;hit()") > 100
    assert page.count("<script>") == 1
    assert NAME not in page
    assert "&lt;b onclick=hit()&gt;" in page


def test_nothing_in_the_page_runs_and_nothing_is_asked_for(report, browser):
    address = (report / PAGE).as_uri()
    page = visited(browser, address)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    for selector in ("th[scope=row]", "a", "figure", "caption"):
        for place in page.locator(selector).all()[:5]:
            place.dispatch_event("mouseover")
            place.dispatch_event("click")
    assert page.evaluate("window.hits") == 0
    assert page.complaints == []
    assert page.requests == [address]
    assert page.locator("img, iframe, object, embed").count() == 0
    assert page.locator("script").count() == 1
    assert page.evaluate(
        "[...document.querySelectorAll('*')].filter(e => [...e.attributes].some(a => /^on/i.test(a.name)))"
        ".length"
    ) == 0  # fmt: skip
    schemes = page.evaluate(
        "[...new Set([...document.querySelectorAll('a')].map(a => a.protocol))]"
    )
    assert set(schemes) <= {"file:", "https:", "http:"}
    page.close()


def test_the_policy_of_the_page_stops_what_would_slip_through(report, browser, tmp_path):
    """Were something forgotten, the browser would still refuse it: a script, a handler, a request."""
    page = (report / PAGE).read_text("utf-8")
    slipped = (
        "<script>hit()</script><img src=x onerror=hit()><svg onload=hit()></svg>"
        '<a id="trap" href="javascript:hit()">here</a><iframe src="https://example.org"></iframe>'
    )
    assert page.count("<main") == 1
    path = tmp_path / PAGE
    path.write_text(re.sub(r"(<main[^>]*>)", lambda m: m[1] + slipped, page), "utf-8")
    opened = visited(browser, path.as_uri())
    opened.evaluate("document.getElementById('trap').click()")
    assert opened.evaluate("window.hits") == 0
    refused = " ".join(said for said in opened.complaints if "Content Security Policy" in said)
    for directive in ("script-src", "img-src", "default-src"):
        assert directive in refused, opened.complaints
    assert opened.complaints == [s for s in opened.complaints if "Content Security Policy" in s]
    opened.close()


def test_pictures_opened_by_themselves_run_nothing(report, browser):
    pictures = sorted((report / "figures").glob("*.svg"))
    named = [path for path in pictures if "&lt;img" in path.read_text("utf-8")]
    assert len(pictures) > 10
    assert len(named) > 3
    for path in named:
        page = visited(browser, path.as_uri())
        assert page.evaluate("window.hits") == 0, path.name
        assert page.locator("script, foreignObject, img").count() == 0, path.name
        assert page.complaints == [], path.name
        page.close()


def test_tables_and_record_hold_it_as_text(report):
    for path in sorted((report / "tables").glob("*.csv")):
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
        cells = [*frame.columns, *frame.to_numpy().ravel()]
        formulas = [c for c in cells if re.match(r"[=@+\t\r]|-(?![\d.,])", c)]
        assert formulas == [], (path.name, formulas[:2])
    record = json.loads((report / "provenance.json").read_text())
    assert any(NAME in name for name in record["inputs"]["data"])
    assert (report / PDF).read_bytes().startswith(b"%PDF")
