"""What a sheet shows and does not store: cells merged over rows, a number written once, percents."""

from datetime import date

import openpyxl
import pytest

from vertebro_outcomes.loaders.load import load
from vertebro_outcomes.loaders.merged_cells import Merged, fill_down, merged_down
from vertebro_outcomes.loaders.proposed_tables import sheet_day
from vertebro_outcomes.loaders.pseudonyms import pseudonym
from vertebro_outcomes.loaders.staging import NO_PATIENT
from vertebro_outcomes.loaders.workbooks import read_workbook
from vertebro_outcomes.tables.engine import embedded_engine

KEY = b"merged"
ROWS = (
    ["Register 2019"],
    ["Pat.-Nr.", "Geschlecht", "Behandlung", "OP-Datum", "Visite", "VAS", "Zement (ml)", "Komplikation"],
    [101, "w", "Kyphoplastie", date(2019, 2, 3), date(2019, 2, 3), 8, 4.5, "Fieber"],
    [None, None, None, None, date(2019, 5, 3), 3],
    [None, None, None, None, date(2020, 2, 3), 2],
    [102, "m", "konservativ", date(2019, 3, 1), date(2019, 3, 1), 7],
    [None, None, None, None, date(2019, 6, 1), 5],
)  # fmt: skip
MERGED = ("A1:H1", *(f"{c}3:{c}5" for c in "ABCDGH"), *(f"{c}6:{c}7" for c in "ABCD"))


def workbook(path, merged):
    book = openpyxl.Workbook()
    for row in ROWS:
        book.active.append(row)
    for cells in merged:
        book.active.merge_cells(cells)
    book.save(path)
    return path


def test_a_patient_number_merged_over_rows_is_that_of_each(tmp_path):
    cohort = load(workbook(tmp_path / "r.xlsx", MERGED), key=KEY)
    scores = cohort.frame("scores")
    told = {(row.patient_id, row.day, row.value) for row in scores.itertuples()}
    one, two = (pseudonym(n, KEY) for n in ("101", "102"))
    assert told == {(one, 0, 8), (one, 89, 3), (one, 365, 2), (two, 0, 7), (two, 92, 5)}
    people = cohort.frame("patients").set_index("patient_id")["sex"]
    assert people.to_dict() == {one: "female", two: "male"}
    episodes = cohort.frame("episodes").set_index("patient_id")
    assert episodes.loc[one, ["treatment", "cement_ml", "followup_end_day"]].tolist() == [
        "KP",
        4.5,
        365,
    ]
    assert cohort.frame("events")[["type"]].to_numpy().tolist() == [["fever"]]
    assert cohort.accounting.iloc[0, 1:].tolist() == [5, 5, 0, 0]
    said = "r.xlsx[Sheet]: what is merged over rows of"
    assert f"{said} 'Pat.-Nr.' is read in each of its rows" in cohort.notes
    assert f"{said} 'Zement (ml)' counts once, in the first of its rows" in cohort.notes


@pytest.mark.slow
def test_a_patient_number_over_blank_cells_is_not_guessed_and_it_is_said(tmp_path):
    cohort = load(workbook(tmp_path / "r.xlsx", ["A1:H1"]), key=KEY)
    assert cohort.rejects[["line", "column", "rule"]].to_numpy().tolist() == [
        [line, "Pat.-Nr.", NO_PATIENT] for line in (4, 5, 7)
    ]
    assert "write it in every row" in NO_PATIENT
    assert cohort.accounting.iloc[0, 1:].tolist() == [5, 2, 3, 0]


def test_which_cells_span_rows(tmp_path):
    path = workbook(tmp_path / "r.xlsx", ["A1:H1", "A3:A5", "AB4:AC9"])
    found = merged_down(path, "/xl/worksheets/sheet1.xml")
    assert sorted(found, key=lambda cell: cell.column) == [Merged(0, 3, 5), Merged(27, 4, 9)]
    assert merged_down(path, "") == []


def test_what_is_filled_down():
    rows = [
        (1, ["id", "centre", "cement_ml"]),
        (2, ["1", "North", "4"]),
        (3, []),
        (4, ["", "", "", "x"]),
    ]
    merged = [Merged(0, 1, 2), Merged(0, 2, 4), Merged(1, 2, 4), Merged(2, 2, 4), Merged(9, 2, 4)]
    assert fill_down(rows, merged, top=0) == {
        0: "is read in each of its rows",
        1: "is read in each of its rows",
        2: "counts once, in the first of its rows",
    }
    assert rows[2:] == [(3, []), (4, ["1", "North", "", "x"])]  # a blank row stays blank


def test_a_cell_shown_as_percent_is_read_as_shown(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["patient_id", "odi_3m", "vas_3m", "smoker"])
    for n, (odi, form) in enumerate([(0.07, "0%"), (0.446, "0.0%"), (1, "0 %"), (0, "General")], 2):
        book.active.append([n, odi, 0.5, True])
        book.active.cell(n, 2).number_format = form
    book.save(tmp_path / "r.xlsx")
    (source,) = read_workbook(embedded_engine(), tmp_path / "r.xlsx")
    rows = source.data.order_by("_line").to_pyarrow()
    assert rows["odi_3m"].to_pylist() == ["7%", "44.6%", "100%", "0"]
    assert set(rows["vas_3m"].to_pylist()) == {"0.5"}
    assert set(rows["smoker"].to_pylist()) == {"TRUE"}


@pytest.mark.slow
def test_scores_shown_as_percent_are_on_their_scale(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["patient_id", "treatment", "procedure_date", "odi_baseline", "odi_3m"])
    for n in range(2, 6):
        book.active.append([n, "KP", date(2019, 2, 3), n / 10, n / 20])
        for column in (4, 5):
            book.active.cell(n, column).number_format = "0%"
    book.save(tmp_path / "r.xlsx")
    cohort = load(tmp_path, key=KEY)
    scores = cohort.frame("scores")
    told = sorted(zip(scores["day"], scores["value"].round(9), strict=True))
    assert told == [(0, 20), (0, 30), (0, 40), (0, 50), (91, 10), (91, 15), (91, 20), (91, 25)]
    assert cohort.rejects.empty


@pytest.mark.slow
def test_sheets_named_after_visits_tell_the_day(tmp_path):
    book = openpyxl.Workbook()
    book.active.title = "Patients"
    for row in (["Pat-ID", "treatment", "procedure date"], [1, "KP", date(2019, 2, 3)]):
        book.active.append(row)
    told = {"Baseline": (8.5, 60), "3 Monate": (3, 30), "FU 12 months": (2.5, None)}
    for name, scores in told.items():
        sheet = book.create_sheet(name)
        sheet.append(["Pat-ID", "VAS", "ODI"])
        sheet.append([1, *scores])
    book.save(tmp_path / "r.xlsx")
    scores = load(tmp_path, key=KEY).frame("scores")
    values = {(row.instrument, row.day): row.value for row in scores.itertuples()}
    assert values == {
        ("pain_vas", 0): 8.5, ("odi", 0): 60, ("pain_vas", 91): 3, ("odi", 91): 30,
        ("pain_vas", 365): 2.5,
    }  # fmt: skip


def test_only_sheets_are_named_after_a_day():
    assert sheet_day("r_12m.xlsx[3 Monate]") == 91
    assert sheet_day("r.xlsx[Scores]") is None
    assert sheet_day("scores_3m.csv") is None


def test_a_range_that_goes_on_beyond_the_rows_ends_with_them():
    rows = [(1, ["patient_id", "n"]), (2, ["A7", "1"]), (3, ["", "2"]), (4, ["", ""])]
    done = fill_down(rows, [Merged(0, 2, 9_999_999)], top=0)
    assert [cells[0] for _, cells in rows] == ["patient_id", "A7", "A7", ""]
    assert done == {0: "is read in each of its rows"}
