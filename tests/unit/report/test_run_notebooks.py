"""Notebooks beside the report: run, kept while nothing changes, and a failing one stops no other."""

import nbformat
import pytest

import vertebro_outcomes as vo

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
    first = vo.run_notebooks(folder, output=output, inputs={"data": "a"})
    assert set(first.run) == {"good", "bad"}
    assert [problem.where for problem in first.failed] == ["bad.ipynb"]
    assert "ZeroDivisionError" in str(first)
    page = (output / "good.html").read_bytes()
    assert b"six 6" in page
    assert b"<script" not in page
    assert not (output / "bad.html").exists()
    (folder / "bad.ipynb").unlink()
    second = vo.run_notebooks(folder, output=output, inputs={"data": "a"})
    assert (second.run, second.kept) == ((), ("good",))
    third = vo.run_notebooks(folder, output=output, inputs={"data": "b"})
    assert third.run == ("good",)
    assert (output / "good.html").read_bytes() == page
    (folder / "good.ipynb").unlink()
    write(folder, "other", "pass")
    vo.run_notebooks(folder, output=output, inputs={"data": "b"})
    assert not (output / "good.html").exists()


def test_no_folder_is_no_mistake(tmp_path):
    done = vo.run_notebooks(tmp_path / "none", output=tmp_path / "out", inputs={})
    assert (done.run, done.kept) == ((), ())
    assert not (tmp_path / "out").exists()
