"""Vertebrae in columns side by side, headers in two rows, ages in bands."""

from datetime import date

import openpyxl
import pandas as pd
import pyreadstat
import pytest

from vertebro_outcomes.loaders.headings import joined_titles, with_second_row, with_units
from vertebro_outcomes.loaders.level_cells import TOGETHER
from vertebro_outcomes.loaders.load import load
from vertebro_outcomes.loaders.propose import propose_mapping
from vertebro_outcomes.loaders.proposed_levels import side_by_side
from vertebro_outcomes.loaders.pseudonyms import pseudonym
from vertebro_outcomes.loaders.sources import source_from_rows
from vertebro_outcomes.tables.engine import embedded_engine

KEY = b"side"


def feeds(*rows):
    header, *cells = [row.split(",") for row in rows]
    source = source_from_rows(
        embedded_engine(), "t", header=header, rows=cells, lines=list(range(len(cells)))
    )
    return side_by_side(source, {}, set())


def test_each_vertebra_with_columns_of_its_own():
    made = feeds(
        "id,cement_t12,leak_t12,cement_ml_l1,kyph_pre_l1", "1,3.5,disc,4,12", "2,,none,5,20"
    )
    assert [feed["columns"]["level"] for feed in made] == [{"constant": "T12"}, {"constant": "L1"}]
    assert [sorted(feed["columns"]) for feed in made] == [
        ["cement_ml", "leakage", "level"], ["cement_ml", "kyphosis_pre_deg", "level"],
    ]  # fmt: skip
    assert feeds("id,leak_t12,leak_l1", "1,disc,none")
    assert not feeds("id,leak_how_t12,leak_how_l1", "1,CT,CT")
    assert not feeds("id,kyphosis_pre_t6,kyphosis_pre_t12", "1,20,18")  # perhaps months
    assert not feeds("id,cement_l1", "1,4")


def test_numbered_vertebrae_and_new_fractures():
    made = feeds(
        "id,level_1,cement_ml_1,level_2,cement_ml_2,newfx_date_1,newfx_date_2,cement_1_2",
        "1,T12,3.5,L1,4,2019-08-01,2020-01-02,9",
    )
    assert [(feed["table"], sorted(feed["columns"])) for feed in made] == [
        ("levels", ["cement_ml", "level"]), ("levels", ["cement_ml", "level"]),
        ("fractures", ["date"]), ("fractures", ["date"]),
    ]  # fmt: skip
    assert not feeds("id,level_1", "1,T12")


def test_numbers_of_vertebrae_in_labels_and_beside_the_word_level():
    made = feeds("id,Level 1,Cement level 1 (mL),Level 2,Cement of level 2 (mL)", "1,T12,3,L1,4")
    assert [sorted(feed["columns"]) for feed in made] == [["cement_ml", "level"]] * 2
    labels = {
        "niv1": "Level 1",
        "cem1": "Cement 1 (ml)",
        "niv2": "Level 2",
        "cem2": "Cement 2 (ml)",
    }
    source = source_from_rows(
        embedded_engine(), "t", header=list(labels), rows=[["12", "3", "13", "4"]], lines=[1],
        labels=labels, codes={"niv1": {"12": "T12"}, "niv2": {"13": "L1"}},
    )  # fmt: skip
    assert [feed["columns"]["level"] for feed in side_by_side(source, {}, set())] == [
        {"column": "niv1", "codes": {"12": "T12"}}, {"column": "niv2", "codes": {"13": "L1"}},
    ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["dta", "sav"])
def test_codes_with_labels_of_sites_vertebrae_and_treatments(tmp_path, kind):
    frame = pd.DataFrame(
        {"pnr": [1, 2], "centr": [1, 2], "beh": [1, 2], "opd": [date(2019, 2, 3), date(2019, 3, 1)],
         "niv1": [11.0, 13.0], "cem1": [3.5, 4.0], "niv2": [12.0, None], "cem2": [2.5, None],
         "v3": [25.0, 30.0]}
    )  # fmt: skip
    titles = ["Patient number", "Hospital", "Treatment", "Date of operation", "Level 1", "Cement 1 (ml)",
              "Level 2", "Cement 2 (ml)", "VAS 3 months (mm)"]  # fmt: skip
    levels = {11: "T11", 12: "T12", 13: "L1"}
    codes = {"centr": {1: "Mainz", 2: "Ulm"}, "beh": {1: "vertebroplasty", 2: "kyphoplasty"}}
    write = {"dta": pyreadstat.write_dta, "sav": pyreadstat.write_sav}[kind]
    write(
        frame, str(tmp_path / f"r.{kind}"), column_labels=titles,
        variable_value_labels={**codes, "niv1": levels, "niv2": levels},
    )  # fmt: skip
    cohort = load(tmp_path, key=KEY)
    one, two = (pseudonym(n, KEY) for n in "12")
    assert cohort.frame("patients").set_index("patient_id")["site"].to_dict() == {
        one: "Mainz", two: "Ulm",
    }  # fmt: skip
    told = {
        (row.patient_id, row.level, row.cement_ml) for row in cohort.frame("levels").itertuples()
    }
    assert told == {(one, "T11", 3.5), (one, "T12", 2.5), (two, "L1", 4.0)}
    episodes = cohort.frame("episodes").set_index("patient_id")["treatment"]
    assert episodes.to_dict() == {one: "VP", two: "KP"}
    assert sorted(cohort.frame("scores")["value"]) == [2.5, 3.0]
    assert cohort.rejects.empty
    assert cohort.unmapped.empty


@pytest.mark.slow
def test_cement_of_the_first_vertebra_is_not_that_of_the_procedure(tmp_path):
    (tmp_path / "t.csv").write_text(
        "patient_id,treatment,procedure_date,level,cement,level_2,cement_2\n"
        "1,KP,2019-02-03,T12,3.5,L1,4\n2,VP,2019-02-03,L3,5,,\n"
    )
    cohort = load(tmp_path, key=KEY)
    levels = cohort.frame("levels").sort_values(["cement_ml"])
    assert levels[["level", "cement_ml"]].to_numpy().tolist() == [
        ["T12", 3.5],
        ["L1", 4],
        ["L3", 5],
    ]
    assert cohort.frame("episodes")["cement_ml"].isna().all()


def test_cement_told_in_rows_of_vertebrae_belongs_to_them(tmp_path):
    (tmp_path / "p_DATA.csv").write_text(
        "record_id,redcap_repeat_instrument,redcap_repeat_instance,treatment,procedure_date,level,cement_ml\n"
        "1,,,KP,2019-02-03,,\n1,levels,1,,,L1,4.0\n2,,,VP,2019-03-01,,\n2,levels,1,,,L3,5.5\n"
    )
    lines = propose_mapping(tmp_path).lines
    assert {line.table for line in lines if line.column == "cement_ml"} == {"levels"}


def test_two_rows_of_headers():
    above = ["Patient", "", "Eingriff", "", "VAS", "", "ODI"]
    header = ["Nr.", "Alter", "Datum", "Art", "präop", "6 Wochen", "präop"]
    assert joined_titles(above, header) == [
        "Nr.", "Alter", "Eingriff Datum", "Eingriff Art", "VAS präop", "VAS 6 Wochen", "ODI präop",
    ]  # fmt: skip
    assert joined_titles(["Report of 2021", "", ""], ["a", "b", "b"]) == ["a", "b", "b"]
    first, second = (
        ["ID", "Sex", "VAS", "", "ODI", ""],
        ["", "", "Baseline", "1 month", "Baseline", "1 month"],
    )
    joined = ["ID", "Sex", "VAS Baseline", "VAS 1 month", "ODI Baseline", "ODI 1 month"]
    data = ["1", "F", "8", "3", "60", "20"]
    assert with_second_row(first, [second, data]) == joined
    assert with_second_row(["ID", "Sex", "VAS", "VAS", "ODI", "ODI"], [second, data]) == joined
    assert with_second_row(first, [data, data]) is None
    assert with_second_row(first, [second]) is None
    assert with_second_row(["ID", "Sex"], [["", ""], ["1", "F"]]) is None


def test_a_row_of_units_is_part_of_the_titles():
    header = ["ID", "Age", "VAS", "Cement (ml)", "Note"]
    told = ["ID", "Age (years)", "VAS (0-100)", "Cement (ml)", "Note"]
    assert with_units(header, ["", "[years]", "0-100", "ml", "text"]) == told
    assert with_units(header, ["", "years"]) == [*told[:2], *header[2:]]
    assert with_units(header, ["Einheit", "years", "", "", ""]) == [*told[:2], *header[2:]]
    for other in (
        ["1", "years", "", "", ""],
        ["", "70", "0-100", "", ""],
        ["", "", "", "", "text"],
    ):
        assert with_units(header, other) is None


def test_a_workbook_with_groups_above_its_titles(tmp_path):
    book = openpyxl.Workbook()
    for row in (
        ["Register 2021"], [],
        ["Patient", None, "Eingriff", None, "VAS", None],
        ["Nr.", "Alter", "Datum", "Art", "präop", "6 Wochen"],
        [1, 78, "2019-02-03", "Kyphoplastie", 8.5, 3], [2, 81, "2019-02-11", "konservativ", 7, 2],
    ):  # fmt: skip
        book.active.append(row)
    book.save(tmp_path / "r.xlsx")
    cohort = load(tmp_path / "r.xlsx", key=KEY)
    scores = cohort.frame("scores").set_index(["patient_id", "day"])["value"]
    assert scores[pseudonym("1", KEY)].to_dict() == {0: 8.5, 42: 3}
    assert cohort.frame("episodes")["treatment"].tolist().count("NSM") == 1
    assert cohort.unmapped.empty


def test_ages_in_bands_are_not_guessed(tmp_path):
    (tmp_path / "t.csv").write_text("patient_id,age,treatment\n1,80-84,KP\n2,90+,VP\n3,>89,VP\n")
    (said,) = (why for _, column, why in propose_mapping(tmp_path).unmapped if column == "age")
    assert said.endswith("ranges (80-84, 90+): give each one number with codes")


def test_a_level_named_by_its_label_alone_takes_the_cement_of_its_row(tmp_path):
    (tmp_path / "p_DataDictionary.csv").write_text(
        "field_name,form_name,field_type,field_label,select_choices_or_calculations\n"
        'record_id,a,text,Record,\ngrp,a,radio,Treatment received,"1, Kyphoplasty"\n'
        'dt,a,text,Date of treatment,\nlvl,b,dropdown,Vertebral level,"12, T12 | 13, L1"\n'
        "cement,b,text,Cement volume (mL),\n"
    )
    (tmp_path / "p_DATA.csv").write_text(
        "record_id,redcap_repeat_instrument,redcap_repeat_instance,grp,dt,a_complete,lvl,cement,b_complete\n"
        "1,,,1,2019-02-03,2,,,\n1,b,1,,,,12,4.0,2\n1,b,2,,,,13,3.0,2\n"
    )
    lines = propose_mapping(tmp_path).lines
    assert {line.table for line in lines if line.column == "cement"} == {"levels"}


@pytest.mark.slow
def test_one_amount_for_several_vertebrae_is_that_of_none_of_them(tmp_path):
    (tmp_path / "p.csv").write_text(
        "patient_id,treatment,procedure_date\n1,KP,2019-02-03\n2,VP,2019-02-03\n"
    )
    (tmp_path / "l.csv").write_text(
        "patient_id,level,cement_ml,leakage\n1,T12/L1,8.0,disc\n1,L3,3,none\n2,L2,4.0,none\n2,T11-L1,,none\n"
    )
    cohort = load(tmp_path, key=KEY)
    levels = cohort.frame("levels").set_index(["patient_id", "level"])["cement_ml"]
    one, two = (pseudonym(n, KEY) for n in "12")
    assert levels.dropna().to_dict() == {(one, "L3"): 3, (two, "L2"): 4}
    assert len(levels) == 7
    rejects = cohort.rejects[["line", "column", "found", "rule"]].to_numpy().tolist()
    assert rejects == [[2, "cement_ml", "8", TOGETHER]]
    assert cohort.accounting.set_index("source_file").loc["l.csv"].tolist() == [4, 4, 0, 0]
