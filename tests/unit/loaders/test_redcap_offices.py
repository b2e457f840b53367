"""A REDCap project of another office: codes, labels with and without the dictionary, all its quirks.

Mark of order and line ends of Windows, quotes and bars within labels, commas in choices, calculated
fields, a renamed record id, blank repeat instances, access groups, codes for no answer.
"""

import csv
import io

import pytest

from vertebro_outcomes.loaders.load import load
from vertebro_outcomes.loaders.pseudonyms import pseudonym
from vertebro_outcomes.loaders.redcap_dictionary import fields_of, parse_choices

KEY = b"a key for tests"
DICTIONARY = '''\
"Variable / Field Name","Form Name","Section Header","Field Type","Field Label","Choices, Calculations, OR Slider Labels","Field Note","Text Validation Type OR Show Slider Number","Text Validation Min","Text Validation Max",Identifier?,"Branching Logic (Show field only if...)","Required Field?","Custom Alignment","Question Number (surveys only)","Matrix Group Name","Matrix Ranking?","Field Annotation"
spine_id,enrol,,text,"Spine ID",,,,,,,,,,,,,
first_name,enrol,,text,"First name",,,,,,y,,,,,,,
dob,enrol,,text,"Date of birth",,,date_dmy,,,y,,,,,,,
gender,enrol,,radio,"Patient's gender","1, Male | 2, Female | -99, Not recorded",,,,,,,,,,,,
smk,enrol,,dropdown,"Smoking status","0, Never | 1, Former | 2, Current | -88, Refused",,,,,,,,,,,,
index_tx,enrol,,radio,"Index treatment, ""as performed""","1, Vertebroplasty (PVP, uni|bilateral) | 2, Balloon kyphoplasty, any brand | 3, Conservative care, brace",,,,,,,,,,,,
tx_dt,enrol,,text,"Date of index procedure",,,date_mdy,,,,,,,,,,
lvl,enrol,,checkbox,"Levels treated","11, T11 | 12, T12 | 21, L1 | 22, L2",,,,,,,,,,,,
bmi_calc,enrol,,calc,BMI,"round([wt]/(([ht]/100)^2),1)",,,,,,,,,,,,
fu_dt,followup,,text,"Date of visit",,,date_dmy,,,,,,,,,,
pain,followup,,text,"Back pain today (VAS 0-100)",,"mm",number,0,100,,,,,,,,
odi_tot,followup,,calc,"Oswestry total score (%)","sum([q1],[q2])*2",,,,,,,,,,,,
ae_yn,adverse,,yesno,"Any adverse event?",,,,,,,,,,,,,
ae_what,adverse,,dropdown,"Adverse event","1, Cement leakage, disc | 2, Cement leakage, venous | 3, Wound infection | 4, Pulmonary cement embolism | 9, Other, specify",,,,,,,,,,,,
ae_dt,adverse,,text,"Date of adverse event",,,date_dmy,,,,,,,,,,
nf_dt,refx,,text,"Date of new fracture",,,date_dmy,,,,,,,,,,
nf_lvl,refx,,dropdown,"Level of new fracture","11, T11 | 12, T12 | 21, L1",,,,,,,,,,,,
'''  # noqa: E501
DATA = '''\
spine_id,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance,redcap_data_access_group,redcap_survey_identifier,first_name,dob,gender,smk,index_tx,tx_dt,lvl___11,lvl___12,lvl___21,lvl___22,bmi_calc,enrol_complete,fu_dt,pain,odi_tot,followup_complete,ae_yn,ae_what,ae_dt,adverse_complete,nf_dt,nf_lvl,refx_complete
A-17,baseline_arm_1,,,hospital_a,,"Anna ""Annie""",1941-05-03,2,0,2,2019-02-04,0,1,1,0,24.9,2,2019-02-03,82,64,2,,,,,,,
A-17,baseline_arm_1,adverse,1,hospital_a,,,,,,,,,,,,,,,,,,1,1,2019-02-04,2,,,
A-17,baseline_arm_1,adverse,2,hospital_a,,,,,,,,,,,,,,,,,,1,9,2019-02-06,2,,,
A-17,month_3_arm_1,,,hospital_a,,,,,,,,,,,,,,2019-05-06,31,30,2,,,,,,,
A-17,month_12_arm_1,,,hospital_a,,,,,,,,,,,,,,2020-02-05,-99,28,1,,,,,,,
A-17,month_12_arm_1,refx,1,hospital_a,,,,,,,,,,,,,,,,,,,,,,2019-10-01,11,2
B-2,baseline_arm_1,,,hospital_b,,Карл,1938-11-17,1,-88,1,2019-03-04,0,0,0,1,27.0,2,2019-03-03,90,70,2,,,,,,,
B-2,month_3_arm_1,,,hospital_b,,,,,,,,,,,,,,2019-06-03,55,,2,,,,,,,
C-9,baseline_arm_2,,,hospital_b,,Ilse,1945-01-30,-99,2,3,2019-03-18,0,0,0,0,22.1,0,2019-03-18,70,58,2,,,,,,,
'''  # noqa: E501
API = (
    "field_name,form_name,section_header,field_type,field_label,select_choices_or_calculations,"
    "field_note,text_validation_type_or_show_slider_number,text_validation_min,text_validation_max,"
    "identifier,branching_logic,required_field,custom_alignment,question_number,matrix_group_name,"
    "matrix_ranking,field_annotation\n"
)
EVENTS = {
    "baseline_arm_1": "Baseline (Arm 1: Cement)", "baseline_arm_2": "Baseline (Arm 2: Brace)",
    "month_3_arm_1": "Month 3 (Arm 1: Cement)", "month_12_arm_1": "Month 12 (Arm 1: Cement)",
}  # fmt: skip
HEADS = {
    "redcap_event_name": "Event Name", "redcap_repeat_instrument": "Repeat Instrument",
    "redcap_repeat_instance": "Repeat Instance", "redcap_data_access_group": "Data Access Group",
    "redcap_survey_identifier": "Survey Identifier",
}  # fmt: skip


def with_labels():
    """The same export as REDCap writes it with labels for headers and choices."""
    listed = list(csv.DictReader(io.StringIO(DICTIONARY)))
    fields = fields_of(list(listed[0]), listed)
    first, *rows = csv.reader(io.StringIO(DATA))
    boxes = {
        c: (f, f.choices[c.split("___")[1]])
        for f in fields.values()
        for c in f.columns
        if "___" in c
    }
    heads = [
        HEADS.get(c)
        or (fields[c].label if c in fields else "")
        or (f"{boxes[c][0].label} (choice={boxes[c][1]})" if c in boxes else "Complete?")
        for c in first
    ]
    status = {"0": "Incomplete", "1": "Unverified", "2": "Complete"}
    said = [
        [
            EVENTS.get(cell)
            or (cell and c in boxes and ("Checked" if cell == "1" else "Unchecked"))
            or (c.endswith("_complete") and status.get(cell))
            or (c in fields and fields[c].choices.get(cell))
            or cell
            for c, cell in zip(first, row, strict=True)
        ]
        for row in rows
    ]
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerows([heads, *said])
    return text.getvalue()


def project(folder, data, dictionary=DICTIONARY):
    folder.mkdir()
    windows = ("\ufeff" + data).replace("\r\n", "\n").replace("\n", "\r\n")
    (folder / "SpineReg_DATA_2021-03-04_1015.csv").write_bytes(windows.encode())
    if dictionary:
        (folder / "SpineReg_DataDictionary_2021-03-04.csv").write_text(
            dictionary, encoding="utf-8-sig"
        )
    return load(folder, key=KEY)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    return project(tmp_path_factory.mktemp("redcap") / "codes", DATA)


def test_every_field_that_can_be_told_is_read(cohort):
    ids = {name: pseudonym(name, KEY) for name in ("A-17", "B-2", "C-9")}
    treatments = cohort.frame("episodes").set_index("patient_id")["treatment"]
    assert {name: treatments[of] for name, of in ids.items()} == {
        "A-17": "KP",
        "B-2": "VP",
        "C-9": "NSM",
    }
    patients = cohort.frame("patients").set_index("patient_id")
    assert patients.loc[ids["A-17"], ["site", "sex", "bmi", "smoker"]].tolist() == [
        "hospital_a", "female", 24.9, False,
    ]  # fmt: skip
    assert patients.loc[ids["C-9"], "smoker"]
    absences = cohort.frame("absences")[["patient_id", "column", "reason"]].to_numpy().tolist()
    assert sorted(absences) == sorted(
        [[ids["B-2"], "smoker", "missing"], [ids["C-9"], "sex", "missing"]]
    )
    assert cohort.frame("levels")["level"].value_counts().to_dict() == {"L1": 1, "T12": 1, "L2": 1}
    assert cohort.frame("events")[["type", "day"]].sort_values("day").to_numpy().tolist() == [
        ["cement_leakage_disc", 0], ["other_complication", 2],
    ]  # fmt: skip
    assert cohort.frame("fractures")[["level", "day", "adjacent"]].to_numpy().tolist() == [
        ["T11", 239, True]
    ]
    scores = cohort.frame("scores").query("patient_id == @ids['A-17']")
    assert scores[["instrument", "day", "value", "status"]].astype(str).to_numpy().tolist() == [
        ["odi", "-1", "64.0", "observed"], ["odi", "91", "30.0", "observed"],
        ["odi", "366", "28.0", "observed"], ["pain_vas", "-1", "8.2", "observed"],
        ["pain_vas", "91", "3.1", "observed"], ["pain_vas", "366", "nan", "missing"],
    ]  # fmt: skip


def test_every_row_is_accounted_for_and_names_stay_outside(cohort):
    assert cohort.accounting.iloc[0, 1:].tolist() == [9, 9, 0, 0]
    assert cohort.rejects.empty
    assert cohort.unmapped["column"].tolist() == ["first_name", "ae_yn"]
    everything = str(cohort) + cohort.unmapped.to_string() + " ".join(cohort.notes)
    assert "Annie" not in everything
    assert "A-17" not in everything


WAYS = {
    "dictionary of the API": (DATA, API + DICTIONARY.partition("\n")[2]),
    "labels": (with_labels(), DICTIONARY),
    "labels without a dictionary": (with_labels(), ""),
}


@pytest.mark.parametrize("way", WAYS)
def test_labels_and_the_other_spelling_of_the_dictionary_give_the_same(cohort, tmp_path, way):
    other = project(tmp_path / "other", *WAYS[way])
    assert other.rejects.empty
    for table in ("patients", "episodes", "levels", "events", "fractures", "scores"):
        one, two = cohort.frame(table), other.frame(table)
        if way == "labels without a dictionary" and table == "scores":
            one = one[one["value"].notna() | (one["day"] == 366)].reset_index(drop=True)
        assert two.equals(one), table
    assert {"Complete?", "Event Name", "Repeat Instance"}.isdisjoint(other.unmapped["column"])


def test_a_bar_within_a_label_ends_no_choice():
    assert parse_choices("1, uni|bilateral | 2, none, at all|-99, not known") == {
        "1": "uni|bilateral", "2": "none, at all", "-99": "not known",
    }  # fmt: skip


def test_a_ticked_box_whose_header_alone_names_a_complication_is_one_event(tmp_path):
    """Labels as headers, and no dictionary beside them."""
    (tmp_path / "Export_DATA_LABELS.csv").write_text(
        "Record ID,Event Name,Treatment,Treatment date,"
        "Complications (choice=Fever),Complications (choice=Infection)\n"
        "1,Baseline,Vertebroplasty,2020-01-02,Checked,Unchecked\n"
        "2,Baseline,Balloon kyphoplasty,2020-01-03,Checked,Checked\n"
    )
    found = load(tmp_path, format="redcap", key=b"k")
    assert found.events["type"].to_pandas().value_counts().to_dict() == {"fever": 2, "infection": 1}
