"""Tables as people make them by hand: totals, group headings, empty files, scores of their own."""

import datetime

import openpyxl
import pytest

import vertebro_outcomes as vo
from vertebro_outcomes.errors import LoadError
from vertebro_outcomes.loaders import files
from vertebro_outcomes.loaders.delimited import read_delimited
from vertebro_outcomes.loaders.large_files import read_large
from vertebro_outcomes.loaders.load import load
from vertebro_outcomes.loaders.registries.omop import SAMPLE
from vertebro_outcomes.tables.cohort_tables import STORED
from vertebro_outcomes.tables.engine import embedded_engine

KEY = b"a key for tests"
HEADER = "patient_id,sex,age,treatment,procedure_date,fracture_date,vas_baseline,vas_3_months\n"
TABLE = f"{HEADER}1,F,70,VP,2020-01-10,2020-01-01,8,3\n2,M,80,KP,2020-02-10,2020-02-01,7,2\n"
DAYS = [["KP", -9], ["VP", -9]]


def what(cohort):
    episodes = cohort.frame("episodes")[["treatment", "fracture_day"]]
    scores = cohort.frame("scores")[["instrument", "day", "value"]]
    return sorted(episodes.to_numpy().tolist()), sorted(scores.to_numpy().tolist())


EXPECTED = (
    DAYS,
    [["pain_vas", 0, 7.0], ["pain_vas", 0, 8.0], ["pain_vas", 91, 2.0], ["pain_vas", 91, 3.0]],
)
WRITTEN = {
    "mark and line ends of Windows": b"\xef\xbb\xbf" + TABLE.replace("\n", "\r\n").encode(),
    "UTF-16": TABLE.encode("utf-16"),
    "UTF-16 without a mark": TABLE.replace(",", ";").encode("utf-16-be"),
    "pipes": TABLE.replace(",", "|").encode(),
    "zero bytes": TABLE.replace("80", "8\x000").encode(),
    "serial dates": TABLE.replace("2020-01-10", "43840")
    .replace("2020-01-01", "43831")
    .replace("2020-02-10", "43871")
    .replace("2020-02-01", "43862")
    .encode(),
    "group headings": f"People,,,Care,,,Scores,\n{TABLE}".encode(),
    "many group headings": f"People,,Age,Care,,Dates,Scores,\n{TABLE}".encode(),
    "units": TABLE.replace(
        HEADER, f"{HEADER},m/f,years,-,yyyy-mm-dd,yyyy-mm-dd,0-10,(0-10)\n"
    ).encode(),
    "a scale below": TABLE.replace(HEADER, f"{HEADER},,,,,,0-100,0-100\n")
    .replace(",8,3", ",80,30")
    .replace(",7,2", ",70,20")
    .encode(),
    "operations": TABLE.replace("treatment", "Operation").encode(),
}


@pytest.mark.parametrize("way", WRITTEN)
def test_the_same_table_in_every_hand(tmp_path, way):
    path = tmp_path / "a.csv"
    path.write_bytes(WRITTEN[way])
    cohort = load(path, key=KEY)
    assert what(cohort) == EXPECTED
    assert cohort.rejects.empty
    assert cohort.accounting.iloc[0, 1:].tolist() == [2, 2, 0, 0]


@pytest.mark.parametrize("word", ["Total", "Summe:", "Mean"])
def test_rows_that_sum_up_are_no_patients(tmp_path, word):
    path = tmp_path / "a.csv"
    path.write_text(f"{TABLE}{word},,150,,,,15,5\nn = 2,,,,,,,\n")
    cohort = load(path, key=KEY)
    assert what(cohort) == EXPECTED
    assert cohort.ignored.to_numpy().tolist() == [["a.csv", "footer", 2]]


def test_a_workbook_with_two_rows_of_headings_serial_dates_and_totals(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["Export of our registry 2020"])
    sheet.merge_cells("A1:F1")
    sheet.append(["People", "", "Care", "", "Scores", ""])
    sheet.append(
        ["patient_id", "sex", "treatment", "procedure_date", "vas_baseline", "vas_3_months"]
    )
    sheet.append([1, "F", "VP", 43840, 8, 3])
    sheet.append([2, "M", "KP", datetime.date(2020, 2, 10), 7.0, 2])
    sheet.append(["Total", "", "", "", 15, 5])
    book.create_sheet("Remarks").append(["written by hand"])
    book.create_sheet("nothing")
    book.save(tmp_path / "a.xlsx")
    cohort = load(tmp_path, key=KEY)
    assert what(cohort)[1] == EXPECTED[1]
    assert sorted(cohort.frame("episodes")["treatment_day"].tolist()) == [0, 0]
    assert cohort.rejects.empty
    assert cohort.accounting.iloc[0, 1:].tolist() == [3, 2, 0, 1]


def test_an_empty_file_beside_a_table_is_said_and_alone_refused(tmp_path):
    (tmp_path / "a.csv").write_text(TABLE)
    (tmp_path / "b.csv").write_bytes(b"")
    cohort = load(tmp_path, key=KEY)
    assert what(cohort) == EXPECTED
    assert "b.csv: an empty file" in cohort.notes
    (tmp_path / "a.csv").write_bytes(b"")
    with pytest.raises(LoadError, match=r"a\.csv: an empty file") as refused:
        load(tmp_path, key=KEY)
    assert len(refused.value.problems) == 2


@pytest.mark.parametrize("content", [HEADER, f"{HEADER},,,,,,,\n\n"])
def test_only_a_header_is_nobody(tmp_path, content):
    path = tmp_path / "a.csv"
    path.write_text(content)
    cohort = load(path, key=KEY)
    assert cohort.frame("patients").empty
    assert cohort.accounting["rows_ignored"].sum() == cohort.accounting["rows_in"].sum()


def test_rows_of_separators_are_blank_for_both_readers(tmp_path, monkeypatch):
    path = tmp_path / "t.csv"
    path.write_text("id,b,c\n1,2,3\n,,\n  , ,\n,5,6\n7,8,9\n")
    engine = embedded_engine()
    slow, fast = read_delimited(engine, path), read_large(engine, path)
    assert slow.set_aside == fast.set_aside == {"blank line": 2}
    assert slow.rows_in == fast.rows_in == 5
    lines = [s.data.order_by("_line").to_pyarrow()["_line"].to_pylist() for s in (slow, fast)]
    assert lines == [[2, 5, 6], [2, 5, 6]]
    path.write_text(f"{TABLE},,,,,,,\n")
    plain = load(path, key=KEY)
    monkeypatch.setattr(files, "LARGE_BYTES", 1)
    large = load(path, key=KEY)
    assert what(large) == what(plain) == EXPECTED
    assert large.accounting.equals(plain.accounting)


OMOP = {
    "headers in capitals": {
        name: text.split("\n", 1)[0].upper() + "\n" + text.split("\n", 1)[1]
        for name, text in SAMPLE.items()
    },
    "visits of 5.3": {
        **SAMPLE,
        "visit_occurrence.csv": "visit_occurrence_id,person_id,visit_start_date,"
        "admitting_source_concept_id,discharge_to_concept_id\n1,5,2112-02-03,0,0\n",
    },
    "visits, causes of death and episodes of 5.4": {
        **SAMPLE,
        "visit_occurrence.csv": "visit_occurrence_id,person_id,visit_start_date,"
        "admitted_from_concept_id,discharged_to_concept_id\n1,5,2112-02-03,0,0\n",
        "death.csv": "person_id,death_date,death_datetime,death_type_concept_id,cause_concept_id\n"
        "-9007199254740992,2113-05-30,2113-05-30 00:00:00,32817,0\n",
        "episode.csv": "episode_id,person_id,episode_concept_id,episode_start_date\n",
    },
}


@pytest.mark.parametrize(
    "way", [pytest.param(w, marks=() if "5.4" in w else pytest.mark.slow) for w in OMOP]
)
def test_versions_of_a_database_give_the_same_cohort(tmp_path, way):
    cohorts = []
    for name, tables in (("one", SAMPLE), ("other", OMOP[way])):
        (tmp_path / name).mkdir()
        for file, text in tables.items():
            (tmp_path / name / file).write_text(text)
        cohorts.append(load(tmp_path / name, key=KEY))
    one, other = cohorts
    for table in STORED:
        assert other.frame(table).equals(one.frame(table)), table
    assert one.frame("patients")["death_day"].notna().sum() == 1


MAPPING = """\
name = "clinic"
[instruments.headache]
low = 0
high = 100
better = "lower"
[[feed]]
source = "a.csv"
table = "scores"
scales = { headache = [0, 10] }
[feed.columns]
patient_id = "id"
instrument = { column = "what", codes = { H = "headache", V = "pain_vas" } }
day = "day"
value = "v"
"""


def test_a_score_of_your_own_is_declared_in_the_mapping(tmp_path):
    (tmp_path / "a.csv").write_text("id,what,day,v\n1,H,0,5\n1,headache,30,12\n1,V,30,4\n")
    (tmp_path / "mapping.toml").write_text(MAPPING)
    cohort = load(tmp_path, key=KEY)
    scores = cohort.frame("scores")
    assert scores[["instrument", "day", "value", "value_raw"]].to_numpy().tolist() == [
        ["headache", 0, 50.0, 5.0],
        ["pain_vas", 30, 4.0, 4.0],
    ]
    assert cohort.rejects["rule"].tolist() == ["off the scale 0-10 of headache"]
    assert cohort.instruments["headache"].better == "lower"
    assert vo.load(cohort.write(tmp_path / "out")).instruments == cohort.instruments


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"headache": {"low": 9, "high": 1}}, "low and high"),
        ({"pain_vas": {"low": 0, "high": 1}}, "a published instrument"),
        ({"headache": {"lowest": 0}}, "some of"),
    ],
)
def test_a_score_that_cannot_be_meant_is_refused(tmp_path, given, said):
    (tmp_path / "a.csv").write_text("id,day,v\n1,0,50\n")
    with pytest.raises(LoadError, match=said):
        load(tmp_path, mapping={"name": "c", "instruments": given}, key=KEY)
