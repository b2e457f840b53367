"""A folder of exports: each becomes a folder of tables, unchanged ones wait, a bad one stops none."""

import hashlib
import shutil
import sys

import pytest

import vertebro_outcomes as vo
from vertebro_outcomes import cli, cli_steps
from vertebro_outcomes.loaders import load as loading
from vertebro_outcomes.loaders.collection import exports_in
from vertebro_outcomes.loaders.files import content_hashes
from vertebro_outcomes.loaders.load import formats
from vertebro_outcomes.loaders.program import program_hash
from vertebro_outcomes.tables.storage import read_manifest


@pytest.fixture(autouse=True)
def no_key(monkeypatch, tmp_path):
    monkeypatch.delenv("VERTEBRO_PSEUDONYM_KEY", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


@pytest.fixture
def raw(tmp_path):
    """A synthetic export, a real one, one that cannot be loaded, and two notes."""
    folder = tmp_path / "raw" / "registries"
    for name in ("invented", "real"):
        (folder / name).mkdir(parents=True)
        formats()["flat"].sample(folder / name)
    (folder / "invented" / "SOURCE.md").write_text("SYNTHETIC: no persons\n")
    (folder / "broken.csv").write_text("colour,taste\nred,sweet\n")
    (folder / "MODEL.md").write_text("a note\n")
    (folder / "real.toml").write_text("")
    return folder


def outcomes(found):
    return {export.name: export.outcome for export in found}


def hashes(folder):
    return {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in sorted(folder.iterdir())}


def test_each_export_once_a_bad_one_stops_none_and_unchanged_ones_wait(raw, tmp_path):
    out = tmp_path / "out"
    first = vo.normalise_all(raw, out)
    assert outcomes(first) == {"broken": "failed", "invented": "written", "real": "written"}
    assert "broken.csv" in str(first[0].reason)
    assert {path.name for path in out.iterdir()} == {"invented", "real"}
    again = vo.normalise_all(raw, out)
    # without a key of the user, pseudonyms of persons are new in every run
    assert outcomes(again) == {"broken": "failed", "invented": "unchanged", "real": "written"}
    people = raw / "invented" / "verlauf.csv"
    people.write_bytes(people.read_bytes() + b"\n")
    assert outcomes(vo.normalise_all(raw, out))["invented"] == "written"


def test_real_exports_never_share_a_known_key(raw, tmp_path):
    for place in ("a", "b"):
        vo.normalise_all(raw, tmp_path / place)
    for name, same in (("invented", True), ("real", False)):
        one, other = (hashes(tmp_path / place / name) for place in ("a", "b"))
        assert (one["patients.parquet"] == other["patients.parquet"]) is same
        assert (one == other) is same
        said = any("cannot be linked" in note for note in vo.load(tmp_path / "a" / name).notes)
        assert said is not same


def test_with_a_key_real_exports_wait_too_until_the_key_changes(raw, tmp_path, monkeypatch):
    monkeypatch.setenv("VERTEBRO_PSEUDONYM_KEY", "mine")
    vo.normalise_all(raw, tmp_path / "out")
    assert outcomes(vo.normalise_all(raw, tmp_path / "out"))["real"] == "unchanged"
    assert "mine" not in (tmp_path / "out" / "real" / "cohort.json").read_text()
    monkeypatch.setenv("VERTEBRO_PSEUDONYM_KEY", "another")
    assert outcomes(vo.normalise_all(raw, tmp_path / "out"))["real"] == "written"


def test_what_was_asked_and_the_program_count_as_inputs(raw, tmp_path, monkeypatch):
    out, export = tmp_path / "out", raw / "invented"
    vo.normalise(export, out)
    assert loading.is_current(export, out)
    assert not loading.is_current(export, out, keep_dates=True)
    (out / "scores.parquet").rename(out / "gone")
    assert not loading.is_current(export, out)
    (out / "gone").rename(out / "scores.parquet")
    assert read_manifest(out)["inputs"]["program"] == program_hash()
    monkeypatch.setattr(loading, "program_hash", lambda: "newer")
    assert not loading.is_current(export, out)


def test_two_exports_of_one_name_are_told_apart(raw, tmp_path):
    (raw / "real.csv").write_text("a,b\n1,2\n")
    found = vo.normalise_all(raw, tmp_path / "out")
    assert [export.outcome for export in found] == ["failed", "written", "written", "failed"]
    assert "another export is called real" in str(found[-1].reason)


def test_notes_and_mappings_are_no_exports(raw, tmp_path):
    assert [path.name for path in exports_in(raw)] == ["broken.csv", "invented", "real"]
    assert exports_in(tmp_path / "nothing") == []


def test_files_of_one_name_in_two_folders_both_count(tmp_path):
    for place in ("a", "b"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "visits.csv").write_text(place)
    assert len(content_hashes(sorted(tmp_path.rglob("*.csv")))) == 2


def test_the_command_says_what_failed_and_ends_with_one(raw, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(cli, "is_current", lambda *_: True)
    monkeypatch.setattr(
        sys,
        "argv",
        ["vertebro", "data", "--data", str(raw.parent), "--output", str(tmp_path / "p")],
    )

    def run():
        with pytest.raises(SystemExit) as stop:
            cli.main()
        return int(stop.value.code or 0), *capsys.readouterr()

    shutil.rmtree(raw / "real")
    status, out, err = run()
    assert (status, out) == (1, f"{tmp_path / 'p'}/ is written\n")
    assert "broken.csv" in err
    assert "Traceback" not in err
    status, out, err = run()
    assert (status, out) == (1, f"{tmp_path / 'p'}/ is up to date\n")
    assert "normalising invented" not in err
    (raw / "broken.csv").unlink()
    assert run()[0] == 0


def test_counts_show_on_a_terminal_only(monkeypatch, capsys):
    now = iter([0.0, 2.0, 2.5, 4.0, 6.0, 8.0])
    monkeypatch.setattr(cli_steps.time, "monotonic", lambda: next(now))
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    show = cli_steps.counted("rows")
    show(1000, 5000)
    show(2000, 5000)
    assert capsys.readouterr().err == "1,000 of 5,000 rows\n"
    monkeypatch.setattr(sys.stderr, "isatty", lambda: False, raising=False)
    show(3000, 5000)
    assert capsys.readouterr().err == ""
