"""Text on its way into a spreadsheet is shown, never computed; ledgers come back as they were."""

import csv
import io
from types import SimpleNamespace

import pandas as pd
import pytest

from vertebro_outcomes.errors import LoadError, Problem
from vertebro_outcomes.loaders.sources import unique_names
from vertebro_outcomes.tables import storage
from vertebro_outcomes.tables.csv_text import csv_text, ledger_text

HOSTILE = (
    '=cmd|"/c calc"!A1', "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1", '=HYPERLINK("http://x")',
    "'=1", "''=1", "'", "''", "'a", "plain", "-3,5", "-0.4 (-1 to 0.2)", "", "a;b", 'a"b', "+49 30 1234",
)  # fmt: skip


def cells(text):
    return list(csv.reader(io.StringIO(text, newline="")))[1:]


@pytest.mark.parametrize("write", [csv_text, ledger_text])
def test_nothing_begins_like_a_formula(write):
    for [cell] in cells(write(pd.DataFrame({"found": HOSTILE}))):
        begins = cell.lstrip()[:1] in ("=", "+", "@") or cell[:1] in ("\t", "\r", "\n")
        assert not begins, cell
        assert cell[:1] != "-" or cell in ("-3,5", "-0.4 (-1 to 0.2)")


def test_a_ledger_comes_back_cell_by_cell(tmp_path):
    frame = pd.DataFrame({"found": HOSTILE, "line": range(len(HOSTILE))})
    path = tmp_path / "rejects.csv"
    path.write_text(ledger_text(frame), "utf-8", newline="")
    again = storage._read_ledger(path)
    assert again["found"].tolist() == [cell.replace("\r", " ") for cell in HOSTILE]
    assert again["line"].tolist() == frame["line"].tolist()


def test_a_written_cohort_holds_no_formula(tmp_path, monkeypatch):
    lost = pd.DataFrame({"source_file": "a.csv", "column": HOSTILE, "reason": "not recognised"})
    empty = dict.fromkeys(storage.LEDGERS, lost)
    about = {
        "name": "a",
        "synthetic": True,
        "notes": (),
        "inputs": {},
        "instruments": {},
        "tables": {},
    }
    monkeypatch.setattr(storage, "STORED", {})
    storage._write_files(SimpleNamespace(**empty, **about), tmp_path)
    for ledger in storage.LEDGERS:
        rows = cells((tmp_path / f"{ledger}.csv").read_text("utf-8"))
        assert "=cmd" not in {cell[:4] for row in rows for cell in row}


def test_signs_that_a_terminal_obeys_reach_no_message():
    said = str(LoadError("a\x1b]0;x\x07.csv", [Problem("x\x1b[2J", "\u202etxt\r", "y\x9b")], "z"))
    assert not any(ord(sign) < 32 and sign != "\n" for sign in said)
    assert not set("\x9b\u202e") & set(said)
    assert unique_names(["a\x1b[31mb", "\u202e", "Höhe\u00a0(mm)"]) == [
        "a [31mb",
        "column 2",
        "Höhe (mm)",
    ]
