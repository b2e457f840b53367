"""Damaged text: what is said of it quotes no cell, and a stray quote swallows no rows."""

import csv
import gzip
import tomllib
import warnings
import zipfile

import pytest

from vertebro_outcomes.errors import Problem, VertebroError
from vertebro_outcomes.loaders import large_files, limits, physical_lines
from vertebro_outcomes.loaders.delimited import read_delimited
from vertebro_outcomes.loaders.files import read_file, unpacked
from vertebro_outcomes.loaders.large_files import read_large
from vertebro_outcomes.loaders.limits import read_toml
from vertebro_outcomes.loaders.literature import sheets
from vertebro_outcomes.loaders.load import load
from vertebro_outcomes.loaders.mapping import read_mapping
from vertebro_outcomes.loaders.missing_header import is_record
from vertebro_outcomes.loaders.plain_words import csv_fault, toml_fault, zip_fault
from vertebro_outcomes.loaders.reviews.hardened_xml import parse
from vertebro_outcomes.loaders.reviews.review_folder import read_folder
from vertebro_outcomes.loaders.reviews.review_sheet import read_sheet_file
from vertebro_outcomes.loaders.sources import LINE
from vertebro_outcomes.loaders.table_file import read_table
from vertebro_outcomes.report.settings_file import load_settings
from vertebro_outcomes.tables.engine import embedded_engine

NAME = "Quackenbush"
HEAD = "id,name,vas,level\n"
GOOD = "".join(f"{i},x{i},{i},T12\n" for i in range(20))
ENGINE = embedded_engine()
DAMAGES = {
    "a quote opens": f'7,"{NAME} Miller,3,T12\n',
    "two quotes open": f'7,"{NAME} Miller,3,T12\n{GOOD}8,"{NAME},3,T12\n',
    "letters behind a quote": f'7,"{NAME}" Miller,3,T12\n',
    "a quote within": f'7,{NAME} "Miller,3,T12\n',
    "cells too many": f"7,{NAME},3,T12,{NAME},8,9\n",
    "a zero byte": f"7,{NAME}\0{NAME},3,T12\n",
    "a lone return": f"7,{NAME}\r{NAME},3,T12\n",
    "a long line": f"7,{NAME * 20_000},3,T12\n",
    "no UTF-8": f"7,{NAME}".encode() + b"\xff\xfe\xc3(" + f"{NAME},3,T12\n".encode(),
}
READERS = {
    "delimited": lambda path: read_delimited(ENGINE, path),
    "large": lambda path: read_large(ENGINE, path),
    "table": read_table,
    "literature": sheets._read,
    "review": read_sheet_file,
}


def told(call, *arguments, **named) -> str:
    """What a call says: its message, its problem, or the rows it refused."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            found = call(*arguments, **named)
        except VertebroError as error:
            return str(error)
    refused = getattr(found, "refused", "")
    return str(found) if isinstance(found, Problem) else f"{refused} {getattr(found, 'notes', '')}"


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("reader", READERS)
def test_no_message_quotes_a_cell(tmp_path, reader, damage):
    line = DAMAGES[damage]
    for below in (GOOD, ""):
        path = tmp_path / "export.csv"
        middle = line if isinstance(line, bytes) else line.encode()
        path.write_bytes((HEAD + GOOD).encode() + middle + below.encode())
        assert NAME not in told(READERS[reader], path)


TOML = (
    f"{NAME} = {NAME}\n", f'a = "{NAME}\n', f'"{NAME}" = 1\n"{NAME}" = 2\n', f"[{NAME}]\n[{NAME}]\n",
    f"[[{NAME}]]\n[{NAME}]\n", f"{NAME} = {{ {NAME} = 1, {NAME} = 2 }}\n", f"a = 1979-13-45{NAME}\n",
    f'a = "\\{NAME}"\n', f"a = [1 {NAME}]\n", f"{NAME}\n", f"a = '{NAME}\\ud800", f"a.{NAME} = [\n",
    f"{NAME} = 1\n[{NAME}.b]\n", f"[{NAME}", f"a = 0x{NAME}", f"a = '\x00{NAME}'", f'"{NAME}\xff" = \ud7ff',
)  # fmt: skip


@pytest.mark.parametrize("number", range(len(TOML)))
def test_no_message_on_toml_quotes_it(tmp_path, number):
    path = tmp_path / "review.toml"
    path.write_text(TOML[number], "utf-8")
    (tmp_path / "pooled.csv").write_text("outcome,measure,estimate\n")
    for reader in (read_mapping, load_settings):
        assert NAME not in (said := told(reader, path))
        assert "Next: " in said
    assert NAME not in told(read_folder, tmp_path)
    with pytest.raises(ValueError, match=r"line 1|line 2|line 3|end of document"):
        read_toml(path)


def test_all_words_of_the_toml_parser_are_known():
    """A new version with other words is told from its own lines, not from its users'."""
    for text in TOML:
        with pytest.raises(tomllib.TOMLDecodeError) as error:
            tomllib.loads(text)
        assert "no valid TOML" not in toml_fault(error.value), error.value


class Nothing:
    def start(self, tag, attributes): ...
    def end(self, tag): ...
    def data(self, text): ...
    def close(self): ...


@pytest.mark.parametrize(
    "text",
    [f"<a><{NAME}>t</{NAME}x></a>", f"<a>&{NAME};</a>", f"<a {NAME}='1' {NAME}='2'/>", f"<{NAME}:a/>",
     f'<!DOCTYPE a [<!ENTITY {NAME} "x">]><a/>', f'<!DOCTYPE a SYSTEM "{NAME}"><a>&b;</a>',
     f'<?xml version="1.0" encoding="{NAME}"?><a/>', f"<a>{NAME}", f"{NAME}", "<a>\x01</a>"],
)  # fmt: skip
def test_no_message_on_xml_quotes_it(tmp_path, text):
    path = tmp_path / "review.rm5"
    path.write_text(text)
    said = told(parse, path, Nothing(), kind="review")
    assert NAME not in said
    assert "Next: " in said


def test_no_message_on_a_zip_names_what_is_in_it(tmp_path):
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{NAME}.csv", HEAD + GOOD)
    whole = path.read_bytes()
    at = whole.index(b"PK\x01\x02") + 8  # where a password is declared
    for broken in (whole.replace(b"x5", b"y5"), whole[:-5], whole.replace(b"PK\x03\x04", b"PK\x03\x09"),
                   whole[:at] + b"\x01" + whole[at + 1 :], b"PK" + NAME.encode()):  # fmt: skip
        path.write_bytes(broken)
        with pytest.raises(VertebroError) as error, unpacked(path):
            pass
        assert NAME not in str(error.value)
    packed = tmp_path / "export.csv.gz"
    packed.write_bytes(gzip.compress((HEAD + NAME).encode())[:-9])
    assert "damaged, or cut short" in told(read_file, ENGINE, packed)
    assert zip_fault(RuntimeError(NAME)) == "locked with a password"
    assert zip_fault(NotImplementedError(NAME)) == "packed in a way that is not known here"
    assert zip_fault(OSError(28, "No space left on device")) == "No space left on device"
    assert csv_fault(csv.Error(NAME)) == "it cannot be split into cells"


@pytest.mark.parametrize("read", [read_delimited, read_large])
@pytest.mark.parametrize(
    ("rows", "n_rows", "lines"),
    [
        (f'{HEAD}{GOOD}7,"open,3,T12\n{GOOD}', 40, [22]),
        (f'{HEAD}{GOOD}7,"open,3,T12\n{GOOD}8,"open,3,T12\n{GOOD}', 60, [22, 43]),
        (f'{HEAD}{GOOD}7,"cut', 20, [22]),
        (f'{HEAD}{GOOD}7,"note\nof two lines",3,T12\n{GOOD}', 41, []),
        pytest.param(f'{HEAD}{GOOD}7,"{"long " * 450_000}\nend",3,T12\n{GOOD}', 41, [],
                     marks=pytest.mark.slow),
        (f"{HEAD}{GOOD}7,a\rb,3,T12\n{GOOD}", 42, []),
    ],
)  # fmt: skip
def test_a_stray_quote_costs_its_own_line(tmp_path, read, rows, n_rows, lines):
    path = tmp_path / "export.csv"
    path.write_text(rows, "utf-8", newline="")
    source = read(ENGINE, path)
    assert source.data.count().to_pyarrow().as_py() == source.n_rows == n_rows
    assert [line for line, _, _ in source.refused] == lines
    assert source.rows_in == n_rows + len(lines)


def test_a_quote_that_happens_to_be_closed_far_below_is_seen(tmp_path):
    path = tmp_path / "export.csv"
    path.write_text(f'{HEAD}{GOOD}7,"open,3,T12\n{GOOD}8,closed",3,T12\n{GOOD}')
    source = read_delimited(ENGINE, path)
    assert [line for line, _, _ in source.refused] == [22]
    assert source.n_rows == 61


def test_stray_quotes_without_end_are_refused(tmp_path):
    path = tmp_path / "export.csv"
    path.write_text(HEAD + '7,"a,3,T12\n8,b,3,T12\n' * 300)
    assert "a quote that is not closed" in told(read_delimited, ENGINE, path)


def test_lines_the_engine_would_pass_over_are_read_or_refused(tmp_path, monkeypatch):
    path = tmp_path / "export.csv"
    monkeypatch.setattr(physical_lines, "CHUNK_BYTES", 1 << 16)
    path.write_text(f"{HEAD}{GOOD}7,{'x' * 200_000},3,T12\n{GOOD}")
    assert read_large(ENGINE, path, presumes=True).n_rows == 41
    monkeypatch.setattr(large_files, "MOST_IN_MEMORY", 1000)
    assert "a line of more than 4 MiB" in told(read_large, ENGINE, path)
    path.write_text(f'{HEAD}{GOOD}7,"open,3,T12\n{GOOD * 5}')
    assert "a quote that is not closed, from about line 22" in told(read_large, ENGINE, path)


def test_an_open_quote_in_a_review_is_told(tmp_path):
    path = tmp_path / "pooled.csv"
    path.write_text('outcome,measure,estimate\nPain,"MD,1\nPain,MD,2\n')
    assert "line 2: a quote that is not closed" in told(read_sheet_file, path)


def test_cells_without_a_header_are_no_mere_warning(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("a,b\n1,2,3\n4,5,6\n")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as outside of tests
        with pytest.raises(VertebroError, match="more cells than the header"):
            read_table(path)


RECORDS = [f"{i};{NAME};17.03.19{i};{i},5;KP\n" for i in range(31, 60)]


@pytest.mark.parametrize("read", [read_delimited, read_large])
def test_a_first_record_is_no_header(tmp_path, read):
    """Without a header a patient's cells would be the names of columns in every message."""
    path = tmp_path / "export.csv"
    path.write_text("".join(RECORDS))
    source = read(ENGINE, path)
    assert source.columns == tuple(f"column {i}" for i in range(1, 6))
    assert source.n_rows == source.rows_in == len(RECORDS)
    lines = source.data.to_pandas().sort_values(LINE)[[LINE, "column 1"]]
    assert lines.iloc[0].tolist() == [1, "31"]
    said = told(load, path, key=b"k", format="flat")
    assert "column 1" in said
    assert NAME not in said


@pytest.mark.parametrize(
    ("header", "rows"),
    [
        ("id;0;30;365", ["1;5;4;3", "2;6;5;4"]),  # days
        ("Nummer;2019;2020", ["N001;5;4", "N002;6;5"]),  # years
        ("PatNr;T1;T2", ["1;5;4", "2;6;5"]),
        ("name;sex;arm", ["a;f;KP", "b;m;VP"]),  # words only
        ("id;2019", ["a;5", "b;6"]),
        ("id;name", []),
    ],
)
def test_numbers_in_a_header_are_names_of_columns(header, rows):
    assert not is_record(header.split(";"), [row.split(";") for row in rows])


@pytest.mark.parametrize("read", [read_delimited, read_large])
@pytest.mark.parametrize("text", ["", "\n", "\n\n\n"])
def test_nothing_at_all_is_a_table_without_rows(tmp_path, read, text):
    path = tmp_path / "export.csv"
    path.write_text(text)
    source = read(ENGINE, path)
    assert (source.columns, source.n_rows) == ((), 0)


@pytest.mark.parametrize("read", [read_delimited, read_large])
def test_a_table_of_very_many_columns_is_refused(tmp_path, monkeypatch, read):
    monkeypatch.setattr(limits, "MOST_COLUMNS", 30)
    path = tmp_path / "export.csv"
    path.write_text(";".join(f"{NAME}{i}" for i in range(31)) + "\n" + ";".join("1" * 31) + "\n")
    said = told(read, ENGINE, path)
    assert "31 columns; allowed: at most 30" in said
    assert NAME not in said
