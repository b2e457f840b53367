"""The report from the real literature: complete, self-contained, traceable, the same every time."""

import base64
import hashlib
import json
import re
import struct
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

import vertebro_outcomes as vo
from tests import shipped
from vertebro_outcomes.comparisons.registry_analysis import analyse_registry
from vertebro_outcomes.meta_analysis.check_reported import check_reported
from vertebro_outcomes.meta_analysis.claims import examine_claims
from vertebro_outcomes.meta_analysis.literature_network import (
    LITERATURE_NETWORKS,
    literature_network,
)
from vertebro_outcomes.meta_analysis.reproduce_literature import reproduce_literature
from vertebro_outcomes.report.build import PAGE, PDF, build_report
from vertebro_outcomes.report.digest import inputs_of
from vertebro_outcomes.report.section import sections
from vertebro_outcomes.simulate.registry import simulate_registry

ROOT = Path(__file__).parents[3]
VOID = {"input", "meta", "br", "link", "img", "hr"}


class Page(HTMLParser):
    """Ids, links, attributes and text of a page; complains about tags that do not close."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.ids, self.links, self.tags, self.words = Counter(), [], [], []
        self.open = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.tags.append((tag, attributes))
        if "id" in attributes:
            self.ids[attributes["id"]] += 1
        if tag == "a":
            self.links.append(attributes["href"])
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture(scope="session")
def study():
    return shipped.literature(), shipped.answers()


@pytest.fixture(scope="session")
def inputs():
    return inputs_of(ROOT / "data" / "raw")


@pytest.fixture(scope="session")
def registries():
    cohort, _ = simulate_registry(n_patients=800, seed=1, scenario="randomised")
    return (analyse_registry(cohort),)


@pytest.fixture(scope="session")
def folder(study, registries, inputs, tmp_path_factory):
    target = tmp_path_factory.mktemp("reports")
    build_report(
        *study,
        **shipped.examined(),
        claims=shipped.claims(),
        networks=shipped.networks(),
        folder=target,
        inputs=inputs,
        registries=registries,
    )
    return target


@pytest.fixture(scope="session")
def html(folder):
    return (folder / PAGE).read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def page(html):
    return Page(html)


def files_of(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_every_section_is_there_in_order(html):
    titles = re.findall(r'<h2 id="[^"]+">([^<]+)</h2>', html)
    assert titles == [section.title for section in sections()]
    assert len(titles) >= 9
    assert titles[0] == "What was found"
    bodies = re.findall(r"<section .*?</section>", html, flags=re.DOTALL)
    assert all(len(re.sub(r"<[^>]+>", "", body)) > 300 for body in bodies)


def test_every_question_has_its_analysis(page, study):
    for question, found in study[1]:
        identity = question.id.replace("_", "-")
        assert page.ids[f"analysis-{identity}"] == 1, question.id
        assert (page.ids[f"figure-{question.id}"] == 1) == (found.pooled is not None)
        assert page.ids[f"table-{question.id}_left_out"] == bool(len(found.left_out))


def test_at_least_six_forest_plots_of_more_than_one_study(study, folder):
    drawn = [path.stem for path in (folder / "figures").glob("*.svg")]
    pooled = {q.id for q, found in study[1] if found.k > 1}
    assert len(pooled & set(drawn)) >= 6


def test_ids_are_unique_and_links_arrive(page):
    assert [name for name, n in page.ids.items() if n > 1] == []
    targets = {target[1:] for target in page.links if target.startswith("#")}
    assert targets <= set(page.ids)
    outside = {target for target in page.links if not target.startswith("#")}
    assert all(re.match(r"https?://\S+$", target) for target in outside)


def test_every_study_row_leads_to_the_raw_row_it_rests_on(study, folder, page):
    literature, answers = study
    for question, found in answers:
        lines = ", ".join([*found.entered["source_lines"], *found.left_out["source_lines"]])
        for line in filter(None, lines.split(", ")):
            identity = line.replace(".csv:", "-csv-").replace("_", "-")
            assert page.ids[identity] == 1, (question.id, line)
            assert len(literature.trace(line)) > 5
        if found.pooled is not None:
            table = pd.read_csv(folder / "tables" / f"{question.id}.csv")
            assert table["source_lines"].notna().all()


def test_the_appendix_prints_the_raw_cells(html):
    sheet = pd.read_csv(ROOT / "data/raw/literature/contrasts.csv", dtype=str).iloc[0]
    row = re.search(r'<tr id="contrasts-csv-2">.*?</tr>', html, flags=re.DOTALL).group()
    assert f"estimate {sheet['estimate']}; ci_low {sheet['ci_low']}" in row
    assert sheet["source_url"] in row
    assert sheet["verification"] in row


def test_nothing_is_fetched(html, page):
    for tag, attributes in page.tags:
        assert tag not in {"iframe", "link", "img", "object", "embed", "video", "audio"}
        if tag != "a":
            assert not {"src", "srcset", "action", "data", "poster"} & set(attributes), tag
            assert "http" not in str(attributes.get("href", "")), tag
        assert not [name for name in attributes if name.startswith("on")]
    assert "@import" not in html
    assert not re.findall(r"url\((?!#)", html)
    assert [a for tag, a in page.tags if tag == "script"] == [{}]
    policies = [a["content"] for t, a in page.tags if a.get("http-equiv")]
    assert policies
    assert policies[0].startswith("default-src 'none'")


def test_no_place_and_no_date_of_this_machine(folder):
    for name, content in files_of(folder).items():
        text = content.decode("utf-8", errors="replace")
        assert str(ROOT) not in text, name
        assert "/tmp/" not in text, name
        assert str(Path.home()) + "/" not in text, name


def test_what_assistive_software_needs(html, page):
    tags = [tag for tag, _ in page.tags]
    assert '<html lang="en">' in html
    assert tags.count("h1") == 1
    assert tags.count("main") == 1
    assert ("a", {"class": "skip", "href": "#main"}) in page.tags
    pictures = [a for tag, a in page.tags if tag == "svg"]
    assert pictures
    assert all(a["role"] == "img" and len(a["aria-label"]) > 40 for a in pictures)
    assert tags.count("fieldset") == tags.count("legend") >= 6
    assert tags.count("figure") == tags.count("figcaption") == len(pictures)
    assert tags.count("table") == tags.count("caption")
    assert {a.get("scope") for tag, a in page.tags if tag == "th"} == {"row", "col"}
    regions = [a["aria-label"] for _, a in page.tags if a.get("role") == "region"]
    assert len(regions) == len(set(regions))


def test_findings_in_words_carry_the_numbers_of_the_results(study, page):
    words = " ".join("".join(page.words).split())
    by_id = {question.id: found for question, found in study[1]}
    fit = by_id["pain_vp_sham_12m"].pooled
    low, high = (f"{x:.2f}".replace("-", "−") for x in (fit.ci_low, fit.ci_high))
    estimate = f"{fit.estimate:.2f}".replace("-", "−")
    assert f"Mean difference {estimate} points ({low} to {high})" in words


def test_tables_and_figures_stand_beside_the_page(folder, html):
    named = set(re.findall(r'id="table-([^"]+)"', html))
    assert {path.stem for path in (folder / "tables").iterdir()} == named
    for path in (folder / "tables").iterdir():
        assert len(path.read_bytes()) > 5
    svgs = {path.stem for path in (folder / "figures").glob("*.svg")}
    assert {path.stem for path in (folder / "figures").glob("*.png")} == svgs
    assert svgs == set(re.findall(r'<figure id="figure-([^"]+)"', html))


def test_pictures_for_slides_are_legible_and_small(folder):
    sizes = []
    for path in sorted((folder / "figures").glob("*.png")):
        content = path.read_bytes()
        assert content.startswith(b"\x89PNG\r\n\x1a\n"), path.name
        width, height = struct.unpack(">II", content[16:24])
        box = re.search(
            r'viewBox="0 0 ([\d.]+) ([\d.]+)"', path.with_suffix(".svg").read_text("utf-8")
        )
        assert abs(width - 2 * float(box[1])) <= 2, path.name  # points at twice 72 to the inch
        assert abs(height - 2 * float(box[2])) <= 2, path.name
        sizes.append(len(content))
    assert len(sizes) > 50
    assert max(sizes) < 500_000
    assert sum(sizes) < 10_000_000


def test_the_record_names_every_file(folder):
    record = json.loads((folder / "provenance.json").read_text())
    assert set(record["outputs"]) == set(files_of(folder)) - {"provenance.json"}
    assert "literature/studies.csv" in record["inputs"]["data"]


@pytest.mark.slow  # tests/reliability/test_same_bytes.py asks for more
def test_twice_the_same_bytes(study, registries, inputs, folder, tmp_path):
    build_report(
        *study,
        findings=check_reported(study[0]),
        reproduction=reproduce_literature(study[0]),
        claims=examine_claims(study[0], answers=study[1]),
        networks=[(q, literature_network(q, study[0])) for q in LITERATURE_NETWORKS],
        folder=tmp_path,
        inputs=inputs,
        registries=registries,
    )
    first, second = files_of(folder), files_of(tmp_path)
    assert sorted(first) == sorted(second)
    assert [name for name in first if first[name] != second[name]] == []


def test_style_blocks_are_closed(html):
    style = re.search(r"<style>(.*?)</style>", html, flags=re.DOTALL).group(1)
    depth = 0
    for sign in re.findall(r"[{}]", style):
        depth += 1 if sign == "{" else -1
        assert 0 <= depth <= 2
    assert depth == 0


def test_the_page_is_small_enough_for_mail(html):
    assert len(html.encode()) < 8_000_000


def test_the_script_is_the_only_one_the_policy_allows(html):
    script = re.search(r"<script>(.*?)</script>", html, flags=re.DOTALL).group(1)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in html
    assert "unsafe-inline'; script" not in html


def test_the_pdf_holds_every_section(folder):
    pdf = (folder / PDF).read_bytes()
    assert pdf.startswith(b"%PDF")
    assert len(pdf) < 12_000_000


def test_a_forest_plot_can_be_switched_to_common_effect(study, folder, html):
    by_id = {question.id: found for question, found in study[1]}
    for name in ("pain_vp_sham_12m", "pain_vp_sham_12m__common", "pain_vp_sham_12m__open"):
        assert (folder / "figures" / f"{name}.svg").is_file()
        assert f'id="figure-{name}"' in html
    fit = by_id["leakage_vp"].pooled
    common = vo.pool(by_id["leakage_vp"].entered, method="EE", measure="PLO")
    assert common.estimate != fit.estimate
    block = html[html.index('id="figure-leakage_vp__common"') :][:60_000]
    assert f"{100 * common.natural(common.estimate):.1f}%" in block
