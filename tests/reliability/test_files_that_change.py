"""Published figures that change while they are read: told, and what was written before stays."""

import shutil
import sys
from pathlib import Path

import pytest

import vertebro_outcomes as vo
from tests.reliability.test_interruption import bytes_of
from vertebro_outcomes import cli
from vertebro_outcomes.errors import LoadError
from vertebro_outcomes.loaders.literature import load as loading
from vertebro_outcomes.report import make
from vertebro_outcomes.report.digest import inputs_of, require_unchanged
from vertebro_outcomes.report.rendered import Rendered

RAW = Path(__file__).parents[2] / "data" / "raw"


@pytest.fixture
def raw(tmp_path):
    """Three small sheets; whoever reads them is replaced where it does not matter."""
    place = tmp_path / "raw" / "literature"
    place.mkdir(parents=True)
    for name in ("studies", "claims", "contrasts"):
        (place / f"{name}.csv").write_bytes((RAW / "literature" / f"{name}.csv").read_bytes())
    return tmp_path / "raw"


def changed(raw, how):
    path = raw / "literature" / "contrasts.csv"
    if how == "gone":
        path.unlink()
    elif how == "another":
        (raw / "literature" / "new.csv").write_text("a,b\n1,2\n")
    else:
        path.write_bytes(path.read_bytes()[:-2] + b"9\n")
    return "literature/new.csv" if how == "another" else "literature/contrasts.csv"


@pytest.mark.parametrize("how", ["other text", "gone", "another"])
def test_what_changed_since_it_was_looked_at_is_named(raw, how):
    inputs = inputs_of(raw)
    require_unchanged(raw, inputs)
    name = changed(raw, how)
    with pytest.raises(LoadError, match=f"{name}: changed while it was read") as told:
        require_unchanged(raw, inputs)
    assert "Next: run it again" in str(told.value)


def test_a_report_of_two_states_is_not_written(raw, tmp_path, monkeypatch):
    output = tmp_path / "reports"
    output.mkdir()
    (output / "index.html").write_text("the last one")
    before, inputs = bytes_of(output), inputs_of(raw)
    monkeypatch.setattr(make, "_part", lambda *_: Rendered.__new__(Rendered))
    monkeypatch.setattr(make, "printed_sections", lambda settings: [])
    monkeypatch.setattr(Rendered, "html", "", raising=False)

    def while_built(parts, **words):
        changed(raw, "other text")
        return {"index.html": b"half of it"}, ""

    monkeypatch.setattr(make, "assemble", while_built)
    with pytest.raises(LoadError, match="changed while it was read"):
        vo.make_report(raw, output=output, inputs=inputs, formats=())
    assert bytes_of(output) == before


def test_sheets_that_change_between_two_of_them_are_told(tmp_path, monkeypatch):
    shutil.copytree(RAW / "literature", tmp_path / "literature")
    real = loading.read_sheets

    def while_read(folder):
        found = real(folder)
        changed(tmp_path, "other text")
        return found

    monkeypatch.setattr(loading, "read_sheets", while_read)
    with pytest.raises(LoadError, match=r"contrasts.csv: changed while it was read"):
        vo.load_literature(tmp_path / "literature")


def test_the_command_tells_it_and_leaves_the_former_tables(raw, tmp_path, monkeypatch, capsys):
    output = tmp_path / "processed"
    output.mkdir()
    (output / "studies.parquet").write_text("the last one")
    before = bytes_of(output)
    monkeypatch.setattr(
        cli.vo, "load_literature", lambda folder: changed(raw, "gone"), raising=False
    )
    monkeypatch.setattr(
        sys, "argv", ["vertebro", "data", "--data", str(raw), "--output", str(output)]
    )
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 2
    assert "literature/contrasts.csv: changed while it was read" in capsys.readouterr().err
    assert bytes_of(output) == before
