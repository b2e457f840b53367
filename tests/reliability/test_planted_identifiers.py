"""Identifiers planted in every format never come out: not in a file, a message, a log or a figure."""

import logging
import shutil
import subprocess
import sys
import traceback
from pathlib import Path

import pandas as pd
import pytest

import vertebro_outcomes as vo
from tests.reliability.planted import NAME, WORDS, found_in, plant, words_in
from tests.reliability.tally import tally
from vertebro_outcomes.cli import main
from vertebro_outcomes.loaders.load import formats

FORMATS = ("csv", "excel", "omop", "redcap", "spss", "stata")
RAW = Path(__file__).parents[2] / "data" / "raw"
PATIENTS = 60


def each(usual):
    """Every format; the usual run tries one of them."""
    return [pytest.param(name, marks=() if name == usual else pytest.mark.slow) for name in FORMATS]


@pytest.fixture(scope="module")
def planted(tmp_path_factory):
    """An export of each format with identifiers in it; and how many cells hold one."""
    cohort, _ = vo.simulate_registry(n_patients=PATIENTS, seed=5)
    place, cells = tmp_path_factory.mktemp("planted"), {}
    for name in FORMATS:
        vo.export_registry(cohort, place / name, format=name, dirt=True, seed=3)
        cells[name] = plant(place / name)
    return place, cells


@pytest.fixture
def vertebro(tmp_path, monkeypatch, capsys, caplog):
    """A command, and everything it says, in a folder of its own."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.delenv("VERTEBRO_PSEUDONYM_KEY", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    caplog.set_level(logging.DEBUG)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["vertebro", *map(str, arguments)])
        status, crash = 0, ""
        try:
            main()
        except SystemExit as stop:
            status = int(stop.code or 0)
        except BaseException:
            status, crash = 99, traceback.format_exc()
        said = capsys.readouterr()
        return status, "\n".join((said.out, said.err, caplog.text, crash))

    return run


def test_the_search_finds_what_was_planted(planted, tmp_path):
    place, cells = planted
    for name in FORMATS:
        assert cells[name] > 500
        assert len({found.split(": ")[1] for found in found_in(place / name)}) > 3, name
    pd.DataFrame({"a": [NAME]}).to_parquet(tmp_path / "a.parquet", compression="zstd")
    assert list(found_in(tmp_path)) == [f"a.parquet: {word}" for word in NAME.split()]


@pytest.mark.parametrize("name", each("csv"))
def test_commands_say_and_write_no_identifier(planted, vertebro, tmp_path, name):
    place, cells = planted
    export = place / name
    status, said = vertebro("check", export)
    assert status == 1
    assert "nothing was loaded" not in said
    for command in (("map", export), ("normalise", export, "--output", "out")):
        status, more = vertebro(*command)
        assert status == 0, more
        said += more
    assert ("runs cannot be linked" in said) == (name != "omop")  # its cdm_source says SYNTHETIC
    assert words_in(said) == []
    out = Path("out")
    assert len(pd.read_parquet(out / "patients.parquet")) >= PATIENTS - 5
    assert len(pd.read_csv(out / "rejects.csv")) > 10
    assert list(found_in(tmp_path)) == []
    tally("planted identifiers", name, cells=cells[name], found=0)


@pytest.mark.parametrize("name", each("redcap"))
def test_results_refusals_and_crashes_name_nobody(planted, monkeypatch, tmp_path, name):
    place, _ = planted
    cohort = vo.load(place / name, key=b"k")
    shown = [str(cohort), cohort._repr_html_() if hasattr(cohort, "_repr_html_") else ""]
    shown += [cohort.frame(table).to_csv() for table in vo.TABLES]
    shown += [
        x.to_csv() for x in (cohort.rejects, cohort.accounting, cohort.unmapped, cohort.attrition)
    ]
    shown += [str(vo.complication_rates(cohort)), str(cohort.notes)]
    assert words_in(*shown) == []
    wrong = tmp_path / "wrong.toml"
    good = (place / name / "mapping.toml").read_text("utf-8")
    for old, new in (("patient_id = ", "patient_id = 'surname' #"), ("table = ", "table = 'nobody' #"),
                     ("[[feed]]", "[[feed"), ("codes = {", "codes = { '*' = 'VP',")):  # fmt: skip
        wrong.write_text(good.replace(old, new), "utf-8")
        assert words_in(said_by(vo.load, place / name, mapping=wrong, key=b"k")) == []
    for step in ("loaders.load.assemble", "tables.cohort.write_cohort"):
        with monkeypatch.context() as broken:
            if "write" in step:
                broken.setattr("vertebro_outcomes.loaders.load.load", lambda *_, **__: cohort)
            broken.setattr(f"vertebro_outcomes.{step}", lambda *_, **__: 1 / 0)
            assert "ZeroDivisionError" in (
                said := said_by(vo.normalise, place / name, tmp_path / "out", key=b"k")
            )
            assert words_in(said) == []
    assert list(found_in(tmp_path)) == []


def said_by(call, *arguments, **named) -> str:
    """The answer of a call, or its whole traceback."""
    try:
        return str(call(*arguments, **named))
    except Exception:
        return traceback.format_exc()


def test_with_a_key_runs_can_be_linked_and_without_one_they_say_so(monkeypatch, tmp_path):
    export = tmp_path / "clinic"
    export.mkdir()
    formats()["flat"].sample(export)
    monkeypatch.delenv("VERTEBRO_PSEUDONYM_KEY", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    one, two = (vo.load(export) for _ in range(2))
    assert "runs cannot be linked" in " ".join(one.notes)
    assert set(one.frame("patients")["patient_id"]).isdisjoint(two.frame("patients")["patient_id"])
    monkeypatch.setenv("VERTEBRO_PSEUDONYM_KEY", "ours")
    one, two = (vo.load(export) for _ in range(2))
    assert "runs cannot be linked" not in " ".join(one.notes)
    assert set(one.frame("patients")["patient_id"]) == set(two.frame("patients")["patient_id"])


@pytest.mark.slow
def test_data_and_report_of_planted_registries_name_nobody(planted, tmp_path):
    """`vertebro data` and `vertebro report` as programs: every byte they write and say."""
    place, cells = planted
    raw = tmp_path / "in" / "raw"
    shutil.copytree(RAW / "literature", raw / "literature")
    shutil.copytree(RAW / "device_reports", raw / "device_reports")
    shutil.copytree(place, raw / "registries")
    said = ""
    for command in ("data", "report"):
        out = tmp_path / "out" / command
        arguments = [
            sys.executable,
            "-m",
            "vertebro_outcomes",
            command,
            "--data",
            raw,
            "--output",
            out,
        ]
        done = subprocess.run(arguments, capture_output=True, text=True, cwd=tmp_path, check=False)
        said += done.stdout + done.stderr
        assert done.returncode == 0, said
    assert words_in(said) == []
    files = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert {".html", ".pdf", ".svg", ".csv", ".parquet"} <= {path.suffix for path in files}
    assert list(found_in(tmp_path / "out")) == []
    tally("planted identifiers", "data and report", cells=sum(cells.values()), files=len(files),
          words=len(WORDS), found=0)  # fmt: skip
