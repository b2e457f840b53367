"""Exports of strangers in which plausible values would be wrong: other people's codes, days, repeats."""

import pytest

from vertebro_outcomes.errors import LoadError
from vertebro_outcomes.loaders.load import load
from vertebro_outcomes.loaders.propose import propose_mapping
from vertebro_outcomes.loaders.pseudonyms import pseudonym

KEY = b"stranger"
HEAD = "field_name,form_name,field_type,field_label,select_choices_or_calculations\n"


def of_person(cohort, table, *columns):
    """{identifier as written: rows}, each row the columns asked for."""
    names = {pseudonym(str(n), KEY): n for n in range(1, 20)}
    frame = cohort.frame(table)
    found = {}
    for row in frame.sort_values([c for c in columns if frame[c].notna().all()]).itertuples():
        cells = tuple(None if str(v) in ("<NA>", "nan", "None") else v for v in
                      (getattr(row, c) for c in columns))  # fmt: skip
        found.setdefault(names[row.patient_id], []).append(cells)
    return found


def project(folder, name, choices, first="1,2,2019-02-03,2\n"):
    fields = "record_id,a,text,Record,\ntreatment_date,a,text,Date of procedure,\n"
    fields += f'treatment,a,radio,Treatment,"{choices}"\n'
    (folder / f"{name}_DataDictionary.csv").write_text(HEAD + fields)
    (folder / f"{name}_DATA.csv").write_text(
        "record_id,treatment,treatment_date,a_complete\n" + first
    )


def test_two_projects_in_one_folder_are_never_read_with_one_dictionary(tmp_path):
    project(tmp_path, "North", "1, Vertebroplasty | 2, Kyphoplasty")
    project(tmp_path, "South", "1, Kyphoplasty | 2, Vertebroplasty")
    with pytest.raises(LoadError, match=r"South_DATA\.csv: goes with South_DataDictionary\.csv"):
        load(tmp_path, key=KEY)


@pytest.mark.slow
def test_one_of_two_projects_is_read_with_its_own_dictionary(tmp_path):
    project(tmp_path, "North", "1, Vertebroplasty | 2, Kyphoplasty")
    project(tmp_path, "South", "1, Kyphoplasty | 2, Vertebroplasty")
    read = {
        name: of_person(load(tmp_path / f"{name}_DATA.csv", key=KEY), "episodes", "treatment")[1]
        for name in ("North", "South")
    }
    assert read == {"North": [("KP",)], "South": [("VP",)]}


@pytest.mark.slow
def test_two_versions_of_a_dictionary_that_disagree_are_not_chosen_between(tmp_path):
    project(tmp_path, "p", "1, Vertebroplasty | 2, Kyphoplasty")
    other = (tmp_path / "p_DataDictionary.csv").read_text().replace("2, Kyph", "3, Kyph")
    (tmp_path / "p_DataDictionary_old.csv").write_text(other)
    load(tmp_path, key=KEY)  # a code that only one of them has contradicts nothing
    (tmp_path / "p_DataDictionary_old.csv").write_text(other.replace("3, Kyph", "2, Brace"))
    with pytest.raises(LoadError, match="keep only the dictionary that belongs"):
        load(tmp_path, key=KEY)


def test_two_registries_that_number_other_people_alike_are_refused(tmp_path):
    head = "patient_id,sex,date of birth,age,treatment,procedure_date\n"
    north = "1,F,1940-01-01,79,KP,2019-02-03\n2,M,1938-01-01,81,VP,2019-02-11\n"
    (tmp_path / "north.csv").write_text(head + north)
    (tmp_path / "south.csv").write_text(
        head + north.replace("1940", "1949").replace("M,1938", "F,1938")
    )
    with pytest.raises(LoadError, match=r"2 of 2 patient numbers that north\.csv and south\.csv"):
        load(tmp_path, key=KEY)


@pytest.mark.slow
def test_the_same_people_in_two_tables_are_one(tmp_path):
    head = "patient_id,sex,age,treatment,procedure_date\n"
    north = "1,F,79,KP,2019-02-03\n2,M,81,VP,2019-02-11\n"
    (tmp_path / "north.csv").write_text(head + north)
    (tmp_path / "south.csv").write_text(head + north.replace("2019", "2021"))  # treated again
    assert len(load(tmp_path, key=KEY).frame("episodes")) == 4


ROWS = """\
patient_id,sex,treatment,procedure_date,level,cement leak,postop infection,visit_date,vas,new fracture date
1,F,KP,2019-02-03,T12,yes,no,2019-02-03,8,2019-08-01
1,F,KP,2019-02-03,T12,yes,no,2019-03-03,3,2019-08-01
2,M,VP,2019-02-11,L1,no,yes,2019-02-11,9,
2,M,VP,2019-02-11,L1,no,yes,2019-03-11,2,
"""


def test_what_each_row_of_a_patient_repeats_happened_once(tmp_path):
    (tmp_path / "t.csv").write_text(ROWS)
    cohort = load(tmp_path, key=KEY)
    assert of_person(cohort, "events", "type", "day") == {
        1: [("cement_leakage", 0)], 2: [("infection", None)],
    }  # fmt: skip
    assert of_person(cohort, "fractures", "day") == {1: [(179,)]}
    repeats = cohort.rejects.query("rule.str.startswith('repeats a record that is kept')")
    assert repeats["line"].tolist() == [3, 3, 5]
    assert [note[:20] for note in cohort.notes if "counted once" in note] == [
        "2 rows tell one of e", "1 rows tell one of f",
    ]  # fmt: skip
    assert cohort.accounting.iloc[0, 1:].tolist() == [4, 4, 0, 0]  # their scores are used


VISITS = "patient_id,treatment,procedure_date,visit_date,vas,complication\n"


@pytest.mark.slow
def test_a_complication_named_beside_scores_is_of_the_visit_where_later_rows_name_one(tmp_path):
    told = [
        "1,KP,2019-02-03,2019-02-03,8,", "1,KP,2019-02-03,2019-05-03,3,rib fracture",
        "2,VP,2019-02-03,2019-02-03,7,fever", "2,VP,2019-02-03,2019-03-03,5,fever",
        "2,VP,2019-02-03,2019-05-03,4,Keine",
    ]  # fmt: skip
    (tmp_path / "t.csv").write_text(VISITS + "\n".join(told))
    cohort = load(tmp_path, key=KEY)
    assert of_person(cohort, "events", "type", "day") == {
        1: [("rib_fracture", 89)], 2: [("fever", 0), ("fever", 28)],
    }  # fmt: skip
    assert cohort.rejects.empty


@pytest.mark.slow
def test_a_complication_named_in_the_first_row_of_a_patient_has_no_day_of_its_own(tmp_path):
    told = "1,KP,2019-02-03,2019-02-03,8,fever\n1,KP,2019-02-03,2019-05-03,3,\n"
    (tmp_path / "t.csv").write_text(VISITS + told)
    cohort = load(tmp_path, key=KEY)
    assert of_person(cohort, "events", "type", "day") == {1: [("fever", None)]}


@pytest.mark.slow
def test_two_events_alike_in_a_list_of_events_stay_two(tmp_path):
    (tmp_path / "p.csv").write_text("patient_id,treatment,procedure_date\n1,KP,2019-02-03\n")
    (tmp_path / "e.csv").write_text(
        "patient_id,event,event_date\n1,fever,2019-02-04\n1,fever,2019-02-04\n"
    )
    cohort = load(tmp_path, key=KEY)
    assert of_person(cohort, "events", "type", "day") == {1: [("fever", 1), ("fever", 1)]}
    assert not any("counted once" in note for note in cohort.notes)


@pytest.mark.slow
def test_a_visit_that_tells_of_a_complication_gives_it_its_day(tmp_path):
    (tmp_path / "base.csv").write_text("patient_id,treatment,procedure_date\n1,KP,2019-02-03\n")
    visits = "patient_id,visit_date,vas,cement leak\n1,2019-02-03,8,no\n1,2019-03-05,3,yes\n"
    (tmp_path / "visits.csv").write_text(visits)
    events = load(tmp_path, key=KEY)
    assert of_person(events, "events", "type", "day") == {1: [("cement_leakage", 30)]}


@pytest.mark.slow
def test_a_leak_at_its_level_has_its_own_date_or_that_of_the_procedure(tmp_path):
    (tmp_path / "t.csv").write_text(
        "patient_id,treatment,procedure_date,level,leakage,leakage date\n"
        "1,KP,2019-02-03,T12,yes,2019-02-06\n1,KP,2019-02-03,L1,yes,2019-02-07\n2,VP,2019-03-01,L1,no,\n"
    )
    events = load(tmp_path, key=KEY)
    assert of_person(events, "events", "day", "level") == {1: [(3, "T12"), (4, "L1")]}


FIELDS = """\
record_id,base,text,Record,
treatment,base,radio,Treatment,"1, Vertebroplasty | 2, Kyphoplasty"
procedure_date,base,text,Date of procedure,
leak,proc,checkbox,Cement leakage,"0, None | 1, Disc | 2, Venous"
visit_date,visit,text,Visit date,
vas,visit,text,Back pain VAS,
compl,visit,checkbox,Complications,"1, Fever | 2, Cement leakage"
ct_date,ct,text,Date of CT,
ctleak,ct,checkbox,Cement leakage on CT,"1, Disc | 2, Venous"
leakfu,fu,checkbox,Leakage found later,"1, Foraminal"
leakfu_date,fu,text,Date leakage detected,
"""
RECORDS = """\
record_id,redcap_event_name,treatment,procedure_date,base_complete,leak___0,leak___1,leak___2,proc_complete,visit_date,vas,compl___1,compl___2,visit_complete,ct_date,ctleak___1,ctleak___2,ct_complete,leakfu___1,leakfu_date,fu_complete
1,baseline_arm_1,2,2019-02-03,2,0,1,0,2,2019-02-01,8,0,0,2,,0,0,,0,,
1,month_1_arm_1,,,,0,0,0,,2019-03-05,3,1,1,2,2019-02-05,0,1,2,1,2019-02-10,2
2,baseline_arm_1,1,2019-03-01,2,1,0,0,2,2019-02-28,9,0,0,2,,0,0,,0,,
"""


def test_a_ticked_leak_has_the_day_that_its_form_gives_it(tmp_path):
    """Of the procedure, of the visit, of the scan, or its own; the box for none is no leak."""
    (tmp_path / "p_DataDictionary.csv").write_text(HEAD + FIELDS)
    (tmp_path / "p_DATA.csv").write_text(RECORDS)
    cohort = load(tmp_path, key=KEY)
    assert of_person(cohort, "events", "type", "day") == {
        1: [
            ("cement_leakage", 30),
            ("cement_leakage_disc", 0),
            ("cement_leakage_foraminal", 7),
            ("cement_leakage_venous", 2),
            ("fever", 30),
        ]
    }
    (tmp_path / "p_DataDictionary.csv").unlink()  # nobody then knows that `leak___0` is none
    bare = load(tmp_path, key=KEY)
    assert bare.frame("events").empty
    boxes = bare.unmapped.query("column == 'leak___0'")["reason"].tolist()
    assert boxes == ["a box to tick: only the data dictionary says for what"]


@pytest.mark.slow
def test_labels_without_a_dictionary_give_a_leak_the_day_of_its_row(tmp_path):
    head = "Record ID,Event Name,Treatment,Treatment date,Visit date,VAS,Cement leakage (choice=Disc)\n"
    (tmp_path / "p_LABELS.csv").write_text(
        head
        + "1,Baseline,Vertebroplasty,2020-01-02,2020-01-01,8,Checked\n"
        + "2,Baseline,Balloon kyphoplasty,2020-01-03,2020-01-03,8,Unchecked\n"
    )
    found = propose_mapping(tmp_path).content["feed"]
    (feed,) = (feed for feed in found if feed["table"] == "events")
    assert feed["columns"]["date"] == {"column": "Treatment date"}
    (tmp_path / "p_LABELS.csv").write_text(
        head
        + "1,Baseline,Vertebroplasty,2020-01-02,2020-01-01,8,Unchecked\n1,Month 1,,,2020-02-01,3,Checked\n"
    )
    assert of_person(load(tmp_path, key=KEY), "events", "day") == {1: [(30,)]}


@pytest.mark.slow
def test_a_list_of_nothing_but_events_may_hold_two_alike(tmp_path):
    (tmp_path / "base.csv").write_text("patient_id,treatment,procedure_date\n1,KP,2019-02-03\n")
    listed = "patient_id,event,event_date\n1,rib fracture,2019-02-04\n1,rib fracture,2019-02-04\n"
    (tmp_path / "events.csv").write_text(listed)
    read = of_person(load(tmp_path, key=KEY), "events", "type", "day")
    assert read[1] == [("rib_fracture", 1)] * 2
