"""A broken export stops nothing: the rest is reported, and the report says what is missing and why."""

import io
import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

import vertebro_outcomes as vo
from vertebro_outcomes.report import registries as module
from vertebro_outcomes.report.build import PAGE
from vertebro_outcomes.report.digest import inputs_of
from vertebro_outcomes.report.make import make_report
from vertebro_outcomes.report.registries import analyse_registries
from vertebro_outcomes.report.registry import unread
from vertebro_outcomes.report.settings import ReportSettings
from vertebro_outcomes.report.study import Study
from vertebro_outcomes.results.registry_analysis import RegistryAnalysis, UnreadRegistry
from vertebro_outcomes.tables.csv_text import csv_text

RAW = Path(__file__).parents[3] / "data" / "raw"
NAME = "Maria Musterfrau"


def put(place, name, content):
    path = place / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def mapped(place, text):
    put(place, "clinic/patients.csv", "id,treatment\n1,VP\n")
    put(place, "clinic/mapping.toml", text)


def cut_short(place):
    cohort, _ = vo.simulate_registry(n_patients=50, seed=1)
    cohort.write(place / "clinic")
    put(place, "clinic/episodes.parquet", b"PAR1xx")


def folder_for_file(place):
    (place / "clinic" / "patients.csv").mkdir(parents=True)


BROKEN = {
    "no registry": lambda p: put(p, "clinic/letter.txt", f"{NAME}\nwas well"),
    "no header": lambda p: put(p, "clinic.csv", f"17,{NAME},1940-01-01\n18,{NAME},1941-01-01\n"),
    "picture": lambda p: put(p, "clinic.jpg", b"\xff\xd8\xff\xe0" + bytes(range(256))),
    "corrupt parquet": lambda p: put(p, "clinic/patients.parquet", b"PAR1" + b"\x07" * 300 + b"PAR1"),
    "canonical cut short": cut_short,
    "corrupt workbook": lambda p: put(p, "clinic.xlsx", b"PK\x03\x04" + b"\x09" * 500),
    "corrupt stata": lambda p: put(p, "clinic/x.dta", b"<stata_dta>" + b"\x01" * 200),
    "mapping is no TOML": lambda p: mapped(p, 'name = "clinic\n[[feed]'),
    "mapping names nothing": lambda p: mapped(p, '[[feed]]\nsource = "no.csv"\ntable = "patientz"\n'),
    "empty folder": lambda p: (p / "clinic").mkdir(),
    "empty file": lambda p: put(p, "clinic.csv", ""),
    "folder in place of a file": folder_for_file,
    "link to nowhere": lambda p: (p / "clinic").symlink_to("/nowhere/at/all"),
    "link to itself": lambda p: (p / "clinic").symlink_to(p / "clinic"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BROKEN)
def test_every_kind_is_named_with_what_to_do_next(tmp_path, kind):
    BROKEN[kind](tmp_path)
    (found,) = analyse_registries(tmp_path)
    assert isinstance(found, UnreadRegistry)
    assert found.error.problems
    (block,) = unread(Study({"registries": (found,)}.__getitem__))
    assert f"<strong>{found.name} could not be read</strong>" in block.html
    assert "allowed is" in block.html
    assert "Next: " in block.html
    assert NAME not in block.html
    assert str(tmp_path) not in block.html


@pytest.mark.parametrize(
    "error", [PermissionError(13, "Permission denied"), RecursionError("deep"), MemoryError()]
)
def test_whatever_stops_reading_is_said(tmp_path, monkeypatch, error):
    def stop(*_, **__):
        raise error

    monkeypatch.setattr(module, "load", stop)
    put(tmp_path, "clinic/patients.csv", "patient_id\n1\n")
    (tmp_path / "clinic" / "SOURCE.md").mkdir()
    (found,) = analyse_registries(tmp_path)
    said = "Permission denied" if isinstance(error, OSError) else type(error).__name__
    assert f"reading stopped: {said}" in str(found.error)


def test_many_problems_are_counted(tmp_path):
    problems = [vo.Problem(f"line {i}", "x", "y") for i in range(30)]
    found = UnreadRegistry("clinic", vo.LoadError("clinic", problems, "mend it"))
    (block,) = unread(Study({"registries": (found,)}.__getitem__))
    assert "line 19" in block.html
    assert "line 20" not in block.html
    assert "and 10 more" in block.html


def test_the_report_renders_the_rest(tmp_path):
    raw = tmp_path / "raw"
    shutil.copytree(RAW / "literature", raw / "literature")
    place = raw / "registries"
    cohort, _ = vo.simulate_registry(n_patients=400, seed=2, scenario="randomised")
    cohort.write(place / "good")
    put(place, "scan.xlsx", b"PK\x03\x04" + b"\x09" * 500)
    put(place, "letter/letter.txt", f"{NAME}\nwas well")
    settings = ReportSettings(sections=("mortality", "the-registry", "what-was-found"))
    inputs = inputs_of(raw, settings=settings.record())
    make_report(
        raw, output=tmp_path / "out", inputs=inputs, settings=settings, formats=("html", "pdf")
    )
    page = (tmp_path / "out" / PAGE).read_text("utf-8")
    assert "Not in this report because it could not be read: letter, scan.xlsx" in page
    assert "scan.xlsx could not be read" in page
    assert "letter could not be read" in page
    assert 'id="table-registry_good_coverage"' in page
    assert '<h2 id="mortality">' in page
    written = [p for p in (tmp_path / "out").rglob("*") if p.is_file()]
    assert not [p.name for p in written if NAME.encode() in p.read_bytes()]
    assert json.loads((tmp_path / "out" / "provenance.json").read_text())["outputs"]
    assert [type(r) for r in analyse_registries(place)].count(RegistryAnalysis) == 1


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("=HYPERLINK(\"http://x\")", False), ("+1+cmd|' /C calc'!A0", False), ("@SUM(A1)", False),
        ("-2+3+cmd|' /C calc'!A0", False), ("\t=1+1", False), ("\r=1+1", False), ("\n=1", False),
        ("=1", False), ("-A1", False), ("-0.43", True), ("-1.2 (-2.0 to 0.4)", True), ("+5%", True),
        ("Kallmes 2009", True), ("", True), ("1 - 2", True),
    ],
)  # fmt: skip
def test_no_cell_is_computed_by_a_spreadsheet(text, safe):
    frame = pd.DataFrame({"n": [-1.5], "site": [text], text or "empty": [1]})
    again = pd.read_csv(io.StringIO(csv_text(frame), newline=""), dtype=str,
                        keep_default_na=False)  # fmt: skip
    shown = text if safe else f"'{text}".replace("\r", " ")  # a bare one would begin a row
    assert again.loc[0, "site"] == shown
    assert again.loc[0, "n"] == "-1.5"
    assert again.columns[2] == (shown or "empty")


def test_missing_and_mixed_cells_stay_what_they_are():
    frame = pd.DataFrame({"a": [None, "=x", 3], "b": pd.Categorical(["-y", "z", "-y"])})
    assert csv_text(frame) == "a,b\n,'-y\n'=x,z\n3,'-y\n"
