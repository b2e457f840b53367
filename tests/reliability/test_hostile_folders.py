"""Folders that cannot be read or written as asked: one clear message, what was there before intact."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

import vertebro_outcomes as vo
from tests.reliability.test_interruption import bytes_of
from vertebro_outcomes.loaders.load import formats
from vertebro_outcomes.loaders.reviews.read import read_review

CHILD = """
import resource, signal, sys
sys.dont_write_bytecode = True  # it would be cut short and stay
from vertebro_outcomes.cli import main
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
sys.argv = ["vertebro", *sys.argv[2:]]
main()
"""


@pytest.fixture
def export(tmp_path):
    folder = tmp_path / "clinic"
    folder.mkdir()
    formats()["flat"].sample(folder)
    return folder


def test_a_full_disk_leaves_the_former_result_and_says_so(export, tmp_path):
    out = tmp_path / "results" / "out"
    vo.normalise(export, out, key=b"k")
    before = bytes_of(out)
    source = export / "verlauf.csv"
    source.write_bytes(source.read_bytes().replace(b"31.02.2019", b"28.02.2019"))
    command = [sys.executable, "-c", CHILD, "1000", "normalise", export, "--output", out]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert "File too large" in done.stderr
    assert "is unchanged" in done.stderr
    assert bytes_of(out) == before


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS, errno.ENOSPC])
def test_a_folder_that_takes_no_files_is_named(export, tmp_path, monkeypatch, code):
    """Root may write anywhere, so that the refusal of the system is played."""

    def refuse(self, *_args, **_named):
        raise OSError(code, os.strerror(code), str(self))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(vo.VertebroError) as refused:
        vo.normalise(export, tmp_path / "results" / "out", key=b"k")
    assert os.strerror(code) in str(refused.value)
    assert "Next: " in str(refused.value)


def test_a_file_that_may_not_be_read_is_named(export, monkeypatch):
    real = Path.open

    def refuse(self, *args, **named):
        if self.name == "verlauf.csv":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(self))
        return real(self, *args, **named)

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(vo.VertebroError) as refused:
        vo.load(export, key=b"k")
    assert "verlauf.csv" in str(refused.value)


def test_a_workbook_with_macros_is_read_as_data_only(tmp_path):
    """An .xlsm holds a program; nothing of it is run, the sheets are read or the file is refused."""
    cohort, _ = vo.simulate_registry(n_patients=30, seed=1)
    folder = tmp_path / "clinic"
    vo.export_registry(cohort, folder, format="excel")
    import zipfile

    with zipfile.ZipFile(folder / "registry.xlsx", "a") as book:
        book.writestr("xl/vbaProject.bin", b"Sub Auto_Open() Shell('touch /tmp/owned')")
    loaded = vo.load(folder, key=b"k")
    assert len(loaded.frame("patients")) == 30


def test_a_link_out_of_the_folder_is_not_a_way_to_other_files(export, tmp_path):
    secret = tmp_path / "secret.csv"
    secret.write_text("PatNr;Name\n1;Quackenbush\n")
    (export / "other.csv").symlink_to(secret)
    try:
        cohort = vo.load(export, key=b"k")
    except vo.VertebroError as error:
        said = str(error)
    else:
        said = cohort.rejects.to_csv() + cohort.accounting.to_csv() + str(cohort)
        said += "".join(cohort.frame(name).to_csv() for name in vo.TABLES)
    assert "Quackenbush" not in said


@pytest.mark.parametrize("name", ["mapping.toml", "pooled.csv", "inputs.csv", "review.toml"])
def test_mappings_and_reviews_are_no_links_out_either(export, tmp_path, name):
    secret = tmp_path / "secret.toml"
    secret.write_text("Quackenbush,17.03.1931\n")
    (export / "pooled.csv").write_text("outcome,measure,estimate\nPain,MD,1\n")
    (export / name).unlink(missing_ok=True)
    (export / name).symlink_to(secret)
    call = vo.load if name == "mapping.toml" else read_review
    with pytest.raises(vo.VertebroError, match=f"{name}: a link to a file outside") as told:
        call(export)
    assert "Quackenbush" not in str(told.value)


@pytest.mark.parametrize("kind", ["loop", "dead"])
def test_links_that_lead_nowhere_are_told(tmp_path, kind):
    link = tmp_path / "clinic.csv"
    link.symlink_to(link if kind == "loop" else tmp_path / "gone.csv")
    with pytest.raises(vo.VertebroError, match=r"clinic\.csv"):
        vo.load(link, key=b"k")


def test_a_field_of_ten_million_characters_is_read_or_refused(export):
    source = export / "verlauf.csv"
    lines = source.read_bytes().split(b"\r\n" if b"\r\n" in source.read_bytes() else b"\n")
    lines[1] = lines[1] + b"x" * 10_000_000
    source.write_bytes(b"\n".join(lines))
    cohort = vo.load(export, key=b"k")
    assert cohort.rejects["found"].str.len().max() < 100
