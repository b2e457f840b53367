"""Files are written whole, recorded, and recognised as current or not."""

import json

import pytest

from vertebro_outcomes.errors import InputError
from vertebro_outcomes.report import files
from vertebro_outcomes.report.digest import PROVENANCE, inputs_of, is_current
from vertebro_outcomes.report.files import write_folder, write_whole


@pytest.fixture
def raw(tmp_path):
    folder = tmp_path / "raw"
    (folder / "literature").mkdir(parents=True)
    (folder / "literature" / "studies.csv").write_text("study_id\na\n")
    return folder


@pytest.fixture
def written(tmp_path, raw):
    folder = tmp_path / "out"
    pages = {"page.html": b"<p>", "tables/a.csv": b"x\n"}
    write_folder(folder, pages, provenance={"inputs": inputs_of(raw)})
    return folder


def test_what_was_written_is_current(written, raw):
    assert is_current(written, inputs_of(raw))
    assert (written / "tables" / "a.csv").read_bytes() == b"x\n"
    assert not list(written.rglob(".*"))


@pytest.mark.parametrize("change", ["edit", "add", "remove"])
def test_a_change_of_the_data_is_seen(written, raw, change):
    sheet = raw / "literature" / "studies.csv"
    match change:
        case "edit":
            sheet.write_text("study_id\nb\n")
        case "add":
            (raw / "more.csv").write_text("")
        case "remove":
            sheet.unlink()
    assert not is_current(written, inputs_of(raw))


@pytest.mark.parametrize("name", ["page.html", "tables/a.csv", PROVENANCE])
@pytest.mark.parametrize("change", ["edit", "remove"])
def test_a_change_of_the_output_is_seen(written, raw, name, change):
    if change == "edit":
        (written / name).write_text("{}")
    else:
        (written / name).unlink()
    assert not is_current(written, inputs_of(raw))


def test_another_version_is_seen(written, raw):
    inputs = inputs_of(raw)
    inputs["versions"]["numpy"] = "0"
    assert not is_current(written, inputs)


def test_files_of_a_former_run_go_and_others_stay(written, raw):
    (written / "notes.txt").write_text("mine")
    write_folder(written, {"page.html": b"<p>"}, provenance={"inputs": inputs_of(raw)})
    assert not (written / "tables" / "a.csv").exists()
    assert (written / "notes.txt").read_text() == "mine"
    assert is_current(written, inputs_of(raw))


def test_the_record_holds_no_place_and_no_time(written, tmp_path):
    record = (written / PROVENANCE).read_text()
    assert str(tmp_path) not in record
    assert set(json.loads(record)) == {"inputs", "outputs"}
    assert set(json.loads(record)["inputs"]) == {"data", "settings", "package", "versions"}


def test_a_failed_write_leaves_the_old_file(tmp_path):
    target = tmp_path / "a.txt"
    write_whole(target, b"old")
    with pytest.raises(TypeError):
        write_whole(target, "not bytes")
    assert target.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_disk_that_fills_leaves_the_former_run_whole(written, raw, monkeypatch):
    """Not the first files of the new run beside the last ones of the former."""
    before = {path: path.read_bytes() for path in written.rglob("*") if path.is_file()}
    real, written_so_far = files._staged, []

    def fill(path, content):
        if len(written_so_far) == 2:
            raise OSError(28, "No space left on device")
        written_so_far.append(path)
        return real(path, content)

    monkeypatch.setattr(files, "_staged", fill)
    new = dict.fromkeys(("page.html", "tables/a.csv", "tables/b.csv"), b"new")
    with pytest.raises(InputError, match="No space left on device; allowed") as told:
        write_folder(written, new, provenance={"inputs": inputs_of(raw)})
    assert "what stood there before is unchanged" in str(told.value)
    with pytest.raises(InputError, match=r"folder .*out"):
        write_whole(written / "page.html", b"new")
    assert {path: path.read_bytes() for path in written.rglob("*") if path.is_file()} == before
