"""Files made to fill the memory, to stop a parser, to lead elsewhere, or that change while they are read."""

import gzip
import io
import random
import zipfile

import openpyxl
import pandas as pd
import pyreadstat
import pytest

import vertebro_outcomes as vo
from tests.reliability.mutations import damaged
from tests.reliability.readers import settled
from tests.reliability.test_interruption import bytes_of
from vertebro_outcomes.errors import VertebroError
from vertebro_outcomes.loaders import limits
from vertebro_outcomes.loaders.files import read_file
from vertebro_outcomes.loaders.load import formats
from vertebro_outcomes.loaders.mapping import read_mapping
from vertebro_outcomes.loaders.reviews.read import read_review
from vertebro_outcomes.report.settings_file import load_settings
from vertebro_outcomes.tables.engine import embedded_engine


@pytest.fixture
def export(tmp_path):
    folder = tmp_path / "clinic"
    folder.mkdir()
    formats()["flat"].sample(folder)
    return folder


def refused(call, *arguments, **named):
    with pytest.raises(VertebroError) as told:
        call(*arguments, **named)
    assert "Next: " in str(told.value)
    assert len(str(told.value)) < 2000
    return str(told.value)


DENIALS = {
    "huge": b"a = 1 # " + b"x" * 2**20,
    "nested lists": b"a = " + b"[" * 50_000,
    "nested tables": b"a = " + b"{b=" * 50_000,
    "a long dotted name": b"a" + b".a" * 20_000 + b" = 1",
    "a long number": b"a = " + b"1" * 900_000,
    "no text": b"a = '\xff\xfe'",
}


@pytest.mark.parametrize("name", DENIALS)
@pytest.mark.parametrize(
    "reader", [read_mapping, load_settings, read_review], ids=lambda r: r.__name__
)
def test_toml_made_to_stop_the_parser_is_refused(tmp_path, name, reader):
    path = tmp_path / "review.toml"
    path.write_bytes(DENIALS[name])
    refused(reader, tmp_path if reader is read_review else path)


def test_a_long_line_of_dots_in_a_comment_is_no_name(tmp_path):
    path = tmp_path / "vertebro.toml"
    path.write_text(f"# {'.' * 2000}\n[report]\ntitle = 'Ours'\n")
    assert load_settings(path).title == "Ours"


@pytest.mark.parametrize("suffix", [".csv.gz", ".zip", ".xlsx"])
def test_a_file_that_grows_beyond_measure_is_refused(tmp_path, suffix):
    path = tmp_path / f"clinic{suffix}"
    zeros = b"0" * (limits.SMALL_BYTES + 2**20)
    if suffix == ".csv.gz":
        path.write_bytes(gzip.compress(zeros, 9))
    else:
        name = "a.csv" if suffix == ".zip" else "xl/worksheets/sheet1.xml"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, zeros)
    assert path.stat().st_size < 300_000
    assert "times its size" in refused(vo.load, path, key=b"k")


def test_a_zip_of_very_many_files_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "MOST_FILES", 20)
    path = tmp_path / "clinic.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for i in range(21):
            archive.writestr(f"{i}.csv", "a,b\n")
    assert "21 files inside" in refused(vo.load, path, key=b"k")


def test_a_zip_leads_nowhere_else(export, tmp_path):
    """Paths out of the folder stay inside; a link in a zip is a file with a path in it."""
    path = tmp_path / "export.zip"
    link = zipfile.ZipInfo("link.csv")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(path, "w") as archive:
        for file in export.iterdir():
            archive.write(file, file.name)
        archive.writestr("../../outside.csv", "a;b\n1;2\n")
        archive.writestr(link, "/etc/passwd")
    cohort = vo.load(path, key=b"k")
    assert "root:" not in cohort.accounting.to_csv() + cohort.rejects.to_csv()
    assert not list(tmp_path.parent.glob("outside.csv"))
    assert not (tmp_path / "outside.csv").exists()


def sheet_with(rows):
    """A small workbook whose one sheet has these rows, written by hand."""
    book = openpyxl.Workbook()
    made = io.BytesIO()
    book.save(made)
    out = io.BytesIO()
    with zipfile.ZipFile(made) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "xl/worksheets/sheet1.xml":
                space = b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
                content = (
                    b"<worksheet " + space + b"><sheetData>" + rows + b"</sheetData></worksheet>"
                )
            new.writestr(name, content)
    return out.getvalue()


@pytest.mark.slow
def test_cells_far_apart_do_not_fill_the_memory(tmp_path):
    path = tmp_path / "clinic.xlsx"
    path.write_bytes(sheet_with(b"".join(b'<row r="%d"><c r="XFD%d"><v>1</v></c></row>' % (i, i)
                                         for i in range(1, 5000))))  # fmt: skip
    assert "cells" in refused(vo.load, path, key=b"k")


def test_a_million_rows_that_are_only_declared_are_none(tmp_path):
    path = tmp_path / "clinic.xlsx"
    rows = b'<row r="1"><c r="A1"><v>1</v></c><c r="B1"><v>2</v></c></row>'
    rows += b'<row r="1048576"></row>'
    path.write_bytes(sheet_with(rows))
    [source] = read_file(embedded_engine(), path)
    assert (source.n_rows, sum(source.set_aside.values())) == (0, 0)


def test_entities_in_a_workbook_are_not_unfolded(tmp_path):
    path = tmp_path / "clinic.xlsx"
    path.write_bytes(sheet_with(b""))
    out = io.BytesIO()
    bomb = b'<!DOCTYPE a [<!ENTITY a "x"><!ENTITY b "&a;&a;&a;&a;">]><worksheet>&b;</worksheet>'
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            new.writestr(name, bomb if name == "xl/worksheets/sheet1.xml" else old.read(name))
    path.write_bytes(out.getvalue())
    refused(vo.load, path, key=b"k")


@pytest.mark.parametrize("change", ["other text", "gone"])
def test_a_file_that_changes_while_it_is_read_is_told_and_the_former_result_stays(
    export, tmp_path, monkeypatch, change
):
    out = tmp_path / "out"
    vo.normalise(export, out, key=b"k")
    before = bytes_of(out)
    source = export / "verlauf.csv"
    source.write_bytes(source.read_bytes() + b"\n")
    from vertebro_outcomes.loaders import load as loading

    real = loading.assemble

    def while_read(*arguments):
        content = source.read_bytes()
        if change == "gone":
            source.unlink()
        else:
            source.write_bytes(content[:-1] + b" ")
        return real(*arguments)

    monkeypatch.setattr(loading, "assemble", while_read)
    assert "verlauf.csv: changed while it was read" in refused(vo.normalise, export, out, key=b"k")
    assert bytes_of(out) == before


def test_a_link_out_of_an_export_is_refused_and_one_within_is_read(export, tmp_path):
    (tmp_path / "secret.csv").write_text("PatNr;Name\n1;Quackenbush\n")
    (export / "verlauf.csv").rename(export / "real.txt")
    (export / "verlauf.csv").symlink_to(export / "real.txt")
    vo.load(export, key=b"k")
    (export / "other.csv").symlink_to(tmp_path / "secret.csv")
    told = refused(vo.load, export, key=b"k")
    assert "other.csv: a link to a file outside this folder" in told
    assert "secret" not in told


@pytest.fixture(scope="module")
def binary(tmp_path_factory):
    """A small good file of every binary kind that can be written here."""
    folder = tmp_path_factory.mktemp("binary")
    frame = pd.DataFrame(
        {"id": list("abcdef"), "x": [1.5, 2, 3, 4, 5, None], "t": ["aa", "", *"bcde"]}
    )
    pyreadstat.write_dta(frame, str(folder / "a.dta"))
    pyreadstat.write_sav(frame, str(folder / "a.sav"))
    pyreadstat.write_sav(frame, str(folder / "a.zsav"), compress=True)
    pyreadstat.write_xport(frame, str(folder / "a.xpt"), table_name="T")
    pyreadstat.write_por(frame, str(folder / "a.por"))
    frame.to_parquet(folder / "a.parquet")
    frame.to_excel(folder / "a.xlsx", index=False)
    return {path.suffix: path.read_bytes() for path in folder.iterdir()}


# Found by tries: (kind, number of the try) that ended in an error of a library.
ENDED_BADLY = [
    (".xpt", 15), (".por", 187), (".xlsx", 37), (".xlsx", 77), (".xlsx", 135), (".xlsx", 269),
    (".parquet", 2), (".parquet", 25), (".parquet", 29), (".parquet", 56), (".parquet", 195),
]  # fmt: skip


@pytest.mark.parametrize(("suffix", "number"), ENDED_BADLY)
def test_damaged_binary_files_are_read_or_refused(binary, tmp_path, suffix, number):
    path = tmp_path / f"a{suffix}"
    path.write_bytes(damaged(binary[suffix], random.Random(f"{suffix[1:]} {number}")))
    settled(read_file, embedded_engine(), path)
