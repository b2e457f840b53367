"""Every trap of a REDCap flat export, with its dictionary in both spellings."""

import pytest

from vertebro_outcomes.loaders.load import load
from vertebro_outcomes.loaders.pseudonyms import pseudonym
from vertebro_outcomes.loaders.redcap_dictionary import (
    checkbox_column,
    fields_of,
    is_dictionary,
    names_for_labels,
    parse_choices,
)

KEY = b"a key for tests"
API = """\
field_name,form_name,section_header,field_type,field_label,select_choices_or_calculations,field_note,text_validation_type_or_show_slider_number,text_validation_min,text_validation_max,identifier,branching_logic,required_field,custom_alignment,question_number,matrix_group_name,matrix_ranking,field_annotation
record_id,base,,text,Record ID,,,,,,,,,,,,,
name,base,,text,Name,,,,,,y,,,,,,,
sex,base,,radio,Sex,1|2,,,,,,,,,,,,
sex,base,,radio,Sex,"1, Female|2, Male",,,,,,,,,,,,
smoker,base,,yesno,Smoker,,,,,,,,,,,,,
bmi,base,,calc,BMI,round([w]/([h]*[h]),1),,,,,,,,,,,,
treatment,base,,dropdown,Treatment,"1, Vertebroplasty, percutaneous | 2, Kyphoplasty|9, Non-surgical",,,,,,,,,,,,
procedure_date,base,,text,Procedure date,,,date_dmy,,,,,,,,,,
steroids,base,,yesno,Steroid use,,,,,,,[smoker]='1',,,,,,
intro,base,,descriptive,"Read <b>this</b>",,,,,,,,,,,,,
mood,base,,slider,Mood,low | middle | high,,number,,,,,,,,,,
treated_levels,base,,checkbox,Treated levels,"t12, T12 | l1, L1 | l2, L2",,,,,,,,,,,,
visit_date,visit,,text,Visit date,,,date_ymd,,,,,,,,,,
odi,visit,,text,Oswestry total,,,number_comma_decimal,,,,,,,,,,
compl,visit,,checkbox,Complications,"1, Cement leakage, any | 2, Infection | -1, None | pe, Pulmonary cement embolism",,,,,,,,,,,,
note,visit,,notes,Remarks,,,,,,,,,,,,,
newfx_date,fracture,,text,New fracture date,,,date_dmy,,,,,,,,,,
newfx_level,fracture,,dropdown,New fracture level,"11, Th11 | 12, Th12 | 21, L1",,,,,,,,,,,,
"""  # noqa: E501
DATA = """\
record_id,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance,redcap_data_access_group,redcap_survey_identifier,visit_timestamp,name,sex,smoker,bmi,treatment,procedure_date,steroids,mood,treated_levels___t12,treated_levels___l1,treated_levels___l2,base_complete,visit_date,odi,compl___1,compl___2,compl____1,compl___pe,note,visit_complete,newfx_date,newfx_level,fracture_complete
331-1,baseline_arm_1,,,331-1,,[not completed],Ивана,1,1,24.5,1,2019-02-03,0,50,1,0,0,2,2019-02-03,"52,4",0,0,0,1,"said ""fine"",
then left",2,,,
331-1,month_3_arm_1,,,331-1,,2019-05-05 10:00,,,,,,,,,0,0,0,,2019-05-05,"20,0",0,0,0,0,,0,,,
331-1,month_3_arm_1,visit,1,331-1,,,,,,,,,,,0,0,0,,2019-06-05,"18,5",1,1,0,0,,2,,,
331-1,month_3_arm_1,fracture,1,331-1,,,,,,,,,,,0,0,0,,,,0,0,0,0,,,2019-09-01,11,2
331-1,baseline_arm_2,,,331-1,,,,,,,,,,,0,0,0,,,,0,0,0,0,,,,,
331-2,baseline_arm_1,,,331-2,,,Ø,2,0,UNK,9,2019-03-01,,,0,0,0,2,2019-03-01,-99,0,0,1,0,[document],2,,,
331-2,month_3_arm_1,,,331-2,,,,,,,,,,,0,0,0,,2019-06-01,,0,0,0,0,,2,,,
"""  # noqa: E501


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    (folder / "metadata.csv").write_text(API, encoding="utf-8")
    (folder / "data.csv").write_text("\ufeff" + DATA, encoding="utf-8")
    (folder / "arm.csv").write_text("arm_num,name\n1,One\n2,Two\n")
    return folder


@pytest.fixture(scope="module")
def cohort(folder):
    return load(folder, key=KEY)


def frame(cohort, name):
    return cohort.frame(name).set_index("patient_id")


def test_patients_are_merged_over_events_and_arms(cohort):
    patients = frame(cohort, "patients")
    one, two = patients.loc[pseudonym("331-1", KEY)], patients.loc[pseudonym("331-2", KEY)]
    assert len(patients) == 2
    assert one[["site", "sex", "smoker", "bmi", "steroid_use"]].tolist() == [
        "331-1",
        "female",
        True,
        24.5,
        False,
    ]
    assert two["sex"] == "male"
    assert not two["smoker"]


def test_blanks_with_a_reason_stay_apart(cohort):
    absences = frame(cohort, "absences")
    two = absences.loc[[pseudonym("331-2", KEY)]].set_index("column")["reason"].to_dict()
    assert two == {"bmi": "missing", "steroid_use": "not_applicable"}
    assert pseudonym("331-1", KEY) not in absences.index


def test_decimal_commas_where_declared_and_missing_codes(cohort):
    scores = frame(cohort, "scores")
    one = scores.loc[[pseudonym("331-1", KEY)]].set_index("day")["value"].to_dict()
    assert one == {0: 52.4, 91: 20.0, 122: 18.5}
    two = scores.loc[[pseudonym("331-2", KEY)]].set_index("day")["status"].to_dict()
    assert two == {0: "missing", 92: "missing"}
    assert set(scores["instrument"]) == {"odi"}


def test_ticked_boxes_are_events_and_levels(cohort):
    events = cohort.frame("events")
    assert sorted(zip(events["type"], events["day"], strict=True)) == [
        ("cement_leakage", 122), ("infection", 122), ("pulmonary_cement_embolism", 0),
    ]  # fmt: skip
    assert cohort.frame("levels")["level"].tolist() == ["T12"]
    fractures = cohort.frame("fractures")
    assert fractures[["level", "day", "adjacent"]].to_numpy().tolist() == [["T11", 210, True]]


def test_every_row_is_accounted_for_and_the_rest_is_said(cohort):
    accounts = cohort.accounting.set_index("source_file")
    assert accounts.loc["data.csv", ["rows_in", "rows_used"]].tolist() == [7, 7]
    assert accounts.loc["metadata.csv", "rows_ignored"] == 18
    assert accounts.loc["arm.csv", "rows_ignored"] == 2
    unmapped = set(cohort.unmapped["column"])
    assert {"name", "note", "mood", "compl____1"} <= unmapped
    assert not {"redcap_event_name", "visit_complete", "visit_timestamp"} & unmapped
    assert cohort.rejects.empty


def test_free_text_and_names_stay_outside(cohort, tmp_path):
    cohort.write(tmp_path / "out")
    everything = b"".join(path.read_bytes() for path in (tmp_path / "out").iterdir())
    for private in ("Ивана", "then left", "331-2-"):
        assert private.encode() not in everything


def test_labels_instead_of_codes_and_of_names_give_the_same(folder, cohort, tmp_path):
    text = DATA.replace(",1,1,24.5,1,", ',Female,Yes,24.5,"Vertebroplasty, percutaneous",')
    text = text.replace(",2,0,UNK,9,", ",Male,No,UNK,Non-surgical,").replace("Th11", "Th11")
    head, _, body = text.partition("\n")
    names = head.split(",")
    labels = {"record_id": "Record ID", "redcap_event_name": "Event Name", "sex": "Sex",
              "redcap_repeat_instrument": "Repeat Instrument", "smoker": "Smoker", "bmi": "BMI",
              "redcap_data_access_group": "Data Access Group", "treatment": "Treatment",
              "compl___1": "Complications (choice=Cement leakage, any)",
              "compl____1": "Complications (choice=None)", "odi": "Oswestry total"}  # fmt: skip
    quoted = [f'"{labels.get(n, n)}"' for n in names]
    (tmp_path / "dictionary.csv").write_text(API, encoding="utf-8")
    (tmp_path / "labels.csv").write_text(",".join(quoted) + "\n" + body, encoding="utf-8")
    other = load(tmp_path, key=KEY)
    for table in ("patients", "episodes", "scores", "events", "levels", "fractures"):
        expected = cohort.frame(table)
        assert other.frame(table).equals(expected), table


def test_an_unanswered_box_is_not_a_no(tmp_path):
    header = "record_id,smoking___1,smoking___0,base_complete\n"
    dictionary = "field_name,form_name,field_type,field_label,select_choices_or_calculations\n"
    dictionary += 'record_id,base,text,Record,\nsmoking,base,checkbox,Smoking,"1, Yes | 0, No"\n'
    (tmp_path / "d.csv").write_text(dictionary)
    (tmp_path / "x.csv").write_text(header + "a,0,0,0\nb,0,0,2\nc,1,0,0\nd,0,0,\n")
    mapping = {
        "feed": [
            {
                "source": "x.csv",
                "table": "patients",
                "columns": {"patient_id": "record_id", "smoker": "smoking___1"},
            }
        ]
    }
    patients = frame(load(tmp_path, mapping=mapping, key=KEY), "patients")["smoker"]
    found = {name: patients[pseudonym(name, KEY)] for name in "abcd"}
    assert found["c"]
    assert not found["b"]
    assert patients.isna().sum() == 2


@pytest.mark.parametrize("content", ["\n", "", "\ufeff\n"])
def test_a_zero_row_export_is_an_empty_cohort(tmp_path, content):
    (tmp_path / "empty.csv").write_text(content, encoding="utf-8")
    cohort = load(tmp_path, format="redcap", key=KEY)
    assert cohort.frame("patients").empty
    assert cohort.accounting["rows_in"].tolist() == [0]


def test_choices_in_every_writing():
    assert parse_choices("1, one | 2, two, or more") == {"1": "one", "2": "two, or more"}
    assert parse_choices("1, one|2, two") == {"1": "one", "2": "two"}
    assert parse_choices("low | middle | high") == {}
    assert parse_choices("a, <b>A</b>\nb, B") == {"a": "A", "b": "B"}
    assert checkbox_column("f", "-1") == "f____1"
    assert checkbox_column("f", "AB") == "f___ab"


def test_dictionaries_in_both_spellings():
    human = ["Variable / Field Name", "Form Name", "Field Type", "Field Label",
             "Choices, Calculations, OR Slider Labels"]  # fmt: skip
    assert is_dictionary(human)
    assert is_dictionary(["field_name", "form_name", "field_type"])
    assert not is_dictionary(["record_id", "redcap_event_name"])
    rows = [dict(zip(human, ["f", "base", "checkbox", "Pain?", "1, A | 2, B"], strict=True))]
    fields = fields_of(human, rows)
    assert fields["f"].columns == ("f___1", "f___2")
    assert names_for_labels(["Pain? (choice=B)", "Event Name"], fields) == {
        "Pain? (choice=B)": "f___2",
        "Event Name": "redcap_event_name",
    }
