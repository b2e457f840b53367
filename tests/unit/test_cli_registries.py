"""The commands around registry exports: what they print, write and return."""

import sys

import pytest

from vertebro_outcomes.cli import main
from vertebro_outcomes.loaders.load import formats


@pytest.fixture
def vertebro(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["vertebro", *map(str, arguments)])
        with pytest.raises(SystemExit) as stop:
            main()
        said = capsys.readouterr()
        return int(stop.value.code or 0), said.out, said.err

    return run


@pytest.fixture
def export(tmp_path):
    folder = tmp_path / "clinic"
    folder.mkdir()
    formats()["flat"].sample(folder)
    return folder


def test_check_lists_problems_writes_nothing_and_returns_one(vertebro, export):
    before = sorted(export.parent.rglob("*"))
    status, out, _ = vertebro("check", export)
    assert status == 1
    assert "verlauf.csv, column OP-Datum: no such date: 1 cells, first lines 4" in out
    assert sorted(export.parent.rglob("*")) == before


def test_check_of_a_good_export_returns_zero(vertebro, export):
    path = export / "verlauf.csv"
    path.write_bytes(path.read_bytes().replace(b"31.02.2019", b"28.02.2019"))
    status, out, _ = vertebro("check", export)
    assert status == 0
    assert "no problem found" in out


def test_normalise_writes_parquet_and_ledgers(vertebro, export, tmp_path):
    status, out, _ = vertebro("normalise", export)
    folder = tmp_path / "data/processed/registries/clinic"
    assert status == 0
    assert "3 patients (1 VP, 1 KP, 1 NSM)" in out
    written = {path.name for path in folder.iterdir()}
    assert {"patients.parquet", "scores.parquet", "rejects.csv", "accounting.csv"} <= written


def test_map_prints_a_mapping_file(vertebro, export):
    status, out, _ = vertebro("map", export)
    assert status == 0
    assert 'treatment = { "column" = "Behandlung"' in out
    assert "# 85%" in out


def test_a_wrong_path_is_one_message_and_status_two(vertebro, tmp_path):
    for command in ("check", "normalise", "map"):
        status, _, err = vertebro(command, tmp_path / "nothing")
        assert status == 2
        assert "no such file or folder" in err
        assert "Traceback" not in err


def test_simulate_writes_a_registry_or_an_export_of_it(vertebro, tmp_path):
    ask = ("simulate", "--patients", 120, "--seed", 3, "--out")
    status, out, _ = vertebro(*ask, tmp_path / "truth", "--scenario", "null")
    assert status == 0
    assert (tmp_path / "truth" / "truth.csv").is_file()
    assert "is written" in out
    status, out, _ = vertebro(*ask, tmp_path / "clinic", "--format", "csv", "--dirt")
    assert status == 0
    assert "errors put in" in out
    assert "synthetic" in out
    assert (tmp_path / "clinic" / "_injected_errors.csv").is_file()
    status, out, _ = vertebro("check", tmp_path / "clinic")
    assert status == 1
    assert "synthetic" in out


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (("--format", "mud"), "csv, excel, omop"),
        (("--format", "canonical", "--dirt"), "canonical"),
        (("--patients", "0"), "a whole number"),
        (("--scenario", "no"), "confounded"),
    ],
)
def test_simulate_refuses_what_it_cannot_do(vertebro, tmp_path, wrong, said):
    status, _, err = vertebro("simulate", "--out", tmp_path / "x", *wrong)
    assert status == 2
    assert said in err
    assert "Traceback" not in err
    assert not (tmp_path / "x").exists()
