"""Notebooks beside the report: run, kept while nothing changes, and a failing one stops no other."""

import hashlib
import json
from pathlib import Path

import nbformat
import pytest

import vertebro_outcomes as vo
from vertebro_outcomes.report.reads import state_of, unit_of

pytestmark = pytest.mark.filterwarnings("ignore")


def write(folder, name, source):
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source, id="a")],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    nbformat.write(notebook, folder / f"{name}.ipynb")


def test_run_keep_fail_and_forget(tmp_path):
    folder, output = tmp_path / "analyses", tmp_path / "out"
    folder.mkdir()
    write(folder, "good", "print('six', 2 * 3)")
    write(folder, "bad", "1 / 0")
    first = vo.run_notebooks(folder, output=output, inputs={"package": "a"})
    assert set(first.run) == {"good", "bad"}
    assert [problem.where for problem in first.failed] == ["bad.ipynb"]
    assert "ZeroDivisionError" in str(first)
    page = (output / "good.html").read_bytes()
    assert b"six 6" in page
    assert b"<script" not in page
    assert not (output / "bad.html").exists()
    (folder / "bad.ipynb").unlink()
    second = vo.run_notebooks(folder, output=output, inputs={"package": "a"})
    assert (second.run, second.kept) == ((), ("good",))
    third = vo.run_notebooks(folder, output=output, inputs={"package": "b"})
    assert third.run == ("good",)
    assert (output / "good.html").read_bytes() == page
    (folder / "good.ipynb").unlink()
    write(folder, "other", "pass")
    vo.run_notebooks(folder, output=output, inputs={"package": "b"})
    assert not (output / "good.html").exists()


def test_a_notebook_is_run_again_for_what_it_reads_only(tmp_path):
    folder, output = tmp_path / "analyses", tmp_path / "out"
    sheets, exports = (
        tmp_path / "data" / "raw" / "literature",
        tmp_path / "data" / "raw" / "registries",
    )
    for place in (folder, sheets, exports):
        place.mkdir(parents=True)
    (sheets / "a.csv").write_text("1")
    (exports / "b.csv").write_text("2")
    write(folder, "sheets", "print(open('../data/raw/literature/a.csv').read())")
    write(folder, "exports", "import os\nprint(os.listdir('../data/raw/registries'))")
    write(folder, "neither", "print(1)")

    def run():
        return set(vo.run_notebooks(folder, output=output, inputs={"package": "a"}).run)

    assert run() == {"sheets", "exports", "neither"}
    assert run() == set()
    (sheets / "other.csv").write_text("3")
    assert run() == {"sheets"}
    (exports / "b.csv").write_text("4")
    assert run() == {"exports"}
    assert run() == set()
    record = json.loads((output / ".notebooks.json").read_text())
    assert set(record["sheets"]["reads"]) == {"data/raw/literature"}
    (output / ".notebooks.json").write_text('{"sheets": 3}')
    assert run() == {"sheets", "exports", "neither"}


def test_what_counts_as_read(tmp_path):
    for path, unit in (
        ("data/raw/literature/reviews/x.csv", "data/raw/literature"), ("own.csv", "own.csv"),
        ("analyses/01.ipynb", ""), ("reports/a.html", ""), (".venv/lib/x.py", ""), ("", ""),
    ):  # fmt: skip
        assert unit_of(tmp_path / path, tmp_path) == unit
    assert unit_of(Path("/etc/hosts"), tmp_path) == ""
    assert state_of(["none"], tmp_path) == {"none": hashlib.sha256().hexdigest()}


def test_no_folder_is_no_mistake(tmp_path):
    done = vo.run_notebooks(tmp_path / "none", output=tmp_path / "out", inputs={})
    assert (done.run, done.kept) == ((), ())
    assert not (tmp_path / "out").exists()
