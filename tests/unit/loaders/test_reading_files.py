"""Text, workbooks and statistical files: any dialect gives the same cells, with their lines."""

import datetime as dt
import zipfile

import openpyxl
import pandas as pd
import pyreadstat
import pytest

from vertebro_outcomes.errors import LoadError
from vertebro_outcomes.loaders.delimited import read_delimited, sniff
from vertebro_outcomes.loaders.files import files_of, read_file
from vertebro_outcomes.tables.engine import embedded_engine

HEADER = ["Pat Nr", "Maßnahme", "Wert"]
ROWS = [["1", "Vertebroplastie", "8,5"], ["2", "à définir; später", "7"], ["3", "", "0,25"]]
KEPT = [(1, "Vertebroplastie", "8,5"), (2, "à définir; später", "7"), (3, None, "0,25")]


@pytest.fixture(scope="module")
def engine():
    return embedded_engine()


def cells(source):
    frame = source.data.order_by("_line").to_pyarrow().to_pandas()
    return frame.drop(columns="_line").to_numpy(dtype=object).tolist(), frame["_line"].tolist()


def written(separator, newline="\n"):
    def quoted(cell):
        return f'"{cell}"' if separator in cell or "\n" in cell else cell

    return newline.join(separator.join(map(quoted, row)) for row in [HEADER, *ROWS]) + newline


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16", "utf-16-le", "utf-16-be"]
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_every_dialect_gives_the_same_cells(engine, tmp_path, separator, encoding, newline):
    path = tmp_path / "t.csv"
    path.write_bytes(written(separator, newline).encode(encoding))
    source = read_delimited(engine, path)
    assert source.columns == tuple(HEADER)
    found, lines = cells(source)
    assert [(int(row[0]), *row[1:]) for row in found] == KEPT
    assert lines == [2, 3, 4]
    assert source.rows_in == 3


def test_titles_blanks_repeated_headers_and_footers_are_counted(engine, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(
        "Register 2019;;\n;;\n a ; b ;c\n 1 ; x ; 2 \n;;\na;b;c\n2;y;\n3;z;4\n\nTotal: 3;;\nprinted by me;;\n"
    )
    source = read_delimited(engine, path)
    found, lines = cells(source)
    assert source.columns == ("a", "b", "c")
    assert found == [["1", "x", "2"], ["2", "y", None], ["3", "z", "4"]]
    assert lines == [4, 7, 8]
    assert source.set_aside == {"blank line": 2, "repeated header": 1, "footer": 2}
    assert source.rows_in == 8


def test_rows_too_long_are_refused_and_rows_too_short_are_filled(engine, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b,c\n1,2\n1,2,3,4\n1,2,3,,\n")
    source = read_delimited(engine, path)
    assert cells(source)[0] == [["1", "2", None], ["1", "2", "3"]]
    assert [(line, rule) for line, _, rule in source.refused] == [
        (3, "more cells than the 3 headers")
    ]
    assert source.rows_in == 3


def test_quoted_newlines_keep_physical_lines(engine, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('a,b,c\n1,"two\nlines",x\n2,"said ""no"", left",y\n')
    found, lines = cells(read_delimited(engine, path))
    assert found == [["1", "two\nlines", "x"], ["2", 'said "no", left', "y"]]
    assert lines == [3, 4]


def test_latin_letters_far_down_are_still_read(engine, tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"a,b,c\n" + b"1,2,3\n" * 80_000 + "1,H\u00f6he,3\n".encode("latin-1"))
    assert sniff(path).encoding == "cp1252"
    assert cells(read_delimited(engine, path))[0][-1][1] == "Höhe"


@pytest.mark.parametrize("content", [b"", b"\n", b"\xef\xbb\xbf", b"a\n", b"a,b\n"])
def test_files_without_rows_do_not_crash(engine, tmp_path, content):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    if content:
        assert read_delimited(engine, path).rows_in == 0
    else:
        with pytest.raises(LoadError, match="empty"):
            read_file(engine, path)


def test_headers_are_unique_and_named(engine, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("id,VAS,vas,,_line\n1,2,3,4,5\n")
    assert read_delimited(engine, path).columns == ("id", "VAS", "vas (2)", "column 4", "_line (2)")


def test_workbooks_with_title_rows_dates_and_several_sheets(engine, tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "One"
    sheet.append(["A registry"])
    sheet.merge_cells("A1:C1")
    sheet.append(["id", "date", "value"])
    sheet.append(["x", pd.Timestamp("2019-02-03").to_pydatetime(), 1.0])
    sheet.append([None, None, None])
    sheet.append(["y", dt.date(2019, 2, 4), 2.5])
    other = book.create_sheet("Two")
    other.append(["id", "ok"])
    other.append([17.0, True])
    book.create_sheet("Empty")
    path = tmp_path / "b.xlsx"
    book.save(path)
    one, two = read_file(engine, path)
    assert (one.name, two.name) == ("b.xlsx[One]", "b.xlsx[Two]")
    assert cells(one) == ([["x", "2019-02-03", "1"], ["y", "2019-02-04", "2.5"]], [3, 5])
    assert one.set_aside == {"blank line": 1}
    assert cells(two)[0] == [["17", "TRUE"]]
    (tmp_path / "c.xlsx").write_bytes(b"no workbook")
    with pytest.raises(LoadError, match=r"c\.xlsx"):
        read_file(engine, tmp_path / "c.xlsx")


@pytest.mark.parametrize("kind", ["dta", "sav", "xpt"])
def test_statistical_files_keep_codes_and_labels(engine, tmp_path, kind):
    frame = pd.DataFrame({"PAT": ["a", "b"], "SEX": [1.0, 2.0], "D": [dt.date(2019, 2, 3), None]})
    path = tmp_path / f"t.{kind}"
    labels = {"SEX": {1: "female", 2: "male"}}
    writers = {
        "dta": lambda: pyreadstat.write_dta(frame, str(path), variable_value_labels=labels),
        "sav": lambda: pyreadstat.write_sav(frame, str(path), variable_value_labels=labels),
        "xpt": lambda: pyreadstat.write_xport(frame, str(path), file_format_version=5),
    }
    writers[kind]()
    (source,) = read_file(engine, path)
    assert cells(source)[0] == [["a", "1", "2019-02-03"], ["b", "2", None]]
    if kind == "xpt":
        assert "labels" in source.notes[0]
    else:
        assert source.codes["SEX"] == {"1": "female", "2": "male"}
    path.write_bytes(b"broken")
    with pytest.raises(LoadError):
        read_file(engine, path)


def test_parquet_ids_of_64_bits_survive(engine, tmp_path):
    path = tmp_path / "t.parquet"
    ids = [-9007199254740993, -9007199254740992]
    frame = pd.DataFrame({"id": ids, "x": [1.0, 2.5], "t": pd.to_datetime(["2019-02-03", None])})
    frame.to_parquet(path)
    (source,) = read_file(engine, path)
    expected = [[str(ids[0]), "1", "2019-02-03"], [str(ids[1]), "2.5", None]]
    assert cells(source) == (expected, [1, 2])


def test_notes_and_hidden_files_are_no_data(tmp_path):
    for name in ("a.csv", "SOURCE.md", "readme.txt", ".x.csv", "~$b.xlsx", "c.PARQUET", "d.pdf"):
        (tmp_path / name).write_text("x")
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "__MACOSX" / "a.csv").write_text("x")
    assert [path.name for path in files_of(tmp_path)] == ["a.csv", "c.PARQUET"]


def test_a_damaged_workbook_is_refused_without_quoting_its_cells(tmp_path):
    whole, damaged = tmp_path / "whole.xlsx", tmp_path / "damaged.xlsx"
    book = openpyxl.Workbook()
    book.active.append(["id", 4711])
    book.save(whole)
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(damaged, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if name.endswith("sheet1.xml"):
                assert b"<v>4711</v>" in content
                content = content.replace(b"<v>4711</v>", b"<v>Quackenbush</v>")
            target.writestr(name, content)
    with pytest.raises(LoadError) as told:
        read_file(embedded_engine(), damaged)
    assert "ValueError" in str(told.value)
    assert "Quackenbush" not in str(told.value)
