"""vertebro.toml: every line does what the page about it says, and every mistake is named."""

import json
import re
import tomllib
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

import vertebro_outcomes as vo
from vertebro_outcomes.cli import app
from vertebro_outcomes.comparisons.registry_analysis import Strategy
from vertebro_outcomes.meta_analysis.certainty_by_rule import rate_certainty
from vertebro_outcomes.report.build import PAGE, build_report
from vertebro_outcomes.report.digest import inputs_of
from vertebro_outcomes.report.registries import analyse_registries
from vertebro_outcomes.report.settings import ReportSettings
from vertebro_outcomes.report.wording import against_worthwhile

ROOT = Path(__file__).parents[3]
MANUAL = ROOT / "docs" / "report_settings.md"


def written(folder, text):
    path = folder / "vertebro.toml"
    path.write_text(text, encoding="utf-8")
    return path


def refusal(folder, text):
    with pytest.raises(vo.LoadError) as caught:
        vo.load_settings(written(folder, text))
    return str(caught.value)


def test_without_a_file_the_defaults_hold():
    assert vo.load_settings() == ReportSettings()
    assert vo.load_settings().largest_hidden == 10


def test_the_example_of_the_manual_is_read_as_it_says(tmp_path):
    text = re.search(r"```toml\n(.*?)```", MANUAL.read_text("utf-8"), flags=re.DOTALL).group(1)
    found = vo.load_settings(written(tmp_path, text))
    assert found.title == "Annual report of our registry"
    assert "mortality" not in found.sections
    assert len(found.sections) >= 15
    assert not found.prints("mortality")
    assert found.margins == {"pain": 1.0}
    assert found.outcomes == ("pain_vas", "odi")
    assert found.strategies == (
        Strategy("KP", "VP"),
        Strategy("VA", "NSM", "ancova", ("baseline", "age_years"), 42),
    )
    assert json.loads(json.dumps(found.record())) == found.record()
    assert set(tomllib.loads(text)) == {"report", "margins", "disclosure", "registry"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[reprot]\n", ["reprot: unknown name; allowed: report?"]),
        ("[report]\ntitel = 'x'\n", ["report.titel: unknown name; allowed: title?"]),
        ("[report]\ntitle = 3\n", ["report.title: 3; allowed: one line"]),
        ("report = 3\n", ["report: 3; allowed: a table: [report]"]),
        ("[report]\nsections = 'methods'\n", ["report.sections: 'methods'; allowed: a list"]),
        ("[report]\nsections = []\n", ["report.sections: []; allowed: at least one"]),
        ("[report]\nsections = ['methods', 'methods']\n", ["entry 2: 'methods'; allowed: each once"]),
        ("[report]\nleave_out = ['method']\n", ["leave_out, entry 1: 'method'; allowed: methods?"]),
        ("[report]\nleave_out = ['methods']\nsections = ['methods']\n", ["one of the two"]),
        ("margins = 1\n", ["margins: 1; allowed: a table"]),
        ("[margins]\npain = 0\n", ["margins.pain: 0; allowed: a number above 0"]),
        ("[margins]\npain = nan\n", ["margins.pain: nan; allowed: a number above 0"]),
        ("[margins]\npain = true\n", ["margins.pain: True; allowed: a number above 0"]),
        ("[margins]\npain = 10\n", ["margins.pain: 10; allowed: less than the scale, 10"]),
        ("[margins]\ndeath = 1\n", ["margins.death: no such score; allowed: "]),
        ("[disclosure]\nlargest_hidden = -1\n", ["largest_hidden: -1; allowed: a whole number from 0"]),
        ("[disclosure]\nlargest_hidden = true\n", ["largest_hidden: True; allowed: a whole number"]),
        ("[registry]\ncomplication_rate = 3\n", ["complication_rate: 3; allowed: a number above 0"]),
        ("[registry]\nday = 30.5\n", ["registry.day: 30.5; allowed: a whole number from 1"]),
        ("[registry]\noutcomes = ['pain_vsa']\n", ["entry 1: 'pain_vsa'; allowed: pain_vas?"]),
        ("[registry]\noutcomes = []\n", ["registry.outcomes: []; allowed: at least one"]),
        ("[registry]\nstrategies = []\n", ["strategies: []; allowed: tables: [[registry"]),
        (
            "[[registry.strategies]]\ntreatment = 'KP'\ncomparator = 'KP'\nmethod = 'ancva'\n"
            "covariates = 'age_years'\ngrace_days = 0\nwindow = 3\n",
            [
                "entry 1.comparator: 'KP'; allowed: another treatment",
                "entry 1.method: 'ancva'; allowed: ancova?",
                "entry 1.covariates: 'age_years'; allowed: a list",
                "entry 1.grace_days: 0; allowed: a whole number",
                "entry 1.window: unknown name; allowed: treatment, comparator",
            ],
        ),
        ("[[registry.strategies]]\ntreatment = 'VB'\n",
         ["entry 1.treatment: 'VB'; allowed: VP, KP", "entry 1.comparator: nothing; allowed: "]),
        ("[[registry.strategies]]\ntreatment = 'KP'\ncomparator = 'VP'\n" * 2, ["each pair once"]),
        ("[report\n", ["TOML: ", "one `name = value` per line"]),
    ],
)  # fmt: skip
def test_a_mistake_says_where_what_and_what_is_allowed(tmp_path, text, said):
    message = refusal(tmp_path, text)
    assert message.startswith(f"{tmp_path / 'vertebro.toml'}: nothing was loaded")
    assert all(words in message for words in said), message
    assert message.count("Next: ") == 1


def test_all_mistakes_stand_in_one_message(tmp_path):
    message = refusal(tmp_path, "[report]\ntitle = 1\n[margins]\npain = -1\n[registry]\nday = 0\n")
    assert len([line for line in message.splitlines() if "; allowed: " in line]) == 3


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(vo.LoadError, match="No such file"):
        vo.load_settings(tmp_path / "none.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(vo.LoadError, match="TOML"):
        vo.load_settings(tmp_path / "bytes.toml")


def test_the_file_is_found_in_one_of_two_folders(tmp_path):
    data, project = tmp_path / "data", tmp_path / "project"
    data.mkdir()
    project.mkdir()
    assert vo.find_settings(data, project) is None
    written(project, "")
    assert vo.find_settings(data, project) == project / "vertebro.toml"
    assert vo.find_settings(project, project / "..", project) == project / "vertebro.toml"
    written(data, "")
    with pytest.raises(vo.LoadError, match="allowed: one file"):
        vo.find_settings(data, project)


def test_the_command_stops_at_a_wrong_file(tmp_path):
    path = written(tmp_path, "[margins]\npain = 0\n")
    found = CliRunner().invoke(app, ["report", "--data", str(ROOT / "data/raw"), "--settings", str(path),
                                     "--output", str(tmp_path / "out")])  # fmt: skip
    assert isinstance(found.exception, vo.LoadError)
    assert not (tmp_path / "out").exists()


def test_a_margin_moves_words_and_certainty(tmp_path):
    literature = vo.load_literature(ROOT / "data/raw/literature")
    usual = next(q for q in vo.QUESTIONS if q.id == "pain_vp_sham_1m")
    small = vo.load_settings(written(tmp_path, "[margins]\npain = 0.1\n")).asked([usual])[0]
    assert (usual.worthwhile, small.worthwhile) == (1.5, 0.1)
    found = vo.answer(usual, literature)
    assert "excludes the smallest worthwhile difference of 1.5" in against_worthwhile(usual, found)
    assert "0.1" in against_worthwhile(small, found)
    ratio = next(q for q in vo.QUESTIONS if q.id == "death_vp_sham")
    assert vo.load_settings(written(tmp_path, "[margins]\npain = 2\n")).asked([ratio]) == [ratio]
    levels = {rate_certainty(q, found).reasons for q in (usual, small)}
    assert len(levels) == 2


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A report about a registry with own settings: counts up to forty are hidden."""
    place = tmp_path_factory.mktemp("own")
    cohort, _ = vo.simulate_registry(n_patients=900, seed=5, scenario="confounded")
    cohort.write(place / "raw" / "mine")
    text = (
        "[report]\ntitle = 'Ours & <theirs>'\nleave_out = ['data-rows']\n[disclosure]\n"
        "largest_hidden = 40\n[registry]\noutcomes = ['pain_vas', 'odi']\nday = 30\n[margins]\nodi = 3\n"
        "[[registry.strategies]]\ntreatment = 'KP'\ncomparator = 'VP'\nmethod = 'ancova'\n"
    )
    chosen = vo.load_settings(written(place, text))
    literature = vo.load_literature(ROOT / "data/raw/literature")
    asked = chosen.asked(vo.QUESTIONS)
    build_report(
        literature, [(q, vo.answer(q, literature)) for q in asked],
        findings=vo.check_reported(literature), reproduction=vo.reproduce_literature(literature),
        folder=place / "out", inputs=inputs_of(place / "raw", settings=chosen.record()),
        registries=analyse_registries(place / "raw", settings=chosen), settings=chosen,
        formats=("html",),
    )  # fmt: skip
    return place / "out"


def test_title_sections_and_record_follow(own):
    page = (own / PAGE).read_text("utf-8")
    assert "<title>Ours &amp; &lt;theirs&gt;</title>" in page
    assert '<h2 id="data-rows">' not in page
    assert '<h2 id="methods">' in page
    ids = set(re.findall(r' id="([^"]+)"', page))
    assert set(re.findall(r'<a href="#([^"]+)"', page)) <= ids
    assert (
        json.loads((own / "provenance.json").read_text())["inputs"]["settings"]["largest_hidden"]
        == 40
    )


def test_scores_day_and_strategy_follow(own):
    page = (own / PAGE).read_text("utf-8")
    assert "Pain, visual analogue scale at day 30" in page
    assert "Oswestry Disability Index at day 30" in page
    assert ", ancova;" in page
    assert "smallest worthwhile difference of 3 points" in page
    assert "registry_mine_balance_va_nsm" not in page
    assert "Counts from one to 40 are hidden" in page


def test_the_threshold_holds_in_every_table(own):
    counts = ("n", "of", "n_events", "n_t", "n_c", "n_at_risk", "n_patients", "n_VP", "n_KP", "n_NSM",
              "rows_in", "rows_used", "rows_rejected", "rows_ignored", "count")  # fmt: skip
    seen = 0
    for path in sorted((own / "tables").glob("registry_*.csv")):
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
        rows = frame[frame.iloc[:, 0] != "sites reporting"]
        for column in rows.columns.intersection(counts):
            for text in rows[column]:
                if re.fullmatch(r"[\d,]+(\.0)?", text):
                    seen += 1
                    value = float(text.replace(",", ""))
                    assert value == 0 or value > 40, (path.name, column, text)
    assert seen > 30
